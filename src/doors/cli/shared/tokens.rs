//! The token service that a command asks, in this process over the issuer's books, and
//! how tokens are told.

use super::books::{self, Need};
use super::command::Call;
use super::failure::Failure;
use super::recording::Recording;
use crate::air::host::{Party, TokenError, TokenService, TokenView};
use crate::base::context::Context;
use crate::roles::token::{DecisionRules, TokenRules, Tokens};
use crate::words::emv::Pan;
use crate::world::{HostAddress, StoreAddress, has_vault, open_tokens, read_text};
use serde_json::{Value, json};
use std::path::PathBuf;

/// Opens the service.
pub(in crate::doors::cli) fn open(call: &mut Call<'_>) -> Result<(Tokens, Context), Failure> {
    if let HostAddress::Tcp(address) = call.switches.host()? {
        return Err(Failure::Usage(format!(
            "expected the books of the token service (--store), found --host tcp:{address}: over a line a token \
             pays and nothing else; give this command where the books are, without --host"
        )));
    }
    let store = books::address(call, Need::Asks)?;
    let mut context = call.switches.context(Recording::default());
    let service = open_in(call, &store, &mut context)?;
    Ok((service, context))
}

fn open_in(call: &Call<'_>, store: &StoreAddress, context: &mut Context) -> Result<Tokens, Failure> {
    let (seal, key) = (call.switches.seal_key.as_deref(), books::token_key(call));
    let rules = rules(call)?;
    open_tokens(store, seal, key.as_deref(), rules, context).map_err(|cause| books::at(store, cause))
}

/// The rules, with the decision rules of `--rules` where the command has that.
fn rules(call: &Call<'_>) -> Result<TokenRules, Failure> {
    let named = call.arguments.try_get_one::<PathBuf>("rules").ok().flatten();
    let Some(path) = named else { return Ok(TokenRules::default()) };
    let text = read_text(path).map_err(|cause| Failure::file("read", path, cause))?;
    let decision = DecisionRules::parse(&text)
        .map_err(|error| Failure::Usage(format!("{}: {error}", path.display())))?;
    Ok(TokenRules { decision, ..TokenRules::default() })
}

/// Has the tokens of a card follow what the issuer's file says of it now, where there is
/// a vault.
pub(in crate::doors::cli) fn follow_card(
    call: &mut Call<'_>,
    store: &StoreAddress,
    pan: &Pan,
    context: &mut Context,
) -> Result<(), Failure> {
    let key = books::token_key(call);
    if !has_vault(store, key.as_deref()) {
        if matches!(store, StoreAddress::Postgres(_)) {
            call.output.note(
                "The vault of tokens was not told: where there is one, name its key with --token-key and \
                 give this command again."
                    .to_owned(),
            );
        }
        return Ok(());
    }
    let mut service = open_in(call, store, context)?;
    match service.card_changed(pan, &Party::Issuer, context) {
        Ok(views) => {
            tell(call, &views);
            Ok(())
        }
        // It was never put into a phone.
        Err(TokenError::Unknown { .. }) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Tells tokens as they stand.
pub(in crate::doors::cli) fn tell(call: &mut Call<'_>, views: &[TokenView]) {
    for view in views {
        call.output.say(&format!(
            "token ***{} for the card ***{}: {}\n",
            view.token_last_four, view.last_four, view.state
        ));
    }
    call.output.tell("tokens", Value::Array(views.iter().map(json_of).collect()));
}

/// A token as data.
pub(in crate::doors::cli) fn json_of(view: &TokenView) -> Value {
    json!({
        "reference": view.reference.0,
        "state": view.state.word(),
        "requestor": view.requestor.digits(),
        "device": view.device,
        "token_last_four": view.token_last_four,
        "last_four": view.last_four,
        "expiry": view.expiry,
    })
}

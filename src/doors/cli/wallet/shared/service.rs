//! The token service that a command asks, in this process over the issuer's books.

use crate::base::context::Context;
use crate::devices::wallet::TokenCard;
use crate::doors::cli::shared::books::{self, Need};
use crate::doors::cli::shared::command::Call;
use crate::doors::cli::shared::failure::Failure;
use crate::doors::cli::shared::recording::Recording;
use crate::roles::token::{TokenRules, Tokens};
use crate::world::open_tokens;
use serde_json::{Value, json};

/// Opens the service.
pub(in crate::doors::cli) fn open(call: &mut Call<'_>) -> Result<(Tokens, Context), Failure> {
    let store = books::address(call, Need::Asks)?;
    let mut context = call.switches.context(Recording::default());
    let (seal, key) = (call.switches.seal_key.as_deref(), books::token_key(call));
    let service = open_tokens(&store, seal, key.as_deref(), TokenRules::default(), &mut context);
    Ok((service.map_err(|cause| books::at(&store, cause))?, context))
}

/// A token as data.
pub(in crate::doors::cli) fn token_json(token: &TokenCard) -> Value {
    json!({
        "name": token.name,
        "state": token.state.word(),
        "token_last_four": token.token_last_four,
        "last_four": token.last_four,
        "expiry": token.expiry,
        "limited_use_key": token.key,
    })
}

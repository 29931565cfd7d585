//! `cardwright host token`: the issuer's end of a token's life. What the issuer holds,
//! the issuer alone resumes; every change is in the token's history.

use crate::air::host::{Party, TokenError, TokenReference, TokenService, TokenVerb, TokenView};
use crate::base::context::Context;
use crate::doors::cli::shared::books::token_key_argument;
use crate::doors::cli::shared::command::{Call, Command, Run, no_arguments};
use crate::doors::cli::shared::failure::{Exit, Failure};
use crate::doors::cli::shared::{pan, tokens};
use crate::observers::report::Columns;
use crate::roles::token::Tokens;
use clap::Arg;
use serde_json::{Value, json};

/// The row of this command.
pub(super) const COMMAND: Command = Command {
    name: "token",
    about: "The issuer's end of tokens: lists, holds, releases and ends those of a card",
    effect: None,
    arguments: no_arguments,
    run: Run::OneOf(&[
        Command { arguments: pan_arguments, ..row("list", "Lists tokens, of one card or all", list) },
        row("show", "Shows tokens with their history: what, by whom, why", show),
        row("suspend", "Holds tokens: they pay no more until the issuer resumes them", suspend),
        row("resume", "Resumes tokens that the issuer holds", resume),
        row("remove", "Ends tokens for good; the bindings that have none left end, too", remove),
    ]),
};

const fn row(
    name: &'static str,
    about: &'static str,
    run: fn(&mut Call<'_>) -> Result<Exit, Failure>,
) -> Command {
    Command { name, about, effect: None, arguments, run: Run::Alone(run) }
}

fn arguments(line: clap::Command) -> clap::Command {
    pan_arguments(line).arg(
        Arg::new("TOKEN")
            .conflicts_with_all(["pan", "pan-file"])
            .help("A token's reference, as `host token list` shows it; else all tokens of a card"),
    )
}

fn pan_arguments(line: clap::Command) -> clap::Command {
    pan::arguments(line).arg(token_key_argument())
}

fn list(call: &mut Call<'_>) -> Result<Exit, Failure> {
    let (mut service, mut context) = tokens::open(call)?;
    let views = match pan::is_named(call) {
        true => of_card(call, &mut service, &mut context)?,
        false => service.tokens(&Party::Issuer, &mut context)?,
    };
    if views.is_empty() {
        call.output.say("There is no token.\n");
    }
    let mut columns = Columns::indented(0);
    for view in &views {
        columns.row(&view.reference.0, line(view));
    }
    call.output.say(&columns.to_string());
    call.output.tell("tokens", Value::Array(views.iter().map(tokens::json_of).collect()));
    Ok(Exit::Done)
}

fn show(call: &mut Call<'_>) -> Result<Exit, Failure> {
    let (mut service, mut context) = tokens::open(call)?;
    let mut told = Vec::new();
    for view in chosen(call, &mut service, &mut context)? {
        call.output.say(&format!("{}\n  {}\n", view.reference.0, line(&view)));
        let history = service.vault().history(&view.reference.0, &mut context).map_err(TokenError::from)?;
        let mut columns = Columns::indented(2);
        for row in &history {
            columns.row(row.at.to_string(), format!("{}, by {}: {}", row.state, row.by, row.reason));
        }
        call.output.say(&columns.to_string());
        let history = history.iter().map(|row| {
            json!({
                "what": row.what,
                "state": row.state,
                "by": row.by,
                "reason": row.reason,
                "at": row.at.to_string(),
            })
        });
        let mut token = tokens::json_of(&view);
        token["history"] = Value::Array(history.collect());
        told.push(token);
    }
    call.output.tell("tokens", Value::Array(told));
    Ok(Exit::Done)
}

fn suspend(call: &mut Call<'_>) -> Result<Exit, Failure> {
    change(call, TokenVerb::Suspend)
}

fn resume(call: &mut Call<'_>) -> Result<Exit, Failure> {
    change(call, TokenVerb::Resume)
}

fn remove(call: &mut Call<'_>) -> Result<Exit, Failure> {
    change(call, TokenVerb::Remove)
}

/// Each token by itself: what one refuses does not keep the others from it, and the
/// command given again acts on those that are left.
fn change(call: &mut Call<'_>, verb: TokenVerb) -> Result<Exit, Failure> {
    let (mut service, mut context) = tokens::open(call)?;
    let (mut changed, mut refused) = (Vec::new(), Vec::new());
    for view in chosen(call, &mut service, &mut context)? {
        match service.change(&view.reference, verb, &Party::Issuer, &mut context) {
            Ok(view) => changed.push(view),
            Err(TokenError::State { reason, .. }) => refused.push((view, reason)),
            Err(error) => return Err(error.into()),
        }
    }
    tokens::tell(call, &changed);
    for (view, reason) in &refused {
        call.output.say(&format!("token ***{} stays {}: {reason}\n", view.token_last_four, view.state));
    }
    let refused: Vec<_> = refused
        .iter()
        .map(|(view, reason)| json!({ "reference": view.reference.0, "reason": reason }))
        .collect();
    let all = refused.is_empty();
    call.output.tell("refused", Value::Array(refused));
    Ok(if all { Exit::Done } else { Exit::Declined })
}

/// The token that is named, whatever its state, or those of a card that are not
/// terminated.
fn chosen(call: &Call<'_>, service: &mut Tokens, context: &mut Context) -> Result<Vec<TokenView>, Failure> {
    if let Some(reference) = call.text("TOKEN") {
        let reference = TokenReference(reference.to_owned());
        return Ok(vec![service.token(&reference, &Party::Issuer, context)?]);
    }
    let mut views = of_card(call, service, context)?;
    views.retain(|view| view.state != crate::air::host::TokenState::Terminated);
    Ok(views)
}

/// The tokens of a card, once they have followed what has become of it.
fn of_card(call: &Call<'_>, service: &mut Tokens, context: &mut Context) -> Result<Vec<TokenView>, Failure> {
    Ok(service.card_changed(&pan::pan(call)?, &Party::Issuer, context)?)
}

fn line(view: &TokenView) -> String {
    format!(
        "{}  token ***{} for the card ***{}, until {}, on device {} of {}",
        view.state, view.token_last_four, view.last_four, view.expiry, view.device, view.requestor
    )
}

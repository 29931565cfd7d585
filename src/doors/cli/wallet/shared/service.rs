//! The token service that a command asks, in this process over the issuer's books.

use crate::base::context::Context;
use crate::devices::wallet::TokenCard;
use crate::doors::cli::shared::books::{self, Need};
use crate::doors::cli::shared::command::Call;
use crate::doors::cli::shared::failure::Failure;
use crate::doors::cli::shared::recording::Recording;
use crate::roles::token::Tokens;
use crate::world::open_tokens;
use serde_json::{Value, json};

/// Opens the service.
pub(in crate::doors::cli) fn open(call: &mut Call<'_>) -> Result<(Tokens, Context), Failure> {
    let store = books::address(call, Need::Asks)?;
    let mut context = call.switches.context(Recording::default());
    let service = open_tokens(&store, call.switches.seal_key.as_deref(), &mut context)
        .map_err(|cause| books::at(&store, cause))?;
    Ok((service, context))
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

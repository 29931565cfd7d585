//! Seats a token service: the vault in the issuer's store, the issuer that knows holders,
//! the bureau that prepares tokens' cards; and a card that takes another's place.

use super::address::StoreAddress;
use super::books::{open_issuer, store_db, store_seal};
use super::error::WorldError;
use super::host::Wrap;
use super::issue::{NewCard, new_card_memory, on_file, order_for};
use crate::air::host::Host;
use crate::base::context::Context;
use crate::roles::bureau::{KeySet, TokenBureau};
use crate::roles::card::{CardMemory, Profile};
use crate::roles::issuer::Issuer;
use crate::roles::token::{TokenHost, TokenKeys, TokenRules, Tokens, Vault};
use crate::words::emv::Pan;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

/// The profile of a token's card.
const TOKEN_PROFILE: &str = "token";

/// Opens the token service of a store.
pub fn open_tokens(
    store: &StoreAddress,
    seal: Option<&Path>,
    context: &mut Context,
) -> Result<Tokens, WorldError> {
    let (vault, issuer) = open(store, seal, context)?;
    Ok(Tokens::new(vault, Box::new(issuer), Box::new(bureau()?)))
}

/// The issuer's books of a store with the token service before them, as a terminal sees
/// them.
pub fn token_host(
    store: &StoreAddress,
    seal: Option<&Path>,
    context: &mut Context,
) -> Result<Box<dyn Host>, WorldError> {
    let (vault, issuer) = open(store, seal, context)?;
    Ok(Box::new(TokenHost::new(vault, Box::new(issuer))))
}

/// Puts the token service of a store before the issuer of each worker of a server.
pub fn token_wrap(
    store: &StoreAddress,
    seal: Option<&Path>,
    context: &mut Context,
) -> Result<Wrap, WorldError> {
    let vault = Mutex::new(open(store, seal, context)?.0);
    Ok(Arc::new(move |issuer| {
        let vault = vault.lock().unwrap_or_else(PoisonError::into_inner).handle()?;
        Ok(Box::new(TokenHost::new(vault, Box::new(issuer))))
    }))
}

/// Makes a card that takes another's place, and puts it on the issuer's file.
pub fn replace_card(
    issuer: &mut Issuer,
    old: &Pan,
    card: &NewCard,
    context: &mut Context,
) -> Result<CardMemory, WorldError> {
    let order = order_for(card, context)?;
    let memory = new_card_memory(&card.profile, &order)?;
    let on_file = on_file(card, &order, &memory);
    issuer.replace_card(old, order.psn, &on_file, context)?;
    Ok(memory)
}

fn open(
    store: &StoreAddress,
    seal: Option<&Path>,
    context: &mut Context,
) -> Result<(Vault, Issuer), WorldError> {
    let seal = store_seal(store, seal, context)?;
    let db = store_db(store)?;
    let keys = KeySet::test_tokens();
    let version = Profile::named(TOKEN_PROFILE)?.version()?;
    let keys = TokenKeys { master: keys.master().clone(), dki: keys.dki(), version };
    let vault = Vault::open(db.handle()?, seal.clone().into(), keys, TokenRules::default(), context)?;
    Ok((vault, open_issuer(db, seal)?))
}

/// The bureau that fills the profile of tokens' cards.
fn bureau() -> Result<TokenBureau, WorldError> {
    let profile = Profile::named(TOKEN_PROFILE)?;
    let lacks = || WorldError::Profile { profile: TOKEN_PROFILE.into(), what: "application by radio" };
    let template = profile.template().ok_or_else(lacks)?;
    Ok(TokenBureau::new(KeySet::test_tokens(), profile.version()?, template))
}

//! The token service's place on the stage: its vault in the issuer's store under a key
//! of its own, the issuer that it asks, the bureau that prepares its cards.

use super::address::StoreAddress;
use super::books::{open_issuer, store_db, store_seal};
use super::error::WorldError;
use crate::air::host::{Host, HostError};
use crate::base::context::Context;
use crate::base::event::Discard;
use crate::base::store::{Db, SealKey};
use crate::roles::bureau::{KeySet, TokenBureau};
use crate::roles::card::Profile;
use crate::roles::issuer::{Issuer, Rules};
use crate::roles::token::{Rotation, SealKeys, TokenHost, TokenKeys, TokenRules, Tokens, Vault};
use crate::words::emv::cryptogram::CryptogramVersion;
use std::path::{Path, PathBuf};

/// The name of the vault's key file beside a store, where no other is named.
pub const TOKEN_KEY_FILE: &str = "cardwright-tokens.key";
/// The profile that token cards are prepared from.
pub const TOKEN_PROFILE: &str = "token";
/// The cryptogram version of token cards.
pub const TOKEN_VERSION: &str = "PBOC CVN 01";
/// How many rows of a table a change of the key seals anew in one transaction.
const BATCH: u32 = 1_000;

/// Opens the vault in a store. `key` names the file of its key, which is made where it
/// is absent.
pub fn open_vault(
    store: &StoreAddress,
    key: Option<&Path>,
    rules: TokenRules,
    context: &mut Context,
) -> Result<Vault, WorldError> {
    open_vault_in(store_db(store)?, store, key, rules, context)
}

/// Opens the vault of a store that is open already.
pub fn open_vault_in(
    db: Box<dyn Db>,
    store: &StoreAddress,
    key: Option<&Path>,
    rules: TokenRules,
    context: &mut Context,
) -> Result<Vault, WorldError> {
    let seal = vault_seal(store, key, context)?;
    Ok(Vault::open(db, seal, token_keys()?, rules, context)?)
}

/// Opens the token service of a store: vault, issuer and bureau.
pub fn open_tokens(
    store: &StoreAddress,
    seal: Option<&Path>,
    key: Option<&Path>,
    rules: TokenRules,
    context: &mut Context,
) -> Result<Tokens, WorldError> {
    let vault = open_vault(store, key, rules, context)?;
    let issuer = open_issuer(store_db(store)?, store_seal(store, seal, context)?, Rules::default())?;
    Ok(Tokens::new(vault, Box::new(issuer), Box::new(token_bureau()?)))
}

/// The token service before an issuer.
pub fn before_issuer(vault: &Vault, issuer: Issuer) -> Result<Box<dyn Host>, HostError> {
    Ok(Box::new(TokenHost::new(vault.handle()?, Box::new(issuer))))
}

/// The issuer's books of a store with the token service before them, as a terminal sees
/// them.
pub fn token_host(
    store: &StoreAddress,
    seal: Option<&Path>,
    key: Option<&Path>,
    context: &mut Context,
) -> Result<Box<dyn Host>, WorldError> {
    let vault = open_vault(store, key, TokenRules::default(), context)?;
    let issuer = open_issuer(store_db(store)?, store_seal(store, seal, context)?, Rules::default())?;
    Ok(Box::new(TokenHost::new(vault, Box::new(issuer))))
}

/// The bureau that prepares token cards.
pub fn token_bureau() -> Result<TokenBureau, WorldError> {
    let template = Profile::named(TOKEN_PROFILE)?.template().ok_or_else(|| WorldError::Profile {
        profile: TOKEN_PROFILE.into(),
        what: "way to be read by radio",
    })?;
    Ok(TokenBureau::new(KeySet::test_tokens(), token_version()?, template))
}

/// Changes the vault's key: a new one is made beside it, every value is sealed anew, and
/// the new one takes the old one's place. Broken off, it goes on with the next call.
pub fn rotate_token_key(
    store: &StoreAddress,
    key: Option<&Path>,
    context: &mut Context,
) -> Result<Rotation, WorldError> {
    let Some(path) = key_path(store, key)? else { return Ok(Rotation::default()) };
    SealKey::read(&path)?;
    // Never from a seed: who knows the seed would know the key of what is kept.
    SealKey::read_or_make(&next_to(&path), &mut Context::system(Discard))?;
    let mut vault = open_vault(store, key, TokenRules::default(), context)?;
    let mut sum = Rotation::default();
    loop {
        let step = vault.rotate(BATCH, context)?;
        sum.done += step.done;
        if step.left == 0 {
            break;
        }
    }
    std::fs::rename(next_to(&path), &path).map_err(|cause| WorldError::File {
        doing: "put in its place",
        path: path.display().to_string(),
        cause: cause.to_string(),
    })?;
    Ok(sum)
}

fn token_keys() -> Result<TokenKeys, WorldError> {
    let set = KeySet::test_tokens();
    Ok(TokenKeys { master: set.master().clone(), dki: set.dki(), version: token_version()? })
}

fn token_version() -> Result<&'static CryptogramVersion, WorldError> {
    CryptogramVersion::by_name(TOKEN_VERSION).ok_or_else(|| WorldError::Profile {
        profile: TOKEN_PROFILE.into(),
        what: "cryptogram version for tokens",
    })
}

/// The vault's key, and the one before it while a change is under way.
fn vault_seal(
    store: &StoreAddress,
    key: Option<&Path>,
    context: &mut Context,
) -> Result<SealKeys, WorldError> {
    let Some(path) = key_path(store, key)? else { return Ok(SealKey::random(context).into()) };
    let next = next_to(&path);
    if next.exists() {
        let (current, previous) = (SealKey::read(&next)?, SealKey::read(&path)?);
        return Ok(SealKeys { current, previous: Some(previous) });
    }
    Ok(SealKey::read_or_make(&path, &mut Context::system(Discard))?.into())
}

/// Whether there is a vault in a store: its key is there.
pub fn has_vault(store: &StoreAddress, key: Option<&Path>) -> bool {
    matches!(key_path(store, key), Ok(Some(path)) if path.exists())
}

/// Where the vault's key is; nowhere for a store in memory.
fn key_path(store: &StoreAddress, key: Option<&Path>) -> Result<Option<PathBuf>, WorldError> {
    match (store, key) {
        (_, Some(named)) => Ok(Some(named.to_owned())),
        (StoreAddress::Sqlite(path), None) => Ok(Some(path.with_file_name(TOKEN_KEY_FILE))),
        (StoreAddress::Memory, None) => Ok(None),
        (StoreAddress::Postgres(_), None) => Err(WorldError::NoTokenKey),
    }
}

fn next_to(path: &Path) -> PathBuf {
    path.with_added_extension("next")
}

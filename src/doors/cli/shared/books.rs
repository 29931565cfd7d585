//! The issuer's books that a command works on.

use super::command::Call;
use super::failure::Failure;
use super::recording::Recording;
use crate::base::context::Context;
use crate::roles::issuer::Issuer;
use crate::world::{StoreAddress, WorldError, open_books_with};
use clap::{Arg, value_parser};
use std::path::{Path, PathBuf};

/// The books in the current folder, where none are named.
pub(in crate::doors::cli) const BOOKS: &str = "cardwright.db";

/// What a command needs books for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::doors::cli) enum Need {
    /// It makes them where they are not there.
    Makes,
    /// It uses those that are there.
    Uses,
    /// It asks those that are there, and nothing else would do.
    Asks,
    /// It has a card in memory, whose books are in memory too.
    Fresh,
}

/// Which books, and says so where nobody named them.
pub(in crate::doors::cli) fn address(call: &mut Call<'_>, need: Need) -> Result<StoreAddress, Failure> {
    if let Some(named) = &call.switches.store {
        let store = StoreAddress::parse(named)?;
        return match &store {
            StoreAddress::Sqlite(path) if need == Need::Asks && !path.exists() => {
                Err(Failure::Usage(format!("there are no books {}: check --store", path.display())))
            }
            _ => Ok(store),
        };
    }
    let here = Path::new(BOOKS);
    let there = here.exists();
    Ok(match need {
        Need::Fresh => StoreAddress::Memory,
        Need::Makes if !there => {
            call.output.note(format!("The issuer's books are made in {BOOKS}, its key beside it."));
            StoreAddress::Sqlite(here.into())
        }
        Need::Uses if !there => {
            call.output.note(format!(
                "There is no {BOOKS} here: the issuer begins with empty books in memory; \
                 name the card's with --store sqlite:FILE."
            ));
            StoreAddress::Memory
        }
        Need::Asks if !there => {
            return Err(Failure::Usage(format!(
                "there is no {BOOKS} here: name the host's books with --store sqlite:FILE or postgres://..."
            )));
        }
        Need::Makes | Need::Uses | Need::Asks => StoreAddress::Sqlite(here.into()),
    })
}

/// Opens the books.
pub(in crate::doors::cli) fn open(
    call: &Call<'_>,
    store: &StoreAddress,
    context: &mut Context,
) -> Result<Issuer, Failure> {
    let seal = call.switches.seal_key.as_deref();
    open_books_with(store, seal, call.switches.rules()?, context).map_err(|cause| at(store, cause))
}

/// Opens the books that a question is about; a question never makes them.
pub(in crate::doors::cli) fn to_ask(call: &mut Call<'_>) -> Result<(Issuer, Context), Failure> {
    let store = address(call, Need::Asks)?;
    let mut context = call.switches.context(Recording::default());
    let issuer = open(call, &store, &mut context)?;
    Ok((issuer, context))
}

/// Names the books in an error that does not.
pub(in crate::doors::cli) fn at(store: &StoreAddress, cause: WorldError) -> Failure {
    match store {
        StoreAddress::Sqlite(path) => Failure::Kept { path: path.clone(), cause: Box::new(cause) },
        StoreAddress::Memory | StoreAddress::Postgres(_) => cause.into(),
    }
}

/// `--token-key`.
pub(in crate::doors::cli) fn token_key_argument() -> Arg {
    Arg::new("token-key")
        .long("token-key")
        .value_name("FILE")
        .env("CARDWRIGHT_TOKEN_KEY")
        .value_parser(value_parser!(PathBuf))
        .help("The key that seals the vault of tokens; else cardwright-tokens.key beside the books")
}

/// The file of the vault's key, where the command has the switch and it is given.
pub(in crate::doors::cli) fn token_key(call: &Call<'_>) -> Option<PathBuf> {
    call.arguments.try_get_one::<PathBuf>("token-key").ok().flatten().cloned()
}

//! Opens a gate whose book and deny list are kept in files.

use crate::base::context::Context;
use crate::base::env::SystemClock;
use crate::devices::gate::{Book, DenyList, Gate, Line};
use crate::roles::terminal::TerminalConfig;
use crate::world::WorldError;
use crate::world::books::{open_folder, seal_key};
use std::path::Path;

/// Opens the gate of a folder, which is made where it is absent: its book there, sealed with
/// the key beside it. No other process is this gate at the same time. Without a deny list
/// nobody is denied but who owes a ride here.
pub fn open_gate(
    folder: &Path,
    line: Line,
    config: TerminalConfig,
    deny_list: Option<&Path>,
    context: &mut Context,
) -> Result<Gate, WorldError> {
    let (db, seal, lock) = open_folder(folder, "gate", context)?;
    let book = Book::open(Box::new(db), seal.clone())?.guarded_by(lock);
    let deny_list = match deny_list {
        Some(path) => open_deny_list(path, context)?,
        None => DenyList::empty(seal),
    };
    Ok(Gate::new(line, config, deny_list, book, Box::new(SystemClock))?)
}

/// Opens the book alone of the gate of a folder, which has one.
pub fn open_gate_book(folder: &Path, context: &mut Context) -> Result<Book, WorldError> {
    let (db, seal, lock) = open_folder(folder, "gate", context)?;
    Ok(Book::open(Box::new(db), seal)?.guarded_by(lock))
}

/// Reads a deny list under the key beside it; one that is not there is empty.
pub fn open_deny_list(path: &Path, context: &mut Context) -> Result<DenyList, WorldError> {
    let key = seal_key(None, Some(path), context)?;
    match path.exists() {
        true => Ok(DenyList::read(path, key)?),
        false => Ok(DenyList::empty(key)),
    }
}

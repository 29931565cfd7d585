//! Opens what is kept: the issuer's books, the terminal's journal, sealing keys,
//! and targets.

use super::address::{StoreAddress, TargetAddress};
use super::error::WorldError;
use crate::air::link::{TARGETS, Target};
use crate::base::context::Context;
use crate::base::event::Discard;
use crate::base::store::{Db, SealKey, Sqlite};
use crate::roles::bureau::KeySet;
use crate::roles::issuer::{Issuer, KeyTable, Rules};
use crate::roles::terminal::journal::Journal;
use crate::words::emv::Pan;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::Read;
use std::path::{Path, PathBuf};

/// The name of the sealing key's file beside a store, where no other is named.
pub const KEY_FILE: &str = "cardwright.key";

/// Opens the store at an address; a file that is not there is made.
pub fn store_db(store: &StoreAddress) -> Result<Box<dyn Db>, WorldError> {
    Ok(match store {
        StoreAddress::Sqlite(path) => Box::new(Sqlite::open(path)?),
        StoreAddress::Memory => Box::new(Sqlite::in_memory()?),
        StoreAddress::Postgres(address) => server_db(address.expose())?,
    })
}

#[cfg(feature = "postgres")]
fn server_db(address: &str) -> Result<Box<dyn Db>, WorldError> {
    Ok(Box::new(crate::base::store::Postgres::open(address)?))
}

#[cfg(not(feature = "postgres"))]
fn server_db(_: &str) -> Result<Box<dyn Db>, WorldError> {
    let cause = "this program was built without the feature postgres".into();
    Err(crate::base::store::StoreError::Open { name: "postgres://...".into(), cause }.into())
}

/// The sealing key of what is kept beside `file`: the named one, else the key file
/// in its folder. It is made where neither it nor `file` is there yet: what is kept
/// already was sealed with a key, and a second one would only mix the two.
pub fn seal_key(
    named: Option<&Path>,
    file: Option<&Path>,
    context: &mut Context,
) -> Result<SealKey, WorldError> {
    match (named, file) {
        (Some(named), _) => Ok(SealKey::read(named)?),
        (None, Some(file)) if is_kept(file) => Ok(SealKey::read(&beside(file))?),
        // Never from a seed: who knows the seed would know the key of what is kept.
        (None, Some(file)) => Ok(SealKey::read_or_make(&beside(file), &mut Context::system(Discard))?),
        (None, None) => Ok(SealKey::random(context)),
    }
}

/// Opens the issuer's books at an address.
pub fn open_books(
    store: &StoreAddress,
    seal: Option<&Path>,
    context: &mut Context,
) -> Result<Issuer, WorldError> {
    open_books_with(store, seal, Rules::default(), context)
}

/// Opens the issuer's books at an address under rules of one's own.
pub fn open_books_with(
    store: &StoreAddress,
    seal: Option<&Path>,
    rules: Rules,
    context: &mut Context,
) -> Result<Issuer, WorldError> {
    let seal = store_seal(store, seal, context)?;
    open_issuer(store_db(store)?, seal, rules)
}

/// Opens the issuer's books in an open store.
pub(super) fn open_issuer(db: Box<dyn Db>, seal: SealKey, rules: Rules) -> Result<Issuer, WorldError> {
    let keys = KeySet::test();
    let table =
        KeyTable::of(Pan::TEST_BIN, keys.dki(), keys.master().clone()).with_purses(KeySet::test_purses());
    Ok(Issuer::open(db, seal, table, rules)?)
}

/// The sealing key of a store.
pub(super) fn store_seal(
    store: &StoreAddress,
    named: Option<&Path>,
    context: &mut Context,
) -> Result<SealKey, WorldError> {
    match (store, named) {
        (StoreAddress::Sqlite(path), named) => seal_key(named, Some(path), context),
        (StoreAddress::Memory, named) => seal_key(named, None, context),
        // Nothing stands beside a server, and all its hosts need the same key.
        (StoreAddress::Postgres(_), Some(named)) => {
            Ok(SealKey::read_or_make(named, &mut Context::system(Discard))?)
        }
        (StoreAddress::Postgres(_), None) => Err(WorldError::NoSealKey),
    }
}

/// Opens the terminal's journal in a folder, which is made where it is absent;
/// without a folder it ends with the process.
pub fn open_journal(folder: Option<&Path>, context: &mut Context) -> Result<Journal, WorldError> {
    let Some(folder) = folder else {
        return Ok(Journal::open(Box::new(Sqlite::in_memory()?), SealKey::random(context))?);
    };
    let (db, seal, lock) = open_folder(folder, "journal", context)?;
    Ok(Journal::open(Box::new(db), seal)?.guarded_by(lock))
}

/// The store `NAME.db` of a folder, which is made where it is absent, the key beside it, and
/// the lock that keeps other processes away.
pub(super) fn open_folder(
    folder: &Path,
    name: &str,
    context: &mut Context,
) -> Result<(Sqlite, SealKey, File), WorldError> {
    std::fs::create_dir_all(folder).map_err(|cause| WorldError::File {
        doing: "make the folder",
        path: folder.display().to_string(),
        cause: cause.to_string(),
    })?;
    let lock = lock(&folder.join(format!("{name}.lock")))?;
    let file = folder.join(format!("{name}.db"));
    let seal = seal_key(None, Some(&file), context)?;
    Ok((Sqlite::open(&file)?, seal, lock))
}

/// Makes this process the only one that is this terminal.
fn lock(path: &Path) -> Result<File, WorldError> {
    let file_error = |cause: std::io::Error| WorldError::File {
        doing: "lock",
        path: path.display().to_string(),
        cause: cause.to_string(),
    };
    let file = OpenOptions::new().write(true).create(true).truncate(false).open(path).map_err(file_error)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(WorldError::InUse { path: path.display().to_string() }),
        Err(TryLockError::Error(cause)) => Err(file_error(cause)),
    }
}

/// Opens a target.
pub fn open_target(address: &TargetAddress) -> Result<Box<dyn Target>, WorldError> {
    let driver = TARGETS.iter().find(|driver| driver.scheme == address.scheme);
    let driver = driver.ok_or_else(|| WorldError::NoDriver { scheme: address.scheme.clone() })?;
    Ok((driver.open)(&address.rest)?)
}

/// Whether something is kept in a file; an empty one holds nothing yet.
fn is_kept(file: &Path) -> bool {
    std::fs::metadata(file).is_ok_and(|found| found.len() > 0)
}

/// The longest text file that is read; lists of CA public keys have 100 KiB.
const TEXT_BYTES: u64 = 1 << 20;

/// A text file that a user names, up to 1 MiB: a device that never ends is not read to its end.
pub fn read_text(path: &Path) -> std::io::Result<String> {
    let mut text = String::new();
    File::open(path)?.take(TEXT_BYTES + 1).read_to_string(&mut text)?;
    match text.len() as u64 > TEXT_BYTES {
        false => Ok(text),
        true => Err(std::io::Error::other(format!("expected a text of {TEXT_BYTES} bytes at most"))),
    }
}

fn beside(file: &Path) -> PathBuf {
    file.with_file_name(KEY_FILE)
}

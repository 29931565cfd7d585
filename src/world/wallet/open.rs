//! Opens a phone in a folder.

use crate::base::context::Context;
use crate::base::store::{SealKey, Sqlite};
use crate::devices::wallet::{CARDS, Wallet};
use crate::world::error::WorldError;
use std::path::{Path, PathBuf};

/// The phone's store, within its folder.
pub const WALLET_DB: &str = "wallet.db";

/// Where the store of a phone is; its sealing key is beside it.
pub fn wallet_file(folder: &Path) -> PathBuf {
    folder.join(WALLET_DB)
}

/// Opens the phone in a folder where there is one.
pub fn open_wallet(folder: &Path, seal: SealKey, context: &mut Context) -> Result<Wallet, WorldError> {
    let file = wallet_file(folder);
    if !file.exists() {
        return Err(WorldError::NoWallet { folder: folder.display().to_string() });
    }
    new_wallet(folder, seal, context)
}

/// Opens the phone in a folder of [`make_wallet_folder`]; a new one has no card.
pub fn new_wallet(folder: &Path, seal: SealKey, context: &mut Context) -> Result<Wallet, WorldError> {
    let db = Box::new(Sqlite::open(&wallet_file(folder))?);
    Ok(Wallet::open(db, folder, seal, context)?)
}

/// Makes the folder of a phone where there is none, for its owner alone.
pub fn make_wallet_folder(folder: &Path) -> Result<(), WorldError> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder.join(CARDS)).map_err(|cause| WorldError::File {
        doing: "make the folder",
        path: folder.display().to_string(),
        cause: cause.to_string(),
    })
}

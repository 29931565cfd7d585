//! Opens a phone in a folder, and lets a host know it.

use crate::base::context::Context;
use crate::roles::issuer::{AccountId, Credentials, Issuer, NewPhone};
use crate::roles::p2p::transfer::{Own, Phone};
use crate::world::books::open_folder;
use crate::world::error::WorldError;
use std::fs::File;
use std::path::{Path, PathBuf};

/// The store of a phone within its folder, without its ending.
const PHONE: &str = "phone";
/// How much a phone may promise before its host has heard of it, where nobody says, minor
/// units. Ours.
pub const OFFLINE_LIMIT_MINOR: u64 = 100_000;

/// Where the book of the phone in a folder is.
pub fn phone_file(folder: &Path) -> PathBuf {
    folder.join(format!("{PHONE}.db"))
}

/// Opens the phone in a folder, which is made where it is absent; the lock keeps other
/// processes away while it lives.
pub fn open_phone(folder: &Path, context: &mut Context) -> Result<(Phone, File), WorldError> {
    let (db, seal, lock) = open_folder(folder, PHONE, context)?;
    Ok((Phone::open(Box::new(db), seal, context)?, lock))
}

/// Lets the issuer know a phone: its key moves the account's money from now on.
pub fn enrol_phone(
    phone: &mut Phone,
    issuer: &mut Issuer,
    account: &AccountId,
    name: &str,
    offline_limit_minor: u64,
    context: &mut Context,
) -> Result<(), WorldError> {
    let new = NewPhone {
        account: account.clone(),
        key: phone.key().clone(),
        name: name.to_owned(),
        offline_limit_minor,
    };
    let Credentials { certificate, host_key } = issuer.open_phone(&new, context)?;
    Ok(phone.enrol(Own { certificate, host_key }, context)?)
}

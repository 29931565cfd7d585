//! The applications that a card can have, one file each. What they share, the
//! commands and the decisions, is beside this folder.

mod debit;
mod ecash;
mod qvsdc;

use super::cryptogram;
use super::memory::{ApplicationMemory, Image};
use super::quick::QuickPath;
use super::session::{Path, Transaction};
use super::simulator::{Refusal, Work};
use crate::words::emv::cryptogram::CryptogramVersion;
use crate::words::tlv::{Tag, TlvStore};

/// What one kind of application does in its own way.
pub(super) trait Application: Sync {
    /// Its name in profiles.
    fn kind(&self) -> &'static str;

    /// Which way a transaction goes by what the PDOL brought, and why.
    fn path(&self, work: &Work<'_>, data: &TlvStore) -> Result<(Path, &'static str), Refusal>;

    /// Whether PUT DATA may write this data object.
    fn may_put(&self, tag: Tag) -> bool;

    /// How it answers on the quick path.
    fn quick_path(&self) -> &'static QuickPath {
        &QuickPath::PBOC
    }

    /// Issuer application data of a cryptogram.
    fn issuer_application_data(
        &self,
        image: &Image,
        version: &CryptogramVersion,
        application: &ApplicationMemory,
        transaction: &Transaction,
    ) -> Vec<u8> {
        cryptogram::issuer_application_data(image, version, application, transaction)
    }
}

/// The kinds of applications.
pub(super) const APPLICATIONS: &[&dyn Application] = &[&ecash::Ecash, &debit::Debit, &qvsdc::Qvsdc];

//! What one kind of application does in its own way. What a method does of itself is what
//! JR/T 0025 has for all of its applications.

use super::decision::{self, Decision};
use super::memory::{ApplicationMemory, Image};
use super::quick::QuickPath;
use super::session::{Path, Transaction};
use super::simulator::{Answer, Refusal, Work};
use super::{cryptogram, data, generate_ac};
use crate::base::context::Context;
use crate::base::event::Event;
use crate::words::emv::CryptogramType;
use crate::words::emv::cryptogram::CryptogramVersion;
use crate::words::iso7816::CommandApdu;
use crate::words::pboc::Cvr;
use crate::words::tlv::{Tag, TlvStore};

/// Answers every command but the selection.
pub(super) type CommandSet = fn(&mut Work<'_>, &CommandApdu, &mut Context) -> Answer;

/// What one kind of application does in its own way.
pub(super) trait Application: Sync {
    /// Its name in profiles.
    fn kind(&self) -> &'static str;

    /// Its commands, where they are not those that JR/T 0025 has for debit and credit; no
    /// directory lists it then.
    fn own_commands(&self) -> Option<CommandSet> {
        None
    }

    /// Which way a transaction goes by what the PDOL brought, and why.
    fn path(&self, work: &Work<'_>, data: &TlvStore) -> Result<(Path, &'static str), Refusal>;

    /// Whether PUT DATA may write this data object.
    fn may_put(&self, tag: Tag) -> bool;

    /// How it answers on the quick path.
    fn quick_path(&self) -> &'static QuickPath {
        &QuickPath::PBOC
    }

    /// What GET DATA gives for a tag; `None` where it gives nothing.
    fn value(&self, work: &Work<'_>, tag: Tag) -> Result<Option<Vec<u8>>, Refusal> {
        data::value(work, tag)
    }

    /// What earlier transactions left for this one.
    fn history(&self, application: &ApplicationMemory, context: &mut Context) -> Cvr {
        decision::history(application, context)
    }

    /// The first GENERATE AC. `changed` says that the terminal gave other data than at
    /// GET PROCESSING OPTIONS.
    fn first(
        &self,
        application: &ApplicationMemory,
        transaction: &mut Transaction,
        asked: CryptogramType,
        changed: bool,
    ) -> Decision {
        decision::first(application, transaction, asked, changed)
    }

    /// The second GENERATE AC. `code` is the response code of CDOL2.
    fn second(
        &self,
        application: &ApplicationMemory,
        transaction: &mut Transaction,
        asked: CryptogramType,
        code: Option<[u8; 2]>,
    ) -> Decision {
        decision::second(application, transaction, asked, code)
    }

    /// Whether the response code behind an ARPC of method 1 is an approval.
    fn approves(&self, _transaction: &Transaction, code: [u8; 2]) -> bool {
        decision::approves(code)
    }

    /// What an offline approval writes, before the log.
    fn approve(&self, after: &mut ApplicationMemory, transaction: &Transaction) -> Result<(), Refusal> {
        generate_ac::approve(after, transaction)
    }

    /// What asking the issuer writes.
    fn ask_online(&self, after: &mut ApplicationMemory, _transaction: &Transaction) {
        after.state.last_online_not_completed = true;
    }

    /// What a decline at the first GENERATE AC writes.
    fn decline(&self, after: &mut ApplicationMemory, transaction: &Transaction, asked: CryptogramType) {
        generate_ac::declined(after, transaction, asked);
    }

    /// What an answer of the issuer writes.
    fn complete_online(&self, after: &mut ApplicationMemory, transaction: &Transaction) {
        generate_ac::complete_online(after, transaction);
    }

    /// Adds to what is told of a decision what it was made by.
    fn with_causes(&self, event: Event, application: &ApplicationMemory, transaction: &Transaction) -> Event {
        let cvr = [&[0x03], transaction.cvr.0.as_slice()].concat();
        decision::with_limits(event, application).with_named("CVR", cvr)
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

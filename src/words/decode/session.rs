//! What must be remembered from earlier exchanges to read later ones: the lists
//! that a card gave, and the command that an answer belongs to.

use super::judge::judge;
use crate::words::dictionary::tag;
use crate::words::iso7816::{CommandApdu, Effect, StatusWord};
use crate::words::tlv::{Dol, Tag, Tlv, TlvStore};

/// Deepest nesting that is walked.
pub(super) const DEPTH_LIMIT: usize = 16;

/// One card session as far as it was seen.
#[derive(Debug, Clone, Default)]
pub(super) struct Session {
    /// PDOL, CDOL1, CDOL2, log formats, log entries, currencies, as the card gave them.
    seen: TlvStore,
    /// The command whose answer is awaited, also across GET RESPONSE.
    command: Option<CommandApdu>,
    /// GENERATE AC commands since GET PROCESSING OPTIONS.
    cryptograms: u32,
    /// Whether the answer so far is a part, of which more waits.
    pub(super) partial: bool,
}

/// Which log a record is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Log {
    /// Transactions, 9F4D and 9F4F.
    Transactions,
    /// Loads, DF4D and DF4F.
    Loads,
}

/// What is remembered when a card gives it.
const REMEMBERED: &[Tag] = &[
    tag::PDOL,
    tag::CDOL1,
    tag::CDOL2,
    tag::LOG_ENTRY,
    tag::LOG_FORMAT,
    tag::LOAD_LOG_ENTRY,
    tag::LOAD_LOG_FORMAT,
    tag::TRANSACTION_CURRENCY_CODE,
    tag::APPLICATION_CURRENCY_CODE,
    tag::APPLICATION_CURRENCY_CODE_EC,
    tag::SECOND_CURRENCY_CODE,
];

impl Session {
    /// A command is sent: selecting forgets the lists of the application before.
    pub(super) fn begin(&mut self, command: &CommandApdu) {
        match command.ins {
            0xC0 => return,
            0xA4 => self.seen = TlvStore::new(),
            0xA8 => self.cryptograms = 0,
            0xAE => self.cryptograms += 1,
            _ => {}
        }
        let mut kept = command.clone();
        // A PIN is not kept in memory: its answer carries no data to read.
        if judge(command).1 == Effect::Destroys {
            kept.data.clear();
        }
        self.command = Some(kept);
        self.partial = false;
    }

    /// An answer came; call it when the answer's data has been read.
    pub(super) fn end(&mut self, status: StatusWord, data: &[u8]) {
        self.partial = status.sw1() == 0x61 && (self.partial || !data.is_empty());
        // With 6Cxx the same command comes again.
        if status.sw1() == 0x6C && self.command.as_ref().is_some_and(|c| c.ins == 0xAE) {
            self.cryptograms = self.cryptograms.saturating_sub(1);
        }
    }

    /// Forgets everything but what belongs to no session.
    pub(super) fn reset(&mut self) {
        *self = Self::default();
    }

    /// The command whose answer is awaited.
    pub(super) fn command(&self) -> Option<&CommandApdu> {
        self.command.as_ref()
    }

    /// Remembers the lists and currencies among data objects.
    pub(super) fn learn(&mut self, list: &[Tlv<'_>], depth: usize) {
        for element in list.iter().filter(|_| depth < DEPTH_LIMIT) {
            if element.tag.is_constructed() {
                self.learn(&element.children().unwrap_or_default(), depth + 1);
            } else {
                self.learn_one(element.tag, element.value);
            }
        }
    }

    /// Remembers one data object, where it is one to remember.
    pub(super) fn learn_one(&mut self, tag: Tag, value: &[u8]) {
        if REMEMBERED.contains(&tag) {
            self.seen.put(tag, value);
        }
    }

    /// A remembered value.
    pub(super) fn value(&self, tag: Tag) -> Option<&[u8]> {
        self.seen.value(tag)
    }

    /// The PDOL, where it adds up to this length.
    pub(super) fn pdol(&self, length: usize) -> Option<Dol> {
        self.list(tag::PDOL, length)
    }

    /// The list of the GENERATE AC that was sent last, where it adds up to this length.
    pub(super) fn cdol(&self, length: usize) -> Option<Dol> {
        let order = if self.cryptograms <= 1 { [tag::CDOL1, tag::CDOL2] } else { [tag::CDOL2, tag::CDOL1] };
        order.into_iter().find_map(|tag| self.list(tag, length))
    }

    /// The log that the awaited answer is a record of, and its format, where it is known.
    pub(super) fn log(&self, length: usize) -> Option<(Log, Dol)> {
        let command = self.command.as_ref().filter(|c| (c.cla, c.ins) == (0x00, 0xB2) && c.p2 & 7 == 4)?;
        let is_of = |entry| self.value(entry).and_then(|v| v.first()) == Some(&(command.p2 >> 3));
        if is_of(tag::LOG_ENTRY) {
            Some((Log::Transactions, self.list(tag::LOG_FORMAT, length)?))
        } else if is_of(tag::LOAD_LOG_ENTRY) {
            Some((Log::Loads, self.list(tag::LOAD_LOG_FORMAT, length.checked_sub(14)?)?))
        } else {
            None
        }
    }

    fn list(&self, tag: Tag, length: usize) -> Option<Dol> {
        Dol::parse(self.value(tag)?).ok().filter(|dol| dol.data_length() == length)
    }
}

//! Whether the card grants a transaction of the extended application, and what it would leave
//! (JR/T 0025.14). It is asked where electronic cash decides.

use super::file::{CappMemory, MOST_OPEN, Place, Reserved};
use crate::roles::card::memory::ApplicationMemory;
use crate::roles::card::session::Session;
use crate::roles::card::simulator::Refusal;
use crate::words::dictionary::tag;
use crate::words::iso7816::StatusWord;
use crate::words::pboc::{CappTransaction, EcashSet};
use crate::words::tlv::TlvStore;

/// A transaction of the extended application, and the record that was read for it.
#[derive(Debug, Clone, Copy)]
pub(in crate::roles::card) struct Extended {
    pub kind: CappTransaction,
    pub place: Place,
}

/// What a transaction that is granted leaves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::roles::card) struct Left {
    /// The balance, minor units.
    pub balance_minor: u64,
    /// DF63, where it changes.
    pub offset_minor: Option<u64>,
    /// The pre-authorisation that is opened, or the place of the one that is closed.
    pub opens: Option<Reserved>,
    pub closes: Option<Place>,
    pub reason: &'static str,
}

/// What a terminal wants of the extended application; `None` for an ordinary payment, and
/// for a card that has none.
pub(in crate::roles::card) fn extended(
    session: &Session,
    application: &ApplicationMemory,
    data: &TlvStore,
) -> Result<Option<Extended>, Refusal> {
    let kind = data.value(tag::CAPP_INDICATOR).and_then(CappTransaction::from_indicator);
    let Some((kind, _)) = kind.zip(application.capp.as_ref()) else { return Ok(None) };
    let (place, _) = session.capp_read.ok_or_else(|| {
        Refusal::state("the record of the industry was not read before (READ CAPP DATA, or READ RECORD)")
    })?;
    Ok(Some(Extended { kind, place }))
}

/// Whether the card's open pre-authorisations allow it.
pub(in crate::roles::card) fn may_begin(memory: &CappMemory, wanted: &Extended) -> Result<(), Refusal> {
    let is_open = memory.open.iter().any(|reserved| reserved.place == wanted.place);
    match wanted.kind {
        CappTransaction::PreAuthorisation if memory.open.len() >= MOST_OPEN => Err(Refusal::because(
            StatusWord::TOO_MANY_PRE_AUTHORISATIONS,
            "three pre-authorisations are open, and none more is granted",
        )),
        CappTransaction::PreAuthorisation if is_open => Err(Refusal::because(
            StatusWord::PRE_AUTHORISATION_OPEN,
            "a pre-authorisation of this record is open: it is completed first",
        )),
        CappTransaction::Completion if !is_open => Err(Refusal::because(
            StatusWord::NO_PRE_AUTHORISATION,
            "no pre-authorisation of this record is open",
        )),
        _ => Ok(()),
    }
}

impl Extended {
    /// What the balance has to reach beside itself: what is held for it, or may be offset.
    pub(in crate::roles::card) fn beside_minor(&self, application: &ApplicationMemory) -> u64 {
        match self.kind {
            CappTransaction::PreAuthorisation => 0,
            CappTransaction::Completion => self.held_minor(application),
            CappTransaction::SegmentBilling => {
                let limit = application.amount(tag::SEGMENT_OFFSET_LIMIT).unwrap_or(0);
                limit.saturating_sub(offset_minor(application))
            }
        }
    }

    /// What a payment of this amount leaves; it was looked at that balance and what is beside
    /// it reach.
    pub(in crate::roles::card) fn left(
        &self,
        application: &ApplicationMemory,
        set: EcashSet,
        amount_minor: u64,
    ) -> Left {
        let balance = application.amount(set.balance).unwrap_or(0);
        let offset = offset_minor(application);
        let none = Left { balance_minor: 0, offset_minor: None, opens: None, closes: None, reason: "" };
        match self.kind {
            CappTransaction::SegmentBilling if amount_minor > balance => Left {
                offset_minor: Some(offset + (amount_minor - balance)),
                reason: "what electronic cash lacks is offset (DF62, DF63)",
                ..none
            },
            CappTransaction::SegmentBilling => Left {
                balance_minor: balance - amount_minor,
                reason: "electronic cash allows the segment",
                ..none
            },
            CappTransaction::PreAuthorisation => Left {
                balance_minor: balance.saturating_sub(amount_minor),
                opens: Some(Reserved { place: self.place, amount_minor }),
                reason: "electronic cash allows that the amount is held",
                ..none
            },
            CappTransaction::Completion => {
                let held = self.held_minor(application);
                let rest = (balance + held).saturating_sub(amount_minor);
                // What was held and is not spent repays what was offset.
                let repaid = if amount_minor <= held { offset.min(rest) } else { 0 };
                Left {
                    balance_minor: rest - repaid,
                    offset_minor: (repaid > 0).then(|| offset - repaid),
                    closes: Some(self.place),
                    reason: "what was held and electronic cash allow the completion",
                    ..none
                }
            }
        }
    }

    fn held_minor(&self, application: &ApplicationMemory) -> u64 {
        let open = application.capp.iter().flat_map(|memory| &memory.open);
        open.filter(|reserved| reserved.place == self.place).map(|reserved| reserved.amount_minor).sum()
    }
}

fn offset_minor(application: &ApplicationMemory) -> u64 {
    application.amount(tag::SEGMENT_OFFSET_USED).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::roles::card::memory::State;
    use crate::words::tlv::TlvStore;

    fn place(number: u8) -> Place {
        Place { sfi: 21, id: [0, number], index: usize::from(number) }
    }

    fn memory(open: &[u8]) -> CappMemory {
        let reserved = |number: &u8| Reserved { place: place(*number), amount_minor: 1000 };
        CappMemory { open: open.iter().map(reserved).collect(), ..CappMemory::default() }
    }

    #[test]
    fn what_is_open_decides_what_may_begin() {
        use CappTransaction::{Completion, PreAuthorisation, SegmentBilling};
        let rows: &[(&[u8], CappTransaction, Option<u16>)] = &[
            (&[], PreAuthorisation, None),
            (&[], Completion, Some(0x6973)),
            (&[], SegmentBilling, None),
            (&[1], PreAuthorisation, Some(0x6972)),
            (&[1], Completion, None),
            (&[2], PreAuthorisation, None),
            (&[2], Completion, Some(0x6973)),
            (&[1, 2], PreAuthorisation, Some(0x6972)),
            (&[2, 3, 4], PreAuthorisation, Some(0x6971)),
            (&[1, 2, 3], Completion, None),
            (&[1, 2, 3], SegmentBilling, None),
        ];
        for (open, kind, expected) in rows {
            let found = may_begin(&memory(open), &Extended { kind: *kind, place: place(1) });
            let status = match found {
                Ok(()) => None,
                Err(Refusal::Status(status, _)) => Some(status.0),
                Err(Refusal::Storage(error)) => panic!("{error}"),
            };
            assert_eq!(status, *expected, "{open:?} {kind:?}");
        }
    }

    #[test]
    fn what_a_transaction_leaves() {
        use CappTransaction::{Completion, PreAuthorisation, SegmentBilling};
        // Kind, balance, offset, amount: balance and offset that are left.
        let rows = [
            (SegmentBilling, 500, 0, 500, (0, None)),
            (SegmentBilling, 500, 100, 400, (100, None)),
            (SegmentBilling, 500, 100, 550, (0, Some(150))),
            (PreAuthorisation, 3000, 0, 1000, (2000, None)),
            (Completion, 200, 0, 800, (400, None)),
            (Completion, 200, 0, 1100, (100, None)),
            (Completion, 0, 300, 800, (0, Some(100))),
            (Completion, 0, 100, 800, (100, Some(0))),
        ];
        for (kind, balance, offset, amount, left) in rows {
            let mut application = ApplicationMemory {
                data: TlvStore::new(),
                records: Vec::new(),
                state: State::new(3),
                purse: None,
                sam: None,
                capp: Some(Box::new(memory(&[1]))),
                card_key: None,
                pin_key: None,
            };
            application.put_amount(tag::EC_BALANCE, balance);
            application.put_amount(tag::SEGMENT_OFFSET_USED, offset);
            application.put_amount(tag::SEGMENT_OFFSET_LIMIT, 1000);
            let extended = Extended { kind, place: place(1) };
            let found = extended.left(&application, EcashSet::FIRST, amount);
            assert_eq!((found.balance_minor, found.offset_minor), left, "{kind:?} {amount}");
            // What the card is worth falls by what is paid, and by nothing else: what was held
            // and what is held count, what is owed counts against it.
            let (held, holds, paid) = match kind {
                SegmentBilling => (0, 0, amount),
                PreAuthorisation => (0, amount, 0),
                Completion => (1000, 0, amount),
            };
            let owed = found.offset_minor.unwrap_or(offset);
            assert_eq!(
                found.balance_minor + holds + paid + offset,
                balance + held + owed,
                "{kind:?} {amount}"
            );
        }
    }
}

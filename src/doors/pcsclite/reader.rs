//! One reader as the resource manager keeps it: who holds it, what lies in it, what is
//! going to happen to it. The rules are those of pcsc-lite 1.9.

use super::code::{Code, Share, protocol, state, status};
use super::log::Log;
use super::seat::Seat;
use crate::air::link::FaultPoint;
use crate::words::iso7816::Atr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// The seat of a card, shared with a call that is speaking to it.
pub(super) type SharedSeat = Arc<Mutex<Option<Seat>>>;

/// A reader.
pub(super) struct Reader {
    pub name: String,
    /// The card that lies in it or beside it.
    pub seat: SharedSeat,
    pub log: Log,
    /// The card that lies in it.
    pub card: Option<Lying>,
    /// Insertions and removals so far.
    pub changes: u64,
    /// The protocol that is chosen.
    pub protocol: u64,
    pub users: Users,
    pub lock: Option<Lock>,
    /// Exchanges so far.
    pub exchanges: u64,
    /// What is going to happen, in no order.
    pub plans: Vec<Plan>,
}

/// A card in a reader.
pub(super) struct Lying {
    pub atr: Vec<u8>,
    pub powered: bool,
}

/// Who is connected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Users {
    /// So many handles that share.
    Sharing(usize),
    /// One that does not.
    One,
}

/// A transaction.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lock {
    pub handle: i64,
    /// How often it was begun.
    pub depth: usize,
}

/// Something that is going to happen at an exchange.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    /// Which exchange of the reader, from 0.
    pub exchange: u64,
    pub fate: Fate,
}

/// What happens to an exchange.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fate {
    /// The card goes away.
    Pull(FaultPoint),
    /// The command reaches the card so much later.
    Delay(Duration),
    /// The card is not asked; these bytes are the answer.
    Answer(Vec<u8>),
    /// The card is not asked, and there is no answer.
    Mute,
}

impl Reader {
    /// A reader without a card.
    pub(super) fn empty(name: String) -> Self {
        Self {
            name,
            seat: SharedSeat::default(),
            log: Log::default(),
            card: None,
            changes: 0,
            protocol: protocol::UNDEFINED,
            users: Users::Sharing(0),
            lock: None,
            exchanges: 0,
            plans: Vec::new(),
        }
    }

    /// The card in it.
    pub(super) fn card(&self) -> Result<&Lying, Code> {
        self.card.as_ref().ok_or(Code::NO_SMARTCARD)
    }

    /// Whether a transaction of another handle is under way.
    pub(super) fn is_locked_for(&self, handle: i64) -> bool {
        self.lock.is_some_and(|lock| lock.handle != handle)
    }

    /// Begins a transaction, or goes deeper into one.
    pub(super) fn lock_for(&mut self, handle: i64) -> Result<(), Code> {
        match &mut self.lock {
            None => self.lock = Some(Lock { handle, depth: 1 }),
            Some(lock) if lock.handle == handle => lock.depth += 1,
            Some(_) => return Err(Code::SHARING_VIOLATION),
        }
        Ok(())
    }

    /// Ends a transaction, or one level of it.
    pub(super) fn unlock_for(&mut self, handle: i64) -> Result<(), Code> {
        match &mut self.lock {
            None => Err(Code::NOT_TRANSACTED),
            Some(lock) if lock.handle != handle => Err(Code::SHARING_VIOLATION),
            Some(lock) if lock.depth > 1 => {
                lock.depth -= 1;
                Ok(())
            }
            Some(_) => {
                self.lock = None;
                Ok(())
            }
        }
    }

    /// Lets a handle in, under what was chosen already.
    pub(super) fn admit(&mut self, handle: i64, share: Share) -> Result<(), Code> {
        match (self.users, share) {
            (Users::Sharing(0), Share::Exclusive) => {
                self.users = Users::One;
                self.lock_for(handle)
            }
            (Users::One, _) | (_, Share::Exclusive) => Err(Code::SHARING_VIOLATION),
            (Users::Sharing(count), _) => {
                self.users = Users::Sharing(count + 1);
                Ok(())
            }
        }
    }

    /// Gives a handle that is in another way of sharing.
    pub(super) fn change_share(&mut self, handle: i64, share: Share) -> Result<(), Code> {
        match (self.users, share) {
            (Users::One, Share::Exclusive) => Ok(()),
            (Users::Sharing(1), Share::Exclusive) => {
                self.users = Users::One;
                self.lock_for(handle)
            }
            (Users::Sharing(_), Share::Exclusive) => Err(Code::SHARING_VIOLATION),
            (Users::One, _) => {
                self.users = Users::Sharing(1);
                self.unlock_for(handle)
            }
            (Users::Sharing(_), _) => Ok(()),
        }
    }

    /// Lets a handle out.
    pub(super) fn dismiss(&mut self, handle: i64) {
        if !self.is_locked_for(handle) {
            self.lock = None;
        }
        self.users = match self.users {
            Users::One => Users::Sharing(0),
            Users::Sharing(count) => Users::Sharing(count.saturating_sub(1)),
        };
    }

    /// Chooses a protocol that the card offers, T=1 before T=0, or keeps the chosen one.
    pub(super) fn choose(&mut self, wanted: u64) -> Result<(), Code> {
        if wanted & protocol::RAW != 0 {
            self.protocol = protocol::RAW;
            return Ok(());
        }
        if self.protocol != protocol::UNDEFINED {
            let fits = wanted & self.protocol != 0;
            return if fits { Ok(()) } else { Err(Code::PROTO_MISMATCH) };
        }
        let old = wanted & protocol::ANY_OLD != 0;
        let wanted = if old { protocol::T0 | protocol::T1 } else { wanted };
        let both = offered(&self.card()?.atr) & wanted;
        self.protocol = match (both & protocol::T1, both & protocol::T0) {
            (protocol::T1, _) => protocol::T1,
            (_, protocol::T0) => protocol::T0,
            _ => return Err(Code::PROTO_MISMATCH),
        };
        Ok(())
    }

    /// Switches the card off and on, or off.
    pub(super) fn reset(&mut self, on: bool) -> Result<(), Code> {
        let mut seat = self.seat.lock().unwrap_or_else(PoisonError::into_inner);
        let (Some(lying), Some(seat)) = (&mut self.card, seat.as_mut()) else {
            return Err(Code::NO_SMARTCARD);
        };
        self.protocol = protocol::UNDEFINED;
        // A card that is off is reset when it is switched on again: it keeps nothing meanwhile.
        lying.powered = on && seat.reset().is_ok();
        if on && !lying.powered {
            return Err(Code::UNRESPONSIVE_CARD);
        }
        lying.atr = seat.atr().to_vec();
        Ok(())
    }

    /// What is going to happen to the next exchange, which is counted.
    pub(super) fn next_fates(&mut self) -> Vec<Fate> {
        let now = self.exchanges;
        self.exchanges += 1;
        if self.plans.is_empty() {
            return Vec::new();
        }
        let due = self.plans.extract_if(.., |plan| plan.exchange == now);
        due.map(|plan| plan.fate).collect()
    }

    /// The bits of `SCardStatus`.
    pub(super) fn status(&self) -> u64 {
        let bits = match &self.card {
            None => status::ABSENT,
            Some(Lying { powered: true, .. }) => status::PRESENT | status::POWERED | status::NEGOTIABLE,
            Some(_) => status::PRESENT,
        };
        self.count() | bits
    }

    /// The bits of `SCardGetStatusChange`, `CHANGED` among them where the program thinks
    /// otherwise.
    pub(super) fn event_state(&self, thought: u64) -> u64 {
        let sharing = match self.users {
            Users::One => state::EXCLUSIVE,
            Users::Sharing(0) => 0,
            Users::Sharing(_) if self.card.is_none() => 0,
            Users::Sharing(_) => state::INUSE,
        };
        let card = if self.card.is_some() { state::PRESENT } else { state::EMPTY };
        let contradicts = match self.card {
            Some(_) => state::EMPTY | state::MUTE,
            None => state::PRESENT,
        } | match self.users {
            Users::One => state::INUSE,
            Users::Sharing(0) => state::INUSE | state::EXCLUSIVE,
            Users::Sharing(_) if self.card.is_none() => 0,
            Users::Sharing(_) => state::EXCLUSIVE,
        } | state::UNKNOWN
            | state::UNAVAILABLE;
        let counted = thought & state::COUNT != 0 && thought & state::COUNT != self.count();
        let changed = thought == state::UNAWARE || thought & contradicts != 0 || counted;
        self.count() | card | sharing | if changed { state::CHANGED } else { 0 }
    }

    /// The count of insertions and removals, where bit fields carry it.
    fn count(&self) -> u64 {
        (self.changes & 0xFFFF) << 16
    }
}

/// The protocols that a card offers.
fn offered(atr: &[u8]) -> u64 {
    match Atr::parse(atr) {
        Ok(atr) if !atr.protocols().is_empty() => atr.protocols().iter().fold(0, |bits, number| {
            bits | match number {
                0 => protocol::T0,
                1 => protocol::T1,
                _ => 0,
            }
        }),
        _ => protocol::T0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_card(atr: &[u8]) -> Reader {
        let card = Some(Lying { atr: atr.to_vec(), powered: true });
        Reader { card, changes: 1, ..Reader::empty("a reader".into()) }
    }

    #[test]
    fn t_1_is_chosen_before_t_0_and_then_kept() {
        let both = [0x3B, 0x80, 0x80, 0x01, 0x01];
        let chosen = |wanted| {
            let mut reader = with_card(&both);
            reader.choose(wanted).map(|()| reader.protocol)
        };
        assert_eq!(chosen(protocol::T0 | protocol::T1), Ok(protocol::T1));
        assert_eq!((chosen(protocol::T0), chosen(protocol::ANY_OLD)), (Ok(protocol::T0), Ok(protocol::T1)));
        let mut only_t1 = with_card(&[0x3B, 0x80, 0x01, 0x81]);
        assert_eq!(only_t1.choose(protocol::T0), Err(Code::PROTO_MISMATCH));
        only_t1.choose(protocol::T1).unwrap();
        assert_eq!(only_t1.choose(protocol::T0), Err(Code::PROTO_MISMATCH));
    }

    #[test]
    fn a_transaction_nests_and_belongs_to_one() {
        let mut reader = with_card(&[0x3B, 0x00]);
        assert_eq!(reader.unlock_for(1), Err(Code::NOT_TRANSACTED));
        reader.lock_for(1).and_then(|()| reader.lock_for(1)).unwrap();
        assert_eq!(
            (reader.lock_for(2), reader.unlock_for(2)),
            (Err(Code::SHARING_VIOLATION), Err(Code::SHARING_VIOLATION))
        );
        reader.unlock_for(1).unwrap();
        assert!(reader.is_locked_for(2));
        reader.unlock_for(1).unwrap();
        assert!(!reader.is_locked_for(2));
    }

    #[test]
    fn a_state_has_changed_where_the_program_thinks_otherwise() {
        let reader = with_card(&[0x3B, 0x00]);
        let changed = |thought| reader.event_state(thought) & state::CHANGED != 0;
        assert_eq!(reader.event_state(state::UNAWARE), 0x1_0022);
        assert!(changed(state::EMPTY) && changed(0x2_0020) && changed(state::PRESENT | state::INUSE));
        assert!(!changed(state::PRESENT) && !changed(0x1_0020));
    }
}

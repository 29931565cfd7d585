//! Finding and opening readers: PC/SC Part 5, SCardListReaders, SCardGetStatusChange,
//! SCardConnect.

use super::card::PcscCard;
use super::trouble::{establish, unavailable};
use crate::air::link::{Card, LinkError, Protocol, Reader, ReaderOptions, ReaderStatus};
use crate::base::context::Context;
use pcsc::{Error, Protocols, ReaderState, ShareMode, State};
use std::ffi::{CStr, CString};
use std::time::Duration;

/// The longest single wait for a change. A wait is cut into such pieces so that an
/// event about another card does not end it.
const WAIT: Duration = Duration::from_millis(250);
/// How often the readers are listed until none has come meanwhile.
const LISTINGS: u32 = 16;

/// The readers that an address fits: one by its name, or all of them while it is open
/// which will hold a card.
pub struct PcscReader {
    context: pcsc::Context,
    /// The address, for people.
    wanted: String,
    /// The readers it fits; never empty.
    readers: Vec<CString>,
    options: ReaderOptions,
}

impl PcscReader {
    /// The readers whose name contains `part`, in any case; with an empty part all
    /// readers. Where one of several holds a card, that one is meant.
    ///
    /// # Errors
    /// [`LinkError::Unavailable`] without a library, a daemon or leave to use it;
    /// [`LinkError::NoReader`] when none fits; [`LinkError::Ambiguous`] when several
    /// that fit hold a card.
    pub fn find(part: &str, options: ReaderOptions) -> Result<Self, LinkError> {
        let context = establish()?;
        let wanted = if part.is_empty() { "pcsc".into() } else { format!("pcsc:{part}") };
        let all = names(&context)?;
        let readers = fitting(&all, part);
        if readers.is_empty() {
            return Err(LinkError::NoReader { wanted, found: all.iter().map(|name| text(name)).collect() });
        }
        let mut own = Self { context, wanted, readers, options };
        let holding = own.holding()?;
        match holding.as_slice() {
            [] => {}
            [one] => own.readers = vec![one.clone()],
            several => {
                let found = several.iter().map(|name| text(name)).collect();
                return Err(LinkError::Ambiguous { wanted: own.wanted, found });
            }
        }
        if let [one] = own.readers.as_slice() {
            own.wanted = text(one);
        }
        Ok(own)
    }

    /// The way to the daemon, and the one reader that is meant.
    pub(super) fn into_one(self) -> Result<(pcsc::Context, CString), LinkError> {
        match self.readers.as_slice() {
            [one] => Ok((self.context, one.clone())),
            several => {
                let found = several.iter().map(|name| text(name)).collect();
                Err(LinkError::Ambiguous { wanted: self.wanted, found })
            }
        }
    }

    /// Those of its readers that hold a card now.
    fn holding(&self) -> Result<Vec<CString>, LinkError> {
        let states = states(&self.context, &self.readers)?;
        Ok(states.iter().filter(|state| holds_card(state)).map(|state| state.name().to_owned()).collect())
    }
}

impl Reader for PcscReader {
    fn name(&self) -> &str {
        &self.wanted
    }

    fn has_card(&mut self) -> Result<bool, LinkError> {
        Ok(!self.holding()?.is_empty())
    }

    fn wait_for_card(&mut self, timeout: Duration) -> Result<bool, LinkError> {
        let mut states = states(&self.context, &self.readers)?;
        let mut left = timeout;
        loop {
            if states.iter().any(holds_card) {
                return Ok(true);
            }
            if left.is_zero() {
                return Ok(false);
            }
            states.iter_mut().for_each(ReaderState::sync_current_state);
            let piece = left.min(WAIT);
            left -= piece;
            match self.context.get_status_change(piece, &mut states) {
                Ok(()) | Err(Error::Timeout) => {}
                Err(error) => return Err(unavailable("waiting for a card", error)),
            }
        }
    }

    fn connect(&mut self, _context: &mut Context) -> Result<Box<dyn Card>, LinkError> {
        let holding = self.holding()?;
        let Some(name) = holding.first() else {
            return Err(LinkError::NoCard { reader: self.wanted.clone() });
        };
        connect(&self.context, name, self.options)
    }
}

/// Opens the card in a reader.
pub(super) fn connect(
    context: &pcsc::Context,
    name: &CStr,
    options: ReaderOptions,
) -> Result<Box<dyn Card>, LinkError> {
    let reader = text(name);
    let mode = if options.is_shared { ShareMode::Shared } else { ShareMode::Exclusive };
    let (protocols, protocol) = match options.protocol {
        None => (Protocols::ANY, "either protocol"),
        Some(Protocol::T0) => (Protocols::T0, "T=0"),
        Some(Protocol::T1) => (Protocols::T1, "T=1"),
    };
    let failed = |error| match error {
        Error::NoSmartcard | Error::RemovedCard => LinkError::NoCard { reader: reader.clone() },
        Error::SharingViolation => LinkError::Unavailable {
            missing: format!("another program holds the card in {reader}"),
            remedy: "close it; GnuPG's lets go after `gpgconf --kill scdaemon`".into(),
        },
        Error::ProtoMismatch => LinkError::Unavailable {
            missing: format!(
                "the card in {reader} does not speak {protocol}, or is already in use by another"
            ),
            remedy: "leave --protocol away, and --shared, and the card's own is taken".into(),
        },
        Error::UnresponsiveCard | Error::UnpoweredCard | Error::UnsupportedCard => LinkError::Unavailable {
            missing: format!("the card in {reader} does not answer to reset ({error})"),
            remedy: "take it out, turn it chip side first, clean its contacts, and put it back".into(),
        },
        error => unavailable(&format!("connecting to the card in {reader}"), error),
    };
    let card = context.connect(name, mode, protocols).map_err(failed)?;
    Ok(Box::new(PcscCard::new(card, mode, protocols, reader)?))
}

/// Opens the reader that the rest of an address names.
pub(super) fn open(rest: &str, options: ReaderOptions) -> Result<Box<dyn Reader>, LinkError> {
    Ok(Box::new(PcscReader::find(rest, options)?))
}

/// The readers that are there now, with the ATR of the card in each.
pub(super) fn list() -> Result<Vec<ReaderStatus>, LinkError> {
    let context = establish()?;
    let names = names(&context)?;
    let states = states(&context, &names)?;
    let status = |state: &ReaderState| ReaderStatus {
        name: text(state.name()),
        card: holds_card(state).then(|| state.atr().to_vec()),
    };
    Ok(states.iter().map(status).collect())
}

/// The names of all readers; none is no error.
pub(super) fn names(context: &pcsc::Context) -> Result<Vec<CString>, LinkError> {
    let mut last = context.list_readers_owned();
    for _ in 1..LISTINGS {
        // A reader came between the question how long the list is, and the one for the list.
        let Err(Error::InsufficientBuffer) = last else { break };
        last = context.list_readers_owned();
    }
    match last {
        Ok(names) => Ok(names),
        Err(Error::NoReadersAvailable) => Ok(Vec::new()),
        Err(error) => Err(unavailable("listing the readers", error)),
    }
}

/// What is in each reader now.
fn states(context: &pcsc::Context, names: &[CString]) -> Result<Vec<ReaderState>, LinkError> {
    let unaware = |name: &CString| ReaderState::new(name.clone(), State::UNAWARE);
    let mut states: Vec<ReaderState> = names.iter().map(unaware).collect();
    if !states.is_empty() {
        // Unaware of everything, each state has changed: the call answers at once.
        context
            .get_status_change(WAIT, &mut states)
            .map_err(|error| unavailable("asking the readers", error))?;
    }
    Ok(states)
}

/// Whether the last state told of a card.
fn holds_card(state: &ReaderState) -> bool {
    state.event_state().contains(State::PRESENT)
}

/// The names that contain `part`, in any case. A whole name fits alone, even where
/// others contain it.
pub(super) fn fitting(names: &[CString], part: &str) -> Vec<CString> {
    if let Some(whole) = names.iter().find(|name| text(name) == part) {
        return vec![whole.clone()];
    }
    let part = part.to_lowercase();
    names.iter().filter(|name| text(name).to_lowercase().contains(&part)).cloned().collect()
}

/// A reader's name for people.
pub(super) fn text(name: &CStr) -> String {
    name.to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_of_a_name_fits_in_any_case_and_a_whole_name_fits_alone() {
        let names = [c"ACS ACR122U 00 00", c"Virtual PCD 00 00", c"Virtual PCD 00 00 x"].map(CStr::to_owned);
        assert_eq!(fitting(&names, ""), names);
        assert_eq!(fitting(&names, "acr122"), names[..1]);
        assert_eq!(fitting(&names, "virtual"), names[1..]);
        assert_eq!(fitting(&names, "Virtual PCD 00 00"), names[1..2]);
        assert!(fitting(&names, "omnikey").is_empty());
    }
}

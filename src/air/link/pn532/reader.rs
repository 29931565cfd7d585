//! A PN532 as a reader: cards of type A and B, by the chip's own ISO-DEP.

use super::command::{
    Exchanged, InDataExchange, InListPassiveTarget, InRelease, RfConfiguration, SetParameters, Status,
    TargetA, TargetB, Wire,
};
use super::driver::AT_ONCE;
use super::line::{Native, SPEED};
use super::{Pn532, Port};
use crate::air::link::iso_dep::LONGEST_RESPONSE;
use crate::air::link::parts::{join, parts};
use crate::air::link::{Activation, Card, Interface, LinkError, RadioIdentity, Reader};
use crate::base::bytes::Hex;
use crate::base::context::Context;
use crate::words::iso7816::{Atr, CommandApdu, ResponseApdu};
use crate::words::iso14443::{Ats, SelRes, SensbRes};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// A search is tried so often again.
const SEARCHES: u8 = 1;
/// How long a search may take.
const SEARCH: Duration = Duration::from_secs(2);
/// How long a card may take, extensions of its time included.
const EXCHANGE: Duration = Duration::from_secs(10);
/// How long to wait between two searches.
const PAUSE: Duration = Duration::from_millis(100);

/// The chip, shared by a reader and its card.
pub(super) type Shared = Arc<Mutex<Pn532>>;

/// A PN532 that looks for cards.
pub struct Pn532Reader {
    chip: Shared,
    name: String,
    found: Option<FoundCard>,
}

/// A card that the chip has found and activated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FoundCard {
    /// Its answer to reset, as a PC/SC reader makes it up.
    pub atr: Vec<u8>,
    pub identity: RadioIdentity,
}

impl Pn532Reader {
    /// Opens the chip at a serial port.
    ///
    /// # Errors
    /// The port cannot be opened, or no PN532 answers there.
    pub fn open(path: &str) -> Result<Self, LinkError> {
        Self::with(open_chip(path)?)
    }

    /// A reader of a chip that is awake.
    pub fn with(mut chip: Pn532) -> Result<Self, LinkError> {
        prepare(&mut chip)?;
        let name = chip.place().to_owned();
        Ok(Self { chip: Arc::new(Mutex::new(chip)), name, found: None })
    }
}

impl Reader for Pn532Reader {
    fn name(&self) -> &str {
        &self.name
    }

    fn has_card(&mut self) -> Result<bool, LinkError> {
        self.found = find(&mut lock(&self.chip))?;
        Ok(self.found.is_some())
    }

    fn wait_for_card(&mut self, timeout: Duration) -> Result<bool, LinkError> {
        let mut left = timeout;
        loop {
            if self.has_card()? {
                return Ok(true);
            }
            if left.is_zero() {
                return Ok(false);
            }
            std::thread::sleep(PAUSE);
            left = left.saturating_sub(PAUSE);
        }
    }

    fn connect(&mut self, _context: &mut Context) -> Result<Box<dyn Card>, LinkError> {
        let found = match self.found.take() {
            Some(found) => Some(found),
            None => find(&mut lock(&self.chip))?,
        };
        let Some(found) = found else { return Err(LinkError::NoCard { reader: self.name.clone() }) };
        Ok(Box::new(Pn532Card::new(&self.chip, found, false)))
    }
}

/// Opens the chip at a serial port, or inside a PC/SC reader: `pcsc:NAME-PART`.
pub(super) fn open_chip(path: &str) -> Result<Pn532, LinkError> {
    #[cfg(feature = "pcsc")]
    if let Some(part) = path.strip_prefix("pcsc:") {
        return Pn532::wake(super::tunnel::Tunnel::open(part)?, path);
    }
    Pn532::wake(open_line(path, SPEED)?, path)
}

/// Opens a serial port at a speed, Bd.
pub fn open_line(path: &str, speed: u32) -> Result<Port<Native>, LinkError> {
    Port::open(path, speed).map_err(|error| LinkError::Unavailable {
        missing: format!("no PN532 at {path}: {error}"),
        remedy:
            "name its serial port, as pn532:/dev/ttyUSB0; where access is denied, join the group of the port \
                 (on Debian: adduser USER dialout)"
                .into(),
    })
}

/// Tells the chip how to look for cards.
pub(super) fn prepare(chip: &mut Pn532) -> Result<(), LinkError> {
    chip.call(&SetParameters { flags: SetParameters::AUTO_ATR_RES | SetParameters::AUTO_RATS }, AT_ONCE)?;
    chip.call(&RfConfiguration::search_retries(SEARCHES), AT_ONCE)
}

/// A card before a chip.
pub(super) struct Pn532Card {
    chip: Shared,
    activation: Activation,
    identity: RadioIdentity,
    /// Whether who watches the chip lets the card go.
    is_watched: bool,
}

impl Pn532Card {
    pub(super) fn new(chip: &Shared, found: FoundCard, is_watched: bool) -> Self {
        let place = lock(chip).place().to_owned();
        let activation = Activation { interface: Interface::Contactless, atr: found.atr, place, real: true };
        Self { chip: Arc::clone(chip), activation, identity: found.identity, is_watched }
    }
}

impl Card for Pn532Card {
    fn activation(&self) -> &Activation {
        &self.activation
    }

    fn transmit(&mut self, command: &CommandApdu, _context: &mut Context) -> Result<ResponseApdu, LinkError> {
        let during = || format!("during {}", Hex(&command.header()));
        let lost = |why: String| LinkError::Removed { during: format!("{} ({why})", during()) };
        // Whatever broke, the card may have acted.
        let answer =
            exchange(&mut lock(&self.chip), &command.to_bytes()).map_err(|error| lost(error.to_string()))?;
        if !answer.status.is_ok() {
            return Err(lost(format!("{}: {}", self.activation.place, answer.status)));
        }
        ResponseApdu::parse(&answer.data).map_err(|source| LinkError::Garbled { during: during(), source })
    }

    fn reset(&mut self, _context: &mut Context) -> Result<(), LinkError> {
        let mut chip = lock(&self.chip);
        let_go(&mut chip)?;
        chip.call(&RfConfiguration::field(true), AT_ONCE)?;
        match find(&mut chip)? {
            Some(found) => (self.activation.atr, self.identity) = (found.atr, found.identity),
            None => return Err(LinkError::NoCard { reader: self.activation.place.clone() }),
        }
        Ok(())
    }

    fn radio_identity(&mut self, _context: &mut Context) -> Result<Option<RadioIdentity>, LinkError> {
        Ok(Some(self.identity.clone()))
    }
}

impl Drop for Pn532Card {
    /// The card is let go and the field goes off; where the chip is gone, it has.
    fn drop(&mut self) {
        if !self.is_watched {
            let _ = let_go(&mut lock(&self.chip));
        }
    }
}

/// Lets the card go; the field goes off.
pub(super) fn let_go(chip: &mut Pn532) -> Result<(), LinkError> {
    // Which the chip refuses where it holds none.
    let released = chip.call(&InRelease { target: 0 }, AT_ONCE);
    chip.call(&RfConfiguration::field(false), AT_ONCE)?;
    released.map(|_| ())
}

/// A command and its response, in as many parts as either needs.
fn exchange(chip: &mut Pn532, command: &[u8]) -> Result<Exchanged, LinkError> {
    let mut answer = Exchanged::from(Status::OK);
    for (part, more) in parts(command, chip.most()) {
        let more = if more { InDataExchange::MORE } else { 0 };
        answer = chip.call(&InDataExchange { target: 1 | more, data: part.to_vec() }, EXCHANGE)?;
        if !answer.status.is_ok() {
            return Ok(answer);
        }
    }
    while answer.status.has_more() {
        let next = chip.call(&InDataExchange { target: 1, data: Vec::new() }, EXCHANGE)?;
        answer.status = next.status;
        join(&mut answer.data, &next.data, LONGEST_RESPONSE, "fetching a response")?;
    }
    Ok(answer)
}

/// Looks for a card of type A and B that speaks ISO-DEP.
pub(super) fn find(chip: &mut Pn532) -> Result<Option<FoundCard>, LinkError> {
    let list = |chip: &mut Pn532, kind, data| chip.call(&InListPassiveTarget { most: 1, kind, data }, SEARCH);
    let found = list(chip, InListPassiveTarget::A, Vec::new())?;
    if found.count > 0
        && let Ok(card) = TargetA::parse(&found.data)
        && SelRes(card.sel_res).has(SelRes::ISO_DEP)
    {
        let historical = Ats::parse(&card.ats).map(|ats| ats.historical).unwrap_or_default();
        let identity = RadioIdentity { uid: card.uid, ats: card.ats };
        return Ok(Some(FoundCard { atr: Atr::contactless(&historical), identity }));
    }
    let found = list(chip, InListPassiveTarget::B, vec![0x00])?;
    if found.count > 0
        && let Ok(card) = TargetB::parse(&found.data)
        && let Ok(response) = SensbRes::parse(&card.response)
    {
        // PC/SC Part 3, 3.1.3.2.3.1: application data, protocol information, MBLI.
        let limit = card.attrib.first().map_or(0, |byte| byte & 0xF0);
        let historical = [&response.application[..], &response.protocol, &[limit]].concat();
        let identity = RadioIdentity { uid: response.id.to_vec(), ats: Vec::new() };
        return Ok(Some(FoundCard { atr: Atr::contactless(&historical), identity }));
    }
    Ok(None)
}

pub(super) fn lock(chip: &Shared) -> MutexGuard<'_, Pn532> {
    chip.lock().unwrap_or_else(PoisonError::into_inner)
}

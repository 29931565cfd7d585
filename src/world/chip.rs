//! A simulated PN532 between a pseudo-terminal and its air: a card before it, or UDP.

use super::error::WorldError;
use super::{AirAddress, CardName};
use crate::air::link::iso_dep::CardKind;
use crate::air::link::pn532::Terminal;
use crate::air::link::pn532::chip::{CardAntenna, Chip, UdpAntenna};
use crate::base::context::Context;
use crate::roles::card::{CardInField, Simulated};
use std::path::Path;
use std::time::Duration;

/// How a card lies before a chip.
#[derive(Debug, Clone, Copy, Default)]
pub struct Lies {
    /// It is of type B instead of A.
    pub is_type_b: bool,
    /// It is taken away so long after it was found first.
    pub stay: Option<Duration>,
}

/// Opens a chip whose host's end is at `path`. `card` opens the card of an air that has one.
pub fn open_chip<E: From<WorldError>>(
    path: &Path,
    air: &AirAddress,
    lies: Lies,
    card: impl FnOnce(&CardName, &mut Context) -> Result<Box<dyn Simulated>, E>,
    context: &mut Context,
) -> Result<Chip, E> {
    let line = || {
        Terminal::make(path).map_err(|cause| WorldError::File {
            doing: "make a pseudo-terminal at",
            path: path.display().to_string(),
            cause: cause.to_string(),
        })
    };
    match air {
        AirAddress::Udp(address) => Ok(Chip::new(line()?, UdpAntenna::new(address))),
        AirAddress::Simulated(name) => {
            let card = card(name, context)?;
            let kind = if lies.is_type_b { CardKind::drawn_b(context) } else { CardKind::drawn_a(context) };
            let card = CardInField::new(card, kind, context).map_err(WorldError::from)?;
            let card = match lies.stay {
                Some(stay) => card.staying(stay),
                None => card,
            };
            Ok(Chip::new(line()?, CardAntenna::new(card)))
        }
    }
}

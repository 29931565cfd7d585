//! A card in a PC/SC reader: PC/SC Part 5, SCardTransmit and SCardReconnect.

use super::trouble::unavailable;
use crate::air::link::{Activation, Card, Interface, LinkError, RadioIdentity};
use crate::base::bytes::Hex;
use crate::base::context::Context;
use crate::words::iso7816::{CommandApdu, ResponseApdu};
use pcsc::{Disposition, Error, Protocol, Protocols, ShareMode};

/// GET DATA to the reader, by which a reader tells of a card on radio: the identifier, and the
/// historical bytes of the ATS (PC/SC Part 3, 3.2.2.1.3).
const GET_UID: [u8; 5] = [0xFF, 0xCA, 0x00, 0x00, 0x00];
const GET_ATS: [u8; 5] = [0xFF, 0xCA, 0x01, 0x00, 0x00];

/// How many other programs are let go first, one after the other.
const HOLDERS: u32 = 64;

/// The most that a card answers: 65,536 bytes and the status.
const ANSWER_BYTES: usize = 65_536 + 2;

/// A connected card; dropping it resets the card and lets others have it.
pub(super) struct PcscCard {
    card: pcsc::Card,
    protocol: Protocol,
    mode: ShareMode,
    protocols: Protocols,
    activation: Activation,
    buffer: Vec<u8>,
}

impl PcscCard {
    /// Takes over a connection that was made so, and asks what came of it.
    pub(super) fn new(
        mut card: pcsc::Card,
        mode: ShareMode,
        protocols: Protocols,
        reader: String,
    ) -> Result<Self, LinkError> {
        if mode == ShareMode::Shared {
            hold(&mut card, protocols, &reader)?;
        }
        let (protocol, atr) = status(&card, &reader)?;
        let activation = Activation { interface: interface(&atr), atr, place: reader, real: true };
        Ok(Self { card, protocol, mode, protocols, activation, buffer: vec![0; ANSWER_BYTES] })
    }

    /// What the reader answers to a command of its own; nothing where it does not know it.
    fn of_reader(&mut self, command: &[u8]) -> Result<Vec<u8>, LinkError> {
        let answer = self.card.transmit2(command, &mut self.buffer).map_err(|(error, _)| {
            broken(error, format!("during {}", Hex(&command[..4])), &self.activation.place)
        })?;
        let response = ResponseApdu::parse(answer).ok().filter(|response| response.status.is_ok());
        Ok(response.map(|response| response.data).unwrap_or_default())
    }
}

impl Card for PcscCard {
    fn activation(&self) -> &Activation {
        &self.activation
    }

    fn transmit(&mut self, command: &CommandApdu, _context: &mut Context) -> Result<ResponseApdu, LinkError> {
        let sent = match self.protocol {
            Protocol::T0 => t0_command(command),
            _ => command.to_bytes(),
        };
        let answer = self.card.transmit2(&sent, &mut self.buffer).map_err(|(error, _)| {
            broken(error, format!("during {}", name(command)), &self.activation.place)
        })?;
        ResponseApdu::parse(answer)
            .map_err(|source| LinkError::Garbled { during: format!("after {}", name(command)), source })
    }

    fn reset(&mut self, _context: &mut Context) -> Result<(), LinkError> {
        let reader = self.activation.place.clone();
        self.card.reconnect(self.mode, self.protocols, Disposition::ResetCard).map_err(
            |error| match error {
                Error::NoSmartcard | Error::RemovedCard => LinkError::NoCard { reader: reader.clone() },
                error => broken(error, "during the reset".into(), &reader),
            },
        )?;
        let (protocol, atr) = status(&self.card, &reader)?;
        self.protocol = protocol;
        self.activation.interface = interface(&atr);
        self.activation.atr = atr;
        Ok(())
    }

    fn radio_identity(&mut self, _context: &mut Context) -> Result<Option<RadioIdentity>, LinkError> {
        if self.activation.interface != Interface::Contactless {
            return Ok(None);
        }
        let uid = self.of_reader(&GET_UID)?;
        if uid.is_empty() {
            return Ok(None);
        }
        Ok(Some(RadioIdentity { uid, ats: self.of_reader(&GET_ATS)? }))
    }
}

/// Waits until no other program has a transaction with the card, and begins one that ends with
/// the connection: another program's command between two of ours would undo what the card has in
/// hand.
fn hold(card: &mut pcsc::Card, protocols: Protocols, reader: &str) -> Result<(), LinkError> {
    let failed = |error| broken(error, "when it was asked for".into(), reader);
    for _ in 0..HOLDERS {
        match card.transaction().map(std::mem::forget) {
            // Who had it before has reset it.
            Err(Error::ResetCard) => {
                card.reconnect(ShareMode::Shared, protocols, Disposition::LeaveCard).map_err(failed)?;
            }
            held => return held.map_err(failed),
        }
    }
    Err(failed(Error::SharingViolation))
}

/// The protocol and the answer to reset of a connection.
fn status(card: &pcsc::Card, reader: &str) -> Result<(Protocol, Vec<u8>), LinkError> {
    let status = card.status2_owned().map_err(|error| broken(error, "when it was reset".into(), reader))?;
    Ok((status.protocol2().unwrap_or(Protocol::T1), status.atr().to_vec()))
}

/// The interface that an ATR shows: PC/SC Part 3, 3.1.3.2.3.1 makes a contactless
/// card's begin `3B 8n 80 01`.
fn interface(atr: &[u8]) -> Interface {
    match atr {
        [0x3B, t0, 0x80, 0x01, ..] if t0 & 0xF0 == 0x80 => Interface::Contactless,
        _ => Interface::Contact,
    }
}

/// The bytes for T=0, which has no case 4 and no case 1: Le stays away where there is
/// data, and P3 is 00 where there is nothing (ISO/IEC 7816-3 12.2). What 61xx and 6Cxx
/// then ask for is the terminal's to fetch.
fn t0_command(command: &CommandApdu) -> Vec<u8> {
    let mut command = command.clone();
    match (command.data.is_empty(), command.le) {
        (true, None) => {
            let mut bytes = command.to_bytes();
            bytes.push(0);
            return bytes;
        }
        (false, Some(_)) => command.le = None,
        _ => {}
    }
    command.to_bytes()
}

/// A command for an error text: its header alone, for the data may hold a PIN.
fn name(command: &CommandApdu) -> String {
    Hex(&command.header()).to_string()
}

/// What a failed exchange means. Whenever the card may have acted and its answer is
/// lost, that is [`LinkError::Removed`], so that what was under way counts as in doubt.
fn broken(error: Error, during: String, reader: &str) -> LinkError {
    match error {
        Error::RemovedCard
        | Error::NoSmartcard
        | Error::ResetCard
        | Error::UnpoweredCard
        | Error::UnresponsiveCard
        | Error::NotTransacted
        | Error::CommError
        | Error::CommDataLost
        | Error::ReaderUnavailable
        | Error::UnknownReader
        | Error::InvalidHandle
        // What pcsc-lite says where the daemon ended before it had read all.
        | Error::SecurityViolation => LinkError::Removed { during: format!("{during} ({reader}: {error})") },
        error => unavailable(&during, error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_atr_tells_the_interface() {
        assert_eq!(interface(&[0x3B, 0x80, 0x80, 0x01, 0x01]), Interface::Contactless);
        assert_eq!(interface(&[0x3B, 0x8F, 0x80, 0x01, 0x80]), Interface::Contactless);
        assert_eq!(interface(&[0x3B, 0x65, 0x00, 0x00, 0x01]), Interface::Contact);
        assert_eq!(interface(&[0x3B, 0x90, 0x80, 0x01]), Interface::Contact);
        assert_eq!(interface(&[]), Interface::Contact);
    }

    #[test]
    fn t0_has_neither_case_4_nor_case_1() {
        let select = CommandApdu::new(0x00, 0xA4, 0x04, 0x00);
        assert_eq!(t0_command(&select), [0x00, 0xA4, 0x04, 0x00, 0x00]);
        assert_eq!(t0_command(&select.clone().le(256)), [0x00, 0xA4, 0x04, 0x00, 0x00]);
        assert_eq!(t0_command(&select.clone().data([0xA0])), [0x00, 0xA4, 0x04, 0x00, 0x01, 0xA0]);
        assert_eq!(t0_command(&select.data([0xA0]).le(256)), [0x00, 0xA4, 0x04, 0x00, 0x01, 0xA0]);
    }

    #[test]
    fn a_lost_answer_is_a_removed_card() {
        let lost = [Error::RemovedCard, Error::NotTransacted, Error::CommError, Error::ResetCard];
        for error in lost.into_iter().chain([Error::SecurityViolation]) {
            let broken = broken(error, "during SELECT".into(), "reader");
            assert!(matches!(broken, LinkError::Removed { .. }), "{error:?}: {broken}");
        }
    }
}

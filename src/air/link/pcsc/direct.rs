//! Commands to a reader itself, whether a card is in it or not: SCardTransmit while one is, else
//! SCardControl (PC/SC Part 5). What they say is others' business.

use super::PcscReader;
use super::reader::text;
use super::trouble::unavailable;
use crate::air::link::{LinkError, ReaderOptions};
use crate::base::bytes::Hex;
use pcsc::{Error, Protocols, ShareMode};
use std::ffi::CString;

/// Escape to the reader: the code that Linux's drivers have, and that of Windows.
const ESCAPE: u32 = if cfg!(windows) { 3500 } else { 1 };
/// The most that a reader answers.
const ANSWER_BYTES: usize = 65_536 + 2;

/// A reader that is spoken to.
pub struct ReaderItself {
    context: pcsc::Context,
    name: CString,
    way: Option<Way>,
    buffer: Vec<u8>,
}

/// How it is spoken to.
enum Way {
    /// Along with the card in it.
    Transmit(pcsc::Card),
    /// Without one.
    Control(pcsc::Card),
}

impl ReaderItself {
    /// The reader whose name holds `part`; the one that holds a card, where there are several.
    ///
    /// # Errors
    /// As those of [`PcscReader::find`].
    pub fn find(part: &str) -> Result<Self, LinkError> {
        let (context, name) = PcscReader::find(part, ReaderOptions::default())?.into_one()?;
        Ok(Self { context, name, way: None, buffer: vec![0; ANSWER_BYTES] })
    }

    /// Its name.
    pub fn name(&self) -> String {
        text(&self.name)
    }

    /// What it answers to a command, its status word with it.
    ///
    /// # Errors
    /// It could not be said, or its answer is lost. The next command finds its own way.
    pub fn tell(&mut self, command: &[u8]) -> Result<Vec<u8>, LinkError> {
        let way = match self.way.take() {
            Some(way) => way,
            None => self.connect()?,
        };
        let answer = match &way {
            Way::Transmit(card) => card.transmit(command, &mut self.buffer),
            Way::Control(card) => card.control(pcsc::ctl_code(ESCAPE.into()), command, &mut self.buffer),
        };
        match answer {
            Ok(answer) => {
                let answer = answer.to_vec();
                self.way = Some(way);
                Ok(answer)
            }
            Err(Error::UnsupportedFeature | Error::InvalidParameter) if matches!(way, Way::Control(_)) => {
                Err(LinkError::Unavailable {
                    missing: format!("{} takes commands to itself only while a card is there", self.name()),
                    remedy: "put a card on it, or set ifdDriverOptions to 0x0001 in libccid's Info.plist (hardware/acr122u.md)"
                        .into(),
                })
            }
            Err(error) => {
                let begin = Hex(&command[..command.len().min(4)]);
                Err(unavailable(&format!("telling {} {begin}", self.name()), error))
            }
        }
    }

    fn connect(&self) -> Result<Way, LinkError> {
        let failed = |error| match error {
            Error::SharingViolation => LinkError::Unavailable {
                missing: format!("another program has {}", self.name()),
                remedy: "close it".into(),
            },
            error => unavailable(&format!("connecting to {}", self.name()), error),
        };
        match self.context.connect(&self.name, ShareMode::Exclusive, Protocols::ANY) {
            Ok(card) => Ok(Way::Transmit(card)),
            Err(Error::NoSmartcard | Error::RemovedCard | Error::UnresponsiveCard) => {
                let direct = self.context.connect(&self.name, ShareMode::Direct, Protocols::UNDEFINED);
                direct.map(Way::Control).map_err(failed)
            }
            Err(error) => Err(failed(error)),
        }
    }
}

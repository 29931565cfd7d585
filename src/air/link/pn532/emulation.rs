//! A PN532 as a place to serve a card: the chip speaks ISO-DEP, the commands come here.

use super::Pn532;
use super::command::{RfConfiguration, SetParameters, TgGetData, TgInitAsTarget};
use super::driver::AT_ONCE;
use super::reader::open_chip;
use crate::air::link::{LinkError, Target, TargetDriver, TargetRequest};
use crate::base::context::Context;
use crate::words::iso14443::SelRes;
use std::time::Duration;

/// The row of this driver in the registry.
pub const TARGET_DRIVER: TargetDriver = TargetDriver {
    scheme: "pn532",
    rest: "DEVICE|pcsc:NAME-PART",
    open: |rest| Ok(Box::new(Pn532Target::with(open_chip(rest)?)?)),
};

/// How long a request is waited for before whoever serves is asked whether to go on.
const QUIET: Duration = Duration::from_millis(250);
/// SENS_RES of a single size identifier, least significant byte first.
const SENS_RES: [u8; 2] = [0x04, 0x00];
const SEL_RES: u8 = SelRes::ISO_DEP.0;

/// A card's place before a PN532.
pub struct Pn532Target {
    chip: Pn532,
    waits_for: Wait,
    /// A command's parts so far.
    command: Vec<u8>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wait {
    /// Nothing was asked of the chip.
    Nothing,
    /// A reader.
    Reader,
    /// A command.
    Command,
    /// The card's answer.
    Answer,
}

impl Pn532Target {
    /// Serves at a chip that is awake.
    pub fn with(mut chip: Pn532) -> Result<Self, LinkError> {
        chip.call(&RfConfiguration::field(false), AT_ONCE)?;
        chip.call(&SetParameters { flags: SetParameters::AUTO_RATS | SetParameters::PICC }, AT_ONCE)?;
        Ok(Self { chip, waits_for: Wait::Nothing, command: Vec::new() })
    }

    /// Asks the chip for what is next.
    fn ask(&mut self, context: &mut Context) -> Result<(), LinkError> {
        match self.waits_for {
            Wait::Nothing => {
                let command = TgInitAsTarget {
                    mode: TgInitAsTarget::PASSIVE | TgInitAsTarget::PICC,
                    sens_res: SENS_RES,
                    uid: context.random(),
                    sel_res: SEL_RES,
                    felica: [0; 18],
                    id: [0; 10],
                    general: Vec::new(),
                    historical: Vec::new(),
                };
                self.chip.start(&command)?;
                self.waits_for = Wait::Reader;
            }
            Wait::Answer => {
                self.chip.start(&TgGetData)?;
                self.waits_for = Wait::Command;
            }
            Wait::Reader | Wait::Command => {}
        }
        Ok(())
    }
}

impl Target for Pn532Target {
    fn place(&self) -> &str {
        self.chip.place()
    }

    fn is_radio(&self) -> bool {
        true
    }

    fn receive(&mut self, context: &mut Context) -> Result<TargetRequest, LinkError> {
        loop {
            self.ask(context)?;
            let came = match self.waits_for {
                Wait::Reader => self.chip.finish::<TgInitAsTarget>(QUIET)?.map(|_| None),
                _ => self.chip.finish::<TgGetData>(QUIET)?.map(Some),
            };
            match came {
                None => {
                    let during = format!("waiting for a reader at {}", self.chip.place());
                    return Err(LinkError::timeout(during, QUIET));
                }
                Some(None) => {
                    self.waits_for = Wait::Answer;
                    return Ok(TargetRequest::PowerOn);
                }
                Some(Some(heard)) if heard.status.is_ok() => {
                    self.command.extend(heard.data);
                    self.waits_for = Wait::Answer;
                    if !heard.status.has_more() {
                        return Ok(TargetRequest::Command(std::mem::take(&mut self.command)));
                    }
                }
                // The reader has gone, or has let the card go.
                Some(Some(_)) => {
                    self.waits_for = Wait::Nothing;
                    self.command.clear();
                    return Ok(TargetRequest::PowerOff);
                }
            }
        }
    }

    fn send(&mut self, answer: &[u8], _context: &mut Context) -> Result<(), LinkError> {
        let most = self.chip.most();
        if !self.chip.hand_over(answer, most)?.is_ok() {
            self.waits_for = Wait::Nothing;
        }
        Ok(())
    }
}

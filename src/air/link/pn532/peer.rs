//! A PN532 as an end of NFC-DEP: the chip speaks the protocol, the payloads go to and fro here.

use super::Pn532;
use super::command::{
    ChipCommand, Exchanged, InDataExchange, InJumpForDep, InRelease, RfConfiguration, SetParameters, Status,
    TgGetData, TgInitAsTarget,
};
use super::driver::{AT_ONCE, HAND_OVER};
use super::reader::open_chip;
use crate::air::link::nfc_dep::LONGEST_PAYLOAD;
use crate::air::link::parts::{join, parts};
use crate::air::link::{Greeting, Identity, LinkError, Peer, PeerActivation, Polling};
use crate::base::context::Context;
use crate::words::iso14443::SelRes;
use crate::words::iso18092::{NfcDepFrame, Side};
use std::time::Duration;

/// How long one search for a target may take.
const SEARCH: Duration = Duration::from_secs(2);
/// The most data in one command of an initiator and of a target.
const MOST: usize = 252;
/// SENS_RES and SEL_RES of a target of NFC-DEP.
const SENS_RES: [u8; 2] = [0x01, 0x01];
const SEL_RES: u8 = SelRes::NFC_DEP.0;
/// How an NFCID2 begins that speaks NFC-DEP.
const SPEAKS_NFC_DEP: [u8; 2] = [0x01, 0xFE];

/// The other device, behind a PN532.
pub struct Pn532Peer {
    chip: Pn532,
    activation: PeerActivation,
}

impl Pn532Peer {
    /// Looks for a target by the chip at a serial port, and greets it.
    ///
    /// # Errors
    /// The port cannot be used, or nobody answers in time.
    pub fn find(
        path: &str,
        identity: &Identity,
        polling: Polling,
        context: &mut Context,
    ) -> Result<Self, LinkError> {
        Self::find_with(open_chip(path)?, identity, polling, context)
    }

    /// The same with a chip that is awake.
    pub fn find_with(
        mut chip: Pn532,
        identity: &Identity,
        polling: Polling,
        context: &mut Context,
    ) -> Result<Self, LinkError> {
        chip.call(&SetParameters { flags: SetParameters::AUTO_ATR_RES | SetParameters::AUTO_RATS }, AT_ONCE)?;
        chip.call(&RfConfiguration::search_retries(1), AT_ONCE)?;
        let rate = polling.rate.divisor();
        let passive = if rate == 0 { Vec::new() } else { Greeting::ANYBODY.to_vec() };
        let general = identity.general.clone();
        let jump = InJumpForDep { mode: 0, rate, passive, id: Some(context.random()), general };
        let mut left = polling.timeout;
        loop {
            let answer = chip.call(&jump, SEARCH)?;
            // Tg, NFCID3t, DIDt, BSt, BRt, TO and PPt stand before Gt.
            if let (true, Some(general)) = (answer.status.is_ok(), answer.data.get(16..)) {
                let (place, general) = (chip.place().to_owned(), general.to_vec());
                let activation = PeerActivation { side: Side::Initiator, general, place };
                return Ok(Self { chip, activation });
            }
            // A search that finds nobody has taken about this long.
            left = left.saturating_sub(AT_ONCE);
            if left.is_zero() {
                return Err(LinkError::nobody(chip.place(), polling.timeout));
            }
        }
    }

    /// Lets itself be found by the chip at a serial port.
    ///
    /// # Errors
    /// The port cannot be used, or nobody comes in time.
    pub fn be_found(
        path: &str,
        identity: &Identity,
        timeout: Duration,
        context: &mut Context,
    ) -> Result<Self, LinkError> {
        Self::be_found_with(open_chip(path)?, identity, timeout, context)
    }

    /// The same with a chip that is awake. TO of ATR_RES is the chip's own affair.
    pub fn be_found_with(
        mut chip: Pn532,
        identity: &Identity,
        timeout: Duration,
        context: &mut Context,
    ) -> Result<Self, LinkError> {
        chip.call(&SetParameters { flags: SetParameters::AUTO_ATR_RES }, AT_ONCE)?;
        let [a, b] = SPEAKS_NFC_DEP;
        let [c, d, e, f, g, h] = context.random();
        let mut felica = [0; 18];
        felica[..8].copy_from_slice(&[a, b, c, d, e, f, g, h]);
        let command = TgInitAsTarget {
            mode: TgInitAsTarget::PASSIVE | TgInitAsTarget::DEP,
            sens_res: SENS_RES,
            uid: context.random(),
            sel_res: SEL_RES,
            felica,
            id: [a, b, c, d, e, f, g, h, 0, 0],
            general: identity.general.clone(),
            historical: Vec::new(),
        };
        let met = chip.call(&command, timeout)?;
        let request = NfcDepFrame::parse(met.command.get(1..).unwrap_or_default());
        let Ok(NfcDepFrame::AttributeRequest(request)) = request else {
            let during = format!("meeting another device at {}", chip.place());
            return Err(LinkError::protocol(during, "its ATR_REQ", format!("{:02X?}", met.command)));
        };
        let (place, general) = (chip.place().to_owned(), request.general);
        let activation = PeerActivation { side: Side::Target, general, place };
        Ok(Self { chip, activation })
    }

    /// The whole of which the chip has said the first part; `next` asks it for another.
    fn whole<C: ChipCommand<Answer = Exchanged>>(
        &mut self,
        mut answer: Exchanged,
        next: &C,
        timeout: Duration,
    ) -> Result<Vec<u8>, LinkError> {
        let mut whole = answer.data;
        while answer.status.has_more() {
            answer = self.chip.call(next, timeout)?;
            self.check(answer.status)?;
            join(&mut whole, &answer.data, LONGEST_PAYLOAD, &self.during())?;
        }
        Ok(whole)
    }

    fn during(&self) -> String {
        format!("exchanging with the device at {}", self.activation.place)
    }

    fn check(&self, status: Status) -> Result<(), LinkError> {
        match status {
            status if status.is_ok() => Ok(()),
            Status::RELEASED => Err(self.activation.parted()),
            Status::TIMEOUT => Err(self.activation.silent(HAND_OVER)),
            status => Err(LinkError::protocol(self.during(), Status::OK.to_string(), status.to_string())),
        }
    }

    fn ask(&mut self, payload: &[u8], timeout: Duration) -> Result<Vec<u8>, LinkError> {
        let part = |more: u8, data: &[u8]| InDataExchange { target: 1 | more, data: data.to_vec() };
        let timeout = timeout.max(HAND_OVER);
        let mut answer = Exchanged::from(Status::OK);
        for (piece, more) in parts(payload, MOST) {
            let more = if more { InDataExchange::MORE } else { 0 };
            answer = self.chip.call(&part(more, piece), timeout)?;
            self.check(answer.status)?;
        }
        self.whole(answer, &part(0, &[]), timeout)
    }

    fn answer(&mut self, payload: &[u8]) -> Result<(), LinkError> {
        let status = self.chip.hand_over(payload, MOST)?;
        self.check(status)
    }
}

impl Peer for Pn532Peer {
    fn activation(&self) -> &PeerActivation {
        &self.activation
    }

    fn exchange(
        &mut self,
        payload: Option<&[u8]>,
        timeout: Duration,
        _context: &mut Context,
    ) -> Result<Vec<u8>, LinkError> {
        if self.activation.side == Side::Initiator {
            return self.ask(payload.unwrap_or_default(), timeout);
        }
        if let Some(payload) = payload {
            self.answer(payload)?;
        }
        let first = self.chip.call(&TgGetData, timeout)?;
        self.check(first.status)?;
        self.whole(first, &TgGetData, timeout)
    }

    /// Where the chip is gone, it is over too.
    fn release(&mut self, _context: &mut Context) {
        if self.activation.side == Side::Initiator {
            let _ = self.chip.call(&InRelease { target: 0 }, HAND_OVER);
        }
        let _ = self.chip.call(&RfConfiguration::field(false), AT_ONCE);
    }
}

//! The terminal's security module: finding it, its number and its key, and what it says of a card.

use crate::air::link::{Card, LinkError};
use crate::base::context::Context;
use crate::roles::terminal::TerminalError;
use crate::words::iso7816::command::{ReadBinary, Select, SelectFile};
use crate::words::iso7816::{Aid, ApduCommand, StatusWord};
use crate::words::pboc::CityLayout;
use crate::words::pboc::command::{
    CreditSamForPurchase, GetCertificationCode, InitializeSamForPurchase, SamInitialization,
};

/// Where security modules keep what is for purses of the Ministry of Transport.
const TRANSPORT: u16 = 0x8011;
/// What is for purses of the Ministry of Housing's cities: MAC1 covers a code of the card's.
const MOHURD: u16 = 0x1001;
/// What a module answers that takes no certification code.
const TAKES_NO_CODE: [StatusWord; 2] = [StatusWord::INS_NOT_SUPPORTED, StatusWord::CLA_NOT_SUPPORTED];
/// By name, where no file identifier finds it.
const NAME: &[u8] = b"\xF0CWPSAM";
/// The terminal number.
const NUMBER: ReadBinary = ReadBinary { sfi: 0x16, offset: 0, length: 6 };
/// The index of the purchase key.
const KEY: ReadBinary = ReadBinary { sfi: 0x17, offset: 0, length: 1 };
/// MAC2 is judged so often, should the module's line fail it.
const JUDGEMENTS: usize = 3;

/// A security module that is selected.
pub struct Sam<'a> {
    card: &'a mut dyn Card,
    /// The terminal's number.
    pub number: [u8; 6],
    /// Index of the purchase key.
    pub key: u8,
    /// Whether it is told the card's certification code.
    pub wants_code: bool,
}

impl<'a> Sam<'a> {
    /// Selects what the module has for a purse of this layout, else what it has for others, and
    /// reads its number and key.
    pub fn open(
        card: &'a mut dyn Card,
        layout: &CityLayout,
        context: &mut Context,
    ) -> Result<Self, TerminalError> {
        let (mut found, mut wants_code) = (false, false);
        let applications = match layout.certification_code {
            true => [MOHURD, TRANSPORT],
            false => [TRANSPORT, MOHURD],
        };
        for identifier in applications {
            found = card.transmit(&SelectFile { identifier }.to_apdu(), context)?.status.is_ok();
            wants_code = found && identifier == MOHURD;
            if found {
                break;
            }
        }
        if let (false, Some(name)) = (found, Aid::new(NAME)) {
            found = card.transmit(&Select::first(name).to_apdu(), context)?.status.is_ok();
        }
        if !found {
            return Err(TerminalError::NoSam);
        }
        let number = NUMBER.answer(&card.transmit(&NUMBER.to_apdu(), context)?)?;
        let key = KEY.answer(&card.transmit(&KEY.to_apdu(), context)?)?;
        let (Ok(number), Some(key)) = (number.try_into(), key.first().copied()) else {
            return Err(TerminalError::NoSam);
        };
        Ok(Self { card, number, key, wants_code })
    }

    /// The module that [`Self::open`] has found before, still selected.
    pub const fn opened(card: &'a mut dyn Card, number: [u8; 6], key: u8, wants_code: bool) -> Self {
        Self { card, number, key, wants_code }
    }

    /// Tells the module the card's certification code, where it wants one: MAC1 covers it (City
    /// Union). `Some` says why the two do not go together.
    pub(super) fn certify(
        &mut self,
        payer: &mut dyn Card,
        context: &mut Context,
    ) -> Result<Option<String>, TerminalError> {
        if !self.wants_code {
            return Ok(None);
        }
        let ask = GetCertificationCode { code: None };
        let answer = payer.transmit(&ask.to_apdu(), context)?;
        let Ok(Some(code)) = ask.answer(&answer) else {
            let status = answer.status;
            return Ok(Some(format!("the card answered {status} when asked for its certification code")));
        };
        let tell = GetCertificationCode { code: Some(code) };
        let answer = self.card.transmit(&tell.to_apdu(), context)?;
        if !TAKES_NO_CODE.contains(&answer.status) {
            tell.answer(&answer)?;
        }
        Ok(None)
    }

    /// Begins a purchase: MAC1, which proves the module to the card.
    pub(super) fn begin(
        &mut self,
        command: &InitializeSamForPurchase,
        context: &mut Context,
    ) -> Result<SamInitialization, TerminalError> {
        Ok(command.answer(&self.card.transmit(&command.to_apdu(), context)?)?)
    }

    /// Judges the card's MAC2.
    pub(super) fn credit(&mut self, mac2: [u8; 4], context: &mut Context) -> Result<StatusWord, LinkError> {
        judge(self.card, mac2, context)
    }
}

/// Has a module judge the MAC2 of the purchase that it began last, which a card may also give with
/// a proof afterwards: CREDIT SAM FOR PURCHASE (PBOC part 2).
pub fn judge(sam: &mut dyn Card, mac2: [u8; 4], context: &mut Context) -> Result<StatusWord, LinkError> {
    let command = CreditSamForPurchase { mac2 }.to_apdu();
    let mut status = StatusWord::MAC_WRONG;
    for _ in 0..JUDGEMENTS {
        status = sam.transmit(&command, context)?.status;
        if status.is_ok() || status == StatusWord::LOCKED_FOR_GOOD {
            break;
        }
    }
    Ok(status)
}

//! The terminal's security module (PSAM): it has the master key of purchases, makes MAC1 for a
//! card and judges its MAC2 (PBOC part 2, PSAM).

use super::memory::SamMemory;
use super::session::OpenSam;
use crate::base::bytes::Secret;
use crate::base::context::Context;
use crate::base::crypto::purse_card_key;
use crate::base::event::Event;
use crate::roles::card::simulator::{Answer, Refusal, Work};
use crate::words::iso7816::{ApduCommand, ResponseApdu, StatusWord};
use crate::words::pboc::command::{
    CreditSamForPurchase, GetCertificationCode, InitializeSamForPurchase, SamInitialization,
};
use crate::words::pboc::equal;
use crate::words::pboc::purse::{PurseTerms, PurseTransactionType, purchase_session_key};

/// Begins a purchase: the counter steps, and a number is never given to two purchases.
pub(super) fn initialize(
    work: &mut Work<'_>,
    command: &InitializeSamForPurchase,
    context: &mut Context,
) -> Answer {
    let kind = PurseTransactionType(command.kind);
    if !kind.is_purchase() {
        let reason = format!("type {:02X} is no purchase", command.kind);
        return Err(Refusal::because(StatusWord::WRONG_DATA, reason));
    }
    let (terminal_sfi, wants_code) =
        (work.sam_profile()?.terminal_sfi, work.sam_profile()?.certification_code);
    let code = work.session.purse.certification_code.take().filter(|_| wants_code);
    let sam = work.sam_mut()?;
    if wants_code && code.is_none() {
        return Err(Refusal::state("MAC1 covers the card's certification code, which was not told"));
    }
    let terminal = sam.files.iter().find(|file| file.sfi == terminal_sfi);
    let terminal =
        terminal.and_then(|file| file.bytes.first_chunk::<6>().copied()).ok_or_else(Refusal::lost)?;
    let card_key = Secret::new(purse_card_key(sam.purchase.expose(), command.serial));
    sam.sequence = sam.sequence.wrapping_add(1);
    let terms =
        PurseTerms { amount_minor: command.amount, kind, terminal, date: command.date, time: command.time };
    let sequence = sam.sequence;
    let key = purchase_session_key(card_key.expose(), command.random, command.offline, sequence);
    let mac1 = terms.purchase_mac1(&key, code.as_ref());
    work.session.purse.sam = Some(OpenSam { key, terms });
    context.emit(Event::new("sam", "purchase begun").because("MAC1 is made for this card, amount and time"));
    let answer = SamInitialization { terminal_sequence: sequence, mac1 };
    Ok(ResponseApdu::ok(InitializeSamForPurchase::encode_response(&answer)))
}

/// Takes the certification code of the card that pays, for the next purchase alone.
pub(super) fn certify(work: &mut Work<'_>, command: &GetCertificationCode) -> Answer {
    if !work.sam_profile()?.certification_code {
        let reason = "MAC1 of this module covers no certification code";
        return Err(Refusal::because(StatusWord::INS_NOT_SUPPORTED, reason));
    }
    let none = || Refusal::because(StatusWord::WRONG_LENGTH, "a module is told the code, and has none");
    work.session.purse.certification_code = Some(command.code.ok_or_else(none)?);
    Ok(ResponseApdu::ok([]))
}

/// Judges the card's MAC2. A wrong one costs a try; the purchase stays open to be judged again.
pub(super) fn credit(work: &mut Work<'_>, command: &CreditSamForPurchase, context: &mut Context) -> Answer {
    let tries = work.sam_profile()?.mac_tries;
    let open = work.session.purse.sam.as_ref();
    let open = open.ok_or_else(|| Refusal::state("no purchase was begun"))?;
    let right = equal(&open.terms.purchase_mac2(&open.key), &command.mac2);
    let sam = work.sam_mut()?;
    sam.mac_tries_left = if right { tries } else { sam.mac_tries_left - 1 };
    if !right {
        return Err(Refusal::because(StatusWord::MAC_WRONG, "MAC2 is not this card's for this purchase"));
    }
    work.session.purse.sam = None;
    context.emit(Event::new("sam", "purchase credited").because("MAC2 is the card's"));
    Ok(ResponseApdu::ok([]))
}

impl Work<'_> {
    /// The module's memory, unless it is locked.
    fn sam_mut(&mut self) -> Result<&mut SamMemory, Refusal> {
        let sam = self.application_mut()?.sam.as_deref_mut().ok_or_else(Refusal::lost)?;
        match sam.mac_tries_left {
            0 => {
                let reason = "too many wrong MAC2s: the module is locked";
                Err(Refusal::because(StatusWord::LOCKED_FOR_GOOD, reason))
            }
            _ => Ok(sam),
        }
    }
}

//! Card action analysis: EMV Book 3 10.8. The first GENERATE AC.

use super::balance_proof::{BalanceProof, nothing_moved};
use super::cardholder_verification::Verified;
use super::combined_signature::{self, Moment};
use super::{completion, online_processing};
use crate::base::context::Context;
use crate::base::event::Event;
use crate::roles::terminal::error::TerminalError;
use crate::roles::terminal::flow::Flow;
use crate::roles::terminal::journal::{CardMark, Change, EntryKind, Opening};
use crate::roles::terminal::phase::{Next, Phase, Reply};
use crate::roles::terminal::session::Session;
use crate::words::dictionary::tag;
use crate::words::emv::command::GenerateAc;
use crate::words::emv::{CryptogramType, Tsi};
use crate::words::iso7816::ApduCommand;
use crate::words::pboc::EcashSet;
use crate::words::tlv::{Tag, TlvStore};

const STEP: &str = "Card action analysis";
const DECLINED: &str = "declined by the card";

/// Field 55 of a request: the UnionPay POS list; and the class of merchant, field 18.
pub(in crate::roles::terminal) const REQUEST_CHIP: &[Tag] = &[
    tag::APPLICATION_CRYPTOGRAM,
    tag::CRYPTOGRAM_INFORMATION_DATA,
    tag::ISSUER_APPLICATION_DATA,
    tag::UNPREDICTABLE_NUMBER,
    tag::ATC,
    tag::TVR,
    tag::TRANSACTION_DATE,
    tag::TRANSACTION_TYPE,
    tag::AMOUNT_AUTHORISED,
    tag::TRANSACTION_CURRENCY_CODE,
    tag::AIP,
    tag::TERMINAL_COUNTRY_CODE,
    tag::AMOUNT_OTHER,
    tag::TERMINAL_CAPABILITIES,
    tag::CVM_RESULTS,
    tag::TERMINAL_TYPE,
    tag::INTERFACE_DEVICE_SERIAL_NUMBER,
    tag::DF_NAME,
    tag::APPLICATION_VERSION_NUMBER_TERMINAL,
    tag::TRANSACTION_SEQUENCE_COUNTER,
    tag::PRODUCT_IDENTIFICATION,
    tag::EC_ISSUER_AUTHORISATION_CODE,
    tag::MERCHANT_CATEGORY_CODE,
];

/// The card has given its first cryptogram.
pub(in crate::roles::terminal) struct Decided {
    pub(in crate::roles::terminal) verified: Verified,
    pub(in crate::roles::terminal) atc: u16,
    /// Field 55, as it stood when the cryptogram was made.
    pub(in crate::roles::terminal) chip: TlvStore,
}

impl Decided {
    pub(in crate::roles::terminal) fn session(&mut self) -> &mut Session {
        self.verified.read.session()
    }
}

/// Opens the journal row, then asks the card for a cryptogram.
pub(in crate::roles::terminal) fn begin(
    mut verified: Verified,
    cryptogram: CryptogramType,
    reason: &'static str,
) -> Result<Next, TerminalError> {
    let cdol1 = verified.read.cdol1.clone();
    let kind = match (verified.read.session().terms.flow, cryptogram) {
        (Flow::Pay, CryptogramType::Arqc) => EntryKind::OnlinePurchase,
        (Flow::Pay, _) if verified.read.ecash => EntryKind::OfflineSale,
        (Flow::Pay, _) => EntryKind::AccountSale,
        (Flow::Cashback, _) => EntryKind::Cashback,
        (Flow::Cash, _) => EntryKind::Cash,
        (Flow::Load, _) => EntryKind::Load,
        (Flow::CashLoad, _) => EntryKind::CashLoad,
        (Flow::PendingLoad, _) => EntryKind::PendingLoad,
        (Flow::NonLinkedLoad, _) => EntryKind::NonLinkedLoad,
        (Flow::CashLoadVoid, _) => EntryKind::CashLoadVoid,
        (Flow::Unload, _) => EntryKind::Unload,
        (Flow::PreAuthorise, _) => EntryKind::PreAuthorisation,
        (Flow::CompletePreAuthorisation, _) => EntryKind::PreAuthorisationCompletion,
        (Flow::CancelPreAuthorisation, _) => EntryKind::PreAuthorisationCancel,
        // Its row is never written.
        (Flow::Ride | Flow::Inquire, _) => EntryKind::OnlinePurchase,
    };
    let opening = opening(&mut verified, kind);
    let cdol_data = verified.read.session().assemble(&cdol1);
    let cda = combined_signature::is_asked_for(&mut verified.read, cryptogram, Moment::First);
    let ask = GenerateAc { cryptogram, cda, cdol_data };
    let next = Next::transmit(ask.to_apdu(), Asking { verified, ask, reason });
    // A card with money of its own moves it with this very command.
    let next = if kind == EntryKind::OfflineSale { next.after(Change::Sending) } else { next };
    Ok(next.after(Change::Open(Box::new(opening))))
}

struct Asking {
    verified: Verified,
    ask: GenerateAc,
    reason: &'static str,
}

impl Phase for Asking {
    fn name(&self) -> &'static str {
        STEP
    }

    fn take(self: Box<Self>, reply: Reply, context: &mut Context) -> Result<Next, TerminalError> {
        let response = reply.response(STEP)?;
        let cryptogram = self.ask.answer(&response)?;
        let mut verified = self.verified;
        let session = verified.read.session();
        for (tag, value) in cryptogram.data.iter() {
            session.store.put(tag, value);
        }
        let bit = Tsi::CARD_RISK_MANAGEMENT_PERFORMED;
        session.performed(bit, "EMV Book 3 10.8", "the card answered GENERATE AC", context);
        let authentic =
            combined_signature::check(&mut verified.read, &self.ask, &cryptogram, &response.data, context);
        let session = verified.read.session();
        let missing = |tag, name| TerminalError::Missing { tag, name, clause: "EMV Book 3 6.5.5.4" };
        let atc = cryptogram.atc().map(u16::from_be_bytes).ok_or(missing(tag::ATC, "ATC"))?;
        if authentic && !session.store.has(tag::APPLICATION_CRYPTOGRAM) {
            return Err(missing(tag::APPLICATION_CRYPTOGRAM, "Application Cryptogram"));
        }
        let given = cryptogram.cid().and_then(|cid| cid.cryptogram_type());
        let given = given.ok_or(missing(tag::CRYPTOGRAM_INFORMATION_DATA, "Cryptogram Information Data"))?;
        let event = Event::new("terminal", format!("the card gave {given}")).clause("EMV Book 3 10.8");
        let event = event.because(format!("asked for {}", self.ask.cryptogram));
        let told = [tag::CRYPTOGRAM_INFORMATION_DATA, tag::ATC, tag::ISSUER_APPLICATION_DATA];
        context.emit(session.with_causes(event, &told));
        let chip = session.chip(REQUEST_CHIP);
        let decided = Decided { verified, atc, chip };
        if !authentic {
            return Ok(match given {
                CryptogramType::Arqc => completion::second_not_authentic(decided),
                _ => completion::not_authentic(decided, context),
            });
        }
        match (self.ask.cryptogram, given) {
            // EMV Book 3 10.8: a card may only answer with what was asked for or weaker.
            (CryptogramType::Aac, CryptogramType::Tc | CryptogramType::Arqc)
            | (CryptogramType::Arqc, CryptogramType::Tc) => Ok(completion::declined(
                decided,
                "the card gave a stronger cryptogram than asked for",
                context,
            )),
            (_, CryptogramType::Tc) => Ok(completion::approved_offline(decided, context)),
            // An account's purchase that the card wants its issuer to decide.
            (CryptogramType::Tc, CryptogramType::Arqc) if !decided.verified.read.ecash => {
                let next = online_processing::begin(decided, context)?;
                Ok(next.after(Change::Turned(EntryKind::OnlinePurchase)))
            }
            (_, CryptogramType::Arqc) => online_processing::begin(decided, context),
            (CryptogramType::Aac, CryptogramType::Aac) => {
                Ok(completion::declined(decided, self.reason, context))
            }
            // A card that was asked to pay with its own money has been told to change: its
            // word alone does not close the row.
            (CryptogramType::Tc, CryptogramType::Aac) if decided.verified.read.ecash => {
                let proof = BalanceProof::of(&decided.verified.read.initiated.selected.session);
                Ok(Next::transmit(proof.command(), ProvingDecline { decided, proof }))
            }
            (_, CryptogramType::Aac) => Ok(completion::declined(decided, DECLINED, context)),
        }
    }
}

/// Reads the balance of a card that declined to pay.
struct ProvingDecline {
    decided: Decided,
    proof: BalanceProof,
}

impl Phase for ProvingDecline {
    fn name(&self) -> &'static str {
        STEP
    }

    fn take(mut self: Box<Self>, reply: Reply, context: &mut Context) -> Result<Next, TerminalError> {
        let told = self.proof.take(reply)?;
        nothing_moved(self.decided.session(), DECLINED, &told)?;
        Ok(completion::declined(self.decided, DECLINED, context))
    }
}

fn opening(verified: &mut Verified, kind: EntryKind) -> Opening {
    let card = CardMark { pan: verified.read.pan.clone(), psn: verified.read.psn };
    row(verified.read.session(), kind, card)
}

/// What a journal row of this session says when it is opened.
pub(in crate::roles::terminal) fn row(session: &mut Session, kind: EntryKind, card: CardMark) -> Opening {
    Opening {
        kind,
        amount: session.terms.amount,
        card,
        mode: session.terms.mode,
        batch: session.terms.trace.0,
        trace: session.terms.trace.1,
        at: session.terms.at,
        balance_before_minor: session.balance_before_minor,
        atc: session.store.array(tag::ATC).map(u16::from_be_bytes).or(session.expected_atc),
        chip: session.chip(REQUEST_CHIP),
        second_currency: session.set == Some(EcashSet::SECOND),
        original: None,
    }
}

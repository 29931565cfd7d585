//! GENERATE AC (EMV Book C-2 states 9 and 11, procedure 7.6). The journal's row, and what
//! is needed to ask once more, are written before the card is asked.

use super::reader::Reader;
use super::restrictions::Decided;
use super::{balance, online};
use crate::base::context::Context;
use crate::base::event::Event;
use crate::roles::terminal::entry_point::{self, Message};
use crate::roles::terminal::error::TerminalError;
use crate::roles::terminal::journal::{CardMark, Change, EntryKind, Torn};
use crate::roles::terminal::outcome::Verdict;
use crate::roles::terminal::phase::{Next, Phase, Reply};
use crate::roles::terminal::session::Session;
use crate::roles::terminal::step::card_action_analysis::{REQUEST_CHIP, row};
use crate::roles::terminal::step::combined_signature;
use crate::roles::terminal::step::read_application_data::RecordsRead;
use crate::words::dictionary::{mastercard, tag};
use crate::words::emv::CryptogramType::{self, Aac, Arqc, Tc};
use crate::words::emv::command::GenerateAc;
use crate::words::emv::{ApplicationCapabilities, Tsi, Tvr};
use crate::words::iso7816::{ApduCommand, ResponseApdu};
use crate::words::tlv::{Dol, TlvStore};

const STEP: &str = "GENERATE AC";
const CLAUSE: &str = "EMV Book C-2 7.6";
const NOT_AUTHENTIC: &str = "the combined signature over the card's cryptogram is not authentic";

/// Asks for the cryptogram. `opened` is what the journal's row began as, where it is open.
pub(super) fn generate(mut decided: Decided, opened: Option<CryptogramType>) -> Result<Next, TerminalError> {
    let wanted = decided.cryptogram;
    let opening = opened.is_none().then(|| opening(&mut decided.read, wanted));
    let turned = opened.filter(|opened| *opened != wanted).map(|_| Change::Turned(kind(wanted)));
    let cdol1 = decided.read.cdol1.clone();
    let card = CardMark { pan: decided.read.pan.clone(), psn: decided.read.psn };
    let cda = is_signed(&mut decided.read, wanted);
    let session = decided.read.session();
    let ask = GenerateAc { cryptogram: wanted, cda, cdol_data: session.assemble(&cdol1) };
    let drdol = session.store.value(mastercard::DRDOL).and_then(|list| Dol::parse(list).ok());
    let most = usize::from(Reader::of(session).torn_records);
    let asking = drdol.filter(|_| most > 0 && wanted != Aac).map(|drdol| Change::Asking {
        torn: Box::new(Torn {
            row: session.terms.trace,
            at: session.terms.at,
            card,
            amount: session.terms.amount,
            asked: wanted,
            cda,
            drdol_data: session.assemble(&drdol),
            exchanged: [session.exchanged.as_slice(), &ask.cdol_data].concat(),
            relay: session.relay.clone(),
            chip: session.chip(REQUEST_CHIP),
        }),
        // A record that the card knows nothing of may stand under this very row.
        replaced: session.terms.trace,
        most,
    });
    let recoverable = asking.is_some();
    let next = Next::transmit(ask.to_apdu(), Pending { decided, ask, recoverable });
    Ok([asking, turned, opening].into_iter().flatten().fold(next, Next::after))
}

/// Opens the journal's row.
pub(super) fn opening(read: &mut RecordsRead, asked: CryptogramType) -> Change {
    let card = CardMark { pan: read.pan.clone(), psn: read.psn };
    Change::Open(Box::new(row(read.session(), kind(asked), card)))
}

fn kind(asked: CryptogramType) -> EntryKind {
    if asked == Arqc { EntryKind::OnlinePurchase } else { EntryKind::AccountSale }
}

/// Whether a signature is asked for with this cryptogram (EMV Book C-2 GAC.20 to GAC.26).
fn is_signed(read: &mut RecordsRead, cryptogram: CryptogramType) -> bool {
    let signs = read.combined.is_some();
    let session = read.session();
    let told = session.store.array(mastercard::APPLICATION_CAPABILITIES).map(ApplicationCapabilities);
    let over_aac = told.is_some_and(|told| told.has(ApplicationCapabilities::CDA_OVER_AAC));
    signs && !session.tvr.has(Tvr::CDA_FAILED) && (cryptogram != Aac || over_aac)
}

/// The card has been asked.
pub(super) struct Pending {
    pub(super) decided: Decided,
    pub(super) ask: GenerateAc,
    /// Whether its answer can be asked for again.
    pub(super) recoverable: bool,
}

impl Phase for Pending {
    fn name(&self) -> &'static str {
        STEP
    }

    fn take(self: Box<Self>, reply: Reply, context: &mut Context) -> Result<Next, TerminalError> {
        let response = reply.response(STEP)?;
        self.answered(&response, context)
    }

    fn release(self: Box<Self>) -> Option<Session> {
        self.recoverable.then(|| torn(self.decided, Some(self.ask.cryptogram)))
    }
}

/// The session of a torn transaction: the same card, asked again, gives the cryptogram that
/// never came (EMV Book C-2 S9.5). `opened` is what the journal's row is, where it is open.
pub(super) fn torn(decided: Decided, opened: Option<CryptogramType>) -> Session {
    let RecordsRead { initiated, pan, psn, .. } = decided.read;
    let mut session = initiated.selected.session;
    session.entry_point.expected = Some(CardMark { pan, psn });
    session.entry_point.opened = opened;
    session
}

/// The card has given its cryptogram.
pub(super) struct Answered {
    pub(super) read: RecordsRead,
    /// What the journal's row began as.
    pub(super) opened: CryptogramType,
    pub(super) given: CryptogramType,
    pub(super) reason: &'static str,
    /// Field 55, as it stood when the cryptogram was made.
    pub(super) chip: TlvStore,
    /// What can still be spent offline.
    pub(super) balance_minor: Option<u64>,
}

impl Pending {
    /// Takes the answer to GENERATE AC or RECOVER AC.
    pub(super) fn answered(
        self,
        response: &ResponseApdu,
        context: &mut Context,
    ) -> Result<Next, TerminalError> {
        let Self { decided: Decided { mut read, cryptogram: opened, reason }, ask, .. } = self;
        if !response.status.is_ok() {
            let reason = format!("the card answered {} to GENERATE AC", response.status);
            let session = read.initiated.selected.session;
            let next = entry_point::end_application(session, Message::TryAnotherCard, reason, context);
            return Ok(closed(next, "the card refused GENERATE AC"));
        }
        let cryptogram = ask.decode_response(&response.data)?;
        let missing = |tag, name| TerminalError::Missing { tag, name, clause: "EMV Book C-2 5.4" };
        let given = cryptogram.cid().and_then(|cid| cid.cryptogram_type());
        let given = given.ok_or(missing(tag::CRYPTOGRAM_INFORMATION_DATA, "Cryptogram Information Data"))?;
        let atc = cryptogram.atc().map(u16::from_be_bytes).ok_or(missing(tag::ATC, "ATC"))?;
        let session = read.session();
        for (tag, value) in cryptogram.data.iter() {
            session.store.put(tag, value);
        }
        session.tsi.set(Tsi::CARD_RISK_MANAGEMENT_PERFORMED);
        // Field 55 tells the issuer the TVR that the card saw.
        let tvr = session.tvr;
        let unsigned = ask.cda && given != Aac && read.combined.is_none();
        let authentic =
            !unsigned && combined_signature::check(&mut read, &ask, &cryptogram, &response.data, context);
        let session = read.session();
        let mut chip = session.chip(REQUEST_CHIP);
        chip.put(tag::TVR, tvr.0);
        context.emit(
            Event::new("terminal", format!("the card gave {given}"))
                .clause(CLAUSE)
                .because(format!("asked for {}", ask.cryptogram)),
        );
        let stronger = matches!((ask.cryptogram, given), (Aac, Tc | Arqc) | (Arqc, Tc));
        let refusal = if !authentic {
            Some(NOT_AUTHENTIC)
        } else if stronger {
            Some("the card gave a stronger cryptogram than asked for")
        } else {
            None
        };
        if let Some(reason) = refusal {
            let before = session.balance_before_minor;
            let outcome = session.outcome(Verdict::Declined, reason, before, context);
            return Ok(closed(Next::done(outcome), reason));
        }
        if !session.store.has(tag::APPLICATION_CRYPTOGRAM) {
            return Err(missing(tag::APPLICATION_CRYPTOGRAM, "Application Cryptogram"));
        }
        let answered = Answered { read, opened, given, reason, chip, balance_minor: None };
        if given == Arqc {
            return balance::after(answered, context);
        }
        // What the card has decided stands before anything else is asked of it.
        let decided = match given {
            Tc => vec![Change::CardUpdated { atc: Some(atc), chip: Some(answered.chip.clone()) }],
            _ => vec![Change::Answered, Change::Declined { reason: "declined by the card" }],
        };
        Ok(decided.into_iter().fold(balance::after(answered, context)?, Next::after))
    }
}

impl Answered {
    /// The outcome (EMV Book C-2 S910.30 and on).
    pub(super) fn conclude(mut self, context: &mut Context) -> Result<Next, TerminalError> {
        let (balance, reason) = (self.balance_minor, self.reason);
        let session = self.read.session();
        Ok(match self.given {
            Tc => {
                let reason = "the card gave a transaction certificate";
                Next::done(session.outcome(Verdict::ApprovedOffline, reason, balance, context))
            }
            Aac => {
                let reason = if self.opened == Aac { reason } else { "declined by the card" };
                Next::done(session.outcome(Verdict::Declined, reason, balance, context))
            }
            Arqc => online::begin(self, context),
        })
    }
}

/// Nothing is taken of the card's answer.
fn closed(next: Next, reason: &'static str) -> Next {
    next.after(Change::Declined { reason }).after(Change::Answered)
}

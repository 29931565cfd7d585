//! Terminal action analysis: EMV Book 3 10.7. What was found (TVR) is held against
//! the action codes of issuer and terminal. What moves an account or is written by the
//! issuer is the issuer's to decide; electronic cash is paid offline or not at all
//! (JR/T 0025.13).

use super::card_action_analysis;
use super::cardholder_verification::Verified;
use super::read_application_data::RecordsRead;
use crate::base::context::Context;
use crate::base::event::Event;
use crate::roles::terminal::error::TerminalError;
use crate::roles::terminal::flow::Flow;
use crate::roles::terminal::phase::{Next, step};
use crate::roles::terminal::session::Session;
use crate::words::dictionary::tag;
use crate::words::emv::CryptogramType::{self, Aac, Arqc, Tc};
use crate::words::emv::Tvr;
use crate::words::tlv::Tag;

const CLAUSE: &str = "EMV Book 3 10.7";

/// Decides which cryptogram to ask for.
pub(in crate::roles::terminal) fn begin(
    mut verified: Verified,
    context: &mut Context,
) -> Result<Next, TerminalError> {
    step("Terminal action analysis", context);
    default_tdol(&mut verified, context);
    let (cryptogram, reason) = decide(&mut verified.read, context);
    let tvr = verified.read.session().tvr;
    asks_for(cryptogram, reason, tvr, context);
    card_action_analysis::begin(verified, cryptogram, reason)
}

/// The host could not be asked: what the second GENERATE AC asks for.
pub(in crate::roles::terminal) fn unable_to_go_online(
    verified: &mut Verified,
    context: &mut Context,
) -> CryptogramType {
    let session = verified.read.session();
    // Only a purchase can be approved without its issuer; online-only terminals do not.
    let purchase = session.terms.flow == Flow::Pay && can_be_offline(session);
    let (cryptogram, reason) = if !purchase {
        (Aac, "only the issuer can approve it")
    } else if hits(session, Codes::Default, context) {
        (Aac, "an action code says so where the issuer cannot be asked")
    } else {
        (Tc, "no action code forbids it where the issuer cannot be asked")
    };
    asks_for(cryptogram, reason, session.tvr, context);
    cryptogram
}

pub(in crate::roles::terminal) fn asks_for(
    cryptogram: CryptogramType,
    reason: &'static str,
    tvr: Tvr,
    context: &mut Context,
) {
    let event = Event::new("terminal", format!("asks for {cryptogram}")).clause(CLAUSE);
    context.emit(event.because(reason).with_tag(tag::TVR.0, tvr.0));
}

/// A card that wants a TC hash and has no TDOL gets one over the terminal's list.
fn default_tdol(verified: &mut Verified, context: &mut Context) {
    let read = &mut verified.read;
    let wanted = [&read.cdol1, &read.cdol2].iter().any(|list| list.asks_for(tag::TC_HASH_VALUE));
    let session = read.session();
    if wanted && !session.store.has(tag::TDOL) {
        let reason = "a CDOL asks for the TC hash (98), and the card has no TDOL (97)";
        let causes = [tag::CDOL1, tag::CDOL2];
        session.find(Tvr::DEFAULT_TDOL_USED, "EMV Book 3 9.2.2", reason, &causes, context);
    }
}

/// Which cryptogram to ask for, and why.
pub(in crate::roles::terminal) fn decide(
    read: &mut RecordsRead,
    context: &mut Context,
) -> (CryptogramType, &'static str) {
    let ecash = read.ecash;
    let session = read.session();
    if hits(session, Codes::Denial, context) {
        return (Aac, "an action code denies it");
    }
    match session.terms.flow {
        Flow::Pay => {}
        Flow::Cash | Flow::Cashback => return (Arqc, "cash is the issuer's to give"),
        flow if flow.writes_card() => return (Arqc, "the card's balance is written by the issuer"),
        _ => return (Arqc, "the account is the issuer's"),
    }
    let offline_only = matches!(session.terms.config.terminal_type.0[0] & 0x0F, 3 | 6);
    let codes = if offline_only { Codes::Default } else { Codes::Online };
    let hit = hits(session, codes, context);
    match hit {
        true if offline_only => (Aac, "an action code says so where the issuer cannot be asked"),
        true if ecash => (Aac, "an action code wants the issuer, and electronic cash is paid offline"),
        true => (Arqc, "an action code wants the issuer asked"),
        false if ecash => (Tc, "electronic cash is approved by the card"),
        false if !can_be_offline(session) => (Arqc, "the terminal is online only"),
        false => (Tc, "no action code asks for more"),
    }
}

/// Terminal types 21 and 24 and their like are online only (EMV Book 4 A1).
fn can_be_offline(session: &Session) -> bool {
    !matches!(session.terms.config.terminal_type.0[0] & 0x0F, 1 | 4)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Codes {
    Denial,
    Online,
    Default,
}

impl Codes {
    const fn word(self) -> &'static str {
        match self {
            Self::Denial => "denial",
            Self::Online => "online",
            Self::Default => "default",
        }
    }

    const fn issuers(self) -> Tag {
        match self {
            Self::Denial => tag::IAC_DENIAL,
            Self::Online => tag::IAC_ONLINE,
            Self::Default => tag::IAC_DEFAULT,
        }
    }

    /// What stands in for an issuer's code that the card does not have.
    const fn absent(self) -> [u8; 5] {
        match self {
            Self::Denial => [0x00; 5],
            Self::Online | Self::Default => [0xFF; 5],
        }
    }
}

/// Whether a bit of the TVR meets one of the action codes; each that does is told.
fn hits(session: &Session, codes: Codes, context: &mut Context) -> bool {
    let terminals = match codes {
        Codes::Denial => session.action_codes.denial,
        Codes::Online => session.action_codes.online,
        Codes::Default => session.action_codes.default,
    };
    let issuers = session.store.array(codes.issuers()).unwrap_or(codes.absent());
    let tvr = session.tvr;
    let mut any = false;
    for bit in Tvr::ROWS.iter().filter(|bit| tvr.has(**bit)) {
        let asked = [("terminal", Tvr(terminals.0)), ("issuer", Tvr(issuers))];
        let by: Vec<_> = asked.iter().filter(|(_, code)| code.has(*bit)).map(|(who, _)| *who).collect();
        if by.is_empty() {
            continue;
        }
        any = true;
        let place = format!("byte {} bit {}", bit.byte, bit.bit);
        let reason = format!("{place}, {} ({} action code - {})", bit.words, by.join(" and "), codes.word());
        let event = Event::new("terminal", "action code hit").clause(CLAUSE).because(reason);
        let event = event.with_tag(codes.issuers().0, issuers);
        context.emit(event.with_named("terminal action code", terminals.0).with_tag(tag::TVR.0, tvr.0));
    }
    // A bit without a name counts too.
    let meets = |code: [u8; 5]| tvr.0.iter().zip(code).any(|(found, code)| found & code != 0);
    any || meets(terminals.0) || meets(issuers)
}

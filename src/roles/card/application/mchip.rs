//! An M/Chip-like application: it decides by card issuer action codes over its own
//! verification results (openemv/emv-utils; public tag lists). Which cryptogram follows
//! from which code, what a response code means and what is counted is our own reading; the
//! profile has a switch for each.

use crate::base::bytes::u64_to_bcd;
use crate::base::context::Context;
use crate::base::event::Event;
use crate::roles::card::behaviour::Application;
use crate::roles::card::data;
use crate::roles::card::decision::{self, Decision};
use crate::roles::card::memory::{ApplicationMemory, Image};
use crate::roles::card::session::{Authentication, Path, Scripts, Transaction};
use crate::roles::card::simulator::{Refusal, Work};
use crate::words::dictionary::tag;
use crate::words::emv::CryptogramType::{self, Aac, Arqc, Tc};
use crate::words::emv::cryptogram::{CryptogramVersion, GivenCryptograms};
use crate::words::emv::mchip::{ApplicationControl, CounterUpdate, Counters, Cvr, Iad, ResponseCode};
use crate::words::pboc;
use crate::words::tlv::{Tag, TlvStore};

/// Debit or credit under RID A000000004.
pub(super) struct Mchip;

/// What PUT DATA may write.
const WRITABLE: &[Tag] = &[
    tag::LOWER_CONSECUTIVE_OFFLINE_LIMIT,
    tag::UPPER_CONSECUTIVE_OFFLINE_LIMIT,
    tag::LOWER_CUMULATIVE_LIMIT,
    tag::UPPER_CUMULATIVE_LIMIT,
    tag::CIAC_DECLINE,
    tag::CIAC_DEFAULT,
    tag::CIAC_ONLINE,
    tag::CIAC_DECLINE_CONTACTLESS,
    tag::CIAC_DEFAULT_CONTACTLESS,
    tag::CIAC_ONLINE_CONTACTLESS,
];

/// What a total or a count is held against.
const LIMITS: [Tag; 4] = [
    tag::LOWER_CONSECUTIVE_OFFLINE_LIMIT,
    tag::UPPER_CONSECUTIVE_OFFLINE_LIMIT,
    tag::LOWER_CUMULATIVE_LIMIT,
    tag::UPPER_CUMULATIVE_LIMIT,
];

/// Action codes by interface: contact, contactless.
const DECLINE: [Tag; 2] = [tag::CIAC_DECLINE, tag::CIAC_DECLINE_CONTACTLESS];
const ONLINE: [Tag; 2] = [tag::CIAC_ONLINE, tag::CIAC_ONLINE_CONTACTLESS];
const DEFAULT: [Tag; 2] = [tag::CIAC_DEFAULT, tag::CIAC_DEFAULT_CONTACTLESS];

const DEFAULT_HIT: &str = "the card issuer action code - default (C4, CD) has a bit of the CVR";

impl Application for Mchip {
    fn kind(&self) -> &'static str {
        "mchip"
    }

    fn path(&self, _work: &Work<'_>, _data: &TlvStore) -> Result<(Path, &'static str), Refusal> {
        Ok((Path::Full, "the card decides at GENERATE AC, by contact and by radio"))
    }

    fn may_put(&self, tag: Tag) -> bool {
        WRITABLE.contains(&tag)
    }

    fn value(&self, work: &Work<'_>, tag: Tag) -> Result<Option<Vec<u8>>, Refusal> {
        let application = work.application()?;
        let contactless = work.session.transaction().is_some_and(|transaction| transaction.contactless);
        Ok(data::counter(application, tag).or_else(|| match tag {
            tag::LOG_FORMAT => application.data.value(tag).map(<[u8]>::to_vec),
            tag::OFFLINE_ACCUMULATOR_BALANCE
                if control(application, contactless).has(ApplicationControl::BALANCE_RETRIEVAL) =>
            {
                u64_to_bcd(balance_minor(application)?, 6).ok()
            }
            _ => None,
        }))
    }

    fn history(&self, application: &ApplicationMemory, _context: &mut Context) -> pboc::Cvr {
        // Its own results say the rest.
        let mut past = pboc::Cvr::default();
        if application.state.last_online_not_completed {
            past.set(pboc::Cvr::LAST_ONLINE_NOT_COMPLETED);
        }
        past
    }

    fn first(
        &self,
        application: &ApplicationMemory,
        transaction: &mut Transaction,
        asked: CryptogramType,
        _changed: bool,
    ) -> Decision {
        let cvr = results(application, transaction);
        transaction.results = cvr;
        if asked == Aac {
            return (Aac, "the terminal asked for an AAC");
        }
        if application.state.blocked {
            return (Aac, "the application is blocked");
        }
        if decision::amount_minor(transaction).is_none() {
            return (Aac, "the amount (9F02) is no decimal number");
        }
        let own = transaction.mchip;
        let declines = asked == Tc || own.declines_requests;
        if declines && wants(application, transaction, DECLINE, cvr) {
            return (Aac, "the card issuer action code - decline (C3, CF) has a bit of the CVR");
        }
        if asked == Arqc {
            return (Arqc, "the terminal asked for an ARQC");
        }
        let unseen = transaction.contactless && transaction.relay.is_none();
        let control = control(application, transaction.contactless);
        let unseen = unseen && control.has(ApplicationControl::ONLINE_WITHOUT_RELAY_CHECK);
        let goes_online = unseen || wants(application, transaction, ONLINE, cvr);
        if goes_online && !is_offline_only(transaction) {
            return match unseen {
                true => (Arqc, "relay resistance was not performed (D7 bit 3.5)"),
                false => (Arqc, "the card issuer action code - online (C5, CE) has a bit of the CVR"),
            };
        }
        let by_default = is_offline_only(transaction) && (goes_online || own.default_alone);
        if by_default && wants(application, transaction, DEFAULT, cvr) {
            return (Aac, DEFAULT_HIT);
        }
        (Tc, "no card issuer action code has a bit of the CVR")
    }

    fn second(
        &self,
        application: &ApplicationMemory,
        transaction: &mut Transaction,
        asked: CryptogramType,
        code: Option<[u8; 2]>,
    ) -> Decision {
        if !decision::was_online(code) {
            transaction.cvr.set(pboc::Cvr::UNABLE_TO_GO_ONLINE);
        }
        let cvr = results(application, transaction);
        transaction.results = cvr;
        if asked != Tc {
            return (Aac, "the terminal did not ask for a TC");
        }
        if application.state.blocked {
            return (Aac, "the application is blocked");
        }
        if !decision::was_online(code) {
            return match wants(application, transaction, DEFAULT, cvr) {
                true => (Aac, DEFAULT_HIT),
                false => (Tc, "the terminal could not go online, and no default action forbids it offline"),
            };
        }
        let control = control(application, transaction.contactless);
        match (transaction.authentication, transaction.issuer_approves) {
            (Authentication::Succeeded, Some(true)) => (Tc, "the issuer approved and is authenticated"),
            (Authentication::Succeeded, _) => (Aac, "the authenticated issuer does not approve"),
            (Authentication::Failed, _) => (Aac, "issuer authentication failed"),
            (Authentication::NotPerformed, _)
                if !control.has(ApplicationControl::ACCEPT_ONLINE_WITHOUT_ARPC) =>
            {
                (Aac, "no ARPC came, and the card does not do without (D5 bit 1.8)")
            }
            (Authentication::NotPerformed, _) => match code.is_some_and(decision::approves) {
                true => (Tc, "the issuer approved, and the card does without an ARPC (D5 bit 1.8)"),
                false => (Aac, "the response code (8A) is no approval"),
            },
        }
    }

    fn approves(&self, transaction: &Transaction, code: [u8; 2]) -> bool {
        ResponseCode(code).approves(transaction.mchip.response_bits)
    }

    fn approve(&self, after: &mut ApplicationMemory, transaction: &Transaction) -> Result<(), Refusal> {
        count(after, transaction);
        Ok(())
    }

    fn ask_online(&self, after: &mut ApplicationMemory, transaction: &Transaction) {
        // By radio the card leaves the field, and hears of no answer.
        if !transaction.contactless {
            after.state.last_online_not_completed = true;
        }
    }

    fn decline(&self, _after: &mut ApplicationMemory, _transaction: &Transaction, _asked: CryptogramType) {}

    fn complete_online(&self, after: &mut ApplicationMemory, transaction: &Transaction) {
        let state = &mut after.state;
        state.last_authentication_failed = transaction.authentication == Authentication::Failed;
        state.last_script_failed = transaction.scripts != Scripts::Open;
        state.script_commands = 0;
        if transaction.authentication == Authentication::Failed {
            return;
        }
        state.last_online_not_completed = false;
        state.last_online_atc = transaction.atc;
        let Some(code) = transaction.response_code.map(ResponseCode) else { return };
        let bits = transaction.mchip.response_bits;
        state.go_online_next = code.goes_online_next(bits);
        if let Some(tries) = code.pin_tries(bits) {
            state.pin_tries_left = tries;
        }
        match code.counters() {
            CounterUpdate::Keep => {}
            CounterUpdate::Reset => (state.consecutive, state.cumulative_minor) = (0, 0),
            CounterUpdate::Add => count(after, transaction),
            CounterUpdate::ToUpperLimits => {
                let consecutive = after.limit(tag::UPPER_CONSECUTIVE_OFFLINE_LIMIT);
                let cumulative = after.amount(tag::UPPER_CUMULATIVE_LIMIT);
                after.state.consecutive = consecutive.unwrap_or(after.state.consecutive);
                after.state.cumulative_minor = cumulative.unwrap_or(after.state.cumulative_minor);
            }
        }
    }

    fn with_causes(&self, event: Event, application: &ApplicationMemory, transaction: &Transaction) -> Event {
        let own = [DECLINE, ONLINE, DEFAULT].map(|codes| codes[usize::from(transaction.contactless)]);
        let event =
            own.into_iter().chain(LIMITS).fold(event, |event, tag| match application.data.value(tag) {
                Some(value) => event.with_tag(tag.0, value),
                None => event,
            });
        event.with_named("CVR", signed_results(transaction).0)
    }

    fn issuer_application_data(
        &self,
        image: &Image,
        version: &CryptogramVersion,
        application: &ApplicationMemory,
        transaction: &Transaction,
    ) -> Vec<u8> {
        let given = |tag| transaction.data.value(tag).and_then(|value| value.first_chunk::<2>().copied());
        let numbers = [given(tag::ICC_DYNAMIC_NUMBER), given(tag::DATA_AUTHENTICATION_CODE)];
        let authentication = numbers.into_iter().flatten().find(|number| *number != [0, 0]);
        let iad = Iad {
            kdi: image.profile.dki,
            cvn: version.cvn,
            cvr: signed_results(transaction),
            authentication: authentication.unwrap_or_default(),
            counters: Some(Counters {
                cumulative_minor: application.state.cumulative_minor,
                consecutive: application.state.consecutive,
            }),
        };
        iad.to_bytes()
    }
}

/// What the decision was over, and what is given, which is known only now.
fn signed_results(transaction: &Transaction) -> Cvr {
    let mut cvr = transaction.results;
    let (first, second) = (transaction.cvr.first_cryptogram(), transaction.cvr.second_cryptogram());
    cvr.set_given(GivenCryptograms { first, second });
    if transaction.signs {
        cvr.set(if second.is_some() { Cvr::CDA_RETURNED_SECOND } else { Cvr::CDA_RETURNED_FIRST });
    }
    cvr
}

/// What can still be spent offline: the upper limit less what has been.
fn balance_minor(application: &ApplicationMemory) -> Option<u64> {
    let limit = application.amount(tag::UPPER_CUMULATIVE_LIMIT)?;
    Some(limit.saturating_sub(application.state.cumulative_minor))
}

/// One more offline approval.
fn count(after: &mut ApplicationMemory, transaction: &Transaction) {
    (after.state.consecutive, after.state.cumulative_minor) = counted(after, transaction);
}

/// Count and total as they are once the transaction has been approved offline.
fn counted(application: &ApplicationMemory, transaction: &Transaction) -> (u8, u64) {
    let state = &application.state;
    let amount = own_amount(application, transaction);
    let counts = transaction.mchip.counts_every || amount.is_none();
    let total = state.cumulative_minor.saturating_add(amount.unwrap_or(0));
    (state.consecutive.saturating_add(u8::from(counts)), total)
}

/// The amount, where it is in the card's currency.
fn own_amount(application: &ApplicationMemory, transaction: &Transaction) -> Option<u64> {
    let own = application.data.value(tag::CRM_CURRENCY_CODE)?;
    let is_own = transaction.data.value(tag::TRANSACTION_CURRENCY_CODE) == Some(own);
    is_own.then(|| decision::amount_minor(transaction)).flatten()
}

/// The card verification results of a transaction, as it would be if it were approved
/// offline; without what is given.
fn results(application: &ApplicationMemory, transaction: &Transaction) -> Cvr {
    let state = &application.state;
    let past = transaction.cvr;
    let pin = past.has(pboc::Cvr::OFFLINE_PIN_PERFORMED);
    let pin_failed = pin && past.has(pboc::Cvr::OFFLINE_PIN_FAILED);
    let domestic =
        application.data.value(tag::CRM_COUNTRY_CODE) == transaction.data.value(tag::TERMINAL_COUNTRY_CODE);
    let (count, total) = counted(application, transaction);
    let above = |tag| application.limit(tag).is_some_and(|limit| count > limit);
    let over = |tag| application.amount(tag).is_some_and(|limit| total > limit);
    let mut cvr = Cvr::default();
    cvr.set_counts(state.script_commands, state.pin_tries_left);
    for (holds, bit) in [
        (pin, Cvr::OFFLINE_PIN_PERFORMED),
        (pin && transaction.enciphered_pin, Cvr::ENCIPHERED_PIN_PERFORMED),
        (pin && !pin_failed, Cvr::OFFLINE_PIN_SUCCESSFUL),
        (past.has(pboc::Cvr::DDA_PERFORMED), Cvr::DDA_RETURNED),
        (transaction.authentication != Authentication::NotPerformed, Cvr::ISSUER_AUTHENTICATION_PERFORMED),
        (past.has(pboc::Cvr::LAST_ONLINE_NOT_COMPLETED), Cvr::LAST_ONLINE_NOT_COMPLETED),
        (past.has(pboc::Cvr::UNABLE_TO_GO_ONLINE), Cvr::UNABLE_TO_GO_ONLINE),
        (!pin, Cvr::OFFLINE_PIN_NOT_PERFORMED),
        (pin_failed, Cvr::OFFLINE_PIN_FAILED),
        (state.pin_tries_left == 0, Cvr::PIN_TRY_LIMIT_EXCEEDED),
        (!domestic, Cvr::INTERNATIONAL),
        (domestic, Cvr::DOMESTIC),
        (pin_failed && terminal_took_pin(transaction), Cvr::TERMINAL_TOOK_PIN_FOR_GOOD),
        (above(tag::LOWER_CONSECUTIVE_OFFLINE_LIMIT), Cvr::LOWER_CONSECUTIVE_EXCEEDED),
        (above(tag::UPPER_CONSECUTIVE_OFFLINE_LIMIT), Cvr::UPPER_CONSECUTIVE_EXCEEDED),
        (over(tag::LOWER_CUMULATIVE_LIMIT), Cvr::LOWER_CUMULATIVE_EXCEEDED),
        (over(tag::UPPER_CUMULATIVE_LIMIT), Cvr::UPPER_CUMULATIVE_EXCEEDED),
        (state.go_online_next, Cvr::GO_ONLINE_NEXT),
        (
            state.last_authentication_failed || transaction.authentication == Authentication::Failed,
            Cvr::ISSUER_AUTHENTICATION_FAILED,
        ),
        (state.script_commands > 0, Cvr::SCRIPT_RECEIVED),
        (state.last_script_failed, Cvr::SCRIPT_FAILED),
    ] {
        if holds {
            cvr.set(bit);
        }
    }
    cvr
}

/// Whether the terminal says that the card's own PIN check went well.
fn terminal_took_pin(transaction: &Transaction) -> bool {
    let results: Option<[u8; 3]> = transaction.data.array(tag::CVM_RESULTS);
    results.is_some_and(|[method, _, end]| matches!(method & 0x3F, 1 | 3 | 4 | 5) && end == 2)
}

/// Whether an action code has a bit of the results.
fn wants(application: &ApplicationMemory, transaction: &Transaction, code: [Tag; 2], cvr: Cvr) -> bool {
    let tag = code[usize::from(transaction.contactless)];
    let code: Option<[u8; 3]> = application.data.array(tag);
    code.is_some_and(|code| code.iter().zip(cvr.decisive()).any(|(mask, byte)| mask & byte != 0))
}

fn control(application: &ApplicationMemory, contactless: bool) -> ApplicationControl {
    let tag = if contactless { tag::APPLICATION_CONTROL_CONTACTLESS } else { tag::APPLICATION_CONTROL };
    application.data.array(tag).map(ApplicationControl).unwrap_or_default()
}

/// Whether the terminal has no line to an issuer (9F35: units 3 and 6).
fn is_offline_only(transaction: &Transaction) -> bool {
    transaction.data.array(tag::TERMINAL_TYPE).is_some_and(|[kind]: [u8; 1]| matches!(kind & 0x0F, 3 | 6))
}

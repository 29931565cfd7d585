//! Cardholder verification: EMV Book 3 10.5. The rules of the CVM List are tried in
//! their order until one succeeds or nothing is left. What PBOC has of its own stands
//! before it: a load wants the online PIN, electronic cash wants nothing (JR/T 0025.13).

use super::offline_pin;
use super::read_application_data::RecordsRead;
use super::terminal_risk_management;
use crate::base::bytes::{Bit, Secret};
use crate::base::context::Context;
use crate::base::event::Event;
use crate::roles::terminal::error::TerminalError;
use crate::roles::terminal::outcome::Verdict;
use crate::roles::terminal::phase::{Io, Next, Phase, Reply, step};
use crate::roles::terminal::session::{Role, Session};
use crate::words::dictionary::tag;
use crate::words::emv::{
    Aip, CvmCode, CvmCondition, CvmEnd, CvmList, CvmResults, CvmRule, TerminalCapabilities, Tsi, Tvr,
};
use crate::words::tlv::Tag;

const STEP: &str = "Cardholder verification";
const CLAUSE: &str = "EMV Book 3 10.5";

/// The cardholder is verified as far as the terminal can.
pub(in crate::roles::terminal) struct Verified {
    pub(in crate::roles::terminal) read: RecordsRead,
    pub(in crate::roles::terminal) pin: Option<Secret<String>>,
}

/// Begins with what the flow wants, else with the card's list.
pub(in crate::roles::terminal) fn begin(
    mut read: RecordsRead,
    context: &mut Context,
) -> Result<Next, TerminalError> {
    step(STEP, context);
    if let Role::Loaded(payer) = &mut read.initiated.selected.session.role {
        let (pin, is_same) = (payer.pin.take(), payer.pan == read.pan);
        let session = read.session();
        if is_same {
            let reason = "the paying card is the card to load";
            let before = session.balance_before_minor;
            return Ok(Next::done(session.outcome(Verdict::Refused, reason, before, context)));
        }
        // The PIN is the payer's, and says nothing of who holds this card.
        session.store.put(tag::CVM_RESULTS, CvmResults::NO_CVM.0);
        return terminal_risk_management::begin(Verified { read, pin }, context);
    }
    if read.session().terms.flow.wants_pin() {
        let pan = read.pan.clone();
        let prompt = read.session().online_pin_prompt(&pan);
        return Ok(Next::wait(Io::EnterPin(prompt), EnteringForTheIssuer { read }));
    }
    if read.ecash {
        let reason = "electronic cash is paid without a CVM";
        return without(read, CvmResults::NO_CVM, "JR/T 0025.13", reason, context);
    }
    if !read.session().terms.flow.verifies_by_list() {
        let reason = "this kind of transaction wants none";
        return without(read, CvmResults::NO_CVM, CLAUSE, reason, context);
    }
    if !read.initiated.aip.has(Aip::CARDHOLDER_VERIFICATION) {
        let reason = "the AIP does not support it";
        return without(read, CvmResults::NOT_PERFORMED, CLAUSE, reason, context);
    }
    let list = read.session().store.value(tag::CVM_LIST).map(CvmList::parse).transpose()?;
    match list.filter(|list| !list.rules.is_empty()) {
        Some(list) => Verifying { read, list, place: 0, last: None, pin: None }.advance(context),
        None => {
            let reason = "the AIP supports cardholder verification and there is no rule in a CVM List (8E)";
            read.session().find(Tvr::ICC_DATA_MISSING, "EMV Book 3 7.5", reason, &[tag::AIP], context);
            without(read, CvmResults::NOT_PERFORMED, CLAUSE, "the card has no rule", context)
        }
    }
}

fn without(
    mut read: RecordsRead,
    results: CvmResults,
    clause: &'static str,
    reason: &'static str,
    context: &mut Context,
) -> Result<Next, TerminalError> {
    read.session().store.put(tag::CVM_RESULTS, results.0);
    context.emit(Event::new("terminal", "no CVM").clause(clause).because(reason));
    terminal_risk_management::begin(Verified { read, pin: None }, context)
}

/// How a method went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::roles::terminal) enum Attempt {
    /// It is done; only the issuer or the attendant knows how.
    Unknown,
    /// It succeeded.
    Successful,
    /// It failed.
    Failed,
}

/// The list is being worked through.
pub(in crate::roles::terminal) struct Verifying {
    pub(in crate::roles::terminal) read: RecordsRead,
    list: CvmList,
    /// The rule that is being looked at.
    place: usize,
    /// The last rule that was performed and failed.
    last: Option<CvmRule>,
    pin: Option<Secret<String>>,
}

impl Verifying {
    /// Goes to the next rule whose condition holds.
    fn advance(mut self, context: &mut Context) -> Result<Next, TerminalError> {
        let Some(rule) = self.list.rules.get(self.place).copied() else {
            return self.failed(context);
        };
        if let Some(unmet) = unmet(&self.list, rule, self.read.session()) {
            tell(self.read.session(), rule, "CVM rule passed over", unmet, context);
            self.place += 1;
            return self.advance(context);
        }
        tell(self.read.session(), rule, "CVM rule applies", "its condition holds", context);
        let session = self.read.session();
        match rule.code.method() {
            CvmCode::FAIL => {
                self.last = Some(rule);
                self.failed(context)
            }
            CvmCode::NO_CVM if session.can(TerminalCapabilities::NO_CVM) => {
                self.take(Attempt::Successful, context)
            }
            CvmCode::SIGNATURE if session.can(TerminalCapabilities::SIGNATURE) => {
                self.take(Attempt::Unknown, context)
            }
            CvmCode::NO_CVM | CvmCode::SIGNATURE => self.take(Attempt::Failed, context),
            method => match capability(method) {
                None => {
                    let reason = format!("CVM Code {:02X}", rule.code.0);
                    session.find(Tvr::UNRECOGNISED_CVM, CLAUSE, reason, &[tag::CVM_LIST], context);
                    self.unsuccessful(rule, false, context)
                }
                Some(needed) => self.enter_pin(rule, needed, context),
            },
        }
    }

    /// A method that wants a PIN.
    fn enter_pin(
        mut self,
        rule: CvmRule,
        needed: Bit<TerminalCapabilities>,
        context: &mut Context,
    ) -> Result<Next, TerminalError> {
        let session = self.read.session();
        let missing = match (session.can(needed), session.terms.config.pin_pad_works) {
            (false, _) => Some(needed.words),
            (true, false) => Some("a PIN pad that works"),
            (true, true) => None,
        };
        if let Some(missing) = missing {
            let reason = format!("the terminal has not: {missing}");
            let causes = [tag::TERMINAL_CAPABILITIES];
            session.find(Tvr::PIN_PAD_ABSENT, "EMV Book 3 10.5.1", reason, &causes, context);
            return self.take(Attempt::Failed, context);
        }
        if rule.code.has_signature() && !session.can(TerminalCapabilities::SIGNATURE) {
            return self.take(Attempt::Failed, context);
        }
        if rule.code.method() == CvmCode::ONLINE_PIN {
            let pan = self.read.pan.clone();
            let prompt = self.read.session().online_pin_prompt(&pan);
            return Ok(Next::wait(Io::EnterPin(prompt), EnteringOnline { verifying: self }));
        }
        offline_pin::begin(self, rule.code, context)
    }

    /// Takes how the rule's method went.
    pub(in crate::roles::terminal) fn take(
        mut self,
        attempt: Attempt,
        context: &mut Context,
    ) -> Result<Next, TerminalError> {
        let Some(rule) = self.list.rules.get(self.place).copied() else {
            return self.failed(context);
        };
        let end = match attempt {
            Attempt::Failed => return self.unsuccessful(rule, true, context),
            // A PIN that the card found right and a signature that nobody has compared yet.
            Attempt::Successful if rule.code.has_signature() => CvmEnd::Unknown,
            Attempt::Successful => CvmEnd::Successful,
            Attempt::Unknown => CvmEnd::Unknown,
        };
        if rule.code.has_signature() {
            self.read.session().signature = true;
        }
        self.end(CvmResults::of(rule, end), rule.code, context)
    }

    /// The next rule where this one says so, else the end.
    fn unsuccessful(
        mut self,
        rule: CvmRule,
        performed: bool,
        context: &mut Context,
    ) -> Result<Next, TerminalError> {
        if performed {
            self.last = Some(rule);
        }
        if !rule.code.goes_on() {
            return self.failed(context);
        }
        let reason = "bit 7 of the rule lets the next one apply";
        tell(self.read.session(), rule, "CVM unsuccessful", reason, context);
        self.place += 1;
        self.advance(context)
    }

    fn failed(mut self, context: &mut Context) -> Result<Next, TerminalError> {
        let (results, reason) = match self.last {
            Some(rule) => {
                (CvmResults::of(rule, CvmEnd::Failed), format!("{} was the last method", rule.code))
            }
            None => (CvmResults::NO_RULE, "no rule applied".to_owned()),
        };
        let causes = [tag::CVM_LIST];
        self.read.session().find(Tvr::CVM_FAILED, CLAUSE, reason, &causes, context);
        self.end(results, CvmCode::FAIL, context)
    }

    fn end(
        mut self,
        results: CvmResults,
        method: CvmCode,
        context: &mut Context,
    ) -> Result<Next, TerminalError> {
        let session = self.read.session();
        let bit = Tsi::CARDHOLDER_VERIFICATION_PERFORMED;
        session.performed(bit, CLAUSE, "the CVM List was worked through", context);
        session.store.put(tag::CVM_RESULTS, results.0);
        context.emit(
            Event::new("terminal", "CVM")
                .clause("EMV Book 4 6.3.4.5")
                .because(method.to_string())
                .with_tag(tag::CVM_RESULTS.0, results.0),
        );
        terminal_risk_management::begin(Verified { read: self.read, pin: self.pin }, context)
    }
}

/// Why a rule does not apply (EMV Book 3 C3); `None` where it does.
pub(in crate::roles::terminal) fn unmet(
    list: &CvmList,
    rule: CvmRule,
    session: &Session,
) -> Option<&'static str> {
    let (x, y) = (u64::from(list.x_minor), u64::from(list.y_minor));
    let situation = Situation::of(session);
    let amount = session.terms.amount.minor;
    let limited = |holds: bool, words| match session.is_application_currency() {
        true => (!holds).then_some(words),
        false => Some("the transaction is not in the application currency (9F42)"),
    };
    match rule.condition {
        CvmCondition::ALWAYS => None,
        CvmCondition::UNATTENDED_CASH => {
            (situation != Situation::UnattendedCash).then_some("no unattended cash")
        }
        CvmCondition::NO_CASH => (situation != Situation::Purchase).then_some("cash or cashback"),
        CvmCondition::SUPPORTED => (!supports(session, rule.code)).then_some("the terminal cannot"),
        CvmCondition::MANUAL_CASH => (situation != Situation::ManualCash).then_some("no manual cash"),
        CvmCondition::CASHBACK => (situation != Situation::Cashback).then_some("no cashback"),
        CvmCondition::UNDER_X => limited(amount < x, "the amount is not under X"),
        CvmCondition::OVER_X => limited(amount > x, "the amount is not over X"),
        CvmCondition::UNDER_Y => limited(amount < y, "the amount is not under Y"),
        CvmCondition::OVER_Y => limited(amount > y, "the amount is not over Y"),
        _ => Some("the condition code is not known"),
    }
}

/// What the transaction is to a CVM condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Situation {
    UnattendedCash,
    ManualCash,
    Cashback,
    Purchase,
}

impl Situation {
    /// From transaction type (9C) and terminal type (9F35: 4 to 6 are unattended).
    fn of(session: &Session) -> Self {
        const CASH: [u8; 1] = [0x01];
        const CASHBACK: [u8; 1] = [0x09];
        let unattended = matches!(session.terms.config.terminal_type.0[0] & 0x0F, 4..=6);
        match session.store.array(tag::TRANSACTION_TYPE) {
            Some(CASH) if unattended => Self::UnattendedCash,
            Some(CASH) => Self::ManualCash,
            Some(CASHBACK) => Self::Cashback,
            _ => Self::Purchase,
        }
    }
}

/// Which capability a method with a PIN needs; `None` for a method that is not known.
fn capability(method: CvmCode) -> Option<Bit<TerminalCapabilities>> {
    match method {
        CvmCode::PLAINTEXT_PIN | CvmCode::PLAINTEXT_PIN_AND_SIGNATURE => {
            Some(TerminalCapabilities::PLAINTEXT_PIN)
        }
        CvmCode::ENCIPHERED_PIN | CvmCode::ENCIPHERED_PIN_AND_SIGNATURE => {
            Some(TerminalCapabilities::ENCIPHERED_PIN)
        }
        CvmCode::ONLINE_PIN => Some(TerminalCapabilities::ONLINE_PIN),
        _ => None,
    }
}

/// Whether the terminal supports a method (tag 9F33).
pub(in crate::roles::terminal) fn supports(session: &Session, code: CvmCode) -> bool {
    let signs = !code.has_signature() || session.can(TerminalCapabilities::SIGNATURE);
    match code.method() {
        CvmCode::FAIL => true,
        CvmCode::NO_CVM => session.can(TerminalCapabilities::NO_CVM),
        CvmCode::SIGNATURE => signs,
        method => signs && capability(method).is_some_and(|needed| session.can(needed)),
    }
}

pub(in crate::roles::terminal) fn tell(
    session: &Session,
    rule: CvmRule,
    what: &'static str,
    reason: &'static str,
    context: &mut Context,
) {
    let reason = format!("{} {}: {reason}", rule.code, rule.condition);
    let event = Event::new("terminal", what).clause(CLAUSE).because(reason);
    let event = event.with_named("CV rule", [rule.code.0, rule.condition.0]);
    context.emit(session.with_causes(event, looked_at(rule.condition)));
}

/// What a condition is held against.
const fn looked_at(condition: CvmCondition) -> &'static [Tag] {
    match condition {
        CvmCondition::UNATTENDED_CASH
        | CvmCondition::NO_CASH
        | CvmCondition::MANUAL_CASH
        | CvmCondition::CASHBACK => &[tag::TRANSACTION_TYPE, tag::TERMINAL_TYPE],
        CvmCondition::SUPPORTED => &[tag::TERMINAL_CAPABILITIES],
        CvmCondition::UNDER_X | CvmCondition::OVER_X | CvmCondition::UNDER_Y | CvmCondition::OVER_Y => &[
            tag::CVM_LIST,
            tag::AMOUNT_AUTHORISED,
            tag::TRANSACTION_CURRENCY_CODE,
            tag::APPLICATION_CURRENCY_CODE,
        ],
        _ => &[],
    }
}

/// The online PIN by a rule of the list.
struct EnteringOnline {
    verifying: Verifying,
}

impl Phase for EnteringOnline {
    fn name(&self) -> &'static str {
        STEP
    }

    fn take(self: Box<Self>, reply: Reply, context: &mut Context) -> Result<Next, TerminalError> {
        let mut verifying = self.verifying;
        let session = verifying.read.session();
        match reply.pin(STEP)?.filter(is_pin) {
            Some(pin) => {
                online_pin_entered(session, context);
                verifying.pin = Some(pin);
                verifying.take(Attempt::Unknown, context)
            }
            None => {
                not_entered(session, context);
                verifying.take(Attempt::Failed, context)
            }
        }
    }
}

/// The online PIN without which nothing goes on: an account is about to be moved.
struct EnteringForTheIssuer {
    read: RecordsRead,
}

impl Phase for EnteringForTheIssuer {
    fn name(&self) -> &'static str {
        STEP
    }

    fn take(self: Box<Self>, reply: Reply, context: &mut Context) -> Result<Next, TerminalError> {
        let mut read = self.read;
        let session = read.session();
        let bit = Tsi::CARDHOLDER_VERIFICATION_PERFORMED;
        session.performed(bit, CLAUSE, "the online PIN was asked for", context);
        let Some(pin) = reply.pin(STEP)?.filter(is_pin) else {
            not_entered(session, context);
            let before = session.balance_before_minor;
            return Ok(Next::done(session.outcome(Verdict::Refused, NOT_ENTERED, before, context)));
        };
        online_pin_entered(session, context);
        session.store.put(tag::CVM_RESULTS, CvmResults::ONLINE_PIN.0);
        terminal_risk_management::begin(Verified { read, pin: Some(pin) }, context)
    }
}

/// Why a transaction ends whose PIN is not there.
pub(in crate::roles::terminal) const NOT_ENTERED: &str =
    "a PIN of 4 to 12 digits is required and was not entered";

/// Whether something entered can be a PIN: 4 to 12 digits (ISO 9564-1).
pub(in crate::roles::terminal) fn is_pin(pin: &Secret<String>) -> bool {
    let digits = pin.expose();
    (4..=12).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// Notes that the cardholder gave up.
pub(in crate::roles::terminal) fn not_entered(session: &mut Session, context: &mut Context) {
    let reason = "nothing of 4 to 12 digits was entered";
    session.find(Tvr::PIN_NOT_ENTERED, "EMV Book 3 10.5.1", reason, &[], context);
}

fn online_pin_entered(session: &mut Session, context: &mut Context) {
    let reason = "the issuer compares it";
    session.find(Tvr::ONLINE_PIN_ENTERED, "EMV Book 3 10.5.2", reason, &[], context);
}

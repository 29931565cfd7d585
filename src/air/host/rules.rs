//! A host that answers as its user wants, for those who test a terminal: by amount,
//! PAN, class or the nth message it gives another code, is slow, silent, or says it
//! twice. Whatever no rule names is the wrapped host's.

use super::{Answer, BatchTotals, Delivery, Host, HostError, MessageClass, Request, ResponseCode};
use crate::base::context::Context;
use crate::base::event::Event;
use serde::Deserialize;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The longest delay, milliseconds.
const MAX_DELAY_MS: u64 = 600_000;
/// The most copies of an answer.
const MAX_COPIES: u8 = 10;

/// Why a file of rules cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RulesError {
    /// No TOML, or other fields than a rule has.
    #[error("rules: {0}")]
    Toml(String),
    /// A value out of its range.
    #[error("rule {number}: expected {expected}")]
    Value {
        /// Which rule, from 1.
        number: usize,
        /// What it may be.
        expected: &'static str,
    },
}

/// One rule: it fits a message that every named condition fits.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AnswerRule {
    /// The amount, minor units.
    pub amount_minor: Option<u64>,
    /// The PAN, or `*` and the digits that it ends with.
    pub pan: Option<String>,
    /// The class of the message.
    pub class: Option<MessageClass>,
    /// The nth message of this host, from 1.
    pub nth: Option<u64>,
    /// The code (F39) to give instead of asking the host, two characters.
    pub code: Option<String>,
    /// How long the answer waits, milliseconds.
    pub delay_ms: Option<u64>,
    /// Whether the host is silent, and if it acts.
    pub silence: Option<Silence>,
    /// How often the answer is sent, 1 to 10.
    pub copies: Option<u8>,
}

/// When a host says nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Silence {
    /// As if the request were lost: nothing acts.
    Request,
    /// As if the answer were lost: the host has acted.
    Answer,
}

/// Rules in their order; the first that fits counts. Clones share the count of messages, and
/// the rules for one message.
#[derive(Debug, Clone, Default)]
pub struct AnswerRules {
    rules: Arc<Vec<AnswerRule>>,
    /// Each for one message.
    next: Arc<Mutex<Vec<AnswerRule>>>,
    seen: Arc<AtomicU64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    rule: Vec<AnswerRule>,
}

impl AnswerRules {
    /// Reads a TOML file of `[[rule]]` tables.
    pub fn parse(text: &str) -> Result<Self, RulesError> {
        let file: File = toml::from_str(text).map_err(|error| RulesError::Toml(error.to_string()))?;
        for (number, rule) in (1..).zip(&file.rule) {
            rule.check().map_err(|expected| RulesError::Value { number, expected })?;
        }
        Ok(Self { rules: Arc::new(file.rule), ..Self::default() })
    }

    /// Adds a rule for one message: the next that it fits, before all other rules; of several
    /// the first that was added.
    pub fn next(&self, rule: AnswerRule) -> Result<(), RulesError> {
        rule.check().map_err(|expected| RulesError::Value { number: 1, expected })?;
        self.planned().push(rule);
        Ok(())
    }

    /// Forgets the rules for one message; how many there were.
    pub fn forget(&self) -> usize {
        std::mem::take(&mut *self.planned()).len()
    }

    fn planned(&self) -> MutexGuard<'_, Vec<AnswerRule>> {
        self.next.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many rules there are.
    pub fn len(&self) -> usize {
        self.rules.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    fn find(&self, class: MessageClass, pan: &str, amount_minor: u64) -> Option<AnswerRule> {
        let number = self.seen.fetch_add(1, Ordering::Relaxed) + 1;
        let fits = |rule: &AnswerRule| rule.fits(class, pan, amount_minor, number);
        let mut planned = self.planned();
        match planned.iter().position(fits) {
            Some(at) => Some(planned.remove(at)),
            None => self.rules.iter().find(|rule| fits(rule)).cloned(),
        }
    }
}

impl AnswerRule {
    /// What a value should be that is out of its range.
    fn check(&self) -> Result<(), &'static str> {
        let code = self.code.as_deref().unwrap_or("00");
        if code.len() != 2 || !code.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Err("code to be two letters or digits, as F39 has them");
        }
        let digits = self.pan.as_deref().map(|pan| pan.strip_prefix('*').unwrap_or(pan)).unwrap_or("0");
        if digits.is_empty() || digits.len() > 19 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err("pan to be 1 to 19 digits, after a `*` the last ones");
        }
        if self.delay_ms.is_some_and(|delay| delay > MAX_DELAY_MS) {
            return Err("delay_ms to be at most 600000");
        }
        if self.copies.is_some_and(|copies| !(1..=MAX_COPIES).contains(&copies)) {
            return Err("copies to be 1 to 10; silence = \"answer\" sends none");
        }
        if self.nth == Some(0) {
            return Err("nth to count from 1");
        }
        Ok(())
    }

    fn fits(&self, class: MessageClass, pan: &str, amount_minor: u64, number: u64) -> bool {
        let ends = |wanted: &str| match wanted.strip_prefix('*') {
            Some(end) => !end.is_empty() && pan.ends_with(end),
            None => pan == wanted,
        };
        self.amount_minor.is_none_or(|minor| minor == amount_minor)
            && self.pan.as_deref().is_none_or(ends)
            && self.class.is_none_or(|wanted| wanted == class)
            && self.nth.is_none_or(|nth| nth == number)
    }
}

/// A host under rules.
pub struct RuledHost<H> {
    host: H,
    rules: AnswerRules,
    delivery: Delivery,
}

impl<H: Host> RuledHost<H> {
    /// Puts a host under rules.
    pub fn new(host: H, rules: AnswerRules) -> Self {
        Self { host, rules, delivery: Delivery::default() }
    }

    fn ruled(
        &mut self,
        (class, pan, amount_minor): (MessageClass, &str, u64),
        ask: impl FnOnce(&mut H, &mut Context) -> Result<Answer, HostError>,
        context: &mut Context,
    ) -> Result<Answer, HostError> {
        let Some(rule) = self.rules.find(class, pan, amount_minor) else {
            self.delivery = self.host.delivery();
            return ask(&mut self.host, context);
        };
        context.emit(Event::new("host", "Rule Applied").because(said(&rule)));
        let copies = if rule.silence.is_some() { 0 } else { rule.copies.unwrap_or(1) };
        self.delivery = Delivery { copies, after_ms: rule.delay_ms.unwrap_or(0) };
        let code = rule.code.as_deref().and_then(|code| code.as_bytes().try_into().ok()).map(ResponseCode);
        match (rule.silence, code) {
            (Some(Silence::Request), _) => Ok(Answer::new(ResponseCode::MALFUNCTION, "lost by a rule")),
            (_, Some(code)) => Ok(Answer::new(code, "told by a rule")),
            (_, None) => ask(&mut self.host, context),
        }
    }
}

impl<H: Host> Host for RuledHost<H> {
    fn authorise(&mut self, request: &Request, context: &mut Context) -> Result<Answer, HostError> {
        self.ruled(about(request), |host, context| host.authorise(request, context), context)
    }

    fn advise(&mut self, request: &Request, context: &mut Context) -> Result<Answer, HostError> {
        self.ruled(about(request), |host, context| host.advise(request, context), context)
    }

    fn reverse(&mut self, request: &Request, context: &mut Context) -> Result<Answer, HostError> {
        self.ruled(about(request), |host, context| host.reverse(request, context), context)
    }

    fn settle(&mut self, totals: &BatchTotals, context: &mut Context) -> Result<Answer, HostError> {
        let about = (totals.key.class, "", totals.sums.debit_minor);
        self.ruled(about, |host, context| host.settle(totals, context), context)
    }

    fn delivery(&mut self) -> Delivery {
        self.delivery
    }
}

fn about(request: &Request) -> (MessageClass, &str, u64) {
    (request.key.class, request.pan.expose(), request.amount.minor)
}

/// What a rule does, without the card that it names.
fn said(rule: &AnswerRule) -> String {
    let mut parts = Vec::new();
    match rule.silence {
        Some(Silence::Request) => parts.push("the request is lost".to_owned()),
        Some(Silence::Answer) => parts.push("the answer is lost".to_owned()),
        None => {}
    }
    parts.extend(rule.code.as_ref().map(|code| format!("code {code}")));
    parts.extend(rule.delay_ms.map(|delay| format!("after {delay} ms")));
    parts.extend(rule.copies.map(|copies| format!("{copies} times")));
    parts.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::air::host::request_message::tests::any_request;
    use crate::base::event::Discard;
    use proptest::strategy::{Strategy, ValueTree};

    /// Counts how often it is asked.
    struct Counting(u32);

    impl Host for Counting {
        fn authorise(&mut self, _: &Request, _: &mut Context) -> Result<Answer, HostError> {
            self.0 += 1;
            Ok(Answer::new(ResponseCode::APPROVED, "asked"))
        }

        fn advise(&mut self, request: &Request, context: &mut Context) -> Result<Answer, HostError> {
            self.authorise(request, context)
        }

        fn reverse(&mut self, request: &Request, context: &mut Context) -> Result<Answer, HostError> {
            self.authorise(request, context)
        }
    }

    const RULES: &str = r#"
        [[rule]]
        amount_minor = 1351
        code = "51"
        [[rule]]
        pan = "*0042"
        silence = "answer"
        [[rule]]
        nth = 4
        silence = "request"
        [[rule]]
        class = "reversal"
        copies = 2
        delay_ms = 250
    "#;

    #[test]
    fn the_first_rule_that_fits_counts() {
        let mut runner = proptest::test_runner::TestRunner::deterministic();
        let request = any_request().new_tree(&mut runner).unwrap().current();
        let request = |minor, pan: &str, class| {
            let mut request = Request { pan: pan.to_owned().into(), ..request.clone() };
            request.amount.minor = minor;
            request.key.class = class;
            request
        };
        let mut host = RuledHost::new(Counting(0), AnswerRules::parse(RULES).unwrap());
        let mut context = Context::simulated(1, Discard);
        let mut ask = |request: &Request| {
            let code = host.authorise(request, &mut context).unwrap().code;
            (code, host.delivery().copies, host.delivery().after_ms, host.host.0)
        };
        let (other, silent) = ("6299990000000000011", "6299990000000000042");
        let class = MessageClass::Request;
        assert_eq!(ask(&request(1351, silent, class)), (ResponseCode::INSUFFICIENT_FUNDS, 1, 0, 0));
        assert_eq!(ask(&request(1, silent, class)), (ResponseCode::APPROVED, 0, 0, 1));
        assert_eq!(ask(&request(1, other, class)), (ResponseCode::APPROVED, 1, 0, 2));
        assert_eq!(ask(&request(1, other, class)).1, 0, "the fourth message is lost");
        assert_eq!(ask(&request(1, other, MessageClass::Reversal)), (ResponseCode::APPROVED, 2, 250, 3));
        assert_eq!(ask(&request(1, other, class)), (ResponseCode::APPROVED, 1, 0, 4));
    }

    #[test]
    fn a_rule_for_one_message_counts_once_and_first() {
        let rules = AnswerRules::parse("[[rule]]\ncode = \"05\"").unwrap();
        let code = |minor| rules.find(MessageClass::Request, "1", minor).and_then(|rule| rule.code);
        let rule = |code: &str, minor| AnswerRule {
            code: Some(code.to_owned()),
            amount_minor: minor,
            ..AnswerRule::default()
        };
        rules.clone().next(rule("51", None)).unwrap();
        rules.next(rule("91", Some(7))).unwrap();
        let codes: Vec<_> = [1, 1, 7, 7].into_iter().filter_map(code).collect();
        assert_eq!(codes, ["51", "05", "91", "05"]);
        assert!(rules.next(rule("5", None)).is_err());
        rules.next(rule("51", None)).unwrap();
        assert_eq!((rules.forget(), code(1).as_deref()), (1, Some("05")));
    }

    #[test]
    fn what_is_no_rule_is_refused() {
        for (text, says) in [
            ("[[rule]]\ncode = \"5\"", "two letters"),
            ("[[rule]]\npan = \"x\"", "1 to 19 digits"),
            ("[[rule]]\ncopies = 0", "1 to 10"),
            ("[[rule]]\ndelay_ms = 600001", "600000"),
            ("[[rule]]\nnth = 0", "from 1"),
            ("[[rule]]\ncolour = 1", "colour"),
            ("rule", "rules"),
        ] {
            let error = AnswerRules::parse(text).unwrap_err().to_string();
            assert!(error.contains(says), "{text}: {error}");
        }
        assert!(AnswerRules::parse("").unwrap().is_empty());
    }
}

//! Lines of a script before a terminal under test: it is asked to do something, and what it
//! has sent meanwhile is looked for.

use super::evaluate::{Trouble, evaluate};
use super::expectation::Unmet;
use super::knowledge::End;
use super::line::seconds;
use super::matching::is_meant;
use super::outcome::{Moment, Shown};
use super::puppet::{Puppet, SentThing};
use super::scope::Scope;
use crate::base::bytes::Secret;
use crate::base::context::Context;
use crate::base::event::{Collector, Discard, ElementKey};
use crate::observers::script::errand::Attendant;
use crate::observers::script::function_row::Surroundings;
use crate::observers::script::part::{BROKEN_OFF, DONE, Demand, MessageWord, OUTCOMES, Search, SentTest};
use crate::observers::script::source::Span;
use crate::observers::script::tree::Expression;
use crate::words::decode::judge as judge_effect;
use crate::words::iso4217::{Amount, Currency};
use crate::words::tlv::Tag;
use crate::world::{Bench, DEFAULT_PIN, Deed, Ended, Order, ServedBench};
use std::time::Duration;

/// A terminal under test, and what hangs around it.
pub struct Counter<'a> {
    /// The terminal.
    pub terminal: Tested<'a>,
    /// What card and host do.
    pub puppet: Puppet,
    /// What the terminal tells.
    pub events: Collector,
}

/// A terminal under test.
pub enum Tested<'a> {
    /// Our own, in this process.
    Ours(&'a mut Bench),
    /// One elsewhere, which comes for its card.
    Elsewhere(&'a mut ServedBench),
}

/// Seconds that a terminal elsewhere has, where the script does not say.
const PATIENCE_SECONDS: u32 = 60;
/// The most that it may have.
const LIMIT_SECONDS: u32 = 3600;

/// Asks the terminal to do something.
pub(super) fn demand(
    demand: &Demand,
    span: Span,
    counter: &mut Counter<'_>,
    attendant: &dyn Attendant,
    scope: &mut Scope<'_>,
) -> Result<(), Trouble> {
    let order = order(demand, scope)?;
    let within = seconds(demand.within.as_ref(), PATIENCE_SECONDS, LIMIT_SECONDS, scope)?;
    let told = counter.events.events().len();
    {
        let mut strings = counter.puppet.strings();
        strings.known = std::mem::take(&mut scope.known);
        strings.begin(span.line);
    }
    let ended = match &mut counter.terminal {
        Tested::Ours(bench) => Some(bench.order(&order, scope.context)),
        Tested::Elsewhere(bench) => {
            attendant.tell(&wanted(demand, &order, span, within, scope.currency()));
            let until = scope.context.now().plus(within);
            let puppet = &counter.puppet;
            let is_over = || {
                let now = Context::system(Discard).now();
                now >= until || puppet.strings().is_over(now)
            };
            let said = || puppet.strings().log.len();
            let before = said();
            bench.serve(&is_over, scope.context).map_err(|why| Trouble::unreachable(span, why))?;
            if said() == before {
                let why = format!("the terminal elsewhere said nothing within {} s", within.as_secs());
                return Err(Trouble::not_run(span, why));
            }
            None
        }
    };
    let mut strings = counter.puppet.strings();
    scope.known = std::mem::take(&mut strings.known);
    scope.known.answer = None;
    let events = counter.events.events().split_off(told);
    for element in events.iter().flat_map(|event| &event.elements) {
        if let ElementKey::Tag(tag @ (0x95 | 0x9B | 0x9F34)) = element.key {
            scope.known.data.put(Tag(tag), element.value.clone());
        }
    }
    let spoken = events.iter().filter(|event| event.speaker == "terminal");
    let told = spoken.map(|event| format!("{}: {}", event.name, event.reason)).collect::<Vec<_>>().join("\n");
    let Some(ended) = ended else {
        return strings.trouble.take().map_or(Ok(()), Err);
    };
    let words = words(&ended);
    let first = words.first().copied().unwrap_or(DONE);
    let text = format!("terminal: {first}: {}\n", ended.reason);
    let moment = strings.moments.len();
    strings.moments.push(Moment::Note { line: span.line, text });
    scope.known.ended = Some(End {
        words,
        reason: ended.reason,
        shown: ended.shown.join("\n"),
        told,
        balance_minor: ended.balance.map(|balance| balance.minor),
        moment,
    });
    match strings.trouble.take() {
        Some(trouble) => Err(trouble),
        None => Ok(()),
    }
}

/// Looks for something that was sent; where it is found, lines below look at it. `found` is
/// how far earlier lines have looked.
pub(super) fn sent(
    test: &SentTest,
    found: &mut usize,
    puppet: &Puppet,
    scope: &mut Scope<'_>,
) -> Result<Option<Unmet>, Trouble> {
    let strings = puppet.strings();
    let mut places = Vec::new();
    for (place, entry) in strings.log.iter().enumerate() {
        if is_meant(&test.what, &entry.sent(), scope)? {
            places.push(place);
        }
    }
    let next = match test.search {
        Search::Times(wanted) => {
            let count = places.len();
            let received = format!("it was sent {count} times");
            let expected = if wanted == 0 { "never".to_owned() } else { format!("{wanted} times") };
            return Ok((count != wanted).then(|| unmet(test, expected, received)));
        }
        Search::After => places.iter().find(|place| **place >= *found),
        Search::Next => places.iter().find(|place| **place == *found),
        Search::Anywhere => places.first(),
    };
    match next.and_then(|place| Some((*place, strings.log.get(*place)?))) {
        Some((place, entry)) => {
            *found = place + 1;
            scope.known.answer = Some(entry.seen.clone());
            Ok(None)
        }
        None => {
            let rest = strings.log.iter().skip(if test.search == Search::Anywhere { 0 } else { *found });
            let names: Vec<String> = rest.map(|entry| name(&entry.what)).collect();
            let received = match names.is_empty() {
                true => "nothing more".to_owned(),
                false => names.join(", "),
            };
            let expected = match test.search {
                Search::Next => "next",
                Search::Anywhere => "at any time",
                _ => "after what was found before",
            };
            Ok(Some(unmet(test, expected.to_owned(), received)))
        }
    }
}

fn unmet(test: &SentTest, expected: String, received: String) -> Unmet {
    Unmet {
        subject: format!("{} from the terminal", test.what),
        expected: Shown::Words(expected),
        received: Shown::Words(received),
        update: None,
    }
}

fn name(what: &SentThing) -> String {
    match what {
        SentThing::Command(apdu) => format!("{} {:02X}{:02X}", judge_effect(apdu).0, apdu.p1, apdu.p2),
        SentThing::Message(request) => {
            format!("message {}", MessageWord::of(request.kind, request.key.class))
        }
    }
}

/// The words of an end: what says most, and what else is true of it.
fn words(ended: &Ended) -> Vec<&'static str> {
    let Some(verdict) = ended.verdict else {
        return vec![if ended.is_broken { BROKEN_OFF } else { DONE }];
    };
    let fitting = OUTCOMES.iter().filter(|row| row.verdicts.contains(&verdict));
    let mut words: Vec<_> = fitting.map(|row| (row.verdicts.len(), row.words)).collect();
    words.sort_by_key(|(count, _)| *count);
    words.into_iter().map(|(_, words)| words).collect()
}

/// What a person is told to do at a terminal elsewhere. The PIN stays in the script.
fn wanted(demand: &Demand, order: &Order, span: Span, within: Duration, currency: Currency) -> String {
    let amount = |minor: u64| Amount::new(minor, currency).to_string();
    let mut text = format!("At the terminal: {}", deed_word(order.deed));
    if demand.amount.is_some() {
        text.push_str(&format!(" {}", amount(order.amount_minor)));
    }
    if order.cashback_minor > 0 {
        text.push_str(&format!(", of it {} in cash", amount(order.cashback_minor)));
    } else if order.is_cash {
        text.push_str(", all of it in cash");
    }
    if order.forced_online {
        text.push_str(", with the issuer asked");
    }
    if demand.choice.is_some() {
        text.push_str(&format!(", with application {}", order.choice));
    }
    if !demand.pins.is_empty() {
        text.push_str(&format!(", with the PIN of line {}", span.line));
    }
    format!("{text} (within {} s)", within.as_secs())
}

fn deed_word(deed: Deed) -> &'static str {
    Deed::ALL.iter().find(|row| row.1 == deed).map_or("", |row| row.0)
}

fn order(demand: &Demand, scope: &mut Scope<'_>) -> Result<Order, Trouble> {
    let mut amount = |value: &Option<Expression>| -> Result<u64, Trouble> {
        let Some(value) = value else { return Ok(0) };
        let currency = scope.currency();
        let minor = evaluate(value, scope)?.amount(currency).map_err(|why| Trouble::new(value.span, why))?;
        u64::try_from(minor).map_err(|_| Trouble::new(value.span, "amounts are never negative"))
    };
    let amount_minor = amount(&demand.amount)?;
    let cashback_minor = amount(&demand.cashback)?;
    let mut pins = Vec::new();
    for pin in &demand.pins {
        let text = evaluate(pin, scope)?.text();
        pins.push((text != "none").then(|| Secret::new(text)));
    }
    if pins.is_empty() {
        pins.push(Some(Secret::new(DEFAULT_PIN.into())));
    }
    let choice = match &demand.choice {
        None => 1,
        Some(value) => {
            let number = evaluate(value, scope)?.number().map_err(|why| Trouble::new(value.span, why))?;
            usize::try_from(number).map_err(|_| Trouble::new(value.span, "applications count from 1"))?
        }
    };
    let Demand { deed, is_cash, forced_online, .. } = *demand;
    Ok(Order { deed, amount_minor, cashback_minor, is_cash, forced_online, pins, choice })
}

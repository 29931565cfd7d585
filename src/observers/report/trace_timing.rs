//! The time of a tap: what each exchange costs on the air by the model, what it took, and
//! what that leaves for the card. Nothing is measured here.

use super::Columns;
use super::explain::{command_words, response_words, visible};
use crate::air::trace::Trace;
use crate::base::bytes::Hex;
use crate::words::decode::Explainer;
use crate::words::iso14443::{ApduCost, Cycles, OnAir};
use serde_json::{Value, json};

/// The format's name.
pub(super) const NAME: &str = "trace_timing";

/// An identifier of four bytes.
const CASCADE_LEVELS: u32 = 1;
/// An ATS without historical bytes: TL, T0, TA, TB, TC.
const ATS_BYTES: usize = 5;
/// Columns of what a command is called.
const WIDTH: usize = 44;

/// The time of a recording.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraceTiming {
    model: OnAir,
    /// Whether the recording is of radio, so that its times can be compared with the model.
    is_radio: bool,
    activation: Cycles,
    exchanges: Vec<TimedExchange>,
    /// What the tap may take, milliseconds.
    budget_ms: u64,
    /// From the first command to the last answer, microseconds.
    elapsed_us: u64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct TimedExchange {
    name: String,
    command_bytes: usize,
    answer_bytes: usize,
    cost: ApduCost,
    /// From command to answer as recorded, microseconds.
    took_us: Option<u64>,
}

impl TraceTiming {
    /// The time of a recording under a model, held against a budget in milliseconds.
    pub fn of(trace: &Trace, model: OnAir, budget_ms: u64) -> Self {
        let mut explainer = Explainer::unmasked();
        let all = trace.exchanges();
        let exchanges = all.iter().map(|exchange| {
            let answer_bytes = exchange.answer.map_or(0, |(_, answer)| answer.len());
            let name = command_words(exchange.command, &mut explainer);
            // What the card says of its lists names later commands.
            exchange.answer.and_then(|(_, answer)| response_words(answer, &mut explainer));
            TimedExchange {
                name: name.unwrap_or_else(|| Hex(exchange.command).to_string()),
                command_bytes: exchange.command.len(),
                answer_bytes,
                cost: model.exchange(exchange.command.len(), answer_bytes),
                took_us: exchange.micros(),
            }
        });
        let exchanges = exchanges.collect();
        let end = all.iter().rev().find_map(|exchange| exchange.answer).map(|(at, _)| at.micros());
        let elapsed_us = match (all.first(), end) {
            (Some(first), Some(end)) => u64::try_from(end.saturating_sub(first.sent.micros())).unwrap_or(0),
            _ => 0,
        };
        Self {
            model,
            is_radio: trace.header.interface.as_deref() == Some("contactless"),
            activation: model.activation(CASCADE_LEVELS, ats_bytes(&trace.header.atr)),
            exchanges,
            budget_ms,
            elapsed_us,
        }
    }

    /// The tap from the field's start to the last answer, microseconds: as recorded where it was
    /// on radio, with what a simulated card's link has saved of the air; else the air alone.
    pub fn tap_us(&self) -> u64 {
        let activation = self.activation.micros();
        let spent = match self.is_radio {
            true => self.elapsed_us.saturating_add(self.saved_us()),
            false => self.on_air().micros(),
        };
        activation.saturating_add(spent)
    }

    /// What exchanges took less than the air costs, microseconds: no radio is that fast, but a
    /// simulated card in this process or behind a simulated chip is.
    fn saved_us(&self) -> u64 {
        let saved = |exchange: &TimedExchange| {
            exchange.took_us.map_or(0, |took| exchange.cost.total().micros().saturating_sub(took))
        };
        if self.is_radio { self.exchanges.iter().map(saved).sum() } else { 0 }
    }

    /// Whether the tap is within its budget.
    pub fn is_within_budget(&self) -> bool {
        self.tap_us() <= self.budget_ms.saturating_mul(1000)
    }

    fn on_air(&self) -> Cycles {
        self.exchanges.iter().map(|exchange| exchange.cost.total()).sum()
    }
}

/// The times as text.
pub fn trace_timing_text(timing: &TraceTiming) -> String {
    let model = timing.model;
    let mut out = format!(
        "type A at {} kbit/s; frames of at most {} bytes to the card and {} to the reader; {} ms from an answer \
         to the next frame (assumed)\n\n",
        model.bit_rate.kbit(),
        model.to_card_bytes,
        model.to_reader_bytes,
        ms(model.turnaround.micros())
    );
    let row = |number: &str, name: &str, columns: [&str; 5]| {
        let name: String = visible(name).chars().take(WIDTH).collect();
        let [bytes, frames, air, took, card] = columns;
        let line = format!("{number:>4}  {name:WIDTH$} {bytes:>9} {frames:>6} {air:>9} {took:>9} {card:>9}");
        format!("{}\n", line.trim_end())
    };
    out.push_str(&row("", "", ["bytes", "frames", "on air", "took", "card"]));
    let mut card_us = 0;
    for (exchange, number) in timing.exchanges.iter().zip(1..) {
        let air = exchange.cost.total().micros();
        let card = timing.card_us(exchange);
        card_us += card.unwrap_or(0);
        let shown = |micros: Option<u64>| micros.map_or("-".to_owned(), ms);
        out.push_str(&row(
            &format!("{number}"),
            &exchange.name,
            [
                &format!("{}+{}", exchange.command_bytes, exchange.answer_bytes),
                &exchange.cost.frames.to_string(),
                &ms(air),
                &shown(exchange.took_us),
                &shown(card),
            ],
        ));
    }
    out.push('\n');
    let air = timing.on_air().micros();
    let bytes: usize = timing.exchanges.iter().map(|e| e.command_bytes + e.answer_bytes).sum();
    let mut sum = Columns::indented(2);
    sum.row(
        "activation",
        format!("{} ms, from the field's start to the ATS (model)", ms(timing.activation.micros())),
    );
    sum.row(
        "on air",
        format!("{} ms for {bytes} bytes in {} exchanges (model)", ms(air), timing.exchanges.len()),
    );
    if timing.is_radio {
        sum.row("card", format!("{} ms: what the exchanges took beyond the air", ms(card_us)));
        sum.row("from first to last", format!("{} ms, as recorded", ms(timing.elapsed_us)));
        if timing.saved_us() > 0 {
            let saved = ms(timing.saved_us());
            sum.row(
                "not on the air",
                format!("{saved} ms: this link was faster than radio, which the tap is not"),
            );
        }
    } else {
        sum.row("card", "not known: this recording is not of radio, so its times say nothing of a tap");
    }
    let verdict = if timing.is_within_budget() { "within" } else { "over" };
    sum.row("tap", format!("{} ms, {verdict} the budget of {} ms", ms(timing.tap_us()), timing.budget_ms));
    out + &sum.to_string()
}

/// The times as data; all of them microseconds.
pub fn trace_timing_json(timing: &TraceTiming) -> Value {
    let exchange = |exchange: &TimedExchange| {
        json!({
            "command": exchange.name,
            "command_bytes": exchange.command_bytes,
            "answer_bytes": exchange.answer_bytes,
            "frames": exchange.cost.frames,
            "to_card_us": exchange.cost.to_card.micros(),
            "to_reader_us": exchange.cost.to_reader.micros(),
            "silence_us": exchange.cost.silence.micros(),
            "on_air_us": exchange.cost.total().micros(),
            "took_us": exchange.took_us,
            "card_us": timing.card_us(exchange),
        })
    };
    json!({
        "bit_rate_kbit": timing.model.bit_rate.kbit(),
        "activation_us": timing.activation.micros(),
        "on_air_us": timing.on_air().micros(),
        "elapsed_us": timing.elapsed_us,
        "saved_us": timing.saved_us(),
        "tap_us": timing.tap_us(),
        "budget_us": timing.budget_ms.saturating_mul(1000),
        "is_within_budget": timing.is_within_budget(),
        "is_radio": timing.is_radio,
        "exchanges": timing.exchanges.iter().map(exchange).collect::<Vec<_>>(),
    })
}

impl TraceTiming {
    /// What the card took by itself; known where the recording is of radio.
    fn card_us(&self, exchange: &TimedExchange) -> Option<u64> {
        let took = exchange.took_us.filter(|_| self.is_radio)?;
        Some(took.saturating_sub(exchange.cost.total().micros()))
    }
}

/// The ATS whose historical bytes stand in a contactless ATR, between four bytes and TCK
/// (PC/SC Part 3 3.1.3.2.3).
fn ats_bytes(atr: &[u8]) -> usize {
    ATS_BYTES + atr.len().saturating_sub(5)
}

/// Microseconds as milliseconds with two places.
pub(super) fn ms(micros: u64) -> String {
    let hundredths = (micros + 5) / 10;
    format!("{}.{:02}", hundredths / 100, hundredths % 100)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::air::trace::{TraceEvent, TraceHeader};
    use crate::base::env::Timestamp;
    use crate::base::event::Event;

    fn trace(interface: &str) -> Trace {
        let mut answer = Event::new("link", "response").with_named("R-APDU", [0x9F, 0x36, 2, 0, 7, 0x90, 0]);
        answer.at = Timestamp::from_micros(10_000);
        let command = Event::new("link", "command").with_named("C-APDU", [0x80, 0xCA, 0x9F, 0x36, 0x00]);
        let header =
            TraceHeader { interface: Some(interface.into()), ..TraceHeader::new(Timestamp::default(), "") };
        let events = [command, answer].into_iter().map(TraceEvent::from).collect();
        Trace { header, events, cut: false }
    }

    #[test]
    fn an_exchange_is_air_and_card() {
        let timing = TraceTiming::of(&trace("contactless"), OnAir::default(), 500);
        let value = trace_timing_json(&timing);
        let exchange = &value["exchanges"][0];
        // 8 bytes from the reader are 75 units, 10 from the card 92; 91.15 us and 500 us of silence.
        assert_eq!((&exchange["to_card_us"], &exchange["to_reader_us"]), (&json!(708), &json!(868)));
        assert_eq!((&exchange["silence_us"], &exchange["on_air_us"]), (&json!(591), &json!(2168)));
        assert_eq!(exchange["card_us"], json!(10_000 - 2168));
        let text = trace_timing_text(&timing);
        assert!(
            text.contains("   1  GET DATA: 9F36 Application Transaction Count       5+7      2      2.17     10.00      7.83"),
            "{text}"
        );
        assert!(text.contains("within the budget of 500 ms"), "{text}");
    }

    #[test]
    fn a_tap_is_never_faster_than_the_air() {
        let mut trace = trace("contactless");
        // The answer came after 1 ms, and the air alone takes 2.168.
        trace.events[1].at = Timestamp::from_micros(1_000);
        let timing = TraceTiming::of(&trace, OnAir::default(), 500);
        let value = trace_timing_json(&timing);
        assert_eq!((&value["elapsed_us"], &value["saved_us"]), (&json!(1_000), &json!(1_168)));
        assert_eq!(timing.tap_us(), timing.activation.micros() + 2_168);
        assert!(
            trace_timing_text(&timing).contains("not on the air      1.17 ms"),
            "{}",
            trace_timing_text(&timing)
        );
    }

    #[test]
    fn a_tap_over_its_budget_is_told_and_contacts_say_nothing_of_the_card() {
        let over = TraceTiming::of(&trace("contactless"), OnAir::default(), 15);
        assert!(!over.is_within_budget() && trace_timing_text(&over).contains("over the budget of 15 ms"));
        let contact = TraceTiming::of(&trace("contact"), OnAir::default(), 15);
        assert!(contact.is_within_budget());
        assert!(trace_timing_text(&contact).contains("this recording is not of radio"));
        assert_eq!(trace_timing_json(&contact)["exchanges"][0]["card_us"], Value::Null);
    }
}

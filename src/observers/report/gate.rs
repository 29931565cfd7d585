//! A gate: what became of taps, how long they took, and what an upload came to.

use super::shared::values::pan;
use crate::devices::gate::{Passage, Uploaded, Why};
use crate::world::gate::{GateReport, Percentiles, RIDERS, Samples};
use serde_json::{Value, json};
use std::fmt::Write;

/// The format's name.
pub(super) const NAME: &str = "gate";

/// The table of a simulation: what came, what became of it, and how long it took.
pub fn gate_text(report: &GateReport) -> String {
    let mut out = String::new();
    let width = RIDERS.iter().map(|row| row.name.len()).max().unwrap_or(0);
    // A String takes everything.
    let _ =
        writeln!(out, "{:width$}  {:>9} {:>9} {:>9} {:>6}  why", "rider", "taps", "opened", "shut", "wrong");
    for (row, fate) in RIDERS.iter().zip(&report.fates) {
        let _ = writeln!(
            out,
            "{:width$}  {:>9} {:>9} {:>9} {:>6}  {}",
            row.name,
            fate.taps,
            fate.opened,
            fate.shut(),
            fate.wrong,
            fate.reasons()
        );
    }
    let (passed, refused) = report.mistakes();
    let _ = writeln!(out, "\nbad cards that passed: {passed}; good cards that were refused: {refused}");
    let _ = writeln!(
        out,
        "rides: {} paid, {} free by the day's cap, {} declined by the issuer, {} still to be asked about, {} \
         in doubt, {} doubtful",
        report.approved, report.free, report.declined, report.waiting, report.in_doubt, report.doubtful
    );
    out.push_str("\nmicroseconds                          p50      p99      max    taps\n");
    for (name, samples) in timings(report) {
        let Percentiles { count, p50, p99, max } = samples.percentiles();
        let _ = writeln!(out, "{name:<33}  {p50:>7}  {p99:>7}  {max:>7} {count:>7}");
    }
    let _ = writeln!(out, "over the line's budget: {}", report.over_budget);
    report.wrong.iter().for_each(|wrong| {
        let _ = writeln!(out, "wrong: {wrong}");
    });
    report.violations.iter().for_each(|violation| {
        let _ = writeln!(out, "broken: {violation}");
    });
    out
}

/// The same as data.
pub fn gate_json(report: &GateReport) -> Value {
    let (passed, refused) = report.mistakes();
    let riders = RIDERS.iter().zip(&report.fates).map(|(row, fate)| {
        let why: serde_json::Map<String, Value> =
            fate.why.iter().map(|(why, count)| (why.word().to_owned(), json!(count))).collect();
        json!({ "rider": row.name, "taps": fate.taps, "opened": fate.opened, "wrong": fate.wrong, "why": why })
    });
    let timings: Vec<Value> = timings(report)
        .into_iter()
        .map(|(name, samples)| {
            let Percentiles { count, p50, p99, max } = samples.percentiles();
            json!({ "of": name, "taps": count, "p50_us": p50, "p99_us": p99, "max_us": max })
        })
        .collect();
    json!({
        "taps": report.taps,
        "riders": riders.collect::<Vec<_>>(),
        "bad_passed": passed,
        "good_refused": refused,
        "wrong": report.wrong,
        "paid": report.approved,
        "free": report.free,
        "declined": report.declined,
        "waiting": report.waiting,
        "in_doubt": report.in_doubt,
        "doubtful": report.doubtful,
        "timings": timings,
        "over_budget": report.over_budget,
        "violations": report.violations,
    })
}

/// What is timed, and its name.
pub(super) fn timings(report: &GateReport) -> [(&'static str, &Samples); 4] {
    [
        ("decision, certificates cached", &report.warm),
        ("decision, certificates cold", &report.cold),
        ("keeping the tap", &report.store),
        ("whole tap: air and card counted", &report.total),
    ]
}

/// A tap as a line.
pub fn passage_line(passage: &Passage, unmask: bool) -> String {
    let card = passage.pan.as_ref().map(|card| format!(", {}", pan(card, unmask))).unwrap_or_default();
    let timing = &passage.timing;
    let module = match timing.air.module.as_millis() {
        0 => String::new(),
        millis => format!(", {millis} in the security module"),
    };
    format!(
        "{} {}{card}: {} ({} ms: {} on the air, {} in the card{module}, {:.1} in the gate)\n",
        if passage.is_open() { "OPEN" } else { "SHUT" },
        passage.why.word(),
        passage.reason,
        timing.total().as_millis(),
        timing.air.air.micros() / 1000,
        timing.air.card.as_millis(),
        (timing.decision + timing.store).as_secs_f64() * 1000.0,
    )
}

/// The same as data.
pub fn passage_json(passage: &Passage, unmask: bool) -> Value {
    let timing = &passage.timing;
    json!({
        "opened": passage.is_open(),
        "why": passage.why.word(),
        "reason": passage.reason,
        "pan": passage.pan.as_ref().map(|card| pan(card, unmask)),
        "batch": passage.trace.0,
        "trace": passage.trace.1,
        "kept": passage.why == Why::Authentic,
        "decision_us": timing.decision.as_micros() as u64,
        "store_us": timing.store.as_micros() as u64,
        "air_us": timing.air.air.micros(),
        "card_us": timing.air.card.as_micros() as u64,
        "sam_us": timing.air.module.as_micros() as u64,
        "total_us": timing.total().as_micros() as u64,
    })
}

/// An upload as a line.
pub fn upload_line(done: &Uploaded) -> String {
    let mut line = format!(
        "messages to the host: {}; rides: {} paid, {} paid after a debt, {} owed, {} lost",
        done.asked, done.approved, done.recovered, done.owed, done.lost
    );
    if done.held > 0 {
        let _ = write!(line, ", {} with money held", done.held);
    }
    if done.claimed > 0 {
        let _ = write!(line, ", {} to be proven by the purse's balance", done.claimed);
    }
    if done.unanswered > 0 {
        let _ = write!(line, ", {} unanswered", done.unanswered);
    }
    if let Some(trouble) = &done.trouble {
        let _ = write!(line, ": {trouble}");
    }
    line.push('\n');
    line
}

/// The same as data.
pub fn upload_json(done: &Uploaded) -> Value {
    json!({
        "asked": done.asked,
        "held": done.held,
        "paid": done.approved,
        "recovered": done.recovered,
        "owed": done.owed,
        "lost": done.lost,
        "claimed": done.claimed,
        "unanswered": done.unanswered,
        "trouble": done.trouble,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::gate::Fate;

    #[test]
    fn the_table_says_who_passed_and_who_should_not_have() {
        let mut fates = vec![Fate::default(); RIDERS.len()];
        let cloned = RIDERS.iter().position(|row| row.name == "cloned").unwrap();
        fates[cloned] =
            Fate { taps: 5, opened: 2, wrong: 2, why: [(Why::Authentic, 2), (Why::Refused, 3)].into() };
        let report = GateReport { taps: 5, fates, warm: Samples(vec![1, 2, 3]), ..GateReport::default() };
        let text = gate_text(&report);
        assert!(text.contains("bad cards that passed: 2; good cards that were refused: 0"), "{text}");
        assert!(text.contains("authentic 2, not authentic or expired 3"), "{text}");
        assert_eq!(gate_json(&report)["bad_passed"], 2);
        assert_eq!(gate_json(&report)["timings"][0]["p99_us"], 3);
    }
}

//! A suite as JSON Lines: one object a case, the sums last.

use super::{CaseReport, CaseVerdict, SuiteFormat, SuiteReport};
use crate::observers::report::JSON_SCHEMA;
use serde_json::{Value, json};

/// This format.
pub(super) const FORMAT: SuiteFormat = SuiteFormat {
    name: "json",
    about: "JSON Lines: an object a case, the sums last",
    write: |suite| lines(suite),
};

fn lines(suite: &SuiteReport) -> String {
    let cases = suite.cases.iter().map(case_json).map(|mut case| {
        case["schema"] = json!(JSON_SCHEMA);
        case["type"] = json!("case");
        format!("{case}\n")
    });
    let mut sums = sums_json(suite);
    sums["schema"] = json!(JSON_SCHEMA);
    sums["type"] = json!("suite");
    cases.collect::<String>() + &format!("{sums}\n")
}

/// A suite as one value.
pub fn suite_json(suite: &SuiteReport) -> Value {
    let mut value = sums_json(suite);
    value["cases"] = suite.cases.iter().map(case_json).collect();
    value
}

fn sums_json(suite: &SuiteReport) -> Value {
    let mut counts = json!({});
    for verdict in CaseVerdict::ALL {
        counts[verdict.word().replace(' ', "_")] = json!(suite.count(*verdict));
    }
    json!({
        "started": suite.started,
        "micros": suite.micros,
        "left_out": suite.left_out,
        "counts": counts,
    })
}

fn case_json(case: &CaseReport) -> Value {
    let failures: Vec<Value> = case
        .failures
        .iter()
        .map(|failure| {
            json!({
                "place": failure.place,
                "subject": failure.subject,
                "expected": failure.expected,
                "received": failure.received,
                "step": failure.step,
            })
        })
        .collect();
    let steps: Vec<Value> = case
        .steps
        .iter()
        .map(|step| json!({ "line": step.line, "micros": step.micros, "text": step.text }))
        .collect();
    json!({
        "file": case.file,
        "line": case.line,
        "name": case.name,
        "clause": case.clause,
        "effect": case.effect.word(),
        "card": case.card,
        "verdict": case.verdict.word(),
        "reason": case.reason,
        "attempts": case.attempts,
        "micros": case.micros,
        "seed": case.seed,
        "again": case.again,
        "failures": failures,
        "steps": steps,
    })
}

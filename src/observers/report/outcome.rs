//! What a transaction came to.

use super::shared::columns::Columns;
use super::shared::values::{amount, pan};
use crate::roles::terminal::{AlternateInterface, Outcome, OutcomeCvm, Parameters};
use crate::words::emv::Pan;
use serde_json::{Value, json};

/// The format's name.
pub(super) const NAME: &str = "outcome";

/// An outcome as text: the verdict with its reason, then the facts.
pub fn outcome_text(outcome: &Outcome, unmask: bool) -> String {
    let mut columns = Columns::indented(2);
    if let Some(known) = &outcome.pan {
        columns.row("card", pan(known, unmask));
    }
    if let Some(last_four) = &outcome.funding_last_four {
        columns.row("stands for", format!("***{last_four}, by token"));
    }
    match (outcome.balance_before, outcome.balance_after) {
        (Some(before), Some(after)) => columns.row("balance", format!("{before} -> {after}")),
        (Some(before), None) => columns.row("balance before", before),
        (None, Some(after)) => columns.row("balance", after),
        (None, None) => &mut columns,
    };
    if let Some(available) = outcome.account_balance {
        columns.row("account", format!("{available} available"));
    }
    let (batch, trace) = outcome.trace;
    let atc = outcome.atc.map_or_else(String::new, |atc| format!(", ATC {atc}"));
    columns.row("trace", format!("{batch:06}/{trace:06}{atc}"));
    if let Some(parameters) = outcome.parameters {
        columns.row("reader shows", parameters.message.words());
        if parameters.cvm != OutcomeCvm::NotApplicable {
            columns.row("verification", parameters.cvm.words());
        }
        if let Some(other) = parameters.alternate_interface {
            columns.row("rather by", other.words());
        }
    }
    for remark in &outcome.remarks {
        columns.row("note", remark);
    }
    let reason = if outcome.reason.is_empty() { String::new() } else { format!(": {}", outcome.reason) };
    format!("{} {}{reason}\n{columns}", outcome.amount, outcome.verdict.word())
}

/// An outcome as data.
pub fn outcome_json(outcome: &Outcome, unmask: bool) -> Value {
    json!({
        "verdict": outcome.verdict.word(),
        "success": outcome.verdict.is_success(),
        "reason": outcome.reason,
        "amount": amount(outcome.amount),
        "balance_before": outcome.balance_before.map(amount),
        "balance_after": outcome.balance_after.map(amount),
        "account_balance": outcome.account_balance.map(amount),
        "batch": outcome.trace.0,
        "trace": outcome.trace.1,
        "atc": outcome.atc,
        "pan": outcome.pan.as_ref().map(|known| pan(known, unmask)),
        "token_last_four": outcome.funding_last_four.as_ref().and(outcome.pan.as_ref()).map(Pan::last_four),
        "funding_last_four": outcome.funding_last_four,
        "remarks": outcome.remarks,
        "contactless": outcome.parameters.map(parameters),
    })
}

/// What the reader does with it.
fn parameters(parameters: Parameters) -> Value {
    let Parameters { message, cvm, alternate_interface, receipt } = parameters;
    json!({
        "message": { "identifier": format!("{:02X}", message.identifier()), "words": message.words() },
        "cvm": cvm.words(),
        "alternate_interface": alternate_interface.map(AlternateInterface::words),
        "receipt": receipt,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::roles::terminal::Verdict;
    use crate::words::iso4217::{Amount, Currency};

    #[test]
    fn an_outcome_says_why_and_shows_no_pan() {
        let cny = |minor| Amount::new(minor, Currency::CNY);
        let outcome = Outcome {
            verdict: Verdict::Declined,
            reason: "51 (insufficient funds)".into(),
            amount: cny(60_000),
            balance_before: Some(cny(100)),
            balance_after: None,
            account_balance: None,
            trace: (1, 7),
            atc: Some(3),
            funding_last_four: Some("4321".into()),
            parameters: None,
            deferred: None,
            refused_with: None,
            account_reference: None,
            pan: Pan::new("6299991234567890").ok(),
            language: "en".into(),
            remarks: vec!["offline data authentication not performed"],
        };
        let text = outcome_text(&outcome, false);
        assert!(text.starts_with("600.00 CNY declined: 51 (insufficient funds)\n  card "), "{text}");
        assert!(text.contains("trace           000001/000007, ATC 3\n"), "{text}");
        assert!(text.contains("stands for      ***4321, by token\n"), "{text}");
        let json = outcome_json(&outcome, false);
        assert_eq!((&json["success"], &json["amount"]["minor"]), (&json!(false), &json!(60_000)));
        assert!(!(text + &json.to_string()).contains("6299991234567890"));
    }
}

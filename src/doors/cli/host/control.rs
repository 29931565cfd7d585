//! `host serve --control`: answers for the next messages, while the host runs.

use crate::air::host::{AnswerRule, AnswerRules};
use crate::air::link::AnswerLine;
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

/// What can be asked.
#[derive(Deserialize)]
#[serde(tag = "do", rename_all = "lowercase", deny_unknown_fields)]
enum Request {
    /// How the next message that fits is answered: a rule, as in a file of `--rules`.
    Answer {
        #[serde(default)]
        rule: AnswerRule,
    },
    /// Forgets what was planned.
    Forget,
}

/// Answers requests by planning answers.
pub(super) fn control(rules: AnswerRules) -> AnswerLine {
    Arc::new(move |line| {
        let mut told = match act(&rules, line) {
            Ok(told) => told,
            Err(error) => json!({ "error": error }),
        };
        told["ok"] = json!(told.get("error").is_none());
        told.to_string()
    })
}

fn act(rules: &AnswerRules, line: &str) -> Result<Value, String> {
    let request = serde_json::from_str(line);
    let request = request.map_err(|cause| {
        format!("expected a request, as {{\"do\": \"answer\", \"rule\": {{\"code\": \"51\"}}}}: {cause}")
    })?;
    match request {
        Request::Answer { rule } => rules.next(rule).map(|()| json!({})).map_err(|cause| cause.to_string()),
        Request::Forget => Ok(json!({ "forgotten": rules.forget() })),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_plans_an_answer_or_says_what_is_wrong() {
        let rules = AnswerRules::default();
        let control = control(rules.clone());
        let ask = |line: &str| serde_json::from_str::<Value>(&control(line)).unwrap();
        assert_eq!(ask(r#"{"do": "answer", "rule": {"code": "51", "delay_ms": 20}}"#), json!({ "ok": true }));
        assert_eq!(ask(r#"{"do": "forget"}"#), json!({ "ok": true, "forgotten": 1 }));
        for (line, says) in [
            (r#"{"do": "answer", "rule": {"code": "5"}}"#, "two letters"),
            (r#"{"do": "answer", "rule": {"colour": 1}}"#, "colour"),
            (r#"{"do": "fly"}"#, "unknown variant"),
            ("answer", "expected a request"),
        ] {
            let told = ask(line);
            let error = told["error"].as_str().unwrap_or_default();
            assert!(told["ok"] == json!(false) && error.contains(says), "{line}: {told}");
        }
    }
}

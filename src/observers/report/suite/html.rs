//! A suite as one self-contained page: no network, no other file. What failed can be
//! opened to the exchange and the reason.

use super::human::time;
use super::{CaseReport, CaseVerdict, FailureReport, SuiteFormat, SuiteReport};
use std::fmt::Write;

/// This format.
pub(super) const FORMAT: SuiteFormat =
    SuiteFormat { name: "html", about: "one page for a browser", write: |suite| html(suite) };

const STYLE: &str = include_str!("html.css");
const SCRIPT: &str = include_str!("html.js");

fn html(suite: &SuiteReport) -> String {
    let mut out = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n<title>cardwright test</title>\n\
         <style>\n{STYLE}</style>\n</head>\n<body>\n<header>\n<h1>cardwright test</h1>\n<p id=\"sums\">"
    );
    for verdict in CaseVerdict::ALL.iter().filter(|verdict| suite.count(**verdict) > 0) {
        // A String takes everything.
        let _ = write!(
            out,
            "<button class=\"{}\" data-verdict=\"{0}\" aria-pressed=\"true\">{} {}</button> ",
            class(*verdict),
            suite.count(*verdict),
            verdict.word()
        );
    }
    let _ = writeln!(out, "in {}, {} UTC</p>", time(suite.micros), escaped(&suite.started));
    out.push_str("<input id=\"search\" type=\"search\" placeholder=\"Search\" aria-label=\"Search\">\n</header>\n<main>\n");
    suite.cases.iter().for_each(|case| write_case(&mut out, case));
    let _ = writeln!(out, "</main>\n<script>\n{SCRIPT}</script>\n</body>\n</html>");
    out
}

fn write_case(out: &mut String, case: &CaseReport) {
    let verdict = class(case.verdict);
    let open = if case.verdict.is_success() { "" } else { " open" };
    let _ = write!(
        out,
        "<details class=\"case {verdict}\" data-verdict=\"{verdict}\"{open}>\n<summary><span class=\"verdict\">{}\
         </span> <span class=\"title\">{}</span> <span class=\"time\">{}</span></summary>\n",
        case.verdict.word(),
        escaped(&case.title()),
        time(case.micros)
    );
    out.push_str("<dl>");
    let seed = case.seed.map(|seed| seed.to_string()).unwrap_or_default();
    let facts = [
        ("clause", case.clause.as_deref().unwrap_or_default()),
        ("card", &case.card),
        ("effect", case.effect.word()),
        ("seed", &seed),
        ("again", &case.again),
        ("reason", &case.reason),
    ];
    for (name, value) in facts.iter().filter(|(_, value)| !value.is_empty()) {
        let _ = write!(out, "<dt>{name}</dt><dd>{}</dd>", escaped(value));
    }
    out.push_str("</dl>\n");
    for failure in &case.failures {
        write_failure(out, failure);
    }
    for (index, step) in case.steps.iter().enumerate() {
        let failed = case.failures.iter().any(|failure| failure.step == Some(index));
        let (class, open) = if failed { (" failing", " open") } else { ("", "") };
        let head = step.text.lines().nth(1).unwrap_or("").trim();
        let _ = writeln!(
            out,
            "<details class=\"step{class}\"{open}><summary>line {}: {} <span class=\"time\">{}</span></summary>\
             <pre>{}</pre></details>",
            step.line,
            escaped(head),
            time(step.micros),
            escaped(&step.text)
        );
    }
    out.push_str("</details>\n");
}

fn write_failure(out: &mut String, failure: &FailureReport) {
    let _ = writeln!(
        out,
        "<section class=\"failure\"><h2>{}: {}</h2><pre>{}</pre><table><tr><th>expected</th><th>received</th></tr>\
         <tr><td><pre>{}</pre></td><td><pre>{}</pre></td></tr></table></section>",
        escaped(&failure.place),
        escaped(&failure.subject),
        escaped(&failure.line),
        escaped(&failure.expected),
        escaped(&failure.received)
    );
}

const fn class(verdict: CaseVerdict) -> &'static str {
    match verdict {
        CaseVerdict::NotRun => "not-run",
        other => other.word(),
    }
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            letter => out.push(letter),
        }
    }
    out
}

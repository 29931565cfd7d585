//! A suite as one self-contained page: no network, no other file. What failed can be
//! opened to the exchange and the reason.

use super::human::time;
use super::{CaseReport, CaseVerdict, FailureReport, StepReport, SuiteFormat, SuiteReport};
use crate::observers::report::shared::html::{TOOLS, escaped, page};
use std::fmt::Write;

/// This format.
pub(super) const FORMAT: SuiteFormat =
    SuiteFormat { name: "html", about: "one page for a browser", write: |suite| html(suite) };

const STYLE: &str = include_str!("html.css");
const SCRIPT: &str = include_str!("html.js");

fn html(suite: &SuiteReport) -> String {
    let mut out = String::from("<header>\n<h1>cardwright test</h1>\n<p id=\"sums\">");
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
    out.push_str(TOOLS);
    out.push_str("</header>\n<main>\n");
    suite.cases.iter().for_each(|case| write_case(&mut out, case));
    out.push_str("</main>\n");
    page("cardwright test", &out, STYLE, SCRIPT)
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
    let of_no_step = |failure: &&FailureReport| failure.step.is_none_or(|step| step >= case.steps.len());
    case.failures.iter().filter(of_no_step).for_each(|failure| write_failure(out, failure));
    for (index, step) in case.steps.iter().enumerate() {
        let failures: Vec<_> = case.failures.iter().filter(|failure| failure.step == Some(index)).collect();
        write_step(out, step, &failures);
    }
    out.push_str("</details>\n");
}

/// A step, with what was not as expected in it.
fn write_step(out: &mut String, step: &StepReport, failures: &[&FailureReport]) {
    let class = if failures.is_empty() { "" } else { " failing" };
    let head = step.text.lines().nth(1).unwrap_or("").trim();
    let cause = failures.first().map(|failure| format!(": {}", failure.subject)).unwrap_or_default();
    let _ = writeln!(
        out,
        "<details class=\"step{class}\"><summary>line {}: {}{} <span class=\"time\">{}</span></summary>",
        step.line,
        escaped(head),
        escaped(&cause),
        time(step.micros)
    );
    failures.iter().for_each(|failure| write_failure(out, failure));
    let _ = writeln!(out, "<pre>{}</pre></details>", escaped(&step.text));
}

fn write_failure(out: &mut String, failure: &FailureReport) {
    let _ = writeln!(
        out,
        "<section class=\"failure\"><h2 class=\"reason\">{}: {}</h2><pre>{}</pre><table><tr><th>expected</th>\
         <th>received</th></tr><tr><td class=\"expected\"><pre>{}</pre></td><td class=\"received\"><pre>{}</pre></td>\
         </tr></table></section>",
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

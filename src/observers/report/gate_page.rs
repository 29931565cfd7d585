//! A gate's simulation as one self-contained page with plots: decision times, throughput, and
//! what was refused and why.

use super::gate::{gate_json, timings};
use super::shared::html::{TOOLS, escaped, page};
use crate::devices::gate::Why;
use crate::world::gate::{GateReport, RIDERS, Samples};
use std::collections::BTreeMap;
use std::fmt::Write;

/// The format's name.
pub(super) const NAME: &str = "gate page";

const STYLE: &str = include_str!("gate_page.css");
/// Bars of a histogram; the last one holds all that is longer.
const BARS: usize = 40;
/// A plot's size, in its own units.
const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 180.0;

/// The page.
pub fn gate_page(report: &GateReport) -> String {
    let (passed, refused) = report.mistakes();
    let mut out = String::from("<header>\n<h1>cardwright gate simulate</h1>\n");
    let verdict = if report.is_wrong() { "wrong" } else { "right" };
    // A String takes everything.
    let _ = writeln!(
        out,
        "<p id=\"verdict\" class=\"{verdict}\">{} taps: {passed} bad cards passed, {refused} good cards were \
         refused; {} rides paid, {} declined, {} still to be asked about</p>\n{TOOLS}</header>\n<main>",
        report.taps, report.approved, report.declined, report.waiting
    );
    table(&mut out, report);
    out.push_str("<h2>What was refused, and why</h2>\n");
    refusals(&mut out, report);
    for (name, samples) in timings(report) {
        let figures = samples.percentiles();
        let _ = writeln!(
            out,
            "<h2>{}</h2>\n<p class=\"figures\">p50 {} &#181;s, p99 {} &#181;s, longest {} &#181;s, {} taps</p>",
            escaped(name),
            figures.p50,
            figures.p99,
            figures.max,
            figures.count
        );
        histogram(&mut out, name, samples);
    }
    out.push_str("<h2>Throughput</h2>\n");
    throughput(&mut out, report);
    let _ = writeln!(
        out,
        "<details><summary>Data</summary><pre id=\"data\">{}</pre></details>\n</main>",
        escaped(&format!("{:#}", gate_json(report)))
    );
    page("cardwright gate simulate", &out, STYLE, "")
}

fn table(out: &mut String, report: &GateReport) {
    out.push_str("<table id=\"riders\"><tr><th>rider<th>taps<th>opened<th>shut<th>wrong<th>why</tr>\n");
    for (row, fate) in RIDERS.iter().zip(&report.fates) {
        let class = if fate.wrong > 0 { " class=\"wrong\"" } else { "" };
        let _ = writeln!(
            out,
            "<tr{class}><td>{}<td>{}<td>{}<td>{}<td>{}<td>{}</tr>",
            escaped(row.name),
            fate.taps,
            fate.opened,
            fate.shut(),
            fate.wrong,
            escaped(&fate.reasons())
        );
    }
    out.push_str("</table>\n");
}

/// A bar for each reason to stay shut.
fn refusals(out: &mut String, report: &GateReport) {
    let mut sums: BTreeMap<Why, u64> = BTreeMap::new();
    let all = report.fates.iter().flat_map(|fate| &fate.why).filter(|(why, _)| **why != Why::Authentic);
    all.for_each(|(why, count)| *sums.entry(*why).or_default() += count);
    let most = sums.values().copied().max().unwrap_or(1).max(1);
    let height = 26 * sums.len();
    let _ = writeln!(
        out,
        "<svg id=\"refusals\" viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" aria-label=\"refusals by reason\">"
    );
    for (place, (why, count)) in sums.iter().enumerate() {
        let (y, width) = (place * 26, 360.0 * *count as f64 / most as f64);
        let _ = writeln!(
            out,
            "<text x=\"200\" y=\"{}\" class=\"name\">{}</text><rect class=\"bar\" x=\"210\" y=\"{}\" \
             width=\"{width:.1}\" height=\"18\"/><text x=\"{:.1}\" y=\"{0}\">{count}</text>",
            y + 17,
            escaped(why.word()),
            y + 3,
            216.0 + width
        );
    }
    out.push_str("</svg>\n");
}

/// How often a tap took how long, up to twice the 99th percentile.
fn histogram(out: &mut String, name: &str, samples: &Samples) {
    let top = (f64::from(samples.percentiles().p99) * 2.0).max(1.0);
    let mut counts = [0_u64; BARS];
    for sample in &samples.0 {
        let place = (f64::from(*sample) / top * (BARS - 1) as f64) as usize;
        counts[place.min(BARS - 1)] += 1;
    }
    let most = counts.iter().copied().max().unwrap_or(0).max(1) as f64;
    let bar = WIDTH / BARS as f64;
    let _ = writeln!(
        out,
        "<svg class=\"histogram\" viewBox=\"0 0 {WIDTH} {}\" role=\"img\" aria-label=\"{}\">",
        HEIGHT + 24.0,
        escaped(name)
    );
    for (place, count) in counts.iter().enumerate().filter(|(_, count)| **count > 0) {
        let height = HEIGHT * *count as f64 / most;
        let from = top * place as f64 / (BARS - 1) as f64;
        let _ = writeln!(
            out,
            "<rect class=\"bar\" x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{height:.1}\"><title>from {from:.0} \
             &#181;s: {count}</title></rect>",
            place as f64 * bar + 1.0,
            HEIGHT - height,
            bar - 2.0
        );
    }
    let _ = writeln!(
        out,
        "<text x=\"0\" y=\"{0}\">0</text><text x=\"{WIDTH}\" y=\"{0}\" class=\"name\">{top:.0} &#181;s and \
         more</text></svg>",
        HEIGHT + 18.0
    );
}

/// Taps a second of real time, between one point of progress and the next of the same gate.
fn throughput(out: &mut String, report: &GateReport) {
    let points = &report.progress;
    let end = points.iter().map(|point| point.micros).max().unwrap_or(1).max(1);
    let mut rates = Vec::new();
    let slots = points.len().clamp(1, BARS);
    // Taps of all gates in slots of the same length: each point stands for the taps since the
    // one before it of its gate, and all of them are as many.
    let each = report.taps as f64 / points.len().max(1) as f64;
    for slot in 0..slots {
        let inside = |micros: u64| (micros - 1) * slots as u64 / end == slot as u64;
        let taps =
            points.iter().filter(|point| point.micros > 0 && inside(point.micros)).count() as f64 * each;
        rates.push(taps / (end as f64 / 1e6 / slots as f64));
    }
    let most = rates.iter().copied().fold(1.0, f64::max);
    let line: Vec<_> = rates
        .iter()
        .enumerate()
        .map(|(slot, rate)| {
            let x = WIDTH * (slot as f64 + 0.5) / slots as f64;
            format!("{x:.1},{:.1}", HEIGHT - HEIGHT * rate / most)
        })
        .collect();
    let (seconds, label) = (end as f64 / 1e6, HEIGHT + 18.0);
    let _ = writeln!(
        out,
        "<p class=\"figures\" id=\"throughput\">{:.0} taps a second, cards' own work counted in</p>\n\
         <svg viewBox=\"0 0 {WIDTH} {}\" role=\"img\" aria-label=\"throughput\"><polyline class=\"line\" \
         points=\"{}\"/><text x=\"0\" y=\"{label}\">0 s</text><text x=\"{WIDTH}\" y=\"{label}\" \
         class=\"name\">{seconds:.0} s, at most {most:.0} taps/s</text></svg>",
        report.taps as f64 / seconds,
        HEIGHT + 24.0,
        line.join(" "),
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::gate::{Fate, Progress};

    #[test]
    fn a_page_has_every_rider_and_plot() {
        let report = GateReport {
            taps: 4,
            fates: vec![
                Fate { taps: 1, opened: 1, wrong: 0, why: [(Why::Authentic, 1)].into() };
                RIDERS.len()
            ],
            warm: Samples(vec![100, 200, 5_000]),
            progress: vec![Progress { taps: 2, micros: 1_000 }, Progress { taps: 4, micros: 2_000 }],
            ..GateReport::default()
        };
        let page = gate_page(&report);
        assert!(RIDERS.iter().all(|row| page.contains(row.name)), "{page}");
        assert_eq!(page.matches("<svg").count(), 6);
        assert!(!page.contains("http:") && !page.contains("https:"), "nothing is asked of a network");
        // Nothing was played: still a page.
        assert!(gate_page(&GateReport::default()).contains("0 taps"));
    }
}

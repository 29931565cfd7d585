//! A recording as one self-contained page: its exchanges on a line of time, each decoded
//! to the bit, with what the terminal knew before and after, and every decision with its
//! reason. What went wrong stands out. Nothing is decided here.

use super::explain::{command_words, element_line, response_words, step_title};
use super::shared::html::{TOOLS, escaped, page};
use super::shared::standing::{Standing, standing};
use super::trace_timing::ms;
use crate::air::trace::{Trace, TraceEvent};
use crate::base::bytes::Hex;
use crate::base::event::ElementKey;
use crate::words::decode::{Explainer, Line, element_words};
use crate::words::dictionary::Row;
use crate::words::iso7816::{CommandApdu, ResponseApdu};
use crate::words::iso14443::{ApduCost, OnAir};
use crate::words::tlv::Tag;
use std::collections::BTreeMap;
use std::fmt::Write;

/// The format's name.
pub(super) const NAME: &str = "trace_page";

const STYLE: &str = include_str!("trace_page.css");
const SCRIPT: &str = include_str!("trace_page.js");

/// The recording as a page. Card data is shown as it is: mask it first ([`Trace::masked`])
/// where it must not be seen.
pub fn trace_page(trace: &Trace) -> String {
    let steps = steps(trace);
    let mut out = head(trace);
    outcome(&mut out, &steps);
    timeline(&mut out, trace, &steps);
    out.push_str("</header>\n<main>\n");
    steps.iter().for_each(|step| write_step(&mut out, step));
    out.push_str("</main>\n");
    if trace.cut {
        out.push_str("<p>The recording ends in the middle of a line: what came after is not known.</p>\n");
    }
    out.push_str(
        "<footer>Keys: <kbd>/</kbd> search, <kbd>j</kbd> <kbd>k</kbd> next and previous, <kbd>f</kbd> next \
         failure, <kbd>Enter</kbd> open or close, <kbd>e</kbd> open all, <kbd>c</kbd> close all.</footer>\n",
    );
    page(&format!("Recording: {}", trace.header.place), &out, STYLE, SCRIPT)
}

/// What happened from one announced step to the next.
struct Step<'a> {
    title: String,
    items: Vec<Item<'a>>,
}

struct Item<'a> {
    id: String,
    at_us: i64,
    standing: Standing,
    what: What<'a>,
    /// What the terminal's data became by it.
    changes: Vec<Change>,
}

enum What<'a> {
    Exchange(Box<Exchanged<'a>>),
    Said(&'a TraceEvent),
}

struct Exchanged<'a> {
    name: String,
    answer: String,
    sent: &'a [u8],
    received: &'a [u8],
    command: Vec<Line>,
    response: Vec<Line>,
    took_us: Option<u64>,
    cost: ApduCost,
}

/// An element that got a value, and the one it had.
struct Change {
    element: String,
    before: Option<Vec<u8>>,
    after: Vec<u8>,
    words: String,
}

/// The last value of every element, as it went over the link or was decided.
#[derive(Default)]
struct DataStore(BTreeMap<String, Vec<u8>>);

impl DataStore {
    fn put(&mut self, changes: &mut Vec<Change>, key: &ElementKey, value: &[u8]) {
        let element = match key {
            ElementKey::Tag(tag) => Row::titled(Tag(*tag)),
            // Bytes of the wire and of books are no data of the transaction.
            ElementKey::Named(_) => return,
        };
        if self.0.get(&element).is_some_and(|known| known == value) {
            return;
        }
        let before = self.0.insert(element.clone(), value.to_vec());
        changes.push(Change { element, before, after: value.to_vec(), words: element_words(key, value) });
    }

    fn put_lines(&mut self, changes: &mut Vec<Change>, lines: &[Line]) {
        for line in lines.iter().filter(|line| !line.value.is_empty()) {
            if let Some(tag) = line.tag.filter(|tag| !tag.is_constructed()) {
                self.put(changes, &ElementKey::Tag(tag.0), &line.value);
            }
        }
    }
}

fn steps(trace: &Trace) -> Vec<Step<'_>> {
    let mut steps = vec![Step { title: "Before the transaction".into(), items: Vec::new() }];
    let mut explainer = Explainer::unmasked();
    let mut store = DataStore::default();
    let exchanges = trace.exchanges();
    let mut open = exchanges.iter().peekable();
    let mut is_answer_told = true;
    for (index, event) in trace.events.iter().enumerate() {
        if let Some(title) = step_title(event) {
            if steps.last().is_none_or(|step| step.title != title) {
                steps.push(Step { title, items: Vec::new() });
            }
            continue;
        }
        if event.is_reset() {
            explainer = Explainer::unmasked();
        }
        // An answer stands with its command, where that can be read.
        if event.response_bytes().is_some() && is_answer_told {
            continue;
        }
        let mut changes = Vec::new();
        let exchange = open.next_if(|exchange| exchange.event == index);
        let command = exchange.map(|exchange| Some((exchange, exchange.command_apdu()?)));
        is_answer_told = command.as_ref().map_or(is_answer_told, Option::is_some);
        let what = match command.flatten() {
            Some((exchange, command)) => {
                let answer = exchange.answer.map_or(&[][..], |(_, answer)| answer);
                let told = exchanged(exchange.command, &command, answer, &mut explainer, exchange.micros());
                store.put_lines(&mut changes, &told.command);
                store.put_lines(&mut changes, &told.response);
                What::Exchange(Box::new(told))
            }
            None => {
                event
                    .elements
                    .iter()
                    .for_each(|element| store.put(&mut changes, &element.key, &element.value));
                What::Said(event)
            }
        };
        let standing = match &what {
            What::Exchange(told) if told.received.is_empty() => Standing::Failed,
            What::Exchange(told) => Standing::of_answer(told.received),
            What::Said(event) => standing(event),
        };
        let at_us = event.at.micros().saturating_sub(trace.header.started.micros());
        if let Some(step) = steps.last_mut() {
            step.items.push(Item { id: format!("e{index}"), at_us, standing, what, changes });
        }
    }
    steps.retain(|step| !step.items.is_empty());
    steps
}

fn exchanged<'a>(
    sent: &'a [u8],
    command: &CommandApdu,
    received: &'a [u8],
    explainer: &mut Explainer,
    took_us: Option<u64>,
) -> Exchanged<'a> {
    let name = command_words(sent, &mut explainer.clone()).unwrap_or_default();
    let command = explainer.command(command);
    let answer = response_words(received, &mut explainer.clone()).unwrap_or_else(|| "no answer".into());
    let response =
        ResponseApdu::parse(received).map(|response| explainer.response(&response)).unwrap_or_default();
    let cost = OnAir::default().exchange(sent.len(), received.len());
    Exchanged { name, answer, sent, received, command, response, took_us, cost }
}

fn head(trace: &Trace) -> String {
    let header = &trace.header;
    let mut out = String::from("<header>\n<h1>Recording of a card</h1>\n<dl id=\"facts\">");
    let seed = header.seed.map(|seed| seed.to_string()).unwrap_or_default();
    let masked = if header.masked { "card data is masked, numbers are pseudonyms" } else { "NOT masked" };
    let facts = [
        ("card", header.place.as_str()),
        ("interface", header.interface.as_deref().unwrap_or_default()),
        ("answer to reset", &Hex(&header.atr).to_string()),
        ("began", &format!("{} UTC", header.started)),
        ("seed", &seed),
        ("cardwright", &header.cardwright),
        ("data", masked),
    ];
    for (name, value) in facts.iter().filter(|(_, value)| !value.is_empty()) {
        let _ = write!(out, "<dt>{name}</dt><dd>{}</dd>", escaped(value));
    }
    out.push_str("</dl>\n");
    out.push_str(TOOLS);
    out.push_str("<p id=\"found\" class=\"time\" role=\"status\"></p>\n");
    out
}

/// Links to what went wrong.
fn outcome(out: &mut String, steps: &[Step<'_>]) {
    let failed = steps.iter().flat_map(|step| {
        let failed = step.items.iter().filter(|item| item.standing == Standing::Failed);
        failed.map(move |item| (step, item))
    });
    let links: Vec<String> = failed
        .map(|(step, item)| {
            format!(
                "<li><a href=\"#{}\">{}: {}</a></li>\n",
                item.id,
                escaped(&step.title),
                escaped(&item.title())
            )
        })
        .collect();
    if !links.is_empty() {
        let _ = writeln!(
            out,
            "<section id=\"outcome\"><h2>What went wrong</h2>\n<ul>\n{}</ul></section>",
            links.concat()
        );
    }
}

/// A bar for each exchange, as long as it took: to the card, the card's work, to the reader.
fn timeline(out: &mut String, trace: &Trace, steps: &[Step<'_>]) {
    let items = || steps.iter().flat_map(|step| &step.items);
    let all = items().filter_map(|item| match &item.what {
        What::Exchange(told) => Some((item, told)),
        What::Said(_) => None,
    });
    let on_air: u64 = all.clone().map(|(_, told)| told.cost.total().micros()).sum();
    out.push_str("<nav id=\"timeline\" aria-label=\"Exchanges in time\">\n");
    for (item, told) in all {
        let (to_card, to_reader) = (told.cost.to_card.micros(), told.cost.to_reader.micros());
        let air = told.cost.total().micros();
        let took = told.took_us.unwrap_or(0).max(air).max(1);
        let work = took.saturating_sub(to_card + to_reader);
        let failing = if item.standing == Standing::Failed { " class=\"failing\"" } else { "" };
        let _ = writeln!(
            out,
            "<a href=\"#{}\"{failing} style=\"flex:{took}\" title=\"{}: {} ms, {} ms on air\">\
             <i class=\"to-card\" style=\"flex:{to_card}\"></i><i class=\"card-work\" style=\"flex:{work}\"></i>\
             <i class=\"to-reader\" style=\"flex:{to_reader}\"></i></a>",
            item.id,
            escaped(&told.name),
            ms(told.took_us.unwrap_or(0)),
            ms(air)
        );
    }
    let over = match trace.header.interface.as_deref() {
        Some("contactless") => "on the air, by the model of ISO/IEC 14443 type A at 106 kbit/s",
        _ => "on the air if it were radio (ISO/IEC 14443 type A at 106 kbit/s)",
    };
    let _ = writeln!(
        out,
        "</nav>\n<p class=\"key time\">{} ms {over}: <i class=\"to-card\"></i> to the card, <i class=\"card-work\"></i> \
         the card's work and silence, <i class=\"to-reader\"></i> to the reader</p>",
        ms(on_air)
    );
}

fn write_step(out: &mut String, step: &Step<'_>) {
    let failed = step.items.iter().any(|item| item.standing == Standing::Failed);
    let failing = if failed { " failing" } else { "" };
    let _ =
        writeln!(out, "<details class=\"step{failing}\" open><summary>{}</summary>", escaped(&step.title));
    step.items.iter().for_each(|item| write_item(out, item));
    out.push_str("</details>\n");
}

fn write_item(out: &mut String, item: &Item<'_>) {
    let class = match item.standing {
        Standing::Failed => " failing",
        Standing::Refused => " refused",
        Standing::Well => "",
    };
    let (who, side) = match &item.what {
        What::Exchange(told) => (
            "card",
            format!("{} ms, {} ms on air", ms(told.took_us.unwrap_or(0)), ms(told.cost.total().micros())),
        ),
        What::Said(event) => {
            (event.speaker.as_str(), format!("at {} ms", ms(u64::try_from(item.at_us).unwrap_or(0))))
        }
    };
    let _ = writeln!(
        out,
        "<details class=\"item{class}\" id=\"{}\"><summary><span class=\"who\">{}</span>{} \
         <span class=\"time\">{side}</span></summary>",
        item.id,
        escaped(who),
        escaped(&item.title())
    );
    match &item.what {
        What::Exchange(told) => {
            for (head, bytes, lines) in
                [("Command", told.sent, &told.command), ("Answer", told.received, &told.response)]
            {
                let _ = writeln!(out, "<h2>{head}</h2><pre>{}</pre>", Hex(bytes));
                lines.iter().for_each(|line| write_line(out, line));
            }
        }
        What::Said(event) => write_event(out, event),
    }
    write_changes(out, &item.changes);
    out.push_str("</details>\n");
}

fn write_line(out: &mut String, line: &Line) {
    let tag = line.tag.map(|tag| format!("<span class=\"tag\">{tag}</span> ")).unwrap_or_default();
    let bit = if line.value.is_empty() && line.tag.is_none() { " bit" } else { "" };
    let value = match line.value.is_empty() {
        true => String::new(),
        false => format!(" <code>{}</code>", Hex(&line.value)),
    };
    let meaning =
        if line.meaning.is_empty() { String::new() } else { format!(" = {}", escaped(&line.meaning)) };
    let _ = writeln!(
        out,
        "<div class=\"line{bit}\" style=\"--depth:{}\">{tag}{}{value}{meaning}</div>",
        line.depth,
        escaped(&line.name)
    );
}

fn write_event(out: &mut String, event: &TraceEvent) {
    out.push_str("<dl>");
    for (name, value) in [("reason", &event.reason), ("rule", &event.clause)] {
        if !value.is_empty() {
            let _ = write!(out, "<dt>{name}</dt><dd class=\"{name}\">{}</dd>", escaped(value));
        }
    }
    for element in &event.elements {
        let _ = write!(out, "<dt>data</dt><dd>{}</dd>", escaped(&element_line(element)));
    }
    out.push_str("</dl>\n");
}

fn write_changes(out: &mut String, changes: &[Change]) {
    if changes.is_empty() {
        return;
    }
    out.push_str("<details class=\"store\"><summary>Data store, before and after</summary>\n<table><tr><th>element</th><th>before</th><th>after</th></tr>\n");
    for change in changes {
        let words = if change.words.is_empty() { String::new() } else { format!(" = {}", change.words) };
        let _ = writeln!(
            out,
            "<tr class=\"change\" data-element=\"{0}\"><td>{0}</td><td>{1}</td><td>{2}{3}</td></tr>",
            escaped(&change.element),
            change.before.as_ref().map_or("-".to_owned(), |before| Hex(before).to_string()),
            Hex(&change.after),
            escaped(&words)
        );
    }
    out.push_str(
        "</table>\n<button class=\"whole\" type=\"button\">All that is known here</button></details>\n",
    );
}

impl Item<'_> {
    /// What happened, on one line.
    fn title(&self) -> String {
        match &self.what {
            What::Exchange(told) => format!("{}; {}", told.name, told.answer),
            What::Said(event) if event.reason.is_empty() => event.name.clone(),
            What::Said(event) => format!("{}: {}", event.name, event.reason),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::air::trace::TraceHeader;
    use crate::base::env::Timestamp;
    use crate::base::event::Event;

    fn told() -> String {
        let events = [
            Event::new("terminal", "step").because("Balance <reading>"),
            Event::new("link", "command").with_named("C-APDU", [0x80, 0xCA, 0x9F, 0x79, 0x00]),
            Event::new("link", "response")
                .with_named("R-APDU", [0x9F, 0x79, 6, 0, 0, 0, 0, 0x50, 0, 0x90, 0]),
            Event::new("link", "command").with_named("C-APDU", [0x80, 0xCA, 0x9F, 0x17, 0x00]),
            Event::new("link", "link failed").because("the card was removed"),
            Event::new("terminal", "declined")
                .because("nobody <answered>")
                .with_tag(0x95, [0, 0, 0, 0x80, 0]),
        ];
        let events = events.into_iter().map(TraceEvent::from).collect();
        trace_page(&Trace { header: TraceHeader::new(Timestamp::default(), "sim:<x>"), events, cut: true })
    }

    #[test]
    fn what_went_wrong_is_linked_and_stands_out() {
        let page = told();
        assert!(page.contains("<h2>What went wrong</h2>"), "{page}");
        assert!(
            page.contains("<a href=\"#e5\">Balance &lt;reading&gt;: declined: nobody &lt;answered&gt;</a>")
        );
        assert!(page.contains("class=\"item failing\" id=\"e4\""), "a link that failed");
        assert!(page.contains("class=\"item failing\" id=\"e3\""), "a command without an answer");
        assert!(page.contains("<dd class=\"reason\">nobody &lt;answered&gt;</dd>"));
        assert!(!page.contains("sim:<x>") && page.contains("ends in the middle of a line"));
    }

    #[test]
    fn an_answer_to_what_is_no_command_is_told_by_itself() {
        let events = [
            Event::new("link", "command").with_named("C-APDU", [0x80, 0xCA]),
            Event::new("link", "response").with_named("R-APDU", [0x67, 0x00]),
        ];
        let events = events.into_iter().map(TraceEvent::from).collect();
        let header = TraceHeader::new(Timestamp::default(), "sim:ecash");
        let page = trace_page(&Trace { header, events, cut: false });
        assert!(page.contains("id=\"e0\"") && page.contains("id=\"e1\""), "{page}");
    }

    #[test]
    fn exchanges_are_decoded_and_the_store_has_a_before_and_an_after() {
        let page = told();
        assert!(
            page.contains(
                "<span class=\"tag\">9F79</span> Electronic Cash Balance <code>000000005000</code>"
            )
        );
        assert!(page.contains("<td>9F79 Electronic Cash Balance</td><td>-</td><td>000000005000"), "{page}");
        assert!(page.contains("transaction exceeds floor limit"));
    }
}

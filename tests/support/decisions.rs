//! Runs `tests/decisions/*.toml`: each `[[row]]` is a rule of the Books and a test
//! `decision::FILE::NAME`. A row drives the whole terminal against a card and says
//! what was found, asked for and decided; what the terminal found is read from the
//! commands that it sent, not from what it says of itself.
//!
//! `defaults` of a file serve each of its rows; keys of a row stand above them.

#[path = "decisions/judge.rs"]
mod judge;
#[path = "decisions/torn.rs"]
mod torn;

use crate::causes;
use cardwright::air::host::{Answer, Host, HostError, Request};
use cardwright::air::link::{Card, Endpoint, InProcess, Interface, LinkError, Record, T0};
use cardwright::base::bytes::{Secret, parse_hex};
use cardwright::base::context::Context;
use cardwright::base::env::Timestamp;
use cardwright::base::event::Collector;
use cardwright::roles::bureau::Authority;
use cardwright::roles::card::{Profile, Simulator};
use cardwright::roles::terminal::journal::Journal;
use cardwright::roles::terminal::{
    Cardholder, Flow, PinCheck, PinPrompt, Seat, TerminalConfig, Terms, drive,
};
use cardwright::words::emv::Aip;
use cardwright::words::iso4217::{Amount, Currency};
use cardwright::words::tlv::{self, TlvStore};
use cardwright::world::{NewCard, StoreAddress, issue_card_under, open_books, open_journal};
use judge::judge;
use libtest_mimic::{Failed, Trial};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use toml::{Table, Value};
use torn::{Tear, TornRow};

/// What a card's first list asks for beside its own, so that a row can see it.
const SEEN: &str = " 9F3403 9B02";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    /// What the file is about.
    #[allow(dead_code, reason = "for who reads the file")]
    title: String,
    #[serde(default)]
    defaults: Table,
    row: Vec<Table>,
}

/// One rule.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    name: String,
    clause: String,
    #[serde(default)]
    card: CardRow,
    /// Keys of the terminal file that differ.
    #[serde(default)]
    terminal: Table,
    /// Data objects of kernel 2's combination that differ.
    #[serde(default)]
    kernel2: Table,
    /// Keys that differ in each of its combinations that have them or may have them.
    #[serde(default)]
    combination: Table,
    #[serde(default = "pay")]
    flow: String,
    #[serde(default = "ten")]
    amount: u64,
    #[serde(default = "renminbi")]
    currency: u16,
    /// What is entered, one prompt after the other; then nothing.
    #[serde(default)]
    pins: Vec<String>,
    #[serde(default)]
    forced_online: bool,
    /// The terminal's date, where it is not today.
    on: Option<[u16; 3]>,
    #[serde(default)]
    interface: InterfaceRow,
    #[serde(default)]
    host: HostRow,
    /// Templates 71 and 72 that the host's answer has besides, as it comes.
    #[serde(default)]
    script: String,
    /// Bits of TVR and TSI that this row is there for, and what the story says of each.
    #[serde(default)]
    causes: Vec<String>,
    #[serde(default)]
    because: Vec<String>,
    #[serde(default)]
    expect: Expected,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct CardRow {
    profile: Option<String>,
    /// The AIP over contacts.
    aip: Option<String>,
    /// Data objects of its application that differ.
    #[serde(default)]
    data: BTreeMap<String, String>,
    /// Data objects that it does not have.
    #[serde(default)]
    without: Vec<String>,
    /// Keys of the application that differ.
    #[serde(default)]
    application: Table,
    /// Data objects that are in none of its records.
    #[serde(default)]
    unrecorded: Vec<String>,
    /// Lines of the test authority's text that differ for this card, `old = "new"`.
    #[serde(default)]
    authority: BTreeMap<String, String>,
    /// Whether its keys are so long that parts of them stand beside their certificates.
    #[serde(default)]
    remainders: bool,
    /// Answers in place of the card's own, by how the command begins.
    #[serde(default)]
    answers: BTreeMap<String, String>,
    /// A byte of its answers that has another last bit, by how the command begins; below
    /// 0 it is counted from the end of the data.
    #[serde(default)]
    corrupted: BTreeMap<String, isize>,
    /// The same for commands as the card gets them.
    #[serde(default)]
    misheard: BTreeMap<String, isize>,
    /// Commands that it gets before the transaction.
    #[serde(default)]
    before: Vec<String>,
    /// Milliseconds that it takes longer to answer, by how the command begins.
    #[serde(default)]
    slow: BTreeMap<String, u64>,
    /// How the command begins after whose answer the card leaves.
    leaves_after: Option<String>,
    /// Payments made before the transaction.
    #[serde(default)]
    payments: usize,
    /// Whether the terminal's exception file names it.
    #[serde(default)]
    excepted: bool,
    /// A transaction before it, that was torn.
    torn: Option<TornRow>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum InterfaceRow {
    #[default]
    Contact,
    Contactless,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum HostRow {
    /// The issuer, in process.
    #[default]
    Issuer,
    /// No line to it.
    Unreachable,
}

/// What has to come of it. What is not named is not looked at.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Expected {
    /// Every bit that is set in the TVR of the first GENERATE AC.
    tvr: Option<Vec<String>>,
    /// Every bit that is set in the TSI there.
    tsi: Option<Vec<String>>,
    /// Every bit that is set in the TVR of the second GENERATE AC.
    tvr_second: Option<Vec<String>>,
    /// Every bit that is set in the TSI there.
    tsi_second: Option<Vec<String>>,
    /// The CVM Results in the first one.
    cvm: Option<String>,
    /// The cryptograms that the terminal asked for.
    asked: Option<Vec<String>>,
    verdict: Option<String>,
    /// How often somebody was asked for a PIN.
    prompts: Option<usize>,
    /// Commands that were sent, by how they begin.
    #[serde(default)]
    sent: Vec<String>,
    /// Commands that were not sent.
    #[serde(default)]
    not_sent: Vec<String>,
    /// What the error says.
    error: Option<String>,
    /// What the events say why.
    #[serde(default)]
    story: Vec<String>,
}

fn pay() -> String {
    "pay".into()
}

fn ten() -> u64 {
    1_000
}

fn renminbi() -> u16 {
    156
}

/// A trial for every row.
pub(crate) fn trials() -> Vec<Trial> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/decisions");
    let mut paths: Vec<_> = fs::read_dir(&folder)
        .map(|entries| entries.filter_map(|entry| Some(entry.ok()?.path())).collect())
        .unwrap_or_default();
    paths.sort();
    let mut trials = Vec::new();
    let mut caused = Vec::new();
    for path in paths.iter().filter(|path| path.extension().is_some_and(|extension| extension == "toml")) {
        let file = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let text = fs::read_to_string(path).unwrap_or_default();
        match rows_of(&text) {
            Ok(rows) => trials.extend(rows.into_iter().map(|row| {
                caused.extend(row.causes.iter().cloned());
                Trial::test(format!("decision::{file}::{}", row.name), move || {
                    run(&row).map_err(Failed::from)
                })
            })),
            Err(why) => trials.push(Trial::test(format!("decision::{file}"), move || Err(Failed::from(why)))),
        }
    }
    trials.push(Trial::test("decision::every bit of TVR and TSI has a row", move || {
        let lacking: Vec<_> = causes::names().into_iter().filter(|name| !caused.contains(name)).collect();
        if lacking.is_empty() { Ok(()) } else { Err(format!("no row causes {lacking:?}").into()) }
    }));
    trials
}

fn rows_of(text: &str) -> Result<Vec<Row>, String> {
    let file: File = toml::from_str(text).map_err(|error| error.to_string())?;
    file.row
        .into_iter()
        .map(|own| {
            let name = own.get("name").map(ToString::to_string).unwrap_or_default();
            let mut table = file.defaults.clone();
            merge(&mut table, own);
            table.try_into().map_err(|error| format!("row {name}: {error}"))
        })
        .collect()
}

/// Puts `above` over `below`, table by table.
fn merge(below: &mut Table, above: Table) {
    for (key, value) in above {
        match (below.get_mut(&key), value) {
            (Some(Value::Table(below)), Value::Table(above)) => merge(below, above),
            (_, value) => {
                below.insert(key, value);
            }
        }
    }
}

/// The card behind a line on which some bytes are not what was said.
struct Replaced {
    card: Simulator,
    answers: Vec<(Vec<u8>, Vec<u8>)>,
    corrupted: Vec<(Vec<u8>, isize)>,
    misheard: Vec<(Vec<u8>, isize)>,
    slow: Vec<(Vec<u8>, u64)>,
    tear: Tear,
    leaves_after: Option<Vec<u8>>,
    left: bool,
}

/// Turns the last bit of a byte in the first `length` ones.
fn turn_bit(bytes: &mut [u8], at: isize, length: usize) {
    let place = if at < 0 { length.checked_add_signed(at) } else { usize::try_from(at).ok() };
    let byte = place.filter(|place| *place < length).and_then(|place| bytes.get_mut(place));
    assert!(byte.is_some(), "a row turns a bit of byte {at}, and {length} came");
    byte.into_iter().for_each(|byte| *byte ^= 1);
}

impl Endpoint for Replaced {
    fn place(&self) -> String {
        self.card.place()
    }

    fn power_on(&mut self, interface: Interface, context: &mut Context) -> Vec<u8> {
        self.card.power_on(interface, context)
    }

    fn power_off(&mut self) {
        self.card.power_off();
    }

    fn process(&mut self, command: &[u8], context: &mut Context) -> Result<Vec<u8>, LinkError> {
        let torn = self.tear.lock().ok().and_then(|tear| tear.clone());
        let torn = torn.filter(|(begins, _)| command.starts_with(begins));
        let gone = || LinkError::Removed { during: "in the middle of an exchange".into() };
        if self.left || torn.as_ref().is_some_and(|(_, unheard)| *unheard) {
            return Err(gone());
        }
        self.left = self.leaves_after.as_ref().is_some_and(|begins| command.starts_with(begins));
        let mut heard = command.to_vec();
        if let Some((_, at)) = self.misheard.iter().find(|(begins, _)| command.starts_with(begins)) {
            turn_bit(&mut heard, *at, command.len());
        }
        let mut answer = self.card.process(&heard, context)?;
        if torn.is_some() {
            return Err(gone());
        }
        if let Some((_, ms)) = self.slow.iter().find(|(begins, _)| command.starts_with(begins)) {
            context.elapse(Duration::from_millis(*ms));
        }
        if let Some((_, at)) = self.corrupted.iter().find(|(begins, _)| command.starts_with(begins)) {
            let length = answer.len() - 2;
            turn_bit(&mut answer, *at, length);
        }
        let other = self.answers.iter().find(|(begins, _)| command.starts_with(begins));
        Ok(other.map_or(answer, |(_, other)| other.clone()))
    }
}

/// A person who enters what the row says.
struct Person {
    pins: Vec<String>,
    prompts: usize,
}

impl Cardholder for Person {
    fn enter_pin(&mut self, prompt: &PinPrompt) -> Option<Secret<String>> {
        self.prompts += 1;
        assert!(prompt.attempt == 1 || prompt.check != PinCheck::Online);
        (!self.pins.is_empty()).then(|| Secret::new(self.pins.remove(0)))
    }
}

/// The issuer, whose answers have scripts besides.
struct Scripted<'a> {
    issuer: &'a mut dyn Host,
    scripts: TlvStore,
}

impl Host for Scripted<'_> {
    fn authorise(&mut self, request: &Request, context: &mut Context) -> Result<Answer, HostError> {
        let mut answer = self.issuer.authorise(request, context)?;
        self.scripts.iter().for_each(|(tag, value)| drop(answer.chip.put(tag, value)));
        Ok(answer)
    }

    fn advise(&mut self, request: &Request, context: &mut Context) -> Result<Answer, HostError> {
        self.issuer.advise(request, context)
    }

    fn reverse(&mut self, request: &Request, context: &mut Context) -> Result<Answer, HostError> {
        self.issuer.reverse(request, context)
    }
}

/// A host to which there is no line.
struct NoLine;

impl Host for NoLine {
    fn authorise(&mut self, _: &Request, _: &mut Context) -> Result<Answer, HostError> {
        Err(HostError::Unreachable { cause: "there is no line".into() })
    }

    fn advise(&mut self, request: &Request, context: &mut Context) -> Result<Answer, HostError> {
        self.authorise(request, context)
    }

    fn reverse(&mut self, request: &Request, context: &mut Context) -> Result<Answer, HostError> {
        self.authorise(request, context)
    }
}

fn profile_of(row: &CardRow) -> Result<Profile, String> {
    let name = row.profile.as_deref().unwrap_or("debit");
    let known = cardwright::roles::card::PROFILES.iter().find(|profile| profile.name == name);
    let text = known.ok_or_else(|| format!("no profile {name}"))?.text;
    let mut table: Table = toml::from_str(text).map_err(|error| error.to_string())?;
    let Some(Value::Array(applications)) = table.get_mut("application") else {
        return Err("no application".into());
    };
    let Some(Value::Table(application)) = applications.first_mut() else {
        return Err("no application".into());
    };
    merge(application, row.application.clone());
    if let Some(aip) = &row.aip {
        let full = [("aip".to_owned(), Value::String(aip.clone()))].into_iter().collect();
        let contact = [("full".to_owned(), Value::Table(full))].into_iter().collect();
        merge(application, [("contact".to_owned(), Value::Table(contact))].into_iter().collect());
        let offers = parse_hex(aip).ok().and_then(|bytes| Aip::from_bytes(&bytes)).unwrap_or_default();
        let methods = [Aip::SDA_SUPPORTED, Aip::DDA_SUPPORTED, Aip::CDA_SUPPORTED];
        if !methods.into_iter().any(|method| offers.has(method)) {
            application.remove("certificates");
        }
    }
    if let Some(Value::Table(data)) = application.get_mut("data") {
        for (tag, value) in &row.data {
            data.insert(tag.clone(), Value::String(value.clone()));
        }
        for tag in &row.without {
            data.remove(tag).ok_or_else(|| format!("the card has no {tag}"))?;
        }
        for list in ["8C", "8D"] {
            if let Some(Value::String(list)) = data.get_mut(list) {
                list.push_str(SEEN);
            }
        }
    }
    if let Some(Value::Array(records)) = application.get_mut("record") {
        let lists = records.iter_mut().filter_map(|record| record.get_mut("elements")?.as_array_mut());
        for list in lists {
            list.retain(|tag| tag.as_str().is_none_or(|tag| !row.unrecorded.iter().any(|not| not == tag)));
        }
    }
    Profile::parse(&table.to_string()).map_err(|error| error.to_string())
}

/// The test authority, with what is other about it for this card.
fn authority_of(row: &CardRow) -> Result<Authority, String> {
    let authority = Authority::test().map_err(|error| error.to_string())?;
    let mut text = authority.to_text().expose().clone();
    for (old, other) in &row.authority {
        if !text.contains(old.as_str()) {
            return Err(format!("the test authority has no {old}"));
        }
        text = text.replacen(old, other, 1);
    }
    if row.remainders {
        // Each key is shorter than usual, and no longer than the one above it.
        let mut table: Table = toml::from_str(&text).map_err(|error| error.to_string())?;
        let cards = table["cards"]["pool"][0].clone();
        table["rsa"]["ca"] = table["rsa"]["issuer"].clone();
        table["rsa"]["issuer"] = cards;
        table["rsa"]["index"] = Value::String("EA".into());
        text = table.to_string();
    }
    Authority::from_text(&text).map_err(|error| error.to_string())
}

fn run(row: &Row) -> Result<(), String> {
    let say = |error: &dyn std::fmt::Display| error.to_string();
    let events = Collector::default();
    let mut context = Context::simulated(7, events.clone());
    let mut issuer = open_books(&StoreAddress::Memory, None, &mut context).map_err(|e| say(&e))?;
    let profile = profile_of(&row.card)?;
    let new =
        NewCard::with_accounts(&mut issuer, profile, 100_000, 50_000, &mut context).map_err(|e| say(&e))?;
    let authority = authority_of(&row.card)?;
    let memory = issue_card_under(&authority, &mut issuer, &new, &mut context).map_err(|e| say(&e))?;
    let mark = memory.pan().map(|pan| format!("{}-{:02X}", pan.expose(), memory.psn()));
    let interface = match row.interface {
        InterfaceRow::Contact => Interface::Contact,
        InterfaceRow::Contactless => Interface::Contactless,
    };
    let bytes = |text: &String| parse_hex(text).map_err(|error| error.to_string());
    let answers = row.card.answers.iter().map(|(begins, answer)| Ok((bytes(begins)?, bytes(answer)?)));
    let answers = answers.collect::<Result<Vec<_>, String>>()?;
    let mut simulator = Simulator::in_memory(memory);
    simulator.power_on(interface, &mut context);
    for command in &row.card.before {
        simulator.process(&bytes(command)?, &mut context).map_err(|e| say(&e))?;
    }
    let places = |row: &BTreeMap<String, isize>| {
        row.iter().map(|(begins, at)| Ok((bytes(begins)?, *at))).collect::<Result<Vec<_>, String>>()
    };
    let (corrupted, misheard) = (places(&row.card.corrupted)?, places(&row.card.misheard)?);
    let slow = row.card.slow.iter().map(|(begins, ms)| Ok((bytes(begins)?, *ms)));
    let slow = slow.collect::<Result<Vec<_>, String>>()?;
    let tear = Tear::default();
    let leaves_after = row.card.leaves_after.as_ref().map(bytes).transpose()?;
    let card = Replaced {
        card: simulator,
        answers,
        corrupted,
        misheard,
        slow,
        tear: Arc::clone(&tear),
        leaves_after,
        left: false,
    };
    let mut card = Record(T0(InProcess::connect(card, interface, &mut context)));

    let mut config: Table = toml::from_str(include_str!("../../src/roles/terminal/terminal.toml"))
        .map_err(|error| error.to_string())?;
    merge(&mut config, row.terminal.clone());
    let combinations = config.get_mut("combination").and_then(Value::as_array_mut);
    let kernel2 = combinations.into_iter().flatten().filter_map(Value::as_table_mut);
    for combination in kernel2.filter(|of| of.get("kernel") == Some(&Value::Integer(2))) {
        let data = [("data".to_owned(), Value::Table(row.kernel2.clone()))].into_iter().collect();
        merge(combination, data);
    }
    for combination in config.get_mut("combination").and_then(Value::as_array_mut).into_iter().flatten() {
        if let Value::Table(combination) = combination {
            merge(combination, row.combination.clone());
        }
    }
    let mut config = TerminalConfig::parse(&config.to_string()).map_err(|e| say(&e))?;
    config.exception_file.extend(mark.filter(|_| row.card.excepted));
    if row.card.remainders {
        authority.public_keys().iter().for_each(|key| config.trust.keys.put(key.clone()));
    }
    let config = Arc::new(config);
    let mut journal = open_journal(None, &mut context).map_err(|e| say(&e))?;
    let mut host: Box<dyn Host> = Box::new(issuer.handle().map_err(|e| say(&e))?);
    let mut person = Person { pins: vec!["123456".into(); row.card.payments], prompts: 0 };
    let play = |terms: &dyn Fn((u32, u32), &Context) -> Terms,
                card: &mut dyn Card,
                journal: &mut Journal,
                host: &mut dyn Host,
                person: &mut Person,
                context: &mut Context| {
        let trace = journal.next_trace().map_err(|error| error.to_string())?;
        let terms = terms(trace, context);
        let mut seat = Seat { card, payer: None, host, cardholder: person, journal };
        Ok::<_, String>(drive(terms, &mut seat, context))
    };
    let date = |[year, month, day]: [u16; 3]| {
        Timestamp::from_civil(i32::from(year), month as u8, day as u8, 12, 0, 0).ok_or("no such date")
    };
    let on = row.on.map(date).transpose()?;
    let terms = |flow: Flow, amount: u64, forced_online: bool| {
        let config = Arc::clone(&config);
        let currency = Currency(row.currency);
        move |trace: (u32, u32), context: &Context| Terms {
            mode: config.entry(flow, interface),
            config: Arc::clone(&config),
            flow,
            amount: Amount::new(amount, currency),
            trace,
            confirmation: trace,
            original: None,
            payer: None,
            at: on.unwrap_or(context.now()),
            forced_online,
        }
    };
    let hundred = terms(Flow::Pay, 100, false);
    for _ in 0..row.card.payments {
        play(&hundred, &mut card, &mut journal, host.as_mut(), &mut person, &mut context)?
            .map_err(|error| error.to_string())?;
    }
    if let Some(torn) = &row.card.torn {
        let lost = Some((bytes(&torn.lost)?, torn.unheard));
        *tear.lock().map_err(|error| error.to_string())? = lost;
        let first = terms(Flow::Pay, torn.amount, false);
        person.pins.clone_from(&row.pins);
        let ended = play(&first, &mut card, &mut journal, host.as_mut(), &mut person, &mut context)?;
        if let Ok(outcome) = ended {
            return Err(format!(
                "the first transaction was to be torn, and ended {}",
                outcome.verdict.word()
            ));
        }
        *tear.lock().map_err(|error| error.to_string())? = None;
        card.reset(&mut context).map_err(|e| say(&e))?;
        for _ in 0..torn.others {
            let memory =
                issue_card_under(&authority, &mut issuer, &new, &mut context).map_err(|e| say(&e))?;
            let other = InProcess::connect(Simulator::in_memory(memory), interface, &mut context);
            let (mut other, host) = (Record(T0(other)), host.as_mut());
            let ended = play(&first, &mut other, &mut journal, host, &mut person, &mut context)?;
            ended.map_err(|error| error.to_string())?;
        }
        for _ in 0..torn.elsewhere {
            let mut journal = open_journal(None, &mut context).map_err(|e| say(&e))?;
            let ended = play(&hundred, &mut card, &mut journal, host.as_mut(), &mut person, &mut context)?;
            ended.map_err(|error| error.to_string())?;
        }
        context.elapse(Duration::from_secs(torn.seconds));
    }
    let begin = events.events().len();
    person = Person { pins: row.pins.clone(), prompts: 0 };
    if row.host == HostRow::Unreachable {
        host = Box::new(NoLine);
    }
    let flow = flow_of(&row.flow)?;
    let last = terms(flow, row.amount, row.forced_online);
    let scripts = bytes(&row.script)?;
    let scripts = tlv::parse(&scripts).map_err(|e| say(&e))?.iter().map(|one| (one.tag, one.value)).collect();
    let mut host = Scripted { issuer: host.as_mut(), scripts };
    let ended = play(&last, &mut card, &mut journal, &mut host, &mut person, &mut context)?;
    judge(row, &ended, person.prompts, &events.events()[begin..])
}

fn flow_of(word: &str) -> Result<Flow, String> {
    Ok(match word {
        "pay" => Flow::Pay,
        "load" => Flow::Load,
        "cash load" => Flow::CashLoad,
        "unload" => Flow::Unload,
        "inquire" => Flow::Inquire,
        "pre-authorise" => Flow::PreAuthorise,
        _ => return Err(format!("no flow {word:?}")),
    })
}

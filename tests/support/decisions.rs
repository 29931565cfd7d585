//! Runs `tests/decisions/*.toml`: each `[[row]]` is a rule of the Books and a test
//! `decision::FILE::NAME`. A row drives the whole terminal against a card and says
//! what was found, asked for and decided; what the terminal found is read from the
//! commands that it sent, not from what it says of itself.
//!
//! `defaults` of a file serve each of its rows; keys of a row stand above them.

use crate::causes;
use cardwright::air::host::{Answer, Host, HostError, Request};
use cardwright::air::link::{Endpoint, InProcess, Interface, LinkError, Record, T0};
use cardwright::base::bytes::{Bit, Hex, Secret, parse_hex};
use cardwright::base::context::Context;
use cardwright::base::env::Timestamp;
use cardwright::base::event::{Collector, Event};
use cardwright::roles::bureau::Authority;
use cardwright::roles::card::{Device, DeviceLine, Profile, Simulator};
use cardwright::roles::terminal::{
    Cardholder, Flow, Message, Outcome, PinCheck, PinPrompt, Seat, TerminalConfig, TerminalError, Terms,
    drive,
};
use cardwright::words::dictionary::tag;
use cardwright::words::emv::{Aip, CryptogramType, Tsi, Tvr};
use cardwright::words::iso4217::{Amount, Currency};
use cardwright::words::tlv::{self, Dol, Tag, TlvStore};
use cardwright::world::{NewCard, StoreAddress, issue_card_under, open_books, open_journal};
use libtest_mimic::{Failed, Trial};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex};
use toml::{Table, Value};

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
    /// How often the person does as the reader says and presents the card again; the first
    /// time unlocks the device.
    #[serde(default)]
    presents_again: usize,
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
    /// How the device around it stands: `unlocked`, or `express`, which is locked.
    device: Option<String>,
    /// Payments made before the transaction.
    #[serde(default)]
    payments: usize,
    /// Whether the terminal's exception file names it.
    #[serde(default)]
    excepted: bool,
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
    /// The identifier of what the reader shows at the end, over contactless.
    message: Option<String>,
    /// How the cardholder is verified there.
    verification: Option<String>,
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
        let mut heard = command.to_vec();
        if let Some((_, at)) = self.misheard.iter().find(|(begins, _)| command.starts_with(begins)) {
            turn_bit(&mut heard, *at, command.len());
        }
        let mut answer = self.card.process(&heard, context)?;
        if let Some((_, at)) = self.corrupted.iter().find(|(begins, _)| command.starts_with(begins)) {
            let length = answer.len() - 2;
            turn_bit(&mut answer, *at, length);
        }
        let other = self.answers.iter().find(|(begins, _)| command.starts_with(begins));
        Ok(other.map_or(answer, |(_, other)| other.clone()))
    }
}

/// A phone that somebody can unlock between two presentments.
#[derive(Clone)]
struct Phone(Arc<Mutex<Device>>);

impl DeviceLine for Phone {
    fn now(&mut self) -> Device {
        *self.0.lock().unwrap()
    }
}

/// A person who enters what the row says.
struct Person {
    pins: Vec<String>,
    prompts: usize,
    presents_again: usize,
    device: Option<Phone>,
}

impl Cardholder for Person {
    fn enter_pin(&mut self, prompt: &PinPrompt) -> Option<Secret<String>> {
        self.prompts += 1;
        assert!(prompt.attempt == 1 || prompt.check != PinCheck::Online);
        (!self.pins.is_empty()).then(|| Secret::new(self.pins.remove(0)))
    }

    fn present_again(&mut self, _message: Message) -> bool {
        let does = self.presents_again > 0;
        self.presents_again = self.presents_again.saturating_sub(1);
        if let Some(device) = self.device.as_ref().filter(|_| does) {
            *device.0.lock().unwrap() = Device::Unlocked;
        }
        does
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
    let device = match row.card.device.as_deref() {
        None => None,
        Some("unlocked") => Some(Phone(Arc::new(Mutex::new(Device::Unlocked)))),
        Some("express") => Some(Phone(Arc::new(Mutex::new(Device::Express)))),
        Some(other) => return Err(format!("no device {other:?}")),
    };
    if let Some(device) = &device {
        simulator = simulator.in_device(device.clone());
    }
    simulator.power_on(interface, &mut context);
    for command in &row.card.before {
        simulator.process(&bytes(command)?, &mut context).map_err(|e| say(&e))?;
    }
    let places = |row: &BTreeMap<String, isize>| {
        row.iter().map(|(begins, at)| Ok((bytes(begins)?, *at))).collect::<Result<Vec<_>, String>>()
    };
    let (corrupted, misheard) = (places(&row.card.corrupted)?, places(&row.card.misheard)?);
    let card = Replaced { card: simulator, answers, corrupted, misheard };
    let mut card = Record(T0(InProcess::connect(card, interface, &mut context)));

    let mut config: Table = toml::from_str(include_str!("../../src/roles/terminal/terminal.toml"))
        .map_err(|error| error.to_string())?;
    merge(&mut config, row.terminal.clone());
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
    let pins = vec!["123456".into(); row.card.payments];
    let mut person = Person { pins, prompts: 0, presents_again: 0, device: None };
    let mut play = |terms: &dyn Fn((u32, u32), &Context) -> Terms,
                    host: &mut dyn Host,
                    person: &mut Person,
                    context: &mut Context| {
        let trace = journal.next_trace().map_err(|error| error.to_string())?;
        let terms = terms(trace, context);
        let mut seat = Seat { card: &mut card, payer: None, host, cardholder: person, journal: &mut journal };
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
    for _ in 0..row.card.payments {
        play(&terms(Flow::Pay, 100, false), host.as_mut(), &mut person, &mut context)?
            .map_err(|error| error.to_string())?;
    }
    let begin = events.events().len();
    person = Person { pins: row.pins.clone(), prompts: 0, presents_again: row.presents_again, device };
    if row.host == HostRow::Unreachable {
        host = Box::new(NoLine);
    }
    let flow = flow_of(&row.flow)?;
    let scripts = bytes(&row.script)?;
    let scripts = tlv::parse(&scripts).map_err(|e| say(&e))?.iter().map(|one| (one.tag, one.value)).collect();
    let mut host = Scripted { issuer: host.as_mut(), scripts };
    let ended = play(&terms(flow, row.amount, row.forced_online), &mut host, &mut person, &mut context)?;
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

fn judge(
    row: &Row,
    ended: &Result<Outcome, TerminalError>,
    prompts: usize,
    events: &[Event],
) -> Result<(), String> {
    let expect = &row.expect;
    let sent: Vec<Vec<u8>> = events
        .iter()
        .filter(|event| event.speaker == "link" && event.name == "command")
        .filter_map(|event| event.named_value("C-APDU").map(<[u8]>::to_vec))
        .collect();
    let mut wrong = Vec::new();
    match (ended, &expect.error) {
        (Err(error), None) => wrong.push(format!("broke off: {error}")),
        (Ok(outcome), Some(words)) => {
            wrong.push(format!("expected the error {words:?}, ended {}", outcome.verdict.word()));
        }
        (Err(error), Some(words)) if !error.to_string().contains(words) => {
            wrong.push(format!("expected the error {words:?}, found: {error}"));
        }
        _ => {}
    }
    if let (Some(word), Ok(outcome)) = (&expect.verdict, ended)
        && outcome.verdict.word() != word
    {
        wrong.push(format!("expected {word}, found {}: {}", outcome.verdict.word(), outcome.reason));
    }
    if let Ok(outcome) = ended {
        let parameters = outcome.parameters;
        let message = parameters.map(|parameters| format!("{:02X}", parameters.message.identifier()));
        if expect.message.is_some() && expect.message != message {
            wrong.push(format!("expected message {:?}, found {message:?}", expect.message));
        }
        let cvm = parameters.map(|parameters| parameters.cvm.words().to_owned());
        if expect.verification.is_some() && expect.verification != cvm {
            wrong.push(format!("expected verification {:?}, found {cvm:?}", expect.verification));
        }
    }
    if expect.prompts.is_some_and(|expected| expected != prompts) {
        wrong.push(format!("expected {:?} prompts, found {prompts}", expect.prompts));
    }
    let asked: Vec<String> = sent
        .iter()
        .filter(|command| command.starts_with(&[0x80, 0xAE]))
        .filter_map(|command| Some(CryptogramType::from_bits(command[2])?.to_string()))
        .collect();
    if expect.asked.as_ref().is_some_and(|expected| *expected != asked) {
        wrong.push(format!("expected {:?} to be asked for, found {asked:?}", expect.asked));
    }
    let [first, second] =
        [(0, tag::CDOL1), (1, tag::CDOL2)].map(|(place, list)| data_of(place, list, &sent, events));
    let wants_first = expect.tvr.is_some() || expect.tsi.is_some() || expect.cvm.is_some();
    let wants_second = expect.tvr_second.is_some() || expect.tsi_second.is_some();
    for (data, wanted) in [(&first, wants_first), (&second, wants_second)] {
        if wanted && data.is_none() && expect.error.is_none() {
            wrong.push("that GENERATE AC was not sent, so nothing can be said of its data".into());
        }
    }
    if let Some(data) = first {
        seen([&expect.tvr, &expect.tsi], &data, &mut wrong);
        let found = Hex(data.value(tag::CVM_RESULTS).unwrap_or_default()).to_string();
        if let Some(expected) = expect.cvm.as_ref().filter(|expected| **expected != found) {
            wrong.push(format!("expected CVM Results {expected}, found {found}"));
        }
    }
    if let Some(data) = second {
        seen([&expect.tvr_second, &expect.tsi_second], &data, &mut wrong);
    }
    let begins = |wanted: &str| {
        let wanted = parse_hex(wanted).map_err(|error| error.to_string())?;
        Ok::<_, String>(sent.iter().any(|command| command.starts_with(&wanted)))
    };
    for command in &expect.sent {
        if !begins(command)? {
            wrong.push(format!("expected {command} to be sent"));
        }
    }
    for command in &expect.not_sent {
        if begins(command)? {
            wrong.push(format!("expected {command} not to be sent"));
        }
    }
    for words in &expect.story {
        let told = |event: &&Event| {
            event.reason.contains(words.as_str())
                || format!("{}: {}", event.name, event.reason).contains(words)
        };
        if !events.iter().any(|event| told(&event)) {
            wrong.push(format!("expected the story to say {words:?}"));
        }
    }
    wrong.extend(causes::judge(&row.causes, &row.because, events));
    if wrong.is_empty() {
        return Ok(());
    }
    let story: Vec<_> = events
        .iter()
        .filter(|event| event.speaker == "terminal" || event.speaker == "card")
        .map(|event| format!("  {}: {}: {}", event.speaker, event.name, event.reason))
        .collect();
    Err(format!("{} ({})\n{}\nthe story:\n{}", row.name, row.clause, wrong.join("\n"), story.join("\n")))
}

/// The data of a GENERATE AC, by the card's own list.
fn data_of(place: usize, list_tag: Tag, sent: &[Vec<u8>], events: &[Event]) -> Option<TlvStore> {
    let command = sent.iter().filter(|command| command.starts_with(&[0x80, 0xAE])).nth(place)?;
    let list = events
        .iter()
        .filter(|event| event.speaker == "link" && event.name == "response")
        .filter_map(|event| event.named_value("R-APDU"))
        .find_map(|response| {
            let record = response.get(..response.len().checked_sub(2)?)?;
            let template = cardwright::words::tlv::parse_one(record).ok()?;
            let mut children = template.children().ok()?.into_iter();
            children.find(|object| object.tag == list_tag).map(|object| object.value.to_vec())
        })?;
    let data = command.get(5..5 + usize::from(command[4]))?;
    Some(Dol::parse(&list).ok()?.split(data)?.into_iter().collect())
}

fn seen([tvr, tsi]: [&Option<Vec<String>>; 2], data: &TlvStore, wrong: &mut Vec<String>) {
    let value = |tag: Tag| data.value(tag).unwrap_or_default().to_vec();
    if let Some(expected) = tvr {
        let found = Tvr::from_bytes(&value(tag::TVR)).unwrap_or_default();
        compare("TVR", expected, names(Tvr::ROWS, |bit| found.has(bit)), wrong);
    }
    if let Some(expected) = tsi {
        let found = Tsi::from_bytes(&value(tag::TSI)).unwrap_or_default();
        compare("TSI", expected, names(Tsi::ROWS, |bit| found.has(bit)), wrong);
    }
}

fn names<F>(rows: &'static [Bit<F>], has: impl Fn(Bit<F>) -> bool) -> Vec<&'static str> {
    rows.iter().filter(|bit| has(**bit)).map(|bit| bit.name).collect()
}

fn compare(what: &str, expected: &[String], mut found: Vec<&'static str>, wrong: &mut Vec<String>) {
    let mut expected: Vec<_> = expected.iter().map(String::as_str).collect();
    expected.sort_unstable();
    found.sort_unstable();
    if expected != found {
        wrong.push(format!("expected {what} {expected:?}, found {found:?}"));
    }
}

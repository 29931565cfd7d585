//! Runs `tests/decisions/*.toml`: each `[[row]]` is a rule of the Books and a test
//! `decision::FILE::NAME`. A row drives the whole terminal against a card and says
//! what was found, asked for and decided; what the terminal found is read from the
//! commands that it sent, not from what it says of itself.
//!
//! `defaults` of a file serve each of its rows; keys of a row stand above them.

#[path = "decisions/judge.rs"]
mod judge;
#[path = "decisions/row.rs"]
mod row;
#[path = "decisions/seats.rs"]
mod seats;

use crate::causes;
use cardwright::air::host::Original;
use cardwright::air::link::{Card, Endpoint, InProcess, Interface, Record, T0};
use cardwright::base::bytes::{Hex, parse_hex};
use cardwright::base::context::Context;
use cardwright::base::env::Timestamp;
use cardwright::base::event::Collector;
use cardwright::roles::bureau::Authority;
use cardwright::roles::card::{Device, Profile, Simulator};
use cardwright::roles::issuer::{CardScript, Issuer, ScriptOrder};
use cardwright::roles::terminal::journal::Journal;
use cardwright::roles::terminal::{Flow, RecoveryRules, Seat, TerminalConfig, Terms, drive, settle};
use cardwright::words::emv::{Aip, Pan};
use cardwright::words::iso4217::{Amount, Currency};
use cardwright::words::iso7816::CommandApdu;
use cardwright::world::{NewCard, StoreAddress, issue_card_under, open_books, open_journal};
use judge::{Played, judge};
use libtest_mimic::{Failed, Trial};
use row::{CardRow, InterfaceRow, Row, fill, merge, rows_of};
use seats::{Faults, Line, Person, Phone, Replaced};
use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use toml::{Table, Value};

/// What a card's lists ask for beside their own, so that a row can see it.
const SEEN: &str = " 9F3403 9B02";

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
            Ok(rows) => trials.extend(rows.into_iter().map(|(row, whole)| {
                caused.extend(row.causes.iter().cloned());
                Trial::test(format!("decision::{file}::{}", row.name), move || {
                    run(&row, &whole).map_err(|why| failed(&why))
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

/// The card's profile. Certificates take the most time of all, so a card has none where the
/// terminal knows no method that would read them.
fn profile_of(row: &CardRow, terminal: &Table) -> Result<Profile, String> {
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
    let capabilities = terminal.get("capabilities").and_then(Value::as_str).unwrap_or_default();
    if capabilities.ends_with("00") {
        application.remove("certificates");
    }
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
    let first = application.clone();
    for other in &row.more {
        let mut application = first.clone();
        merge(&mut application, other.clone());
        applications.push(Value::Table(application));
    }
    Profile::parse(&table.to_string()).map_err(|error| error.to_string())
}

/// The test authority, with what is other about it for this card.
fn authority_of(row: &CardRow) -> Result<Arc<Authority>, String> {
    let authority = Authority::test().map_err(|error| error.to_string())?;
    if row.authority.is_empty() && !row.remainders {
        return Ok(authority);
    }
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
    Authority::from_text(&text).map(Arc::new).map_err(|error| error.to_string())
}

/// A row that fails; where one is enough to know (`.ci/mutants`), the rest need not run.
fn failed(why: &str) -> Failed {
    if std::env::var_os("CARDWRIGHT_FIRST_FAILURE").is_some() {
        eprintln!("{why}");
        std::process::exit(101);
    }
    Failed::from(why)
}

/// Everyone at the counter of a row.
struct Counter {
    context: Context,
    events: Collector,
    issuer: Issuer,
    card: Record<T0<InProcess<Replaced>>>,
    faults: Arc<Mutex<Faults>>,
    /// The phone that holds the card, if one does.
    device: Option<Phone>,
    pan: Pan,
    journal: Journal,
    config: Arc<TerminalConfig>,
}

fn run(row: &Row, whole: &Table) -> Result<(), String> {
    let mut counter = Counter::of(row)?;
    for earlier in row.earlier(whole)? {
        judge(&earlier, &counter.play(&earlier)?)?;
    }
    let played = counter.play(row)?;
    judge(row, &played)
}

impl Counter {
    fn of(row: &Row) -> Result<Self, String> {
        let events = Collector::default();
        let mut context = Context::simulated(7, events.clone());
        let mut issuer = open_books(&StoreAddress::Memory, None, &mut context).map_err(told)?;
        let profile = profile_of(&row.card, &row.terminal)?;
        let new = NewCard::with_accounts(&mut issuer, profile, 100_000, 50_000, &mut context);
        let new = new.map_err(told)?;
        let authority = authority_of(&row.card)?;
        let memory = issue_card_under(&authority, &mut issuer, &new, &mut context).map_err(told)?;
        let pan = memory.pan().ok_or("the card has no PAN")?;
        let interface = interface_of(row);
        let mut card = Simulator::in_memory(memory);
        let device = device_of(&row.card)?;
        if let Some(device) = &device {
            card = card.in_device(device.clone());
        }
        card.power_on(interface, &mut context);
        for command in &row.card.before {
            card.process(&parse_hex(command).map_err(told)?, &mut context).map_err(told)?;
        }
        let faults = Arc::new(Mutex::new(Faults::default()));
        let card = Replaced { card, faults: Arc::clone(&faults) };
        let card = Record(T0(InProcess::connect(card, interface, &mut context)));
        let mut config: Table = toml::from_str(include_str!("../../src/roles/terminal/terminal.toml"))
            .map_err(|error| error.to_string())?;
        let words = [("modulus".to_owned(), modulus(&config)?)].into();
        let mut own = Value::Table(row.terminal.clone());
        fill(&mut own, &words);
        if let Value::Table(own) = own {
            merge(&mut config, own);
        }
        let combinations = config.get_mut("combination").and_then(Value::as_array_mut);
        for combination in combinations.into_iter().flatten() {
            if let Value::Table(combination) = combination {
                merge(combination, row.combination.clone());
            }
        }
        let mut config = TerminalConfig::parse(&config.to_string()).map_err(told)?;
        if row.card.remainders {
            authority.public_keys().iter().for_each(|key| config.trust.keys.put(key.clone()));
        }
        if row.card.excepted {
            config.exception_file.push(format!("{}-01", pan.expose()));
        }
        let config = Arc::new(config);
        let journal = open_journal(None, &mut context).map_err(told)?;
        let mut counter = Self { context, events, issuer, card, faults, device, pan, journal, config };
        for _ in 0..row.card.payments {
            counter.pay(row)?;
        }
        Ok(counter)
    }

    /// A payment of 1.00 in which nothing goes wrong.
    fn pay(&mut self, row: &Row) -> Result<(), String> {
        let text = "name = \"a payment before\"\nclause = \"\"\namount = 100\npins = [\"123456\"]";
        let mut payment: Row = toml::from_str(text).map_err(told)?;
        (payment.interface, payment.currency, payment.on) = (row.interface, row.currency, row.on);
        self.play(&payment)?.ended.map(drop).map_err(told)
    }

    /// A card of the same kind, on the same line.
    fn other_card(&mut self, row: &Row) -> Result<Record<T0<InProcess<Replaced>>>, String> {
        let profile = profile_of(&row.card, &row.terminal)?;
        let new = NewCard::with_accounts(&mut self.issuer, profile, 100_000, 50_000, &mut self.context);
        let authority = authority_of(&row.card)?;
        let new = new.map_err(told)?;
        let memory = issue_card_under(&authority, &mut self.issuer, &new, &mut self.context);
        let card = Simulator::in_memory(memory.map_err(told)?);
        let card = Replaced { card, faults: Arc::clone(&self.faults) };
        Ok(Record(T0(InProcess::connect(card, interface_of(row), &mut self.context))))
    }

    /// How a row stands in the terminal's journal.
    fn state_of(&mut self, trace: (u32, u32)) -> Result<Option<String>, String> {
        let rows = self.journal.rows().map_err(told)?;
        let entry = rows.iter().find(|entry| (entry.batch, entry.trace) == trace);
        Ok(entry.map(|entry| entry.state.word().to_owned()))
    }

    /// The same once recovery has run.
    fn recover(&mut self, trace: (u32, u32)) -> Result<Option<String>, String> {
        let mut issuer = self.issuer.handle().map_err(told)?;
        let (journal, config) = (&mut self.journal, &self.config);
        settle(journal, None, &mut issuer, config, RecoveryRules::ALL, &mut self.context).map_err(told)?;
        self.state_of(trace)
    }

    /// Drives the terminal through one transaction.
    fn play(&mut self, row: &Row) -> Result<Played, String> {
        let begin = self.events.events().len();
        self.context.elapse(Duration::from_secs(row.after_seconds));
        let mut another =
            row.elsewhere.then(|| open_journal(None, &mut self.context).map_err(told)).transpose()?;
        if let Some(another) = &mut another {
            std::mem::swap(&mut self.journal, another);
        }
        let mut other_card = row.other_card.then(|| self.other_card(row)).transpose()?;
        if let Some(other) = &mut other_card {
            std::mem::swap(&mut self.card, other);
        }
        *self.faults.lock().unwrap_or_else(PoisonError::into_inner) = Faults::of(&row.card)?;
        let date = |[year, month, day]: [u16; 3]| {
            Timestamp::from_civil(i32::from(year), month as u8, day as u8, 12, 0, 0).ok_or("no such date")
        };
        let at = row.on.map(date).transpose()?.unwrap_or(self.context.now());
        let flow = flow_of(&row.flow)?;
        let trace = self.journal.next_trace().map_err(told)?;
        let confirmation = match flow {
            Flow::Unload => self.journal.next_trace().map_err(told)?,
            _ => trace,
        };
        let terms = Terms {
            mode: self.config.entry(flow, interface_of(row)),
            config: Arc::clone(&self.config),
            flow,
            amount: Amount::new(row.amount, Currency(row.currency)),
            trace,
            confirmation,
            original: None::<Original>,
            payer: None,
            at,
            cashback_minor: row.cashback,
            forced_online: row.forced_online,
        };
        for order in &row.orders {
            let (before_second_ac, text) =
                order.strip_prefix("first ").map_or((false, order.as_str()), |text| (true, text));
            let script = CardScript::parse(text).map_err(told)?;
            let order = ScriptOrder { script, before_second_ac };
            self.issuer.order_script(&self.pan, 1, &order, &mut self.context).map_err(told)?;
        }
        let issuer = Box::new(self.issuer.handle().map_err(told)?);
        let mut person = Person::of(row, self.device.clone());
        let mut host = Line::of(row, issuer)?;
        let mut seat = Seat {
            card: &mut self.card,
            payer: None,
            host: &mut host,
            cardholder: &mut person,
            journal: &mut self.journal,
        };
        let ended = drive(terms, &mut seat, &mut self.context);
        let messages = host.messages;
        let journal = self.state_of(trace)?;
        let recovered = match row.expect.recovered {
            Some(_) => self.recover(trace)?,
            None => None,
        };
        let events = self.events.events()[begin..].to_vec();
        let mut afterwards = Vec::new();
        for command in row.expect.afterwards.keys() {
            let command = CommandApdu::parse(&parse_hex(command).map_err(told)?).map_err(told)?;
            let answer = self.card.transmit(&command, &mut self.context).map_err(told)?;
            afterwards.push(Hex(&answer.to_bytes()).to_string());
        }
        if let Some(own) = another {
            self.journal = own;
        }
        if let Some(own) = other_card {
            self.card = own;
        }
        self.card.reset(&mut self.context).map_err(told)?;
        Ok(Played { ended, person, messages, journal, recovered, events, afterwards })
    }
}

/// The modulus of the first CA public key that the terminal is shipped with.
fn modulus(config: &Table) -> Result<String, String> {
    let key = config.get("trust").and_then(|trust| trust.get("capk_rsa")?.get(0)?.get("modulus")?.as_str());
    Ok(key.ok_or("the terminal file has no CA public key")?.to_owned())
}

fn device_of(row: &CardRow) -> Result<Option<Phone>, String> {
    Ok(match row.device.as_deref() {
        None => None,
        Some("unlocked") => Some(Phone::new(Device::Unlocked)),
        Some("express") => Some(Phone::new(Device::Express)),
        Some(other) => return Err(format!("no device {other:?}")),
    })
}

fn interface_of(row: &Row) -> Interface {
    match row.interface {
        InterfaceRow::Contact => Interface::Contact,
        InterfaceRow::Contactless => Interface::Contactless,
    }
}

fn told(error: impl std::fmt::Display) -> String {
    error.to_string()
}

fn flow_of(word: &str) -> Result<Flow, String> {
    Ok(match word {
        "pay" => Flow::Pay,
        "cash" => Flow::Cash,
        "cashback" => Flow::Cashback,
        "load" => Flow::Load,
        "cash load" => Flow::CashLoad,
        "unload" => Flow::Unload,
        "inquire" => Flow::Inquire,
        "ride" => Flow::Ride,
        "pre-authorise" => Flow::PreAuthorise,
        _ => return Err(format!("no flow {word:?}")),
    })
}

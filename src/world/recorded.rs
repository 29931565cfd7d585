//! A recording as a card: one that replays it, and a profile of a card that is like it
//! and has keys of our own. Nothing of a real card's secrets is in a recording, and
//! nothing here pretends to know them.

use super::error::WorldError;
use crate::air::trace::{Meanings, Trace};
use crate::base::bytes::Hex;
use crate::roles::card::{PROFILES, Profile, Replay};
use crate::words::dictionary::tag;
use crate::words::emv::cryptogram::CRYPTOGRAM_VERSIONS;
use crate::words::iso7816::CommandApdu;
use crate::words::tlv::{self, Dol, Tag, TlvStore};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::BufReader;
use std::path::Path;
use toml::{Table, Value};

/// Reads a recording.
pub fn open_trace(path: &Path) -> Result<Trace, WorldError> {
    let failed = |cause: std::io::Error| WorldError::File {
        doing: "read",
        path: path.display().to_string(),
        cause: cause.to_string(),
    };
    let file = File::open(path).map_err(failed)?;
    Trace::read(BufReader::new(file))
        .map_err(|cause| WorldError::Trace { path: path.display().to_string(), cause })
}

/// The card that replays the recording in a file.
pub fn open_replay(path: &Path) -> Result<Replay, WorldError> {
    let trace = open_trace(path)?;
    Replay::of(&trace, format!("recording {} of {}", path.display(), trace.header.place))
        .ok_or_else(|| unfit("one exchange with a card or more", "none"))
}

/// What a recorded card showed, in one application.
struct Shown {
    aid: Vec<u8>,
    data: TlvStore,
    pdol: Vec<u8>,
    /// What GET PROCESSING OPTIONS was sent, as the PDOL asks for it.
    options: Vec<u8>,
    aip: Vec<u8>,
    afl: Vec<u8>,
    /// Whether the cryptogram came with it.
    is_quick: bool,
    /// SFI and number, and the elements in it in order.
    records: BTreeMap<(u8, u8), Vec<Tag>>,
}

/// What a card order or the certification authority gives anew.
const ANEW: &[Tag] = &[
    tag::PAN,
    tag::TRACK_2_EQUIVALENT_DATA,
    tag::CARDHOLDER_NAME,
    tag::APPLICATION_EXPIRATION_DATE,
    tag::APPLICATION_EFFECTIVE_DATE,
    tag::PAN_SEQUENCE_NUMBER,
    tag::CA_PUBLIC_KEY_INDEX_CARD,
    tag::ISSUER_PUBLIC_KEY_CERTIFICATE,
    tag::ISSUER_PUBLIC_KEY_REMAINDER,
    tag::ISSUER_PUBLIC_KEY_EXPONENT,
    tag::SIGNED_STATIC_APPLICATION_DATA,
    tag::ICC_PUBLIC_KEY_CERTIFICATE,
    tag::ICC_PUBLIC_KEY_EXPONENT,
    tag::ICC_PUBLIC_KEY_REMAINDER,
    tag::ICC_PIN_ENCIPHERMENT_CERTIFICATE,
    tag::ICC_PIN_ENCIPHERMENT_EXPONENT,
    tag::ICC_PIN_ENCIPHERMENT_REMAINDER,
];

/// What a card keeps by itself, or says of one transaction only.
const ITS_OWN: &[Tag] = &[
    tag::ATC,
    tag::LAST_ONLINE_ATC_REGISTER,
    tag::PIN_TRY_COUNTER,
    tag::AIP,
    tag::AFL,
    tag::ISSUER_APPLICATION_DATA,
    tag::APPLICATION_CRYPTOGRAM,
    tag::CRYPTOGRAM_INFORMATION_DATA,
    tag::SIGNED_DYNAMIC_APPLICATION_DATA,
    tag::ICC_DYNAMIC_NUMBER,
    tag::CTQ,
    tag::AVAILABLE_OFFLINE_SPENDING_AMOUNT,
    tag::CARD_AUTHENTICATION_RELATED_DATA,
    tag::PDOL,
    tag::DF_NAME,
    tag::APPLICATION_LABEL,
    tag::APPLICATION_PRIORITY_INDICATOR,
    tag::LOG_ENTRY,
    tag::LOAD_LOG_ENTRY,
    tag::LOG_FORMAT,
    tag::LOAD_LOG_FORMAT,
];

/// Where a kind of card is told from others: how its AID begins, the data object it has, and
/// the built-in profile that gives what no card shows.
const KINDS: &[(&[u8], Option<Tag>, &str)] = &[
    (&[0xA0, 0x00, 0x00, 0x00, 0x03], None, "visa-like"),
    (&[0xA0, 0x00, 0x00, 0x00, 0x04], None, "mastercard-like"),
    (&[], Some(tag::EC_BALANCE), "ecash"),
    (&[0xA0, 0x00, 0x00, 0x03, 0x33], None, "unionpay-credit"),
    (&[], None, "debit"),
];

/// A profile of a card that shows what the recorded one showed: its lists, records, limits and
/// rules. Number, holder and dates come from a card order; keys and certificates are made by our
/// own test certification authority when the profile is used. What no card shows (its own limits
/// and decisions) is that of the built-in profile of its kind.
pub fn profile_of(trace: &Trace) -> Result<String, WorldError> {
    let shown = shown(trace).ok_or_else(|| {
        unfit("an application that was selected and began a transaction", "none that did both")
    })?;
    let (_, _, base) = KINDS
        .iter()
        .find(|(aid, has, _)| shown.aid.starts_with(aid) && has.is_none_or(|tag| shown.data.has(tag)))
        .ok_or_else(|| unfit("a card of a known kind", "another"))?;
    let text = PROFILES.iter().find(|row| row.name == *base).map_or("", |row| row.text);
    let mut profile: Table =
        toml::from_str(text).map_err(|cause| unfit("a built-in profile", &cause.to_string()))?;
    let is_contact = trace.header.interface.as_deref() != Some("contactless");
    put(&mut profile, "name", format!("recorded-{base}"));
    put(&mut profile, "purpose", "made of a recording; keys and certificates are of the test CA".into());
    if let Some(name) = version_name(&shown.data, &profile) {
        put(&mut profile, "cryptogram_version", name);
    }
    let application = profile
        .get_mut("application")
        .and_then(Value::as_array_mut)
        .and_then(|all| all.first_mut())
        .and_then(Value::as_table_mut)
        .ok_or_else(|| unfit("an application in a built-in profile", "none"))?;
    fill(application, &shown, is_contact);
    let written = toml::to_string(&profile).map_err(|cause| unfit("a profile", &cause.to_string()))?;
    Profile::parse(&written)?;
    let kind = if trace.header.masked { ", masked" } else { "" };
    Ok(format!(
        "# Made of a recording{kind}: what its card showed, under keys of the test certification authority.\n\
         # Use it as `sim:FILE.toml`. What no card shows is that of the built-in profile {base}.\n{written}"
    ))
}

/// The application that began the last transaction, and what was learnt of it.
fn shown(trace: &Trace) -> Option<Shown> {
    let mut meanings = Meanings::default();
    let (mut now, mut begun): (Option<Shown>, Option<Shown>) = (None, None);
    for exchange in trace.exchanges() {
        let (Some(command), Some(answer)) = (exchange.command_apdu(), exchange.response_apdu()) else {
            continue;
        };
        let meaning = meanings.of(&command);
        if !answer.status.is_ok() {
            continue;
        }
        if let Some((name, _)) = meaning.selected_name() {
            begun = now.take().filter(|shown| !shown.aip.is_empty()).or(begun);
            now = Some(Shown::selected(name, &answer.data));
        } else if let Some(shown) = &mut now {
            shown.learn(&command, &answer.data);
        }
    }
    now.filter(|shown| !shown.aip.is_empty()).or(begun)
}

impl Shown {
    fn selected(name: &[u8], fci: &[u8]) -> Self {
        let mut data = TlvStore::new();
        leaves(fci, &mut |tag, value| {
            data.put(tag, value);
        });
        Self {
            aid: data.value(tag::DF_NAME).unwrap_or(name).to_vec(),
            pdol: data.value(tag::PDOL).unwrap_or_default().to_vec(),
            data,
            options: Vec::new(),
            aip: Vec::new(),
            afl: Vec::new(),
            is_quick: false,
            records: BTreeMap::new(),
        }
    }

    fn learn(&mut self, command: &CommandApdu, answer: &[u8]) {
        match command.ins {
            0xA8 => {
                let template = tlv::parse_one(&command.data).ok();
                self.options = template.map(|template| template.value.to_vec()).unwrap_or_default();
                self.options_answered(answer);
            }
            0xB2 if command.p2 & 7 == 4 && (1..=10).contains(&(command.p2 >> 3)) => {
                let record = self.records.entry((command.p2 >> 3, command.p1)).or_default();
                record.clear();
                let data = &mut self.data;
                leaves(answer, &mut |tag, value| {
                    record.push(tag);
                    data.put(tag, value);
                });
            }
            0xCA | 0xAE => leaves(answer, &mut |tag, value| {
                self.data.put(tag, value);
            }),
            _ => {}
        }
    }

    fn options_answered(&mut self, answer: &[u8]) {
        let Ok(template) = tlv::parse_one(answer) else { return };
        if template.tag == tag::RESPONSE_TEMPLATE_FORMAT_1 {
            if let Some((aip, afl)) = template.value.split_at_checked(2) {
                (self.aip, self.afl) = (aip.to_vec(), afl.to_vec());
            }
            return;
        }
        leaves(answer, &mut |tag, value| {
            self.data.put(tag, value);
        });
        let value = |tag| self.data.value(tag).unwrap_or_default().to_vec();
        (self.aip, self.afl) = (value(tag::AIP), value(tag::AFL));
        self.is_quick = self.data.has(tag::APPLICATION_CRYPTOGRAM);
    }

    /// Whether the terminal took electronic cash: 9F7A among the options is not 0.
    fn takes_ecash(&self) -> bool {
        let dol = Dol::parse(&self.pdol).unwrap_or_default();
        let options = dol.split(&self.options).unwrap_or_default();
        options
            .iter()
            .any(|(tag, value)| *tag == tag::EC_TERMINAL_SUPPORT_INDICATOR && value.iter().any(|b| *b != 0))
    }
}

fn fill(application: &mut Table, shown: &Shown, is_contact: bool) {
    let text = |tag: Tag| shown.data.value(tag).map(|value| String::from_utf8_lossy(value).into_owned());
    put(application, "aid", Hex(&shown.aid).to_string());
    if let Some(label) = text(tag::APPLICATION_LABEL).filter(|label| (1..=16).contains(&label.len())) {
        put(application, "label", label);
    }
    let is_ecash = application.get("kind").and_then(Value::as_str) == Some("ecash");
    let mut path = Table::new();
    put(&mut path, "aip", Hex(&shown.aip).to_string());
    put(&mut path, "afl", Hex(&shown.afl).to_string());
    let name = match (shown.is_quick, is_ecash && shown.takes_ecash()) {
        (true, _) => "quick",
        (false, true) => "ecash",
        (false, false) => "full",
    };
    let mut interface = Table::new();
    put(&mut interface, "pdol", Hex(&shown.pdol).to_string());
    interface.insert(name.into(), Value::Table(path));
    // The other interface was not seen: its records would be another card's.
    for (name, is_it) in [("contact", is_contact), ("contactless", !is_contact)] {
        match is_it {
            true => application.insert(name.into(), Value::Table(interface.clone())),
            false => application.remove(name),
        };
    }
    certificates(application, shown);
    let records = shown.records.iter().map(|((sfi, number), elements)| {
        let mut record = Table::new();
        record.insert("sfi".into(), Value::Integer((*sfi).into()));
        record.insert("record".into(), Value::Integer((*number).into()));
        let elements = elements.iter().map(|tag| Value::String(tag.to_string())).collect();
        record.insert("elements".into(), Value::Array(elements));
        Value::Table(record)
    });
    application.insert("record".into(), Value::Array(records.collect()));
    if let Some(data) = application.get_mut("data").and_then(Value::as_table_mut) {
        for (tag, value) in shown.data.iter() {
            if !ANEW.contains(&tag) && !ITS_OWN.contains(&tag) {
                put(data, &tag.to_string(), Hex(value).to_string());
            }
        }
    }
}

/// What the records have room for is signed.
fn certificates(application: &mut Table, shown: &Shown) {
    let in_records = |tag: Tag| shown.records.values().any(|elements| elements.contains(&tag));
    let orders = [
        ("static_signature", in_records(tag::SIGNED_STATIC_APPLICATION_DATA)),
        ("card_key", in_records(tag::ICC_PUBLIC_KEY_CERTIFICATE)),
        ("pin_key", in_records(tag::ICC_PIN_ENCIPHERMENT_CERTIFICATE)),
    ];
    if orders.iter().all(|(_, wanted)| !wanted) {
        application.remove("certificates");
        return;
    }
    let mut certificates = Table::new();
    put(&mut certificates, "suite", "rsa".into());
    certificates.extend(orders.map(|(name, wanted)| (name.to_owned(), Value::Boolean(wanted))));
    application.insert("certificates".into(), Value::Table(certificates));
}

/// The row of the cryptogram versions that the issuer application data names, of the family of the
/// profile's own where there is one; none where that one is it.
fn version_name(data: &TlvStore, profile: &Table) -> Option<String> {
    let usual = profile.get("cryptogram_version")?.as_str()?;
    let family = usual.split(' ').next()?;
    // Length, derivation key index, version: VIS, PBOC and M/Chip have them in places of their own.
    let iad = data.value(tag::ISSUER_APPLICATION_DATA)?;
    let cvn = *iad.get(if family == "M/Chip" { 1 } else { 2 })?;
    let has_cvn = |name: &str| CRYPTOGRAM_VERSIONS.iter().any(|row| row.name == name && row.cvn == cvn);
    if has_cvn(usual) {
        return None;
    }
    let rows = || CRYPTOGRAM_VERSIONS.iter().filter(|row| row.cvn == cvn);
    let row = rows().find(|row| row.name.starts_with(family)).or_else(|| rows().next());
    row.map(|row| row.name.to_owned())
}

fn put(table: &mut Table, name: &str, value: String) {
    table.insert(name.into(), Value::String(value));
}

/// Every primitive element with its value, in order.
fn leaves(bytes: &[u8], take: &mut dyn FnMut(Tag, &[u8])) {
    leaves_at(bytes, take, 0);
}

fn leaves_at(bytes: &[u8], take: &mut dyn FnMut(Tag, &[u8]), depth: usize) {
    const DEEPEST: usize = 8;
    for element in tlv::parse(bytes).unwrap_or_default() {
        match element.tag.is_constructed() && depth < DEEPEST {
            true => leaves_at(element.value, take, depth + 1),
            false => take(element.tag, element.value),
        }
    }
}

fn unfit(expected: &str, found: &str) -> WorldError {
    WorldError::Recording { expected: expected.into(), found: found.into() }
}

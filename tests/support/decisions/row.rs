//! What a row says.

use serde::Deserialize;
use std::collections::BTreeMap;
use toml::{Table, Value};

/// A file of rows.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    /// What the file is about.
    #[allow(dead_code, reason = "for who reads the file")]
    title: String,
    #[serde(default)]
    defaults: Table,
    /// Tables that rows name in `each`: the row is run once with each of their entries put
    /// over it, and `{words}` in its texts filled with those of the entry.
    #[serde(default)]
    variants: BTreeMap<String, BTreeMap<String, Variant>>,
    row: Vec<Table>,
}

/// One way in which a row is run.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Variant {
    /// What is filled in.
    #[serde(default)]
    words: BTreeMap<String, String>,
    /// What is put over the row.
    #[serde(default)]
    row: Table,
}

/// One rule.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Row {
    pub(super) name: String,
    pub(super) clause: String,
    #[serde(default)]
    pub(super) card: CardRow,
    /// Keys of the terminal file that differ.
    #[serde(default)]
    pub(super) terminal: Table,
    /// Keys that differ in each of its combinations that have them or may have them.
    #[serde(default)]
    pub(super) combination: Table,
    #[serde(default = "pay")]
    pub(super) flow: String,
    #[serde(default = "ten")]
    pub(super) amount: u64,
    /// What of it is paid out in cash.
    #[serde(default)]
    pub(super) cashback: u64,
    #[serde(default = "renminbi")]
    pub(super) currency: u16,
    /// What is entered, one prompt after the other; then nothing.
    #[serde(default)]
    pub(super) pins: Vec<String>,
    /// Which of the applications offered the cardholder chooses, from 0; -1 is none.
    #[serde(default)]
    pub(super) chooses: i8,
    /// Whether the cardholder does not confirm the application.
    #[serde(default)]
    pub(super) declines: bool,
    #[serde(default)]
    pub(super) forced_online: bool,
    /// How often the person does as the reader says and presents the card again; the first
    /// time unlocks the device.
    #[serde(default)]
    pub(super) presents_again: usize,
    /// The terminal's date, where it is not today.
    pub(super) on: Option<[u16; 3]>,
    #[serde(default)]
    pub(super) interface: InterfaceRow,
    #[serde(default)]
    pub(super) host: HostRow,
    /// How the host's answers differ from the issuer's.
    #[serde(default)]
    pub(super) answer: AnswerRow,
    /// What the issuer wants done to the card, as `card script` has it; `first` before it is
    /// template 71.
    #[serde(default)]
    pub(super) orders: Vec<String>,
    /// Seconds that pass before it.
    #[serde(default)]
    pub(super) after_seconds: u64,
    /// Whether it is at another terminal.
    #[serde(default)]
    pub(super) elsewhere: bool,
    /// Whether it is with another card of the same kind.
    #[serde(default)]
    pub(super) other_card: bool,
    /// Transactions before this one, with the same terminal and card; each says what is
    /// other about it than a plain payment.
    #[serde(default)]
    pub(super) earlier: Vec<Table>,
    /// Templates 71 and 72 that the host's answer has besides, as it comes.
    #[serde(default)]
    pub(super) script: String,
    /// Bits of TVR and TSI that this row is there for, and what the story says of each.
    #[serde(default)]
    pub(super) causes: Vec<String>,
    #[serde(default)]
    pub(super) because: Vec<String>,
    #[serde(default)]
    pub(super) expect: Expected,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CardRow {
    pub(super) profile: Option<String>,
    /// The AIP over contacts.
    pub(super) aip: Option<String>,
    /// Data objects of its application that differ.
    #[serde(default)]
    pub(super) data: BTreeMap<String, String>,
    /// Data objects that it does not have.
    #[serde(default)]
    pub(super) without: Vec<String>,
    /// Keys of the application that differ.
    #[serde(default)]
    pub(super) application: Table,
    /// More applications: how each differs from the first one.
    #[serde(default)]
    pub(super) more: Vec<Table>,
    /// Data objects that are in none of its records.
    #[serde(default)]
    pub(super) unrecorded: Vec<String>,
    /// Lines of the test authority's text that differ for this card, `old = "new"`.
    #[serde(default)]
    pub(super) authority: BTreeMap<String, String>,
    /// Whether its keys are so long that parts of them stand beside their certificates.
    #[serde(default)]
    pub(super) remainders: bool,
    /// Commands that it gets before the transaction.
    #[serde(default)]
    pub(super) before: Vec<String>,
    /// How the device around it stands: `unlocked`, or `express`, which is locked.
    pub(super) device: Option<String>,
    /// Payments made before the transaction.
    #[serde(default)]
    pub(super) payments: usize,
    /// Whether the terminal's exception file names it.
    #[serde(default)]
    pub(super) excepted: bool,
    /// Answers in place of the card's own, by how the command begins; `80AE#2` is the
    /// second such command alone. `mute` is no answer, `deaf` is no command either.
    #[serde(default)]
    pub(super) answers: BTreeMap<String, String>,
    /// A byte of its answers that has another last bit, by how the command begins; below
    /// 0 it is counted from the end of the data. `"8 ^ 80"` turns other bits of byte 8.
    #[serde(default)]
    pub(super) corrupted: BTreeMap<String, Turn>,
    /// The same for commands as the card gets them.
    #[serde(default)]
    pub(super) misheard: BTreeMap<String, Turn>,
    /// Milliseconds that it takes longer to answer.
    #[serde(default)]
    pub(super) slow: BTreeMap<String, u64>,
}

/// A byte and the bits of it that are turned.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(try_from = "Value")]
pub(super) struct Turn {
    pub(super) at: isize,
    pub(super) bits: u8,
}

impl TryFrom<Value> for Turn {
    type Error = String;

    fn try_from(value: Value) -> Result<Self, String> {
        let wrong = || format!("expected a place, or \"PLACE ^ BITS\", found {value}");
        if let Some(at) = value.as_integer() {
            return Ok(Self { at: at as isize, bits: 0x01 });
        }
        let (at, bits) = value.as_str().and_then(|text| text.split_once(" ^ ")).ok_or_else(wrong)?;
        let at = at.parse().map_err(|_| wrong())?;
        Ok(Self { at, bits: u8::from_str_radix(bits, 16).map_err(|_| wrong())? })
    }
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum InterfaceRow {
    #[default]
    Contact,
    Contactless,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum HostRow {
    /// The issuer, in process.
    #[default]
    Issuer,
    /// No line to it.
    Unreachable,
    /// It takes the request and does not answer.
    Silent,
}

/// What a line or another host makes of the issuer's answers to requests.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AnswerRow {
    /// The response code.
    pub(super) code: Option<String>,
    /// Data objects that are added to field 55, or stand in place of its own.
    #[serde(default)]
    pub(super) data: BTreeMap<String, String>,
    /// Data objects that are not in field 55.
    #[serde(default)]
    pub(super) without: Vec<String>,
}

/// What has to come of it. What is not named is not looked at.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Expected {
    /// Every bit that is set in the TVR of the first GENERATE AC.
    pub(super) tvr: Option<Vec<String>>,
    /// Every bit that is set in the TSI there.
    pub(super) tsi: Option<Vec<String>>,
    /// Every bit that is set in the TVR of the second GENERATE AC.
    pub(super) tvr_second: Option<Vec<String>>,
    /// Every bit that is set in the TSI there.
    pub(super) tsi_second: Option<Vec<String>>,
    /// The CVM Results in the first one.
    pub(super) cvm: Option<String>,
    /// Data objects in the first one.
    #[serde(default)]
    pub(super) data: BTreeMap<String, String>,
    /// Data objects in the second one.
    #[serde(default)]
    pub(super) data_second: BTreeMap<String, String>,
    /// The whole data of the first one.
    pub(super) bytes: Option<String>,
    /// The cryptograms that the terminal asked for.
    pub(super) asked: Option<Vec<String>>,
    /// The cryptograms that the card gave.
    pub(super) given: Option<Vec<String>>,
    /// Every bit that is set in the card verification results of the card's last answer.
    pub(super) cvr: Option<Vec<String>>,
    pub(super) verdict: Option<String>,
    /// The amount that it ended with, minor units.
    pub(super) paid: Option<u64>,
    /// The identifier of what the reader shows at the end, over contactless.
    pub(super) message: Option<String>,
    /// How the cardholder is verified there.
    pub(super) verification: Option<String>,
    /// How often somebody was asked for a PIN.
    pub(super) prompts: Option<usize>,
    /// The applications that the cardholder was offered.
    pub(super) offered: Option<Vec<String>>,
    /// The messages that the cardholder was shown.
    pub(super) shown: Option<Vec<String>>,
    /// The messages that the host got: `request`, `reversal`, `notice`.
    pub(super) messages: Option<Vec<String>>,
    /// Data objects in field 55 of the last of them.
    #[serde(default)]
    pub(super) field_55: BTreeMap<String, String>,
    /// How the row stands in the terminal's journal.
    pub(super) journal: Option<String>,
    /// How it stands once recovery has run, with the issuer there and the card away.
    pub(super) recovered: Option<String>,
    /// Commands that were sent, by how they begin.
    #[serde(default)]
    pub(super) sent: Vec<String>,
    /// Commands that were not sent.
    #[serde(default)]
    pub(super) not_sent: Vec<String>,
    /// Commands in the order in which they were sent, by how they begin; others may stand
    /// between them.
    #[serde(default)]
    pub(super) order: Vec<String>,
    /// Commands that the card gets after the transaction, and how it answers each.
    #[serde(default)]
    pub(super) afterwards: BTreeMap<String, String>,
    /// What the error says.
    pub(super) error: Option<String>,
    /// What no event may say.
    #[serde(default)]
    pub(super) untold: Vec<String>,
    /// What the events say why.
    #[serde(default)]
    pub(super) story: Vec<String>,
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

impl Row {
    /// The transactions before this one.
    pub(super) fn earlier(&self, whole: &Table) -> Result<Vec<Self>, String> {
        self.earlier
            .iter()
            .map(|own| {
                let kept = ["name", "clause", "terminal", "combination", "card", "currency", "interface"];
                let kept = whole.iter().filter(|(key, _)| kept.contains(&key.as_str()));
                let mut table: Table = kept.map(|(key, value)| (key.clone(), value.clone())).collect();
                if let Some(Value::Table(card)) = table.get_mut("card") {
                    for fault in ["answers", "corrupted", "misheard", "slow"] {
                        card.remove(fault);
                    }
                }
                merge(&mut table, own.clone());
                table.try_into().map_err(|error| format!("row {}, earlier: {error}", self.name))
            })
            .collect()
    }
}

/// The rows of a file, each beside its table.
pub(super) fn rows_of(text: &str) -> Result<Vec<(Row, Table)>, String> {
    let file: File = toml::from_str(text).map_err(|error| error.to_string())?;
    let mut rows = Vec::new();
    for mut own in file.row {
        let name = own.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
        let each = own.remove("each");
        let read = |own: Table| {
            let mut table = file.defaults.clone();
            merge(&mut table, own);
            let row = table.clone().try_into().map_err(|error| format!("row {name}: {error}"))?;
            Ok::<_, String>((row, table))
        };
        let Some(each) = each else {
            rows.push(read(own)?);
            continue;
        };
        let variants = each.as_str().and_then(|each| file.variants.get(each));
        let variants = variants.ok_or_else(|| format!("row {name}: there are no variants {each}"))?;
        for (called, variant) in variants {
            let mut table = own.clone();
            merge(&mut table, variant.row.clone());
            let mut whole = Value::Table(table);
            fill(&mut whole, &variant.words);
            if let Value::Table(mut table) = whole {
                table.insert("name".into(), Value::String(format!("{name}: {called}")));
                rows.push(read(table)?);
            }
        }
    }
    Ok(rows)
}

pub(super) fn fill(value: &mut Value, words: &BTreeMap<String, String>) {
    match value {
        Value::String(text) => {
            for (word, other) in words {
                *text = text.replace(&format!("{{{word}}}"), other);
            }
        }
        Value::Array(values) => values.iter_mut().for_each(|value| fill(value, words)),
        Value::Table(table) => table.iter_mut().for_each(|(_, value)| fill(value, words)),
        _ => {}
    }
}

/// Puts `above` over `below`, table by table.
pub(super) fn merge(below: &mut Table, above: Table) {
    for (key, value) in above {
        match (below.get_mut(&key), value) {
            (Some(Value::Table(below)), Value::Table(above)) => merge(below, above),
            (_, value) => {
                below.insert(key, value);
            }
        }
    }
}

//! Where a purse card keeps what: a layout for each city or scheme, as data, so that a city is a
//! file and a row.

use crate::base::bytes::parse_hex;
use crate::words::iso7816::Aid;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// A layout that is built in.
#[derive(Debug, Clone, Copy)]
pub struct CityRow {
    /// Its name.
    pub name: &'static str,
    /// The TOML text.
    pub text: &'static str,
}

/// The layouts that are built in. Of several that share a name, the one whose mark the card bears
/// is taken, else the one that has the name for itself.
pub const CITIES: &[CityRow] = &[
    CityRow { name: "t-union", text: include_str!("city/t-union.toml") },
    CityRow { name: "changan", text: include_str!("city/changan.toml") },
    CityRow { name: "shanghai", text: include_str!("city/shanghai.toml") },
    CityRow { name: "city-union", text: include_str!("city/city-union.toml") },
    CityRow { name: "shenzhen", text: include_str!("city/shenzhen.toml") },
    CityRow { name: "lingnan", text: include_str!("city/lingnan.toml") },
    CityRow { name: "wuhan", text: include_str!("city/wuhan.toml") },
    CityRow { name: "beijing", text: include_str!("city/beijing.toml") },
    CityRow { name: "pboc", text: include_str!("city/pboc.toml") },
    CityRow { name: "unpublished", text: include_str!("city/unpublished.toml") },
];

/// A layout.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CityLayout {
    /// The word for it on command lines: its row's name; empty where it is not built in.
    #[serde(skip)]
    pub word: &'static str,
    /// What people call the card.
    pub name: String,
    /// Where the layout is known from.
    pub source: String,
    /// The public dump that reads by it as its source says. Without one nothing but public code
    /// stands behind it.
    #[serde(default)]
    pub dump: Option<String>,
    /// The application's names, or how they begin.
    #[serde(default)]
    pub aids: Vec<Aid>,
    /// What other cards have a name, too: the mark that tells this one from them.
    #[serde(default, rename = "shared")]
    pub shared: Vec<SharedName>,
    /// How the application is found by file identifier, where it has no name.
    #[serde(default)]
    pub by_file: Option<FileName>,
    /// ISO 4217 number of its currency.
    pub currency: u16,
    /// The file that the FCI repeats (tag 9F0C), should the file itself not be readable.
    #[serde(default)]
    pub fci_file: Option<u8>,
    /// Whether the card tells a certification code (`80CA 00 00 09`).
    #[serde(default)]
    pub certification_code: bool,
    /// What is shown, in order.
    #[serde(default, rename = "field")]
    pub fields: Vec<CityField>,
    /// The words of fields that are codes.
    #[serde(default)]
    pub codes: BTreeMap<String, String>,
    /// The balances that it tells.
    #[serde(default, rename = "balance")]
    pub balances: Vec<CityBalance>,
    /// The log of transactions.
    #[serde(default)]
    pub log: Option<CityLog>,
    /// Further logs of transactions.
    #[serde(default, rename = "more_log")]
    pub more_logs: Vec<CityLog>,
    /// The log of rides, records of 48 bytes.
    #[serde(default)]
    pub travel: Option<CityLog>,
}

/// A name that several layouts have, and the bytes by which one of them is known.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct SharedName {
    /// The application's name, or how it begins.
    pub aid: Aid,
    /// The bytes.
    #[serde(flatten)]
    pub mark: Mark,
}

/// An application that is selected by its file identifier.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileName {
    /// The identifier.
    pub identifier: u16,
    /// Files of the master file by which the card is known: one of them suffices.
    #[serde(rename = "mark")]
    pub marks: Vec<Mark>,
}

/// Bytes in a file.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Mark {
    /// Short file identifier of a binary file.
    pub sfi: u8,
    /// Where in it.
    pub offset: usize,
    /// What stands there.
    #[serde(deserialize_with = "hexadecimal")]
    pub bytes: Vec<u8>,
}

/// A value in a file.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CityField {
    /// What it is.
    pub name: String,
    /// Where its file is.
    #[serde(default)]
    pub home: Home,
    /// Short file identifier: of a binary file, or of a record file where a record is named.
    pub sfi: u8,
    /// The record that holds it.
    #[serde(default)]
    pub record: Option<u8>,
    /// Where in it.
    pub offset: usize,
    /// How long.
    pub length: usize,
    /// How it is written.
    pub kind: FieldKind,
}

/// The directory of a file.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub enum Home {
    /// The purse's own.
    #[default]
    Application,
    /// The master file.
    Master,
    /// Another application of this name.
    Other(Aid),
}

/// How a value is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FieldKind {
    /// The card's own number: BCD digits without the zeros or the filling before them.
    Number,
    /// The card's own number: an integer, the least significant byte first.
    NumberReversed,
    /// BCD digits as they stand.
    Digits,
    /// An integer, the most significant byte first.
    Count,
    /// BCD YYYYMMDD.
    Date,
    /// Bytes.
    Hex,
    /// Bytes that stand for something: the layout's codes say what.
    Code,
    /// ASCII, filled with blanks or zeros.
    Text,
}

/// A balance that GET BALANCE tells.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CityBalance {
    /// What people call it.
    pub name: String,
    /// P2: 1 deposit, 2 purse.
    pub purse: u8,
    /// How it is put together.
    #[serde(default)]
    pub reading: BalanceReading,
}

/// What the parts of a balance (P1) are, where cards differ.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BalanceReading {
    /// P1 00 alone: all that can be spent.
    #[default]
    Whole,
    /// P1 00 as well, and a top bit that some cards set besides (as 800006E0 for 17.60).
    Flagged,
    /// T-Union: 00 what can be spent, 01 how much of it is overdraft; 03 the holder's own money,
    /// 02 what is overdrawn. Cards answer some of them, and both ways lead to the same.
    Parts,
}

/// A log of transactions.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CityLog {
    /// What people call it.
    #[serde(default)]
    pub name: String,
    /// Short file identifier.
    pub sfi: u8,
    /// How many records it keeps.
    pub records: u8,
    /// How its records are written.
    #[serde(default)]
    pub form: LogForm,
}

/// How the 23 bytes of a transaction are written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LogForm {
    /// As PBOC has them: YYYYMMDD, hhmmss.
    #[default]
    Standard,
    /// A short time: the fare before its discount (2 bytes), MMDD, hhmm, a subtype.
    ShortTime,
}

/// The layouts that are built in, read once.
static LAYOUTS: LazyLock<Vec<CityLayout>> = LazyLock::new(|| {
    let built_in = |row: &CityRow| Some(CityLayout { word: row.name, ..CityLayout::parse(row.text).ok()? });
    CITIES.iter().filter_map(built_in).collect()
});

impl CityLayout {
    /// Reads a layout; `Err` says what is wrong and where.
    pub fn parse(text: &str) -> Result<Self, String> {
        let layout: Self = toml::from_str(text).map_err(|cause| cause.to_string())?;
        for field in &layout.fields {
            if field.length == 0 || field.offset + field.length > 256 {
                return Err(format!("field {:?}: expected 1 to 256 bytes within 256", field.name));
            }
        }
        match layout.names().next().is_none() && layout.by_file.is_none() {
            true => Err("expected a name in aids or shared, or by_file".into()),
            false => Ok(layout),
        }
    }

    /// Every layout that is built in.
    pub fn all() -> &'static [Self] {
        &LAYOUTS
    }

    /// The built-in layout of a word.
    pub fn of_word(word: &str) -> Option<&'static Self> {
        Self::all().iter().find(|layout| layout.word == word)
    }

    /// The names by which its application is selected.
    pub fn names(&self) -> impl Iterator<Item = &Aid> {
        self.aids.iter().chain(self.shared.iter().map(|shared| &shared.aid))
    }

    /// The words of a code.
    pub fn words_of(&self, code: &str) -> Option<&str> {
        self.codes.get(code).map(String::as_str)
    }

    /// The field that holds the card's number.
    pub fn number(&self) -> Option<&CityField> {
        self.fields.iter().find(|field| field.kind.is_number())
    }
}

/// Below this a number with a top bit is a flagged balance, and above it one below zero:
/// 10000.00, more than a transit purse may hold.
const FLAG_BOUND_MINOR: i64 = 1_000_000;

impl BalanceReading {
    /// Minor units of a balance of four bytes. Transit cards set the top bit for reasons of their
    /// own, or write what is below zero as two's complement.
    pub fn minor(self, told: u32) -> i64 {
        let signed = i64::from(told as i32);
        match self {
            Self::Whole => told.into(),
            _ if signed < -FLAG_BOUND_MINOR => i64::from(told & 0x7FFF_FFFF),
            _ => signed,
        }
    }
}

impl FieldKind {
    /// Whether it is the card's own number.
    pub const fn is_number(self) -> bool {
        matches!(self, Self::Number | Self::NumberReversed)
    }
}

impl Mark {
    /// Whether a file bears it.
    pub fn is_in(&self, file: &[u8]) -> bool {
        file.get(self.offset..).is_some_and(|rest| rest.starts_with(&self.bytes))
    }
}

fn hexadecimal<'a, D: Deserializer<'a>>(from: D) -> Result<Vec<u8>, D::Error> {
    parse_hex(&String::deserialize(from)?).map_err(D::Error::custom)
}

impl TryFrom<String> for Home {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match text.as_str() {
            "master" => Ok(Self::Master),
            _ => Aid::try_from(text).map(Self::Other),
        }
    }
}

/// Whether an application of this name may be a purse of a known layout.
pub fn is_purse(aid: &Aid) -> bool {
    LAYOUTS.iter().flat_map(CityLayout::names).any(|known| aid.begins_with(known.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn built_in_layouts_make_sense() {
        for row in CITIES {
            let layout = CityLayout::parse(row.text).unwrap_or_else(|error| panic!("{}: {error}", row.name));
            let has_codes = layout.fields.iter().any(|field| field.kind == FieldKind::Code);
            assert_eq!(has_codes, !layout.codes.is_empty(), "{}", row.name);
        }
        assert_eq!(CityLayout::all().len(), CITIES.len());
        for row in CITIES {
            assert!(CityLayout::of_word(row.name).is_some_and(|layout| layout.word == row.name));
        }
    }

    #[test]
    fn what_makes_no_layout_says_why() {
        let error = |text: &str| CityLayout::parse(text).unwrap_err();
        let head = "name = \"x\"\nsource = \"y\"\ncurrency = 156\n";
        assert!(error(head).contains("by_file"));
        let field = |length: usize| {
            let field =
                format!("sfi = 1\noffset = 250\nlength = {length}\nkind = \"hex\"\nname = \"long\"\n");
            format!("{head}aids = [\"F001\"]\n[[field]]\n{field}")
        };
        assert!(error(&field(7)).contains("long"));
        assert!(CityLayout::parse(&field(6)).is_ok());
        assert!(error(&format!("{head}aids = []\ncolour = 1\n")).contains("colour"));
    }

    #[test]
    fn a_top_bit_is_a_flag_or_a_sign() {
        assert_eq!(BalanceReading::Flagged.minor(0x8000_06E0), 1_760);
        assert_eq!(BalanceReading::Flagged.minor(0xFFFF_FF00), -256);
        assert_eq!(BalanceReading::Flagged.minor(0x0000_0F00), 3_840);
        assert_eq!(BalanceReading::Whole.minor(0x8000_0000), 0x8000_0000);
    }
}

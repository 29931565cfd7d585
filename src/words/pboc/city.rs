//! Where a purse card keeps what: a layout for each city or scheme, as data, so that a city is a
//! file and a row.

use crate::words::iso7816::Aid;
use serde::Deserialize;
use std::sync::LazyLock;

/// A layout that is built in.
#[derive(Debug, Clone, Copy)]
pub struct CityRow {
    /// Its name.
    pub name: &'static str,
    /// The TOML text.
    pub text: &'static str,
}

/// The layouts that are built in; the first one whose AID fits is taken.
pub const CITIES: &[CityRow] = &[CityRow { name: "pboc", text: include_str!("city/pboc.toml") }];

/// A layout.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CityLayout {
    /// What people call the card.
    pub name: String,
    /// Where the layout is known from.
    pub source: String,
    /// The application's names, or how they begin.
    pub aids: Vec<Aid>,
    /// ISO 4217 number of its currency.
    pub currency: u16,
    /// What is shown, in order.
    #[serde(default, rename = "field")]
    pub fields: Vec<CityField>,
    /// The balances that it tells.
    #[serde(default, rename = "balance")]
    pub balances: Vec<CityBalance>,
    /// The log of transactions.
    #[serde(default)]
    pub log: Option<CityLog>,
}

/// A value in a file.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CityField {
    /// What it is.
    pub name: String,
    /// Short file identifier of a binary file.
    pub sfi: u8,
    /// Where in it.
    pub offset: usize,
    /// How long.
    pub length: usize,
    /// How it is written.
    pub kind: FieldKind,
}

/// How a value is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FieldKind {
    /// The card's own number: BCD digits without the zeros or the filling before them.
    Number,
    /// BCD digits as they stand.
    Digits,
    /// BCD YYYYMMDD.
    Date,
    /// Bytes.
    Hex,
    /// ASCII, filled with blanks or zeros.
    Text,
}

/// A balance that GET BALANCE tells.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CityBalance {
    /// What people call it.
    pub name: String,
    /// P1.
    pub part: u8,
    /// P2: 1 deposit, 2 purse.
    pub purse: u8,
}

/// A log of transactions in records of 23 bytes.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CityLog {
    /// Short file identifier.
    pub sfi: u8,
    /// How many records it keeps.
    pub records: u8,
}

/// The layouts that are built in, read once.
static LAYOUTS: LazyLock<Vec<CityLayout>> =
    LazyLock::new(|| CITIES.iter().filter_map(|row| CityLayout::parse(row.text).ok()).collect());

impl CityLayout {
    /// Reads a layout; `Err` says what is wrong and where.
    pub fn parse(text: &str) -> Result<Self, String> {
        let layout: Self = toml::from_str(text).map_err(|cause| cause.to_string())?;
        for field in &layout.fields {
            if field.length == 0 || field.offset + field.length > 256 {
                return Err(format!("field {:?}: expected 1 to 256 bytes within 256", field.name));
            }
        }
        match layout.aids.is_empty() {
            true => Err("expected at least one AID".into()),
            false => Ok(layout),
        }
    }

    /// Every layout that is built in.
    pub fn all() -> &'static [Self] {
        &LAYOUTS
    }
}

/// The layout of an application's name.
pub fn layout_of(aid: &Aid) -> Option<&'static CityLayout> {
    let fits = |layout: &&CityLayout| layout.aids.iter().any(|known| aid.begins_with(known.as_bytes()));
    LAYOUTS.iter().find(fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn built_in_layouts_make_sense() {
        for row in CITIES {
            CityLayout::parse(row.text).unwrap_or_else(|error| panic!("{}: {error}", row.name));
        }
        assert_eq!(CityLayout::all().len(), CITIES.len());
    }
}

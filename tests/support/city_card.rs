//! A transit card of which no more is known than what it answered: the cards of `tests/cities`.

use cardwright::air::link::{Activation, Card, Interface, LinkError};
use cardwright::base::bytes::parse_hex;
use cardwright::base::context::Context;
use cardwright::base::event::Discard;
use cardwright::observers::report::card_facts_text;
use cardwright::roles::terminal::purse::PurseFacts;
use cardwright::roles::terminal::{CardFacts, Depth, TerminalConfig, read};
use cardwright::words::iso7816::{CommandApdu, ResponseApdu, StatusWord};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// A file of `tests/cities`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CityCards {
    #[serde(rename = "card")]
    pub(crate) cards: Vec<CityCard>,
}

/// A card, and what its source says that it is.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CityCard {
    pub(crate) name: String,
    /// Where its bytes are from; `made` where they are ours.
    pub(crate) source: String,
    /// What the report says of it; blanks count once.
    pub(crate) says: Vec<String>,
    /// What is the holder's own, minor units.
    pub(crate) own_minor: i64,
    #[serde(rename = "directory")]
    pub(crate) directories: Vec<Directory>,
    #[serde(skip)]
    selected: Option<usize>,
    #[serde(skip, default = "activation")]
    activation: Activation,
}

/// The master file, or an application.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Directory {
    /// `3F00`, a file identifier, or a name.
    pub(crate) select: Hexadecimal,
    #[serde(default)]
    pub(crate) fci: Hexadecimal,
    /// By short file identifier.
    #[serde(default)]
    pub(crate) binary: BTreeMap<String, Hexadecimal>,
    #[serde(default)]
    pub(crate) records: BTreeMap<String, Vec<Hexadecimal>>,
    /// By P1 and P2.
    #[serde(default)]
    pub(crate) balance: BTreeMap<String, Hexadecimal>,
}

/// Bytes in a file of cards.
#[derive(Clone, Default, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Hexadecimal(pub(crate) Vec<u8>);

impl TryFrom<String> for Hexadecimal {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        parse_hex(&text).map(Self).map_err(|error| format!("{text}: {error}"))
    }
}

fn activation() -> Activation {
    let atr = vec![0x3B, 0x80, 0x80, 0x01, 0x01];
    Activation { interface: Interface::Contactless, atr, place: "a dump".into(), real: false }
}

/// Every card of the folder, with its file's name.
pub(crate) fn all() -> Result<Vec<(String, CityCard)>, String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cities");
    let mut cards = Vec::new();
    let mut paths: Vec<_> = fs::read_dir(&folder)
        .map_err(|error| format!("{}: {error}", folder.display()))?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .collect();
    paths.sort();
    for path in paths {
        let text = fs::read_to_string(&path).map_err(|error| error.to_string())?;
        let file: CityCards =
            toml::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))?;
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        cards.extend(file.cards.into_iter().map(|card| (name.clone(), card)));
    }
    Ok(cards)
}

impl CityCard {
    /// What a terminal reads.
    pub(crate) fn facts(&mut self) -> Result<CardFacts, String> {
        let mut context = Context::simulated(1, Discard);
        read(self, &TerminalConfig::default(), Depth::Quick, &mut context).map_err(|error| error.to_string())
    }

    /// The card's purse.
    pub(crate) fn purse(&mut self) -> Result<PurseFacts, String> {
        self.facts()?.purses.into_iter().next().ok_or_else(|| "no purse was found".into())
    }

    /// The report, unmasked, every run of blanks as one.
    pub(crate) fn report(&mut self) -> Result<String, String> {
        let text = card_facts_text(&self.facts()?, true);
        Ok(text.split_whitespace().collect::<Vec<_>>().join(" "))
    }

    fn select(&mut self, apdu: &CommandApdu) -> ResponseApdu {
        let wanted = |directory: &Directory| match apdu.p1 {
            0x04 => directory.select.0 == apdu.data,
            _ => directory.select.0.len() == 2 && directory.select.0 == apdu.data,
        };
        match self.directories.iter().position(wanted) {
            Some(at) => {
                self.selected = Some(at);
                ResponseApdu::ok(self.directories[at].fci.0.as_slice())
            }
            None => refused(StatusWord::FILE_NOT_FOUND),
        }
    }
}

fn refused(status: StatusWord) -> ResponseApdu {
    ResponseApdu { data: Vec::new(), status }
}

impl Card for CityCard {
    fn activation(&self) -> &Activation {
        &self.activation
    }

    fn transmit(&mut self, apdu: &CommandApdu, _: &mut Context) -> Result<ResponseApdu, LinkError> {
        if apdu.ins == 0xA4 {
            return Ok(self.select(apdu));
        }
        let Some(here) = self.selected.map(|at| &self.directories[at]) else {
            return Ok(refused(StatusWord::FILE_NOT_FOUND));
        };
        let sfi = |number: u8| format!("{number:02X}");
        Ok(match (apdu.cla, apdu.ins) {
            (0x00, 0xB0) => match here.binary.get(&sfi(apdu.p1 & 0x1F)) {
                Some(file) => ResponseApdu::ok(file.0.as_slice()),
                None => refused(StatusWord::FILE_NOT_FOUND),
            },
            (0x00, 0xB2) => match here.records.get(&sfi(apdu.p2 >> 3)) {
                Some(records) => match records.get(usize::from(apdu.p1).wrapping_sub(1)) {
                    Some(record) => ResponseApdu::ok(record.0.as_slice()),
                    None => refused(StatusWord::RECORD_NOT_FOUND),
                },
                None => refused(StatusWord::FILE_NOT_FOUND),
            },
            (0x80, 0x5C) => match here.balance.get(&format!("{:02X}{:02X}", apdu.p1, apdu.p2)) {
                Some(balance) => ResponseApdu::ok(balance.0.as_slice()),
                None => refused(StatusWord::WRONG_P1P2),
            },
            _ => refused(StatusWord::INS_NOT_SUPPORTED),
        })
    }

    fn reset(&mut self, _: &mut Context) -> Result<(), LinkError> {
        self.selected = None;
        Ok(())
    }
}

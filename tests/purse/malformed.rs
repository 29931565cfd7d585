//! Malformed transit cards: every fault of a table on every card of `tests/cities`, and random bytes
//! in every file. What is readable is shown, what is not is named, and nothing is made up.

use crate::city_card::{self, CityCard, Hexadecimal};
use cardwright::roles::terminal::Fact;
use cardwright::roles::terminal::purse::PurseFacts;
use cardwright::words::pboc::{CityField, CityLayout, FieldKind, Home};

/// A fault: its name, what it does to a card, and what the report then says. `None` where it does not
/// apply to the card.
type Row = (&'static str, fn(&mut CityCard) -> Option<String>);

const FAULTS: &[Row] = &[
    ("no public file and no copy of it", |card| {
        let (field, layout) = (number(card)?, layout(card)?);
        remove(card, &field)?;
        own(card).fci = Hexadecimal::default();
        Some(match layout.fci_file {
            Some(_) => "answered 6A82 (file or application not found), and the FCI has no copy".into(),
            None => format!("READ BINARY of file {:02X} answered 6A82", field.sfi),
        })
    }),
    ("an FCI that is no TLV", |card| {
        let field = number(card)?;
        let is_given = file(card, &field).is_some();
        own(card).fci = Hexadecimal(vec![0x6F, 0x7F, 0x84]);
        (!is_given).then(|| "the FCI has no copy".into())
    }),
    ("a file that ends in the number", |card| {
        let field = number(card)?;
        let end = field.offset + field.length - 1;
        make(card, &field)?.truncate(end);
        Some(format!("offset {}: expected {} bytes, the file has {end}", field.offset, field.length))
    }),
    ("a file that ends in a date", |card| {
        let field = date(card)?;
        let end = field.offset + 1;
        make(card, &field)?.truncate(end);
        Some(format!("offset {}: expected 4 bytes, the file has {end}", field.offset))
    }),
    ("an empty file", |card| {
        let field = date(card)?;
        make(card, &field)?.clear();
        Some("expected 4 bytes, the file has 0".into())
    }),
    ("a number that is not decimal", |card| {
        let field = number(card).filter(|field| field.kind == FieldKind::Number)?;
        make(card, &field)?[field.offset + 2] = 0x1B;
        Some(format!("offset {}: expected decimal digits, found B at digit 6", field.offset))
    }),
    ("a number of zeros", |card| {
        let field = number(card)?;
        make(card, &field)?[field.offset..][..field.length].fill(0);
        Some(format!("offset {}: expected 4 to 20 digits", field.offset))
    }),
    ("a day that no month has", |card| {
        let field = date(card)?;
        make(card, &field)?[field.offset..][..4].copy_from_slice(&[0x20, 0x23, 0x02, 0x30]);
        Some(format!("offset {}: expected a date YYYYMMDD, found 20230230", field.offset))
    }),
    ("a date that is not decimal", |card| {
        let field = date(card)?;
        make(card, &field)?[field.offset..][..4].copy_from_slice(&[0x20, 0x2F, 0x02, 0x01]);
        Some("expected a date YYYYMMDD, found 202F0201".into())
    }),
    ("a short record", |card| {
        record(card)?.truncate(22);
        Some("record 1 of file 18: expected 23 bytes, found 22".into())
    }),
    ("a long record", |card| {
        record(card)?.push(1);
        Some("record 1 of file 18: expected 23 bytes, found 24".into())
    }),
    ("a record of another day than months have", |card| {
        record(card)?[18] = 0x13;
        Some("record 1 of file 18, offset 16: expected a date and time".into())
    }),
    ("a record of another hour than days have", |card| {
        record(card)?[20] = 0x25;
        Some("record 1 of file 18, offset 16: expected a date and time".into())
    }),
    ("a ride of the wrong length", |card| {
        own(card).records.get_mut("1E")?.first_mut()?.0.truncate(47);
        Some("record 1 of file 1E: expected 48 bytes, found 47".into())
    }),
    ("a ride on no day", |card| {
        own(card).records.get_mut("1E")?.first_mut()?.0[27] = 0x13;
        Some("record 1 of file 1E, offset 25: expected a date and time".into())
    }),
    ("no log", |card| {
        layout(card)?;
        own(card).records.remove("18")?;
        Some("READ RECORD of file 18 answered 6A82".into())
    }),
    ("a balance of three bytes", |card| {
        own(card).balance.get_mut("0002")?.0.truncate(3);
        Some("GET BALANCE".into())
    }),
    ("no balance", |card| {
        own(card).balance.clear();
        Some("GET BALANCE answered 6A86".into())
    }),
];

#[test]
fn every_fault_on_every_card_is_named_and_the_rest_is_shown() {
    let mut played = 0;
    for (name, fault) in FAULTS {
        let mut applied = 0;
        for (_, card) in city_card::all().unwrap() {
            let mut bad = card.clone();
            let Some(words) = fault(&mut bad) else { continue };
            applied += 1;
            let report = bad.report().unwrap();
            let of = format!("{name} on {}", card.name);
            assert!(report.contains(&words), "{of}: expected {words:?}, found {report}");
            nothing_new(&card.clone().purse().unwrap(), &bad.purse().unwrap(), &of);
        }
        assert!(applied > 0, "{name} applies to no card");
        played += applied;
    }
    assert!(played > 100, "only {played} were played");
}

/// Each value of the malformed card is one of the good one, or absent with its reason.
fn nothing_new(good: &PurseFacts, bad: &PurseFacts, of: &str) {
    let same = |what: &str, good: &dyn Shown, bad: &dyn Shown| {
        assert!(bad.absent() || good.shown() == bad.shown(), "{of}: {what} is made up: {}", bad.shown());
    };
    same("number", &good.number, &bad.number);
    for ((name, before), (_, after)) in good.fields.iter().zip(&bad.fields) {
        same(name, before, after);
    }
    for (before, after) in good.balances.iter().zip(&bad.balances) {
        same("balance", &before.balance, &after.balance);
    }
}

/// What is compared: facts of any kind.
trait Shown {
    fn absent(&self) -> bool;
    fn shown(&self) -> String;
}

impl<T: std::fmt::Debug> Shown for Fact<T> {
    fn absent(&self) -> bool {
        matches!(self, Self::Absent(_))
    }

    fn shown(&self) -> String {
        format!("{:?}", self.known())
    }
}

/// A small generator: the same bytes for the same seed.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 33
    }

    fn bytes(&mut self, most: u64) -> Vec<u8> {
        let length = self.next() % (most + 1);
        (0..length).map(|_| self.next() as u8).collect()
    }
}

#[test]
fn random_bytes_in_every_file_are_read_to_the_end() {
    let mut random = Random(7);
    let mut known = 0;
    for (_, card) in city_card::all().unwrap() {
        for _ in 0..25 {
            let mut bad = card.clone();
            for directory in &mut bad.directories {
                if random.next().is_multiple_of(2) {
                    directory.fci.0 = random.bytes(64);
                }
                directory.binary.values_mut().for_each(|file| file.0 = random.bytes(80));
                directory.balance.values_mut().for_each(|balance| balance.0 = random.bytes(5));
                let records = directory.records.values_mut().flatten();
                records.for_each(|record| record.0 = random.bytes(50));
            }
            // A name in the FCI may be anybody's: then there is another application, and no purse.
            if let Ok(purse) = bad.purse() {
                known += usize::from(purse.number.known().is_some());
                for (name, field) in &purse.fields {
                    let is_date = name.starts_with("valid");
                    let shown = field.known().map_or(10, String::len);
                    assert!(!is_date || shown == 10, "{name}: {field:?}");
                }
            }
            bad.report().unwrap();
        }
    }
    assert!(known > 0, "no number was ever read: the bytes reach nothing");
}

fn layout(card: &CityCard) -> Option<&'static CityLayout> {
    let name = card.clone().purse().ok()?.name;
    CityLayout::all().iter().find(|layout| layout.name == name)
}

fn number(card: &CityCard) -> Option<CityField> {
    layout(card)?.number().cloned()
}

fn date(card: &CityCard) -> Option<CityField> {
    layout(card)?.fields.iter().find(|field| field.kind == FieldKind::Date).cloned()
}

/// The directory with the purse: the last one.
fn own(card: &mut CityCard) -> &mut city_card::Directory {
    card.directories.last_mut().unwrap()
}

fn home<'a>(card: &'a mut CityCard, field: &CityField) -> Option<&'a mut city_card::Directory> {
    let select = match &field.home {
        Home::Application => return Some(own(card)),
        Home::Master => vec![0x3F, 0x00],
        Home::Other(aid) => aid.as_bytes().to_vec(),
    };
    card.directories.iter_mut().find(|directory| directory.select.0 == select)
}

fn file<'a>(card: &'a mut CityCard, field: &CityField) -> Option<&'a mut Vec<u8>> {
    let name = format!("{:02X}", field.sfi);
    home(card, field)?.binary.get_mut(&name).map(|file| &mut file.0)
}

fn remove(card: &mut CityCard, field: &CityField) -> Option<()> {
    // A card that is known by a mark in the file is none without it.
    let is_marked = layout(card)?.by_file.is_some() || card.name == "changan" || card.name == "shanghai";
    home(card, field)?.binary.remove(&format!("{:02X}", field.sfi));
    (!is_marked).then_some(())
}

/// The file of a field; where the card had it in the FCI alone, a file like that.
fn make<'a>(card: &'a mut CityCard, field: &CityField) -> Option<&'a mut Vec<u8>> {
    if file(card, field).is_none() {
        let fci = &own(card).fci.0;
        let at = fci.windows(2).position(|pair| pair == [0x9F, 0x0C])?;
        let copy = fci[at + 3..][..usize::from(fci[at + 2])].to_vec();
        home(card, field)?.binary.insert(format!("{:02X}", field.sfi), Hexadecimal(copy));
    }
    // What its mark is made of stays.
    let is_marked = layout(card)?.by_file.is_some();
    file(card, field).filter(|_| !is_marked)
}

fn record(card: &mut CityCard) -> Option<&mut Vec<u8>> {
    let record = own(card).records.get_mut("18")?.first_mut()?;
    (record.0.len() == 23 && record.0.iter().any(|byte| *byte != 0)).then_some(&mut record.0)
}

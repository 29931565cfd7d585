//! Every status word of every purse command: `status_words.toml`, against card and module. Which
//! there are is read from the source of the module that answers (`reachable.rs`).

use super::reachable::reachable;
use cardwright::air::link::{Endpoint, Interface};
use cardwright::base::bytes::{Hex, parse_hex};
use cardwright::base::context::Context;
use cardwright::base::crypto::tdes_encrypt_block;
use cardwright::base::event::Discard;
use cardwright::roles::bureau::KeySet;
use cardwright::roles::card::{Profile, Simulator};
use cardwright::words::pboc::command::COMMANDS;
use cardwright::words::pboc::purse::{
    OverdraftTerms, PurseId, PurseTerms, PurseTransactionType, maintenance_mac, online_session_key,
    purchase_session_key, reload_pin_mac,
};
use cardwright::words::pboc::{PurseKeyKind, PurseKeys, application_serial};
use cardwright::world::{NewCard, new_card_memory, order_for};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    row: Vec<Row>,
    never: Vec<Never>,
}

/// A status word that a command's module has and this command cannot come to.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Never {
    command: String,
    status: Vec<String>,
    why: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    command: String,
    #[serde(default = "eped")]
    card: String,
    /// Lines of the profile's `[application.purse]` or `[application.sam]` in place of its own, or of
    /// a file: `0x17: read = "pin"`.
    #[serde(default)]
    profile: Vec<String>,
    #[serde(default)]
    before: Vec<String>,
    status: BTreeMap<String, Vec<String>>,
}

/// What a memory that fails would answer: none here does.
const MEMORY_FAILURE: &str = "6581";
/// Steps before another that cost a try.
const WRONG: &[&str] = &["0020000003000000", "0082000108 0000000000000000 challenge", "8072000004 00000000"];

fn eped() -> String {
    "eped".into()
}

/// A card whose application is selected.
struct Bench {
    card: Simulator,
    keys: PurseKeys,
    /// What the last command was that began a transaction, and its answer.
    begun: (Vec<u8>, Vec<u8>),
    context: Context,
}

/// The text of a profile with lines of its purse or module changed.
fn profile(name: &str, changes: &[String]) -> Profile {
    let mut text = Profile::text_of(name).unwrap().to_owned();
    for line in changes {
        if let Some((file, access)) = line.split_once(": ") {
            // Another access right of a file.
            let key = access.split('=').next().unwrap();
            let (head, tail) = text.split_once(&format!("sfi = {file}\n")).unwrap();
            let own = tail.lines().find(|own| own.starts_with(key)).unwrap();
            text = format!("{head}sfi = {file}\n{}", tail.replacen(own, access, 1));
            continue;
        }
        let key = line.split('=').next().unwrap();
        let kept = text.lines().filter(|own| !own.starts_with(key)).collect::<Vec<_>>().join("\n");
        let head = if name == "psam" { "[application.sam]\n" } else { "[application.purse]\n" };
        assert!(kept.contains(head));
        text = kept.replace(head, &format!("{head}{line}\n"));
    }
    Profile::parse(&text).unwrap()
}

impl Bench {
    fn new(row: &Row) -> Self {
        let mut context = Context::simulated(5, Discard);
        let mut card = NewCard::without_accounts(profile(&row.card, &row.profile));
        card.balance_minor = 10_000;
        let order = order_for(&card, &mut context).unwrap();
        let keys = KeySet::test_purses().diversify(application_serial(&order.pan));
        let mut simulator = Simulator::in_memory(new_card_memory(&card.profile, &order).unwrap());
        simulator.power_on(Interface::Contact, &mut context);
        let mut bench = Self { card: simulator, keys, begun: Default::default(), context };
        let file = match row.card.as_str() {
            "psam" => "00A40000028011",
            "t-union" => "00A4040008A000000632010105",
            "city-union" => "00A4040009A00000000386980701",
            _ => "00A40000021001",
        };
        assert_eq!(bench.step(file), "9000");
        bench
    }

    fn send(&mut self, bytes: &[u8]) -> Vec<u8> {
        self.card.process(bytes, &mut self.context).unwrap()
    }

    fn challenge(&mut self) -> [u8; 8] {
        let answer = self.send(&[0x00, 0x84, 0x00, 0x00, 0x08]);
        answer[..8].try_into().unwrap()
    }

    /// Sends a step; the status word of its answer.
    fn step(&mut self, step: &str) -> String {
        let bytes = if step == "pin" {
            parse_hex("0020000003123456").unwrap()
        } else if step == "key" {
            let challenge = self.challenge();
            let proof = tdes_encrypt_block(self.keys.of(PurseKeyKind::Authentication).expose(), challenge);
            [&[0x00, 0x82, 0x00, 0x01, 0x08][..], &proof].concat()
        } else if let Some(command) = step.strip_prefix("mac ") {
            let command = parse_hex(command).unwrap();
            let challenge = self.challenge();
            let mac = maintenance_mac(self.keys.of(PurseKeyKind::Maintenance).expose(), challenge, &command);
            [&command[..], &mac].concat()
        } else if let Some(command) = step.strip_prefix("proof ") {
            let command = parse_hex(command).unwrap();
            [&command[..], &self.proof(&command)].concat()
        } else if let Some(command) = step.strip_prefix("reload ") {
            let command = parse_hex(command).unwrap();
            let mac = reload_pin_mac(self.keys.of(PurseKeyKind::ReloadPin).expose(), &command[5..]);
            [&command[..], &mac].concat()
        } else if let Some(command) = step.strip_suffix(" challenge") {
            self.challenge();
            parse_hex(command).unwrap()
        } else {
            parse_hex(step).unwrap()
        };
        let answer = self.send(&bytes);
        if matches!(bytes[..2], [0x80, 0x50 | 0x70]) {
            self.begun = (bytes, answer.clone());
        }
        Hex(&answer[answer.len() - 2..]).to_string()
    }

    /// The right MAC2, or MAC1 of a security module, for what was begun.
    fn proof(&self, command: &[u8]) -> [u8; 4] {
        let (begun, answer) = &self.begun;
        let array = |bytes: &[u8], at: usize| bytes[at..at + 4].try_into().unwrap();
        let key = |kind| *self.keys.of(kind).expose();
        if begun[1] == 0x70 {
            // The module's card is another one, of the number in the command.
            let keys = KeySet::test_purses().diversify(begun[25..33].try_into().unwrap());
            let (random, offline) = (array(begun, 5), u16::from_be_bytes([begun[9], begun[10]]));
            let card_key = keys.of(PurseKeyKind::Purchase);
            let sequence = u32::from_be_bytes(array(answer, 0));
            let session = purchase_session_key(card_key.expose(), random, offline, sequence);
            let amount_minor = u32::from_be_bytes(array(begun, 11));
            let kind = PurseTransactionType(begun[15]);
            let terms = PurseTerms { amount_minor, kind, terminal: [0; 6], date: [0; 4], time: [0; 3] };
            return terms.purchase_mac2(&session);
        }
        let counter = u16::from_be_bytes([answer[4], answer[5]]);
        if begun[2] == 4 {
            let terms = OverdraftTerms {
                old_limit: [0; 3],
                new_limit: command[5..8].try_into().unwrap(),
                terminal: begun[6..12].try_into().unwrap(),
                date: array(command, 8),
                time: command[12..15].try_into().unwrap(),
            };
            return terms.mac2(&online_session_key(
                &key(PurseKeyKind::Overdraft),
                array(answer, 11),
                counter,
            ));
        }
        let purse = PurseId(begun[3]);
        let (kind, at) = match begun[2] {
            0 => (purse.load(), 5),
            5 => (PurseTransactionType::UNLOAD, 5),
            1 => (purse.purchase(), 9),
            2 => (PurseTransactionType::CASH_WITHDRAWAL, 9),
            _ => (PurseTransactionType::COMPOUND_PURCHASE, 9),
        };
        let terms = PurseTerms {
            amount_minor: u32::from_be_bytes(array(begun, 6)),
            kind,
            terminal: begun[10..16].try_into().unwrap(),
            date: array(command, at),
            time: command[at + 4..at + 7].try_into().unwrap(),
        };
        if kind.is_purchase() {
            let (random, sequence) = (array(answer, 11), u32::from_be_bytes(array(command, 5)));
            let session = purchase_session_key(&key(PurseKeyKind::Purchase), random, counter, sequence);
            return terms.purchase_mac1(&session, None);
        }
        let of = if kind.is_load() { PurseKeyKind::Load } else { PurseKeyKind::Unload };
        terms.load_mac2(&online_session_key(&key(of), array(answer, 8), counter))
    }
}

fn table() -> Table {
    toml::from_str(include_str!("status_words.toml")).unwrap()
}

#[test]
fn every_row_holds() {
    let mut wrong = Vec::new();
    for row in table().row {
        for (expected, steps) in &row.status {
            for step in steps {
                let mut bench = Bench::new(&row);
                for before in &row.before {
                    let found = bench.step(before);
                    let is_wrong = WRONG.contains(&before.as_str());
                    assert!(found == "9000" || is_wrong, "{}: {before}: {found}", row.command);
                }
                let found = bench.step(step);
                if found != *expected {
                    wrong.push(format!("{} {step}: expected {expected}, found {found}", row.command));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_status_word_that_a_module_has_is_a_row_of_its_command() {
    let (table, reachable) = (table(), reachable());
    let family = |status: &str| match &status[..2] {
        "63" => "63Cx".to_owned(),
        "6C" => "6Cxx".to_owned(),
        _ => status.to_owned(),
    };
    let mut rows: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for row in &table.row {
        let command = row.command.trim_end_matches(" (purse)");
        rows.entry(command).or_default().extend(row.status.keys().map(|status| family(status)));
    }
    let mut wrong = Vec::new();
    for (command, words) in &reachable {
        let found = rows.get(command.as_str()).cloned().unwrap_or_default();
        let never = table.never.iter().filter(|never| never.command == *command);
        let never: BTreeSet<&String> = never.flat_map(|never| &never.status).collect();
        for status in words.iter().filter(|status| *status != MEMORY_FAILURE) {
            if !found.contains(status) && !never.contains(status) {
                wrong.push(format!("{command}: {status} has no row"));
            }
        }
        wrong.extend(
            never.iter().filter(|status| !words.contains(**status) || found.contains(**status)).map(
                |status| {
                    format!(
                        "{command}: {status} is said never to come, and is not in its module or has a row"
                    )
                },
            ),
        );
    }
    for never in &table.never {
        assert!(reachable.contains_key(&never.command) && !never.why.is_empty(), "{}", never.command);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    // Those of electronic cash.
    let of_bank_cards = ["PUT DATA", "READ CAPP DATA", "UPDATE CAPP DATA", "APPEND RECORD", "GET CAPP PROVE"];
    for row in COMMANDS.iter().filter(|row| !of_bank_cards.contains(&row.name)) {
        let name = row.name.trim_end_matches(" (purse)");
        assert!(rows.contains_key(name) && reachable.contains_key(name), "{name} has no row");
    }
}

//! Every status word of every purse command: `status_words.toml`, against card and module.

use cardwright::air::link::{Endpoint, Interface};
use cardwright::base::bytes::{Hex, parse_hex};
use cardwright::base::context::Context;
use cardwright::base::crypto::tdes_encrypt_block;
use cardwright::base::event::Discard;
use cardwright::roles::bureau::KeySet;
use cardwright::roles::card::{Profile, Simulator};
use cardwright::words::pboc::command::COMMANDS;
use cardwright::words::pboc::purse::maintenance_mac;
use cardwright::words::pboc::{PurseKeyKind, PurseKeys, application_serial};
use cardwright::world::{NewCard, new_card_memory, order_for};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    row: Vec<Row>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    command: String,
    #[serde(default = "eped")]
    card: String,
    #[serde(default)]
    before: Vec<String>,
    status: BTreeMap<String, Vec<String>>,
}

const WRONG_PIN: &str = "0020000003000000";

fn eped() -> String {
    "eped".into()
}

/// A card whose application is selected.
struct Bench {
    card: Simulator,
    keys: PurseKeys,
    context: Context,
}

impl Bench {
    fn new(profile: &str) -> Self {
        let mut context = Context::simulated(5, Discard);
        let mut card = NewCard::without_accounts(Profile::named(profile).unwrap());
        card.balance_minor = 10_000;
        let order = order_for(&card, &mut context).unwrap();
        let keys = KeySet::test_purses().diversify(application_serial(&order.pan));
        let mut card = Simulator::in_memory(new_card_memory(&card.profile, &order).unwrap());
        card.power_on(Interface::Contact, &mut context);
        let mut bench = Self { card, keys, context };
        let file = match profile {
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
        } else if let Some(command) = step.strip_suffix(" challenge") {
            self.challenge();
            parse_hex(command).unwrap()
        } else {
            parse_hex(step).unwrap()
        };
        let answer = self.send(&bytes);
        Hex(&answer[answer.len() - 2..]).to_string()
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
                let mut bench = Bench::new(&row.card);
                for before in &row.before {
                    let found = bench.step(before);
                    let is_wrong_pin = before == WRONG_PIN && found.starts_with("63C");
                    assert!(found == "9000" || is_wrong_pin, "{}: {before}: {found}", row.command);
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
fn every_command_has_rows() {
    // Those of electronic cash.
    let of_bank_cards = ["PUT DATA", "READ CAPP DATA", "UPDATE CAPP DATA", "APPEND RECORD", "GET CAPP PROVE"];
    let named: BTreeSet<String> = table().row.into_iter().map(|row| row.command).collect();
    for row in COMMANDS.iter().filter(|row| !of_bank_cards.contains(&row.name)) {
        assert!(named.contains(row.name), "{} has no row in status_words.toml", row.name);
    }
}

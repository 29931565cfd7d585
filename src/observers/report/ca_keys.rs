//! CA public keys as terminals are given them: key sheet, CSV, TOML, proxmark's
//! `capk.txt`, JSON.

use super::shared::columns::Columns;
use crate::base::bytes::Hex;
use crate::words::emv::certificate::{CaPublicKey, CaPublicKeys, Suite};
use serde_json::{Value, json};
use std::fmt::Write;

/// The format's name.
pub(super) const NAME: &str = "ca_keys";

/// Hexadecimal digits on a line of a key sheet.
const SHEET_DIGITS: usize = 64;

/// A key sheet, to be read and typed by people.
pub fn ca_keys_text(keys: &CaPublicKeys) -> String {
    let sheets = keys.iter().map(|key| {
        let mut columns = Columns::indented(0);
        columns.row("provider (RID)", Hex(&key.rid));
        columns.row("index", format!("{:02X}", key.index));
        columns.row("algorithm", algorithm(key));
        columns.row("expiry", expiry(key, "none"));
        let digits = Hex(key.key.bytes()).to_string();
        let lines = digits.as_bytes().chunks(SHEET_DIGITS).map(String::from_utf8_lossy);
        for (number, line) in lines.enumerate() {
            let name = match (number, key.key.suite()) {
                (0, Suite::Rsa) => "modulus",
                (0, Suite::Sm2) => "point",
                _ => "",
            };
            columns.row(name, line);
        }
        if !key.key.exponent().is_empty() {
            columns.row("exponent", Hex(key.key.exponent()));
        }
        columns.row("checksum", Hex(&key.checksum()));
        columns.to_string()
    });
    sheets.collect::<Vec<_>>().join("\n")
}

/// A line for each key, below a heading.
pub fn ca_keys_csv(keys: &CaPublicKeys) -> String {
    let mut out = String::from("rid,index,algorithm,bits,expiry,modulus_or_point,exponent,checksum\n");
    for key in keys.iter() {
        // Writing into a text cannot fail.
        let _ = writeln!(
            out,
            "{},{:02X},{},{},{},{},{},{}",
            Hex(&key.rid),
            key.index,
            suite(key),
            bits(key),
            expiry(key, ""),
            Hex(key.key.bytes()),
            Hex(key.key.exponent()),
            Hex(&key.checksum()),
        );
    }
    out
}

/// TOML, as the terminal reads it; the crate `emv` reads its RSA keys, too.
pub fn ca_keys_toml(keys: &CaPublicKeys) -> String {
    let tables = keys.iter().map(|key| {
        let (table, number) = match key.key.suite() {
            Suite::Rsa => ("capk_rsa", "modulus"),
            Suite::Sm2 => ("capk_sm2", "point"),
        };
        let mut out = format!("[[{table}]]\nrid = \"{}\"\nindex = \"{:02X}\"\n", Hex(&key.rid), key.index);
        let mut line = |name: &str, value: &dyn std::fmt::Display| {
            let _ = writeln!(out, "{name} = \"{value}\"");
        };
        line(number, &Hex(key.key.bytes()));
        if !key.key.exponent().is_empty() {
            line("exponent", &Hex(key.key.exponent()));
        }
        if let Some(date) = &key.expiry {
            line("expiry", &Hex(date));
        }
        line("checksum", &Hex(&key.checksum()));
        out
    });
    tables.collect::<Vec<_>>().join("\n")
}

/// Proxmark's `capk.txt`: a line for each RSA key; it has no form for SM2.
pub fn ca_keys_capk(keys: &CaPublicKeys) -> String {
    let mut out = String::new();
    for key in keys.iter().filter(|key| key.key.suite() == Suite::Rsa) {
        let _ = writeln!(
            out,
            "{} {:02x} {} rsa {} {} sha1 {}",
            colons(&key.rid),
            key.index,
            expiry(key, "000000"),
            colons(key.key.exponent()),
            colons(key.key.bytes()),
            colons(&key.checksum()),
        );
    }
    out
}

/// How many keys [`ca_keys_capk`] leaves out.
pub fn keys_without_capk(keys: &CaPublicKeys) -> usize {
    keys.iter().filter(|key| key.key.suite() != Suite::Rsa).count()
}

/// The keys as data.
pub fn ca_keys_json(keys: &CaPublicKeys) -> Value {
    let value = |key: &CaPublicKey| {
        json!({
            "rid": Hex(&key.rid).to_string(),
            "index": format!("{:02X}", key.index),
            "algorithm": suite(key),
            "bits": bits(key),
            "expiry": key.expiry.map(|date| Hex(&date).to_string()),
            "modulus_or_point": Hex(key.key.bytes()).to_string(),
            "exponent": Hex(key.key.exponent()).to_string(),
            "checksum": Hex(&key.checksum()).to_string(),
        })
    };
    keys.iter().map(value).collect()
}

fn algorithm(key: &CaPublicKey) -> String {
    match key.key.suite() {
        Suite::Rsa => format!("RSA, {} bits, SHA-1", bits(key)),
        Suite::Sm2 => "SM2, 256 bits, SM3".into(),
    }
}

fn suite(key: &CaPublicKey) -> &'static str {
    match key.key.suite() {
        Suite::Rsa => "rsa",
        Suite::Sm2 => "sm2",
    }
}

fn bits(key: &CaPublicKey) -> usize {
    match key.key.suite() {
        Suite::Rsa => key.key.bytes().len() * 8,
        Suite::Sm2 => 256,
    }
}

/// YYMMDD, or what stands for no date.
fn expiry(key: &CaPublicKey, none: &str) -> String {
    key.expiry.map_or_else(|| none.to_owned(), |date| Hex(&date).to_string())
}

fn colons(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(":")
}

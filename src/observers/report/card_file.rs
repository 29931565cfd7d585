//! What a card file holds, as its owner may see it; keys and PIN are never told.

use super::shared::columns::Columns;
use super::shared::values::{amount, pan};
use crate::roles::card::CardMemory;
use crate::words::iso4217::{Amount, Currency};
use crate::words::pboc::EcashSet;
use serde_json::{Value, json};

/// The format's name.
pub(super) const NAME: &str = "card_file";

/// A card's memory as text; the PAN is masked unless `unmask` is set.
pub fn card_file_text(memory: &CardMemory, unmask: bool) -> String {
    let mut columns = Columns::indented(0);
    columns.row("profile", format!("{}: {}", memory.profile().name, memory.profile().purpose));
    columns.row("cryptograms", &memory.profile().cryptogram_version);
    match memory.pan() {
        Some(known) => columns.row("PAN", format!("{} ({:02})", pan(&known, unmask), memory.psn())),
        None => columns.row("PAN", "-  (none in its first application)"),
    };
    for balance in balances(memory) {
        columns.row("balance", balance);
    }
    let (payments, loads) = memory.log_lengths();
    columns.row("transactions (ATC)", memory.atc());
    columns.row("PIN tries left", memory.pin_tries_left());
    columns.row("log entries", format!("{payments} transactions, {loads} loads"));
    columns.to_string()
}

/// A card's memory as data; the PAN is masked unless `unmask` is set.
pub fn card_file_json(memory: &CardMemory, unmask: bool) -> Value {
    let (payments, loads) = memory.log_lengths();
    let balances: Vec<Value> = balances(memory).map(amount).collect();
    json!({
        "profile": memory.profile().name,
        "cryptogram_version": memory.profile().cryptogram_version,
        "pan": memory.pan().map(|known| pan(&known, unmask)),
        "psn": memory.psn(),
        "balances": balances,
        "atc": memory.atc(),
        "pin_tries": memory.pin_tries_left(),
        "payments_logged": payments,
        "loads_logged": loads,
    })
}

fn balances(memory: &CardMemory) -> impl Iterator<Item = Amount> + '_ {
    EcashSet::ALL.into_iter().filter_map(|set| {
        let currency = Currency::from_bcd(memory.value(set.currency)?)?;
        Some(Amount::new(memory.balance(set)?, currency))
    })
}

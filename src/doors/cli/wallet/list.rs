//! `cardwright wallet list` and `wallet show`: the phone and its cards.

use super::shared::phone;
use crate::devices::wallet::{Phone, WalletCard};
use crate::doors::cli::shared::command::{Call, Command, Run};
use crate::doors::cli::shared::failure::{Exit, Failure};
use crate::observers::report::{Columns, card_file_json, card_file_text};
use crate::words::iso7816::Effect;
use serde_json::{Value, json};

/// The row of `list`.
pub(super) const LIST: Command = Command {
    name: "list",
    about: "Lists the phone's cards",
    effect: None,
    arguments: phone::wallet_argument,
    run: Run::Alone(list),
};

/// The row of `show`.
pub(super) const SHOW: Command = Command {
    name: "show",
    about: "Shows a card of the phone, without its keys",
    effect: Some(Effect::Reads),
    arguments: show_arguments,
    run: Run::Alone(show),
};

fn show_arguments(line: clap::Command) -> clap::Command {
    phone::wallet_argument(line).arg(phone::card_argument())
}

fn list(call: &mut Call<'_>) -> Result<Exit, Failure> {
    let (mut wallet, _) = phone::open(call)?;
    let (phone, cards) = (wallet.phone()?, wallet.cards()?);
    call.output.say(&format!("phone {}, {}\n", phone.device, phone.unlocked));
    if cards.is_empty() {
        call.output.say("It has no card: cardwright wallet open-ecash --account ID\n");
    }
    let mut columns = Columns::indented(2);
    for card in &cards {
        columns.row(&card.name, line(&phone, card));
    }
    call.output.say(&columns.to_string());
    call.output.tell("phone", phone_json(&phone));
    call.output.tell("cards", Value::Array(cards.iter().map(|card| card_json(&phone, card)).collect()));
    Ok(Exit::Done)
}

fn show(call: &mut Call<'_>) -> Result<Exit, Failure> {
    let (mut wallet, _) = phone::open(call)?;
    let phone = wallet.phone()?;
    let card = wallet.card(call.text("CARD"))?;
    call.output.say(&format!("{}  {}\n", card.name, line(&phone, &card)));
    call.output.tell("card", card_json(&phone, &card));
    if wallet.has_file(&card.name) {
        let simulator = wallet.bare(&card.name)?;
        let memory = simulator.memory();
        call.output.say(&card_file_text(memory, call.switches.unmask));
        call.output.tell("memory", card_file_json(memory, call.switches.unmask));
    }
    Ok(Exit::Done)
}

fn line(phone: &Phone, card: &WalletCard) -> String {
    let mut line = format!("{} ***{}, {}", card.kind.word(), card.last_four, card.state);
    for (chosen, word) in [(&phone.default_card, "default"), (&phone.express_card, "express transit")] {
        if chosen.as_ref() == Some(&card.name) {
            line.push_str(&format!(", {word}"));
        }
    }
    line
}

fn phone_json(phone: &Phone) -> Value {
    json!({
        "device": phone.device,
        "lock": phone.unlocked.word(),
        "tries_left": phone.tries_left,
        "default_card": phone.default_card,
        "express_card": phone.express_card,
    })
}

fn card_json(phone: &Phone, card: &WalletCard) -> Value {
    json!({
        "name": card.name,
        "kind": card.kind.word(),
        "state": card.state.word(),
        "last_four": card.last_four,
        "default": phone.default_card.as_ref() == Some(&card.name),
        "express": phone.express_card.as_ref() == Some(&card.name),
    })
}

//! Runs `tests/cities/*.toml`: each card is a test `city::FILE::NAME`, which reads it and looks for
//! what its source says that it is.

use crate::city_card::{self, CityCard};
use cardwright::words::pboc::CityLayout;
use libtest_mimic::{Failed, Trial};
use std::collections::BTreeSet;

/// A trial for every card, and one for the layouts that say that a dump stands behind them.
pub(crate) fn trials() -> Vec<Trial> {
    let cards = match city_card::all() {
        Ok(cards) => cards,
        Err(why) => return vec![Trial::test("city", move || Err(Failed::from(why)))],
    };
    let all = cards.clone();
    let mut trials: Vec<Trial> = cards
        .into_iter()
        .map(|(file, card)| {
            Trial::test(format!("city::{file}::{}", card.name), move || run(card).map_err(Failed::from))
        })
        .collect();
    trials.push(Trial::test("city::every_layout_has_cards", move || every_layout_has_cards(all)));
    trials
}

fn run(mut card: CityCard) -> Result<(), String> {
    let report = card.report()?;
    for words in &card.says {
        if !report.contains(words.as_str()) {
            return Err(format!("expected {words:?} ({}), found {report}", card.source));
        }
    }
    let own = card.purse()?.balances.first().and_then(|balance| balance.own_minor());
    if own != Some(card.own_minor) {
        return Err(format!("expected {} minor units of the holder's own, found {own:?}", card.own_minor));
    }
    Ok(())
}

/// A layout is checked by a dump, or says that none is known; each has a card at least.
fn every_layout_has_cards(cards: Vec<(String, CityCard)>) -> Result<(), Failed> {
    let mut seen = BTreeSet::new();
    let mut dumped = BTreeSet::new();
    for (_, mut card) in cards {
        let name = card.purse()?.name;
        if card.source != "made" {
            dumped.insert(name.clone());
        }
        seen.insert(name);
    }
    for layout in CityLayout::all().iter().filter(|layout| !layout.fields.is_empty()) {
        let (name, has_dump) = (&layout.name, layout.dump.is_some());
        if layout.aids.iter().any(|aid| aid.as_bytes().starts_with(b"\xF0CWEPED")) {
            continue;
        }
        if !seen.contains(name) || (has_dump && !dumped.contains(name)) {
            return Err(format!("{name}: expected a card of tests/cities, from a dump: {has_dump}").into());
        }
    }
    Ok(())
}

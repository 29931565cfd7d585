//! Where the money was after each step of a story, and that its sum never changes.

use super::teller::Teller;
use crate::doors::cli::shared::failure::Failure;
use crate::observers::report::{position_header, position_json, position_row};
use crate::roles::terminal::Outcome;
use crate::words::iso4217::Currency;
use crate::world::Position;
use serde_json::{Value, json};

/// The steps so far.
#[derive(Default)]
pub(in crate::doors::cli) struct Ledger {
    positions: Vec<(&'static str, Position)>,
    sum: Option<i64>,
}

impl Ledger {
    /// Notes where the money is now; a sum that has changed ends the story.
    pub(in crate::doors::cli) fn note(
        &mut self,
        when: &'static str,
        position: Position,
        teller: &mut Teller<'_, '_>,
    ) -> Result<(), Failure> {
        teller.say(&format!(
            "\n   {}\n   {}\n",
            position_header(position.currency),
            position_row(when, &position)
        ));
        let expected = *self.sum.get_or_insert(position.total_minor());
        self.positions.push((when, position));
        if position.total_minor() != expected {
            return Err(Failure::Invariant(format!(
                "{when}: expected a sum of {expected} minor units, found {}",
                position.total_minor()
            )));
        }
        Ok(())
    }

    /// Tells all of it.
    pub(in crate::doors::cli) fn tell(&self, teller: &mut Teller<'_, '_>) {
        let currency = self.positions.first().map_or(Currency::CNY, |(_, at)| at.currency);
        let mut table = position_header(currency) + "\n";
        for (when, position) in &self.positions {
            table.push_str(&(position_row(when, position) + "\n"));
        }
        teller.evidence(&table);
        teller.say("\n");
        let values: Vec<Value> = self.positions.iter().map(|(when, at)| position_json(when, at)).collect();
        teller.tell("positions", json!(values));
    }
}

/// What must succeed for the story to go on.
pub(in crate::doors::cli) fn succeeded(name: &str, outcome: &Outcome) -> Result<(), Failure> {
    match outcome.verdict.is_success() {
        true => Ok(()),
        false => Err(Failure::Invariant(format!(
            "the {name} of the demo was {}: {}",
            outcome.verdict.word(),
            outcome.reason
        ))),
    }
}

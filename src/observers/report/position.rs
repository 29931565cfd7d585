//! Where the money is, a line for each moment, with its sum.

use super::shared::values::signed;
use crate::world::Position;
use serde_json::{Value, json};

/// The format's name.
pub(super) const NAME: &str = "position";

/// Width of the column that says when.
const WHEN: usize = 28;

/// The line above the rows.
pub fn position_header(currency: impl std::fmt::Display) -> String {
    let when = format!("in {currency}");
    format!("{when:WHEN$}{:>10}{:>10}{:>10}{:>11}{:>10}", "account", "card", "merchant", "in flight", "sum")
}

/// One moment.
pub fn position_row(when: &str, position: &Position) -> String {
    let show = |minor| signed(minor, position.currency);
    format!(
        "{when:WHEN$}{:>10}{:>10}{:>10}{:>11}{:>10}",
        show(position.accounts_minor),
        show(position.card_minor),
        show(position.merchants_minor),
        show(position.in_flight_minor),
        show(position.total_minor()),
    )
}

/// One moment as data, minor units.
pub fn position_json(when: &str, position: &Position) -> Value {
    json!({
        "when": when,
        "currency": position.currency.to_string(),
        "account_minor": position.accounts_minor,
        "card_minor": position.card_minor,
        "merchant_minor": position.merchants_minor,
        "in_flight_minor": position.in_flight_minor,
        "sum_minor": position.total_minor(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::iso4217::Currency;

    #[test]
    fn a_row_stands_under_its_header() {
        let position = Position {
            currency: Currency::CNY,
            accounts_minor: 45_000,
            card_minor: 5_000,
            in_flight_minor: -1_250,
            merchants_minor: 0,
        };
        let (header, row) = (position_header(Currency::CNY), position_row("after the load", &position));
        assert_eq!(header.len(), row.len());
        assert!(row.ends_with("450.00     50.00      0.00     -12.50    487.50"), "{row}");
    }
}

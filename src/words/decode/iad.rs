//! Issuer application data, tag 9F10, in its parts.

use super::{Line, bits, iad_layouts};
use crate::words::emv::CryptogramType;
use crate::words::iso4217::{Amount, Currency};
use crate::words::pboc::{Iad, IddValue};

/// The lines of tag 9F10 that begins at `start`, by PBOC's layout, else by another
/// scheme's; none where no layout fits.
pub(super) fn lines(value: &[u8], start: usize, depth: usize, currency: Option<Currency>) -> Vec<Line> {
    let mut lines = Vec::new();
    // VIS, which has no algorithm identifier, is one of the other layouts.
    let (iad, identifier) = match Iad::parse(value) {
        Ok(iad @ Iad { algorithm: Some(identifier), .. }) => (iad, identifier),
        _ => return iad_layouts::lines(value, start, depth),
    };
    let part = |at: usize, name, value: &[u8], says: String| {
        Line::new(depth, start + at, name).value(value).meaning(says)
    };
    lines.push(part(1, "derivation key index", &[iad.dki], String::new()));
    lines.push(part(2, "cryptogram version number", &[iad.cvn], String::new()));
    let given = |ac: Option<CryptogramType>| ac.map_or("none".to_owned(), |ac| ac.to_string());
    let says = format!(
        "first cryptogram {}, second {}, {} script commands",
        given(iad.cvr.first_cryptogram()),
        given(iad.cvr.second_cryptogram()),
        iad.cvr.script_commands()
    );
    lines.push(part(4, "CVR", &iad.cvr.0, says));
    for (byte, bit, words) in bits::of_cvr(iad.cvr) {
        lines.push(Line::bit(depth + 1, start + 4, byte, bit, words));
    }
    let algorithm = match identifier {
        1 => "triple DES",
        4 => "SM4",
        _ => "",
    };
    lines.push(part(7, "algorithm identifier", &[identifier], algorithm.to_owned()));
    if let Some((discretionary, mac)) = iad.idd {
        let bytes = discretionary.to_bytes();
        let says = discretionary_meaning(discretionary, currency);
        lines.push(part(10, "issuer discretionary data", &bytes, says));
        lines.push(part(10 + bytes.len(), "MAC of the discretionary data", &mac, String::new()));
    }
    lines
}

fn discretionary_meaning(value: IddValue, currency: Option<Currency>) -> String {
    let money = |minor: u64| match currency {
        Some(currency) => Amount::new(minor, currency).to_string(),
        None => format!("{minor} in minor units"),
    };
    match value {
        IddValue::Balance { balance_minor } => format!("balance {}", money(balance_minor)),
        IddValue::CumulativeTotal { total_minor } => format!("cumulative total {}", money(total_minor)),
        IddValue::BalanceAndTotal { balance_minor, total_minor } => {
            format!("balance {}, cumulative total {}", money(balance_minor), money(total_minor))
        }
        IddValue::TotalAndLimit { total_minor, limit_minor } => {
            format!("cumulative total {} of {}", money(total_minor), money(limit_minor))
        }
        IddValue::AvailableSpending { available_minor } => {
            format!("available offline {}", money(available_minor))
        }
    }
}

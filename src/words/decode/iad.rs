//! Issuer application data, tag 9F10, in its parts.

use super::{Line, bits};
use crate::words::emv::cryptogram::{CryptogramVersion, IadLayout};
use crate::words::emv::{CryptogramType, mchip};
use crate::words::iso4217::{Amount, Currency};
use crate::words::pboc::{Iad, IddValue};

/// The lines of tag 9F10 that begins at `start`; none where it has another layout, as
/// other schemes do.
pub(super) fn lines(value: &[u8], start: usize, depth: usize, currency: Option<Currency>) -> Vec<Line> {
    if IadLayout::of(value) == Some(IadLayout::Mchip) {
        return mchip::Iad::parse(value)
            .map_or_else(|_| Vec::new(), |iad| mchip_lines(&iad, start, depth, currency));
    }
    let mut lines = Vec::new();
    let iad = match Iad::parse(value) {
        Ok(iad) => iad,
        Err(_) => return lines,
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
    let algorithm = match iad.algorithm {
        1 => "triple DES",
        4 => "SM4",
        _ => "",
    };
    lines.push(part(7, "algorithm identifier", &[iad.algorithm], algorithm.to_owned()));
    if let Some((discretionary, mac)) = iad.idd {
        let bytes = discretionary.to_bytes();
        let says = discretionary_meaning(discretionary, currency);
        lines.push(part(10, "issuer discretionary data", &bytes, says));
        lines.push(part(10 + bytes.len(), "MAC of the discretionary data", &mac, String::new()));
    }
    lines
}

/// The lines of an M/Chip card's.
fn mchip_lines(iad: &mchip::Iad, start: usize, depth: usize, currency: Option<Currency>) -> Vec<Line> {
    let part = |at: usize, name, value: &[u8], says: String| {
        Line::new(depth, start + at, name).value(value).meaning(says)
    };
    let mut lines = vec![part(0, "key derivation index", &[iad.kdi], String::new())];
    let version = CryptogramVersion::by_iad(&iad.to_bytes()).map_or("", |version| version.name);
    lines.push(part(1, "cryptogram version number", &[iad.cvn], version.to_owned()));
    let given = iad.cvr.given();
    let word = |ac: Option<CryptogramType>| ac.map_or("none".to_owned(), |ac| ac.to_string());
    let [_, _, counts, ..] = iad.cvr.0;
    let says = format!(
        "first cryptogram {}, second {}, {} script commands, {} PIN tries left",
        word(given.first),
        word(given.second),
        counts >> 4,
        counts & 0x0F
    );
    lines.push(part(2, "CVR", &iad.cvr.0, says));
    for (byte, bit, words) in bits::of_mchip_cvr(iad.cvr) {
        lines.push(Line::bit(depth + 1, start + 2, byte, bit, words));
    }
    lines.push(part(8, "DAC or ICC dynamic number", &iad.authentication, String::new()));
    let counters = &iad.to_bytes()[10..];
    let says = match iad.counters {
        Some(counters) => {
            let total = money(counters.cumulative_minor, currency);
            format!("{total} offline in {} transactions", counters.consecutive)
        }
        None => String::new(),
    };
    lines.push(part(10, "offline counters", counters, says));
    lines
}

fn money(minor: u64, currency: Option<Currency>) -> String {
    match currency {
        Some(currency) => Amount::new(minor, currency).to_string(),
        None => format!("{minor} in minor units"),
    }
}

fn discretionary_meaning(value: IddValue, currency: Option<Currency>) -> String {
    let money = |minor| money(minor, currency);
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

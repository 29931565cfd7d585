//! What a card is: every application with what it told, and why the rest is absent.

use super::radio_json;
use super::shared::columns::Columns;
use super::shared::purse::{purse_json, purse_text};
use super::shared::values::{amount, date, entries, fact, fact_text, pan, time, uid};
use crate::base::bytes::Hex;
use crate::roles::terminal::{
    ApplicationFacts, CardFacts, CardKind, EcashFacts, Fact, LoadFact, PaymentFact,
};
use crate::words::decode::aid_name;
use serde_json::{Value, json};
use std::fmt::Write as _;

/// The format's name.
pub(super) const NAME: &str = "card_facts";

/// A card as text; PANs are masked unless `unmask` is set.
pub fn card_facts_text(facts: &CardFacts, unmask: bool) -> String {
    let mut head = Columns::indented(0);
    head.row("card", format!("{}, {}", facts.place, facts.interface));
    head.row("ATR", format!("{:#}", Hex(&facts.atr)));
    if let CardKind::Storage { name } = &facts.kind {
        head.row("type", name);
        head.row("UID", fact_text(&facts.radio, |radio| uid(&radio.uid, unmask)));
    } else if let Fact::Known(radio) = &facts.radio {
        head.row("UID", uid(&radio.uid, unmask));
        if !radio.ats.is_empty() {
            head.row("ATS", format!("{:#}", Hex(&radio.ats)));
        }
    }
    for remark in &facts.remarks {
        head.row("note", remark);
    }
    let mut text = head.to_string();
    for application in &facts.applications {
        text.push('\n');
        text.push_str(&application_text(application, unmask));
    }
    for purse in &facts.purses {
        text.push('\n');
        text.push_str(&purse_text(purse, unmask));
    }
    text
}

/// A card as data; PANs are masked unless `unmask` is set. What the card did not
/// tell is `{"absent": REASON}`.
pub fn card_facts_json(facts: &CardFacts, unmask: bool) -> Value {
    let (kind, storage) = match &facts.kind {
        CardKind::Chip => ("chip", None),
        CardKind::Storage { name } => ("storage", Some(name)),
    };
    let applications: Vec<Value> = facts.applications.iter().map(|a| application_json(a, unmask)).collect();
    json!({
        "place": facts.place,
        "interface": facts.interface.to_string(),
        "atr": Hex(&facts.atr).to_string(),
        "kind": kind,
        "type": storage,
        "radio": fact(&facts.radio, |radio| radio_json(radio, unmask)),
        "applications": applications,
        "purses": facts.purses.iter().map(|purse| purse_json(purse, unmask)).collect::<Vec<_>>(),
        "remarks": facts.remarks,
    })
}

fn application_text(application: &ApplicationFacts, unmask: bool) -> String {
    let name = aid_name(&application.aid).unwrap_or("unnamed application");
    let blocked = if application.blocked { "  BLOCKED" } else { "" };
    let mut text = format!("{name}  {}{blocked}\n", application.aid);
    let mut columns = Columns::indented(2);
    columns.row("label", application.label.as_deref().unwrap_or("-  (none in the FCI)"));
    let sequence = format!(" (sequence number {:02})", application.psn);
    columns.row("PAN", fact_text(&application.pan, |known| pan(known, unmask) + &sequence));
    columns.row("expiry", fact_text(&application.expiry, |known| date(*known)));
    let several = application.ecash.len() > 1;
    for (index, set) in application.ecash.iter().enumerate() {
        ecash_text(&mut columns, set, several.then_some(index));
    }
    columns.row("PIN tries left", fact_text(&application.pin_tries, u8::to_string));
    columns.row("transactions (ATC)", fact_text(&application.atc, u16::to_string));
    columns.row("last online ATC", fact_text(&application.last_online_atc, u16::to_string));
    if let Some(atc) = application.spent_atc {
        columns.row("spent by --full", format!("ATC {atc}"));
    }
    columns.row("transaction log", fact_text(&application.payments, |log| entries(log.len())));
    let _ = write!(text, "{columns}");
    // The log's lines stand under its own row, so the columns are broken here.
    for payment in application.payments.known().into_iter().flatten() {
        let _ = writeln!(text, "    {}", payment_text(payment));
    }
    let loads = fact_text(&application.loads, |log| entries(log.len()));
    let _ = writeln!(text, "  {:18}  {loads}", "load log");
    for load in application.loads.known().into_iter().flatten() {
        let _ = writeln!(text, "    {}", load_text(load));
    }
    text
}

fn ecash_text(columns: &mut Columns, set: &EcashFacts, index: Option<usize>) {
    let which = match index {
        Some(0) => "first currency ",
        Some(_) => "second currency ",
        None => "",
    };
    let show = |fact: &Fact<_>| fact_text(fact, ToString::to_string);
    columns.row(format!("{which}balance"), show(&set.balance));
    if let Some(segments) = &set.segments {
        let words = format!(
            "{}: {} of what is paid in segments may be offset, {} is",
            segments.spendable, segments.limit, segments.used
        );
        columns.row(format!("{which}spendable"), words);
    }
    columns.row(format!("{which}balance limit"), show(&set.balance_limit));
    columns.row(format!("{which}single limit"), show(&set.single_limit));
    columns.row(format!("{which}reset threshold"), show(&set.reset_threshold));
}

fn when(day: Option<[u8; 3]>, hour: Option<[u8; 3]>) -> String {
    let (day, hour) = (day.map(date), hour.map(time));
    format!("{:10} {:8}", day.unwrap_or_default(), hour.unwrap_or_default())
}

fn atc(atc: Option<u16>) -> String {
    atc.map_or_else(String::new, |atc| format!("  ATC {atc}"))
}

fn payment_text(entry: &PaymentFact) -> String {
    let amount = entry.amount.map_or_else(|| "no amount".into(), |amount| amount.to_string());
    let merchant = entry.merchant.as_ref().map_or_else(String::new, |name| format!("  {name}"));
    format!("{}  {amount:>14}{}{merchant}", when(entry.date, entry.time), atc(entry.atc))
}

fn load_text(entry: &LoadFact) -> String {
    let (before, after) = (entry.before, entry.after);
    format!("{}  {before} -> {after}{}", when(entry.date, entry.time), atc(entry.atc))
}

fn application_json(application: &ApplicationFacts, unmask: bool) -> Value {
    let ecash: Vec<Value> = application.ecash.iter().map(ecash_json).collect();
    json!({
        "aid": application.aid.to_string(),
        "name": aid_name(&application.aid),
        "label": application.label,
        "blocked": application.blocked,
        "pan": fact(&application.pan, |known| json!(pan(known, unmask))),
        "psn": application.psn,
        "expiry": fact(&application.expiry, |known| json!(date(*known))),
        "ecash": ecash,
        "pin_tries": fact(&application.pin_tries, |known| json!(known)),
        "atc": fact(&application.atc, |known| json!(known)),
        "last_online_atc": fact(&application.last_online_atc, |known| json!(known)),
        "spent_atc": application.spent_atc,
        "payments": fact(&application.payments, |log| log.iter().map(payment_json).collect()),
        "loads": fact(&application.loads, |log| log.iter().map(load_json).collect()),
    })
}

fn ecash_json(set: &EcashFacts) -> Value {
    json!({
        "currency": set.currency.to_string(),
        "balance": fact(&set.balance, |known| amount(*known)),
        "balance_limit": fact(&set.balance_limit, |known| amount(*known)),
        "single_limit": fact(&set.single_limit, |known| amount(*known)),
        "reset_threshold": fact(&set.reset_threshold, |known| amount(*known)),
        "segments": set.segments.map(|segments| json!({
            "offset_limit": amount(segments.limit),
            "offset_used": amount(segments.used),
            "spendable": amount(segments.spendable),
        })),
    })
}

fn payment_json(entry: &PaymentFact) -> Value {
    json!({
        "date": entry.date.map(date),
        "time": entry.time.map(time),
        "amount": entry.amount.map(amount),
        "merchant": entry.merchant,
        "atc": entry.atc,
    })
}

fn load_json(entry: &LoadFact) -> Value {
    json!({
        "date": entry.date.map(date),
        "time": entry.time.map(time),
        "before": amount(entry.before),
        "after": amount(entry.after),
        "atc": entry.atc,
        "second_currency": entry.second_currency,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::air::link::{Interface, RadioIdentity};
    use crate::words::emv::Pan;
    use crate::words::iso4217::{Amount, Currency};
    use crate::words::iso7816::Aid;

    const DIGITS: &str = "6299991234567890";

    fn facts() -> CardFacts {
        let absent = || "GET DATA 9F17 answered 6A88".to_owned();
        let cash = |minor| Fact::Known(Amount::new(minor, Currency::CNY));
        let application = ApplicationFacts {
            aid: Aid::new([0xA0, 0, 0, 3, 0x33, 1, 1, 6]).unwrap(),
            label: Some("PBOC E-CASH".into()),
            blocked: false,
            pan: Fact::Known(Pan::new(DIGITS).unwrap()),
            psn: 1,
            expiry: Fact::Known([0x35, 0x12, 0x31]),
            pin_tries: Fact::Absent(absent()),
            atc: Fact::Known(2),
            last_online_atc: Fact::Known(1),
            ecash: vec![EcashFacts {
                currency: Currency::CNY,
                balance: cash(3750),
                balance_limit: cash(100_000),
                single_limit: cash(20_000),
                reset_threshold: cash(0),
                segments: None,
            }],
            payments: Fact::Known(Vec::new()),
            loads: Fact::Known(vec![LoadFact {
                date: Some([0x26, 0x11, 0x21]),
                time: Some([0x08, 0, 0]),
                before: Amount::new(0, Currency::CNY),
                after: Amount::new(5000, Currency::CNY),
                atc: Some(1),
                second_currency: false,
            }]),
            log_depths: (Some(10), Some(10)),
            logs_offline: true,
            spent_atc: None,
        };
        CardFacts {
            place: "simulated card ecash".into(),
            interface: Interface::Contact,
            atr: vec![0x3B, 0x00],
            kind: CardKind::Chip,
            radio: Fact::Absent(String::new()),
            applications: vec![application],
            purses: Vec::new(),
            remarks: Vec::new(),
        }
    }

    #[test]
    fn tells_what_is_known_and_why_the_rest_is_not() {
        let text = card_facts_text(&facts(), false);
        for part in [
            "  balance             37.50 CNY\n",
            "  PAN                 629999******7890 (sequence number 01)\n",
            "  PIN tries left      -  (GET DATA 9F17 answered 6A88)\n",
            "  expiry              2035-12-31\n",
            "  transaction log     empty\n",
            "  load log            1 entry\n    2026-11-21 08:00:00  0.00 CNY -> 50.00 CNY  ATC 1\n",
        ] {
            assert!(text.contains(part), "{part}\n{text}");
        }
    }

    #[test]
    fn the_pan_shows_only_when_asked_for() {
        let both =
            |unmask| card_facts_text(&facts(), unmask) + &card_facts_json(&facts(), unmask).to_string();
        assert!(!both(false).contains(DIGITS));
        assert_eq!(both(true).matches(DIGITS).count(), 2);
    }

    #[test]
    fn a_storage_card_has_a_type_and_a_number() {
        let kind = CardKind::Storage { name: "MIFARE Classic 1K".into() };
        let radio = Fact::Known(RadioIdentity { uid: vec![4, 0xA2], ats: Vec::new() });
        let facts = CardFacts { kind, radio, applications: Vec::new(), ..facts() };
        let text = |unmask| card_facts_text(&facts, unmask);
        assert!(text(true).contains("type  MIFARE Classic 1K\nUID   04A2\n"), "{}", text(true));
        assert!(text(false).contains("UID   04**\n"), "{}", text(false));
        assert_eq!(card_facts_json(&facts, false)["radio"]["uid"], "04**");
        assert_eq!(card_facts_json(&facts, false)["type"], "MIFARE Classic 1K");
    }
}

//! Readers and cards as they come and go: a line for each.

use super::shared::values::uid;
use crate::air::link::{RadioIdentity, Seen, Sighting};
use crate::base::bytes::Hex;
use crate::base::env::Timestamp;
use serde_json::{Value, json};

/// The format's name.
pub(super) const NAME: &str = "sighting";

/// What was seen, as a line.
pub fn sighting_text(
    at: Timestamp,
    sighting: &Sighting,
    radio: Option<&RadioIdentity>,
    unmask: bool,
) -> String {
    let what = match &sighting.seen {
        Seen::Reader => "reader is there".into(),
        Seen::ReaderGone => "reader has gone".into(),
        Seen::Card { atr } if atr.is_empty() => "card, which does not answer to reset".into(),
        Seen::Card { atr } => {
            format!(
                "card, ATR {:#}{}",
                Hex(atr),
                radio.map_or_else(String::new, |radio| radio_text(radio, unmask))
            )
        }
        Seen::CardGone => "card has gone".into(),
    };
    format!("{at}  {}  {what}\n", sighting.reader)
}

/// The same as data.
pub fn sighting_json(
    at: Timestamp,
    sighting: &Sighting,
    radio: Option<&RadioIdentity>,
    unmask: bool,
) -> Value {
    let (what, atr) = match &sighting.seen {
        Seen::Reader => ("reader", None),
        Seen::ReaderGone => ("reader gone", None),
        Seen::Card { atr } => ("card", Some(Hex(atr).to_string())),
        Seen::CardGone => ("card gone", None),
    };
    json!({
        "at": at.to_string(),
        "reader": sighting.reader,
        "seen": what,
        "atr": atr,
        "radio": radio.map(|radio| radio_json(radio, unmask)),
    })
}

/// What a reader tells of a card on radio, to follow its ATR.
pub fn radio_text(radio: &RadioIdentity, unmask: bool) -> String {
    let ats = match radio.ats.as_slice() {
        [] => String::new(),
        ats => format!(", ATS {:#}", Hex(ats)),
    };
    format!(", UID {}{ats}", uid(&radio.uid, unmask))
}

/// The same as data.
pub fn radio_json(radio: &RadioIdentity, unmask: bool) -> Value {
    json!({ "uid": uid(&radio.uid, unmask), "ats": Hex(&radio.ats).to_string() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_card_is_told_and_its_number_is_not() {
        let atr = vec![0x3B, 0x80, 0x80, 0x01, 0x01];
        let sighting = Sighting { reader: "ACS".into(), seen: Seen::Card { atr } };
        let radio = RadioIdentity { uid: vec![0x04, 0xA1, 0xB2, 0xC3], ats: vec![0x02, 0x78] };
        let at = Timestamp::default();
        let text = sighting_text(at, &sighting, Some(&radio), false);
        assert!(text.ends_with("  ACS  card, ATR 3B 80 80 01 01, UID 04******, ATS 02 78\n"), "{text}");
        let value = sighting_json(at, &sighting, Some(&radio), false);
        assert_eq!((&value["radio"]["uid"], &value["seen"]), (&json!("04******"), &json!("card")));
        assert!(sighting_text(at, &sighting, Some(&radio), true).contains("UID 04A1B2C3,"));
    }
}

//! Requests as messages (ISO 8583:1987), both ways. What answers them is
//! `answer_message.rs`'s.
//!
//! Where the standard leaves a choice, this is ours:
//! - F12 and F13 carry the request's time to the second in every dialect. Neither
//!   has a year: it is the one that comes nearest to when the message arrived. A
//!   message without them is as old as its tags 9A and 9F21 say, else as its arrival.
//! - F18 is tag 9F15, which field 55 has not, and stands among the chip's data here.
//! - F39 of a reversal is 98 (no answer), or 06 where it brings a script's result.
//! - Batch, type code and network management code are where the dialect's F60 has them,
//!   else where `place.rs` says.
//! - F61 is batch and trace of the original; with reversal 0420 F90 says it too.
//! - F102 is the payer's PAN and F103 the card to load, F2 again, where another card pays
//!   for a load; F52 is over the payer's PAN then.
//!
//! The PIN is not mapped here: it goes from `Request` into F52 under a key.

use super::kinds::{KINDS, KindRow};
use super::place;
use super::{Entry, Kind, MessageClass, MessageKey, Original, Request, WireError};
use crate::base::bytes::{Hex, Secret, bcd_to_u64};
use crate::base::env::Timestamp;
use crate::words::dictionary::tag;
use crate::words::iso4217::{Amount, Currency};
use crate::words::iso8583::{Dialect, Message};
use crate::words::tlv::TlvStore;

/// First two digits of F22.
const ENTRIES: &[(Entry, &str)] = &[
    (Entry::Contact, "05"),
    (Entry::ContactlessQuick, "07"),
    (Entry::ContactlessFull, "98"),
    (Entry::ContactlessFull, "96"),
];
/// F60.3 of details: a batch without chip data, one that agrees, one that does not.
const DETAIL_CODES: &[&str] = &["201", "203", "205"];
/// Account type 00, amount type 40 (cash back): how F54 of a purchase with cashback begins.
const CASHBACK: &str = "0040";

/// The message of a request, without F52 and authentication code.
pub fn to_message(request: &Request, dialect: &Dialect) -> Result<Message, WireError> {
    let row = KindRow::of(request)?;
    let reversal = request.key.class == MessageClass::Reversal;
    let mut message = Message::new(if reversal { dialect.reversal } else { place::mti_of(row, dialect) });
    if !request.pan.expose().is_empty() || !has_no_card(request.kind) {
        message.put(2, request.pan.expose().as_bytes());
    }
    if let Some(processing) = row.processing {
        message.put(3, processing);
    }
    message.put(4, format!("{:012}", request.amount.minor));
    let [_, month, day] = request.at.yymmdd();
    message.put(12, Hex(&request.at.hhmmss()).to_string());
    message.put(13, Hex(&[month, day]).to_string());
    let entry = ENTRIES.iter().find(|row| row.0 == request.entry).map_or("00", |row| row.1);
    message.put(22, format!("{entry}{}", if request.pin.is_some() { 1 } else { 2 }));
    if request.psn >> 4 > 9 || request.psn & 0x0F > 9 {
        return Err(WireError::Field { field: 23, expected: "two decimal digits (5F34)" });
    }
    message.put(23, format!("0{:02X}", request.psn));
    message.put(25, row.condition);
    if reversal {
        let told = request.chip.has(tag::ISSUER_SCRIPT_RESULTS);
        message.put(39, if told { "06" } else { "98" });
    }
    message.put(49, format!("{:03}", request.amount.currency.0));
    if request.kind == Kind::PurchaseWithCashback
        && let Some(Ok(minor)) = request.chip.value(tag::AMOUNT_OTHER).map(bcd_to_u64)
    {
        message.put(54, format!("{CASHBACK}{:03}D{minor:012}", request.amount.currency.0));
    }
    let chip = place::put_merchant_type(&mut message, &request.chip);
    let chip = place::renamed(chip, tag::ISSUER_SCRIPT_RESULTS, dialect.script_results);
    if !chip.is_empty() {
        message.put(55, chip.to_bytes());
    }
    place::put_key(&mut message, &request.key, (row.code, row.network), request.entry, dialect)?;
    place::put_kind(&mut message, row.kind, request.pan.expose(), dialect);
    if let Some(Original { batch, trace }) = request.original {
        message.put(61, format!("{batch:06}{trace:06}"));
    }
    if let Some(payer) = &request.payer {
        message.put(102, payer.expose().as_bytes());
        message.put(103, request.pan.expose().as_bytes());
    }
    if reversal && dialect.field(90).is_some() {
        let (mti, at) = (place::mti_of(row, dialect), place::month_to_second(request.at));
        message.put(90, format!("{mti}{:06}{at}{:022}", request.key.trace, 0));
    }
    Ok(message)
}

/// The request of a message that arrived at `received`. It has no PIN.
pub fn from_message(message: &Message, dialect: &Dialect, received: Timestamp) -> Result<Request, WireError> {
    let is_reversal = message.mti == dialect.reversal;
    let row = row_of(message, dialect, is_reversal)?;
    let class = if is_reversal { MessageClass::Reversal } else { row.class };
    let mut chip = match message.bytes(55) {
        None => TlvStore::new(),
        Some(bytes) => TlvStore::parse(bytes)
            .map_err(|_| WireError::Field { field: 55, expected: "BER-TLV data objects" })?,
    };
    place::take_merchant_type(message, &mut chip);
    chip = place::renamed(chip, dialect.script_results, tag::ISSUER_SCRIPT_RESULTS);
    let entry = text(message, 22, "entry mode")?;
    let entry = ENTRIES.iter().find(|row| entry.starts_with(row.1)).map(|row| row.0);
    let psn = match message.text(23) {
        None => 0,
        Some(digits) => u8::from_str_radix(digits.strip_prefix('0').unwrap_or(digits), 16)
            .map_err(|_| WireError::Field { field: 23, expected: "a zero and two decimal digits" })?,
    };
    Ok(Request {
        key: key_of(message, class, dialect)?,
        kind: row.kind,
        amount: Amount::new(number(message, 4, "amount")?, currency_of(message)?),
        pan: Secret::new(pan_of(message, row.kind)?),
        psn,
        entry: entry.ok_or(WireError::Field { field: 22, expected: "05, 07, 96 or 98 and a digit" })?,
        at: time_of(message, &chip, received),
        chip,
        pin: None,
        original: original_of(message)?,
        payer: match row.kind {
            Kind::NonLinkedLoad => message.text(102).map(|pan| Secret::new(pan.to_owned())),
            // Networks tell a load from pending by this field.
            _ => None,
        },
    })
}

/// The key of a message: F11, F41, F42 and the batch.
pub(super) fn key_of(
    message: &Message,
    class: MessageClass,
    dialect: &Dialect,
) -> Result<MessageKey, WireError> {
    text(message, 60, "type and batch")?;
    let batch = place::batch_of(message, dialect).and_then(|digits| digits.parse().ok());
    Ok(MessageKey {
        class,
        merchant: text(message, 42, "merchant")?.trim_end_matches(' ').to_owned(),
        terminal: text(message, 41, "terminal")?.trim_end_matches(' ').to_owned(),
        batch: batch.ok_or(WireError::Field {
            field: 60,
            expected: "its parts, or field 37, with six digits of batch",
        })?,
        trace: number(message, 11, "trace")? as u32,
    })
}

fn row_of(message: &Message, dialect: &Dialect, is_reversal: bool) -> Result<&'static KindRow, WireError> {
    text(message, 60, "type and batch")?;
    let code = place::type_of(message, dialect).unwrap_or_default();
    let network = place::management_of(message, dialect);
    let (processing, condition) = (message.text(3), message.text(25).unwrap_or_default());
    let fits = |row: &&KindRow| match row.processing {
        // A notice may repeat the codes of what it speaks of.
        None => {
            let details = row.kind == Kind::BatchUpload && DETAIL_CODES.contains(&network);
            !is_reversal && row.mti == message.mti && (details || row.network == network)
        }
        Some(_) => {
            (if is_reversal { row.is_reversible } else { place::mti_of(row, dialect) == message.mti })
                && (row.processing, row.condition) == (processing, condition)
                && place::is_type(row, message, dialect)
        }
    };
    KINDS.iter().find(fits).ok_or_else(|| WireError::UnknownKind {
        mti: message.mti,
        processing: processing.unwrap_or_default().into(),
        condition: condition.into(),
        code: code.into(),
        network: network.into(),
    })
}

pub(super) fn text<'a>(message: &'a Message, field: u8, what: &'static str) -> Result<&'a str, WireError> {
    let mti = message.mti;
    message.bytes(field).ok_or(WireError::Missing { field, what, mti })?;
    message.text(field).ok_or(WireError::Field { field, expected: "characters" })
}

fn number(message: &Message, field: u8, what: &'static str) -> Result<u64, WireError> {
    text(message, field, what)?.parse().map_err(|_| WireError::Field { field, expected: "decimal digits" })
}

pub(super) fn currency_of(message: &Message) -> Result<Currency, WireError> {
    let number = text(message, 49, "currency")?.parse().ok().filter(|n| *n <= 999);
    number.map(Currency).ok_or(WireError::Field { field: 49, expected: "three digits (ISO 4217)" })
}

/// Whether a kind is of phones, which are known by their keys.
const fn has_no_card(kind: Kind) -> bool {
    matches!(kind, Kind::PhoneTransfer | Kind::PhoneTransferWithdrawal)
}

fn pan_of(message: &Message, kind: Kind) -> Result<String, WireError> {
    let track = || message.text(35).and_then(|track| track.split('=').next());
    let pan = message.text(2).or_else(track).or(has_no_card(kind).then_some(""));
    pan.map(str::to_owned).ok_or(WireError::Missing { field: 2, what: "PAN", mti: message.mti })
}

fn original_of(message: &Message) -> Result<Option<Original>, WireError> {
    let Some(digits) = message.text(61) else { return Ok(None) };
    let part = |from, to| digits.get(from..to).and_then(|part| part.parse().ok());
    match (part(0, 6), part(6, 12)) {
        (Some(batch), Some(trace)) => Ok(Some(Original { batch, trace })),
        _ => Err(WireError::Field { field: 61, expected: "original batch and trace, six digits each" }),
    }
}

/// See the head of this file.
fn time_of(message: &Message, chip: &TlvStore, received: Timestamp) -> Timestamp {
    let pair = |text: &str, at: usize| text.get(at..at + 2).and_then(|digits| digits.parse::<u8>().ok());
    let clock = |text: &str| Some((pair(text, 0)?, pair(text, 2)?, pair(text, 4)?));
    let year = (received.date_number() / 10_000) as i32;
    if let (Some(time), Some(date)) = (message.text(12), message.text(13)) {
        let nearest =
            clock(time).zip(pair(date, 0).zip(pair(date, 2))).and_then(|((h, m, s), (month, day))| {
                let candidates =
                    (year - 1..=year + 1).filter_map(|y| Timestamp::from_civil(y, month, day, h, m, s));
                candidates.min_by_key(|at| at.micros().abs_diff(received.micros()))
            });
        return nearest.unwrap_or(received);
    }
    let date = chip.array::<3>(tag::TRANSACTION_DATE).map(|date| Hex(&date).to_string());
    let time = chip.array::<3>(tag::TRANSACTION_TIME).map(|time| Hex(&time).to_string());
    let civil = date.zip(time).and_then(|(date, time)| {
        let ((yy, month, day), (h, m, s)) = (clock(&date)?, clock(&time)?);
        Timestamp::from_civil(2000 + i32::from(yy), month, day, h, m, s)
    });
    civil.unwrap_or(received)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::air::host::{Answer, ResponseCode, answer_from_message, answer_to_message};
    use crate::words::iso8583::{DIALECTS, Mti, dialect, encode, parse};
    use crate::words::tlv::Tag;
    use proptest::prelude::*;

    /// 2026-11-21 08:00:00 UTC.
    pub(crate) const NOW: Timestamp = Timestamp::from_micros(1_795_248_000_000_000);

    pub(crate) fn chip() -> impl Strategy<Value = TlvStore> {
        // Of what is no category of a merchant, nothing is lost.
        let tags = [0x9F26, 0x9F10, 0x9F36, 0x95, 0x9A, 0xDF31, 0x91, 0x72, 0x84, 0x9F15].map(Tag);
        let value = prop::collection::vec(any::<u8>(), 0..40);
        prop::sample::subsequence(tags.to_vec(), 0..10).prop_flat_map(move |tags| {
            prop::collection::vec(value.clone(), tags.len())
                .prop_map(move |values| tags.iter().copied().zip(values).collect())
        })
    }

    pub(crate) fn any_request() -> impl Strategy<Value = Request> {
        let row = (prop::sample::select(KINDS), any::<bool>());
        let key = ("([!-~][ -~]{0,13})?[!-~]", "([!-~][ -~]{0,6})?[!-~]", 0..1_000_000u32, 0..1_000_000u32);
        let money = (0..=Amount::MAX_MINOR, 1..1000u16);
        let card = ("[0-9]{12,19}", 0..100u8, prop::sample::select(&ENTRIES[..3]));
        let original = prop::option::of((0..1_000_000u32, 0..1_000_000u32));
        let half_year = 180 * 86_400_i64;
        (row, key, money, card, -half_year..half_year, chip(), original).prop_map(
            |((row, reversed), (merchant, terminal, batch, trace), money, card, seconds, chip, original)| {
                let is_reversal = reversed && row.is_reversible;
                let class = if is_reversal { MessageClass::Reversal } else { row.class };
                Request {
                    key: MessageKey { class, merchant, terminal, batch, trace },
                    kind: row.kind,
                    amount: Amount::new(money.0, Currency(money.1)),
                    pan: Secret::new(card.0),
                    psn: ((card.1 / 10) << 4) | (card.1 % 10),
                    entry: card.2.0,
                    at: Timestamp::from_micros(NOW.micros() + seconds * 1_000_000),
                    chip,
                    pin: None,
                    original: original.map(|(batch, trace)| Original { batch, trace }),
                    payer: (row.kind == Kind::NonLinkedLoad && trace % 2 == 1)
                        .then(|| Secret::new("6299990000000005678".into())),
                }
            },
        )
    }

    pub(crate) fn through(message: &Message, dialect: &Dialect) -> Message {
        parse(&encode(message, dialect).unwrap(), dialect).unwrap()
    }

    proptest! {
        #[test]
        fn a_request_comes_out_as_it_went_in(request in any_request()) {
            for row in DIALECTS {
                let dialect = dialect(row.name).unwrap();
                let message = through(&to_message(&request, dialect).unwrap(), dialect);
                prop_assert_eq!(from_message(&message, dialect, NOW), Ok(request.clone()), "{}", row.name);
            }
        }

        #[test]
        fn arbitrary_fields_are_read_or_refused(
            mti in prop::sample::select(vec![0x0200u16, 0x0100, 0x0400, 0x0420, 0x0620, 0x0320, 0x0500]),
            fields in prop::collection::vec((2..128u8, prop::collection::vec(any::<u8>(), 0..70)), 0..20),
            known: bool, mut request in any_request(),
        ) {
            let pos = dialect("pos").unwrap();
            request.key.class = KindRow::of(&request).unwrap().class;
            let mut message = if known { to_message(&request, pos).unwrap() } else { Message::new(Mti(mti)) };
            for (field, value) in fields {
                message.put(field, value);
            }
            let _ = from_message(&message, pos, NOW);
            let _ = answer_from_message(&message, &message);
            answer_to_message(&Answer::new(ResponseCode::APPROVED, ""), &message, pos);
        }
    }

    pub(crate) fn load() -> Request {
        Request {
            key: MessageKey {
                class: MessageClass::Request,
                merchant: "MERCHANT0000001".into(),
                terminal: "TERM0001".into(),
                batch: 1,
                trace: 123,
            },
            kind: crate::air::host::Kind::LinkedLoad,
            amount: Amount::new(5000, Currency::CNY),
            pan: Secret::new("6299990000000001234".into()),
            psn: 1,
            entry: Entry::Contact,
            at: NOW,
            chip: [(Tag(0x9F36), vec![0, 26])].into_iter().collect(),
            pin: None,
            original: None,
            payer: None,
        }
    }

    #[test]
    fn a_load_and_its_reversal_are_what_terminals_send() {
        let pos = dialect("pos").unwrap();
        let message = to_message(&load(), pos).unwrap();
        let fields = |message: &Message| {
            [3, 11, 22, 23, 25, 49, 60].map(|field| message.text(field).unwrap().to_owned())
        };
        let expected = ["600000", "000123", "052", "001", "91", "156", "4500000100050"];
        assert_eq!((message.mti, fields(&message)), (Mti::FINANCIAL, expected.map(str::to_owned)));
        let mut reversal = load();
        reversal.key.class = MessageClass::Reversal;
        let message = to_message(&reversal, pos).unwrap();
        assert_eq!((message.mti, fields(&message)), (Mti::REVERSAL, expected.map(str::to_owned)));
        assert_eq!(message.text(39), Some("98"));
        let network = dialect("network").unwrap();
        let message = to_message(&reversal, network).unwrap();
        assert_eq!(message.mti, Mti::REVERSAL_ADVICE);
        assert_eq!(message.text(90).unwrap(), format!("02000001231121080000{:022}", 0));
        assert_eq!(message.text(37), Some("000001000123"), "the batch, which F60 of a network has not");
        let mut linked = message.clone();
        place::put_institution(&mut linked, "00010344", NOW);
        let institution = "00000010344";
        assert_eq!(linked.text(90).unwrap(), format!("02000001231121080000{institution}{institution}"));
        assert_eq!((linked.text(7), linked.text(33)), (Some("1121080000"), Some("00010344")));
        // A public test message of a bank has this length and these places.
        let f60 = message.text(60).unwrap();
        assert_eq!((f60.len(), &f60[..6]), (25, "000005"));
    }

    #[test]
    fn the_class_of_merchant_goes_in_its_own_field() {
        for row in DIALECTS {
            let dialect = dialect(row.name).unwrap();
            let mut request = load();
            request.chip.put(tag::MERCHANT_CATEGORY_CODE, [0x54, 0x11]);
            let message = through(&to_message(&request, dialect).unwrap(), dialect);
            assert_eq!(message.text(18), Some("5411"));
            assert!(!TlvStore::parse(message.bytes(55).unwrap()).unwrap().has(tag::MERCHANT_CATEGORY_CODE));
            assert_eq!(from_message(&message, dialect, NOW), Ok(request));
        }
    }

    #[test]
    fn what_a_line_cannot_say_is_refused() {
        let pos = dialect("pos").unwrap();
        let refused = |change: fn(&mut Request)| {
            let mut request = load();
            change(&mut request);
            to_message(&request, pos).and_then(|message| Ok(encode(&message, pos)?)).unwrap_err()
        };
        assert!(matches!(refused(|r| r.key.class = MessageClass::Batch), WireError::Class { .. }));
        assert!(matches!(
            refused(|r| r.key.terminal = "TERM00001".into()),
            WireError::Field { field: 41, .. }
        ));
        assert!(matches!(refused(|r| r.key.merchant = "A ".into()), WireError::Field { field: 42, .. }));
        assert!(matches!(refused(|r| r.key.batch = 1_000_000), WireError::Field { field: 60, .. }));
        assert!(matches!(refused(|r| r.psn = 0x1A), WireError::Field { field: 23, .. }));
        assert!(matches!(refused(|r| r.amount.minor = 1_000_000_000_000), WireError::Iso8583(_)));
        assert!(matches!(refused(|r| r.key.trace = 1_000_000), WireError::Iso8583(_)));
    }

    #[test]
    fn another_terminals_message_has_no_time_and_no_sequence_number() {
        let pos = dialect("pos").unwrap();
        let mut message = to_message(&load(), pos).unwrap();
        for field in [12, 13, 23] {
            message.remove(field);
        }
        message.put(60, "45000001");
        let request = from_message(&message, pos, NOW).unwrap();
        assert_eq!((request.at, request.psn, request.key.batch), (NOW, 0, 1));
        message.put(55, [0x9A, 3, 0x26, 0x11, 0x20, 0x9F, 0x21, 3, 0x23, 0x59, 0x58]);
        let request = from_message(&message, pos, NOW).unwrap();
        assert_eq!(request.at.to_string(), "2026-11-20 23:59:58");
        message.remove(11);
        assert!(matches!(from_message(&message, pos, NOW), Err(WireError::Missing { field: 11, .. })));
    }

    #[test]
    fn a_new_year_is_crossed() {
        let pos = dialect("pos").unwrap();
        let mut request = load();
        request.at = Timestamp::from_civil(2026, 12, 31, 23, 59, 59).unwrap();
        let message = to_message(&request, pos).unwrap();
        let received = Timestamp::from_civil(2027, 1, 1, 0, 0, 1).unwrap();
        assert_eq!(from_message(&message, pos, received).unwrap().at, request.at);
    }
}

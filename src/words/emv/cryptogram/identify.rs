//! Which way a cryptogram was made: keys, derivations, session keys, inputs and paddings
//! are tried one with another, those of [`CRYPTOGRAM_VERSIONS`] and those that are none's.

use super::{Algorithm, CRYPTOGRAM_VERSIONS, CryptogramVersion, InputPart, PBOC_01};
use crate::base::bytes::Secret;
use crate::base::crypto::{self, Padding};
use crate::words::dictionary::tag;
use crate::words::tlv::{Tag, TlvStore};

/// What is known of a cryptogram.
#[derive(Debug, Clone, Copy)]
pub struct Sought<'a> {
    /// Keys that may be an issuer's, a card's or a session's.
    pub keys: &'a [Secret<[u8; 16]>],
    /// The card's number; without one every key is a card's.
    pub pan: Option<&'a str>,
    /// The byte of 5F34.
    pub psn: Option<u8>,
    /// Data of the transaction: the terminal's, 82, 9F36 and 9F10.
    pub data: &'a TlvStore,
    /// Data that are signed as they stand, or the data of CDOL1.
    pub listed: Option<&'a [u8]>,
    /// AAC, TC or ARQC, tag 9F26.
    pub cryptogram: [u8; 8],
}

/// What a search found.
#[derive(Debug, Clone)]
pub struct Search {
    /// Every way that gives the cryptogram; equal ones are told once.
    pub found: Vec<Found>,
    /// How many cryptograms were computed.
    pub tried: usize,
    /// Elements that an input of a version asks for and that were not given.
    pub missing: Vec<Tag>,
}

/// A way that gives the cryptogram.
#[derive(Debug, Clone)]
pub struct Found {
    /// Place of the key among those given.
    pub key: usize,
    /// How the card's key came from it.
    pub derivation: String,
    /// The card's key.
    pub card_key: Secret<[u8; 16]>,
    /// How the session key came from that.
    pub session: &'static str,
    /// The session key.
    pub session_key: Secret<[u8; 16]>,
    /// What was put together.
    pub input_name: String,
    /// The input.
    pub input: Vec<u8>,
    /// The block cipher.
    pub algorithm: Algorithm,
    /// How the input was filled up.
    pub padding: Padding,
    /// What had to be other than given; `None` where all is as given.
    pub supposed: Option<&'static str>,
    /// Names of the versions that give it from these data.
    pub versions: Vec<&'static str>,
}

/// A way to a session key.
struct Session {
    name: &'static str,
    derive: Derive,
}

/// From card key, ATC and unpredictable number; `None` where that is missing.
type Derive = fn(&[u8; 16], [u8; 2], Option<[u8; 4]>) -> Option<[u8; 16]>;

const TRIPLE_DES_SESSIONS: &[Session] = &[
    Session { name: "none: the card's key itself", derive: |key, _, _| Some(*key) },
    Session { name: "PBOC, by ATC", derive: |key, atc, _| Some(crypto::pboc_session_key(key, atc)) },
    Session {
        name: "EMV common session key, by ATC",
        derive: |key, atc, _| Some(crypto::emv_common_session_key_atc(key, atc)),
    },
    Session {
        name: "M/Chip, by ATC and unpredictable number",
        derive: |key, atc, number| Some(crypto::mastercard_session_key(key, atc, number?)),
    },
    Session { name: "VIS, ATC joined in", derive: |key, atc, _| Some(crypto::vis_session_key_xor(key, atc)) },
    Session { name: "EMV 2000, by ATC", derive: |key, atc, _| Some(crypto::emv_2000_session_key(key, atc)) },
];

const SM4_SESSIONS: &[Session] = &[
    Session { name: "none: the card's key itself", derive: |key, _, _| Some(*key) },
    Session { name: "PBOC SM4, by ATC", derive: |key, atc, _| Some(crypto::sm4_session_key(key, atc)) },
];

/// A change to the data that cards or people make without saying so.
struct Supposition {
    words: Option<&'static str>,
    change: fn(&mut TlvStore),
}

const SUPPOSITIONS: &[Supposition] = &[
    Supposition { words: None, change: |_| {} },
    Supposition { words: Some("the TVR (95) was zeros"), change: |data| clear(data, tag::TVR) },
    Supposition {
        words: Some("the amount, other (9F03) was zeros"),
        change: |data| clear(data, tag::AMOUNT_OTHER),
    },
    Supposition { words: Some("the ATC (9F36) was one more"), change: |data| step_atc(data, 1) },
    Supposition { words: Some("the ATC (9F36) was one less"), change: |data| step_atc(data, u16::MAX) },
];

/// The ten elements of EMV Book 2 clause 8.1.1.
const TEN: &[InputPart] = PBOC_01.split_at(10).0;

/// What cards of no version here sign after the ten elements: its name, and how it is
/// taken from 9F10.
type Tail = (&'static str, fn(&[u8]) -> Option<Vec<u8>>);

const TAILS: &[Tail] = &[
    ("", |_| Some(Vec::new())),
    (" and bytes 3 to 8 of 9F10 (CVR of M/Chip)", |iad| Some(iad.get(2..8)?.to_vec())),
    (" and bytes 3 to 8 and 11 to 18 of 9F10 (CVR and counters of M/Chip)", |iad| {
        Some([iad.get(2..8)?, iad.get(10..18)?].concat())
    }),
    (" and bytes 3 to 8 and 11 to 26 of 9F10 (CVR and counters of M/Chip Advance)", |iad| {
        Some([iad.get(2..8)?, iad.get(10..26)?].concat())
    }),
    (" and bytes 4 to 8 of 9F10 (CVR of the common core)", |iad| Some(iad.get(3..8)?.to_vec())),
];

/// Tries every way; a few thousandths of a second for each key.
pub fn identify(sought: &Sought<'_>) -> Search {
    let mut search = Search { found: Vec::new(), tried: 0, missing: Vec::new() };
    for supposition in SUPPOSITIONS {
        let mut data = sought.data.clone();
        (supposition.change)(&mut data);
        if supposition.words.is_some() && data == *sought.data {
            continue;
        }
        let inputs = inputs(sought, &data, &mut search.missing);
        for algorithm in [Algorithm::TripleDes, Algorithm::Sm4] {
            for (key, derivation, card_key) in card_keys(sought, algorithm) {
                search.walk(sought, &data, &inputs, (algorithm, key, &derivation, &card_key), supposition);
            }
        }
    }
    search.missing.sort();
    search.missing.dedup();
    search
}

impl Search {
    fn walk(
        &mut self,
        sought: &Sought<'_>,
        data: &TlvStore,
        inputs: &[(String, Vec<u8>)],
        (algorithm, key, derivation, card_key): (Algorithm, usize, &str, &Secret<[u8; 16]>),
        supposition: &Supposition,
    ) {
        let sessions = match algorithm {
            Algorithm::TripleDes => TRIPLE_DES_SESSIONS,
            Algorithm::Sm4 => SM4_SESSIONS,
        };
        let cipher = CryptogramVersion { algorithm, ..CRYPTOGRAM_VERSIONS[0] };
        let mut before: Vec<Secret<[u8; 16]>> = Vec::new();
        for session in sessions {
            let atc = data.array(tag::ATC);
            let derive =
                |atc| (session.derive)(card_key.expose(), atc, data.array(tag::UNPREDICTABLE_NUMBER));
            // Without an ATC the key itself is all that can be tried.
            let session_key = match atc {
                Some(atc) => derive(atc),
                None if before.is_empty() => Some(*card_key.expose()),
                None => None,
            };
            let Some(session_key) = session_key.map(Secret::new).filter(|key| !before.contains(key)) else {
                continue;
            };
            for (input_name, input) in inputs {
                for padding in [Padding::Method2, Padding::Method1] {
                    self.tried += 1;
                    let given = cipher.mac(session_key.expose(), input, padding);
                    // An input that the supposition does not touch was found before.
                    let is_known = |found: &Found| {
                        (&found.session_key, &found.input, found.padding) == (&session_key, input, padding)
                    };
                    if given != sought.cryptogram || self.found.iter().any(is_known) {
                        continue;
                    }
                    self.found.push(Found {
                        key,
                        derivation: derivation.to_owned(),
                        card_key: card_key.clone(),
                        session: session.name,
                        session_key: session_key.clone(),
                        input_name: input_name.clone(),
                        input: input.clone(),
                        algorithm,
                        padding,
                        supposed: supposition.words,
                        versions: versions(sought, data, card_key.expose()),
                    });
                }
            }
            before.push(session_key);
        }
    }
}

/// The rows that give the cryptogram from these data under this card key.
fn versions(sought: &Sought<'_>, data: &TlvStore, card_key: &[u8; 16]) -> Vec<&'static str> {
    let Some(atc) = data.array(tag::ATC) else { return Vec::new() };
    let gives = |row: &&CryptogramVersion| {
        let input = row.assemble(&|tag| data.value(tag).map(<[u8]>::to_vec));
        input.is_ok_and(|input| row.application_cryptogram(card_key, atc, &input) == sought.cryptogram)
    };
    CRYPTOGRAM_VERSIONS.iter().filter(gives).map(|row| row.name).collect()
}

/// Every card key that a key may mean: itself, or derived for the PAN with its sequence
/// number, and with 00 and 01. Derivations that give one key are told as one.
fn card_keys(sought: &Sought<'_>, algorithm: Algorithm) -> Vec<(usize, String, Secret<[u8; 16]>)> {
    let usual = [0x00, 0x01].into_iter().filter(|psn| sought.psn != Some(*psn));
    let numbers: Vec<u8> = sought.psn.into_iter().chain(usual).collect();
    let mut out: Vec<(usize, String, Secret<[u8; 16]>)> = Vec::new();
    for (place, key) in sought.keys.iter().enumerate() {
        out.push((place, "none: the key is the card's or the session's".into(), key.clone()));
        for (pan, psn) in sought.pan.iter().flat_map(|pan| numbers.iter().map(move |psn| (*pan, *psn))) {
            let ways = match algorithm {
                Algorithm::TripleDes => [
                    ("option A", crypto::option_a(key.expose(), pan, psn)),
                    ("option B", crypto::option_b(key.expose(), pan, psn)),
                ],
                Algorithm::Sm4 => [
                    ("option A", crypto::option_a_input(pan, psn)),
                    ("option B", crypto::option_b_input(pan, psn)),
                ]
                .map(|(name, x)| (name, x.map(|x| crypto::sm4_card_key(key.expose(), x)))),
            };
            for (name, card_key) in ways {
                let Ok(card_key) = card_key.map(Secret::new) else { continue };
                let label = format!("{name}, PAN sequence number {psn:02X}");
                match out.iter_mut().find(|(from, _, known)| *from == place && *known == card_key) {
                    Some((_, told, _)) if told.starts_with("option A") => {
                        *told = told.replacen("option A", "options A and B, which are one here", 1);
                    }
                    Some(_) => {}
                    None => out.push((place, label, card_key)),
                }
            }
        }
    }
    out
}

/// Every input that the data allow, each once, under the first of its names.
fn inputs(sought: &Sought<'_>, data: &TlvStore, missing: &mut Vec<Tag>) -> Vec<(String, Vec<u8>)> {
    let value = |tag: Tag| data.value(tag).map(<[u8]>::to_vec);
    let mut out: Vec<(String, Vec<u8>)> = Vec::new();
    let mut add = |name: String, bytes: Vec<u8>| {
        if !out.iter().any(|(_, known)| *known == bytes) {
            out.push((name, bytes));
        }
    };
    for row in CRYPTOGRAM_VERSIONS {
        missing.extend(row.input_tags().filter(|tag| !data.has(*tag)));
        if let Ok(bytes) = row.assemble(&value) {
            add(describe(row.input), bytes);
        }
    }
    let iad = data.value(tag::ISSUER_APPLICATION_DATA).unwrap_or_default();
    if let Ok(ten) = (CryptogramVersion { input: TEN, ..CRYPTOGRAM_VERSIONS[0] }).assemble(&value) {
        for (name, tail) in TAILS.iter().filter_map(|(name, tail)| Some((name, tail(iad)?))) {
            add(format!("{}{name}", describe(TEN)), [ten.as_slice(), &tail].concat());
        }
    }
    if let Some(listed) = sought.listed {
        add("the data as they stand".into(), listed.to_vec());
        if let (Some(aip), Some(atc)) = (data.value(tag::AIP), data.value(tag::ATC)) {
            let base = [listed, aip, atc].concat();
            for (name, tail) in [("", 0..0), (", CVR", 3..7), (", 9F10", 0..iad.len())] {
                let tail = iad.get(tail).unwrap_or_default();
                add(format!("the data as they stand, 82, 9F36{name}"), [base.as_slice(), tail].concat());
            }
        }
    }
    out
}

fn clear(data: &mut TlvStore, tag: Tag) {
    if let Some(length) = data.value(tag).map(<[u8]>::len) {
        data.put(tag, vec![0; length]);
    }
}

fn step_atc(data: &mut TlvStore, by: u16) {
    if let Some(atc) = data.array(tag::ATC) {
        data.put(tag::ATC, u16::from_be_bytes(atc).wrapping_add(by).to_be_bytes());
    }
}

fn describe(parts: &[InputPart]) -> String {
    parts.iter().map(InputPart::to_string).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::emv::cryptogram::SessionKey;

    const PAN: &str = "6299991234567890123";
    const MASTER: [u8; 16] = [0x2C; 16];

    fn data() -> TlvStore {
        [
            (tag::AMOUNT_AUTHORISED, vec![0, 0, 0, 0, 0x12, 0x50]),
            (tag::AMOUNT_OTHER, vec![0, 0, 0, 0, 0, 0x50]),
            (tag::TERMINAL_COUNTRY_CODE, vec![1, 0x56]),
            (tag::TVR, vec![0, 0x40, 0, 0x80, 0]),
            (tag::TRANSACTION_CURRENCY_CODE, vec![1, 0x56]),
            (tag::TRANSACTION_DATE, vec![0x26, 0x11, 0x21]),
            (tag::TRANSACTION_TYPE, vec![0x60]),
            (tag::UNPREDICTABLE_NUMBER, vec![1, 2, 3, 4]),
            (tag::AIP, vec![0x7C, 0]),
            (tag::ATC, vec![0, 0x1C]),
            (tag::ISSUER_APPLICATION_DATA, vec![7, 1, 1, 3, 0xA0, 0, 4, 1, 0x0A, 1, 2, 3, 4, 5, 6, 7, 8, 9]),
        ]
        .into_iter()
        .collect()
    }

    fn search(keys: &[[u8; 16]], psn: u8, data: &TlvStore, cryptogram: [u8; 8]) -> Search {
        let keys: Vec<_> = keys.iter().map(|key| Secret::new(*key)).collect();
        identify(&Sought { keys: &keys, pan: Some(PAN), psn: Some(psn), data, listed: None, cryptogram })
    }

    fn made(row: &CryptogramVersion, psn: u8, data: &TlvStore) -> [u8; 8] {
        let input = row.assemble(&|tag| data.value(tag).map(<[u8]>::to_vec)).unwrap();
        let key = row.udk(&MASTER, PAN, psn).unwrap();
        row.application_cryptogram(key.expose(), data.array(tag::ATC).unwrap(), &input)
    }

    #[test]
    fn every_version_is_found_by_its_own_way_alone() {
        for row in CRYPTOGRAM_VERSIONS {
            let data = data();
            let search = search(&[[1; 16], MASTER], 1, &data, made(row, 1, &data));
            let [found] = search.found.as_slice() else { panic!("{}: {:#?}", row.name, search.found) };
            assert!(found.versions.contains(&row.name), "{}: {found:#?}", row.name);
            assert_eq!((found.key, found.algorithm, found.padding), (1, row.algorithm, row.padding));
            assert_eq!(found.supposed, None);
            assert!(search.tried > 1000 && search.missing.is_empty());
        }
    }

    #[test]
    fn ways_of_no_version_are_found() {
        // A row that is in no list: padding, session key and input of three others.
        let odd = CryptogramVersion {
            ac_session_key: SessionKey::VisXor,
            padding: Padding::Method1,
            ..CRYPTOGRAM_VERSIONS[1]
        };
        let data = data();
        let search = search(&[MASTER], 1, &data, made(&odd, 1, &data));
        let [found] = search.found.as_slice() else { panic!("{:#?}", search.found) };
        assert!(found.versions.is_empty() && found.session.starts_with("VIS"), "{found:#?}");
    }

    #[test]
    fn what_was_given_wrongly_is_told() {
        let (row, given) = (&CRYPTOGRAM_VERSIONS[0], data());
        let mut signed = given.clone();
        signed.put(tag::TVR, [0; 5]);
        let found = search(&[MASTER], 1, &given, made(row, 1, &signed)).found;
        assert_eq!(found[0].supposed, Some("the TVR (95) was zeros"));
        let found = search(&[MASTER], 1, &given, made(row, 0, &given)).found;
        assert!(found[0].derivation.ends_with("number 00"), "{}", found[0].derivation);
        signed = given.clone();
        step_atc(&mut signed, 1);
        let found = search(&[MASTER], 1, &given, made(row, 1, &signed)).found;
        assert_eq!(found[0].supposed, Some("the ATC (9F36) was one more"));
    }

    #[test]
    fn nothing_found_says_how_much_was_tried_and_what_is_missing() {
        let mut data = data();
        let none = search(&[MASTER, [9; 16]], 1, &data, [0; 8]);
        assert!(none.found.is_empty() && none.tried > 4000, "{}", none.tried);
        data.remove(tag::ISSUER_APPLICATION_DATA);
        let none = search(&[MASTER], 1, &data, [0; 8]);
        assert_eq!(none.missing, [tag::ISSUER_APPLICATION_DATA]);
        let empty = TlvStore::new();
        assert_eq!(search(&[MASTER], 1, &empty, [0; 8]).tried, 0);
    }

    #[test]
    fn data_as_they_stand_are_tried() {
        let row = CryptogramVersion::by_name("EMV CSK").unwrap();
        let (listed, keys) = ([0x77; 29], [Secret::new(MASTER)]);
        let data: TlvStore = [(tag::ATC, vec![0, 9]), (tag::AIP, vec![0x18, 0])].into_iter().collect();
        let input = [&listed[..], &[0x18, 0, 0, 9]].concat();
        let cryptogram = row.application_cryptogram(&MASTER, [0, 9], &input);
        let sought =
            Sought { keys: &keys, pan: None, psn: None, data: &data, listed: Some(&listed), cryptogram };
        let [found] = &identify(&sought).found[..] else { panic!("not found once") };
        assert_eq!(found.input, input);
        assert!(found.derivation.starts_with("none"));
    }
}

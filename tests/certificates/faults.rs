//! Every fault by its name and clause: each field wrong by itself under a right
//! signature, each bit of what a card bears, and bytes of no sense.

use super::*;
use cardwright::base::crypto::{sha1, sm3};
use proptest::collection::vec;
use proptest::prelude::*;

/// A signed object whose fields are `change`d before the hash is made.
fn forged(key: &RsaPrivateKey, signed: &[u8], parts: &[&[u8]], change: impl Fn(&mut [u8])) -> Vec<u8> {
    let mut message = key.public().apply(signed).unwrap();
    change(&mut message);
    let end = message.len();
    let hash = sha1(&[&[&message[1..end - 21]], parts].concat());
    message[end - 21..end - 1].copy_from_slice(&hash);
    key.apply(&message).unwrap()
}

fn rsa_of(key: &PrivateKey) -> &RsaPrivateKey {
    match key {
        PrivateKey::Rsa(key) => key,
        PrivateKey::Sm2(_) => panic!("an RSA key is expected"),
    }
}

/// What was found, and that the message names the clause.
fn fault<T: std::fmt::Debug>(result: Result<T, CertificateError>, clause: &str) -> Fault {
    let error = result.unwrap_err();
    assert_eq!(error.clause(), clause);
    assert!(error.to_string().ends_with(&format!("({clause})")), "{error}");
    error.fault
}

#[test]
fn each_field_of_an_issuer_certificate() {
    let chain = Chain::small();
    let with = |at: usize, value: u8| {
        let (remainder, exponent) = (&chain.issuer.remainder, &chain.issuer.exponent);
        let mut forgery = chain.clone();
        forgery.issuer.certificate =
            forged(rsa_of(&chain.ca_key), &chain.issuer.certificate, &[remainder, exponent], |message| {
                let at = if at == usize::MAX { message.len() - 1 } else { at };
                message[at] = value;
            });
        forgery.recover_issuer()
    };
    let clause = |step: u8| format!("EMV Book 2 6.3 step {step}");
    assert_eq!(fault(with(usize::MAX, 0xBD), &clause(2)), Fault::Trailer { found: 0xBD });
    assert_eq!(fault(with(0, 0x4A), &clause(3)), Fault::Header { found: 0x4A });
    assert_eq!(fault(with(1, 0x04), &clause(4)), Fault::Format { expected: 2, found: 4 });
    let found = [0x62, 0x99, 0x98, 0xFF];
    assert_eq!(fault(with(4, 0x98), &clause(8)), Fault::IssuerIdentifier { found });
    let expired = Fault::Expired { expiry: [0x12, 0x25], today: TODAY };
    assert_eq!(fault(with(7, 0x25), &clause(9)), expired);
    let no_month = Fault::Expired { expiry: [0x13, 0x30], today: TODAY };
    assert_eq!(fault(with(6, 0x13), &clause(9)), no_month);
    assert_eq!(fault(with(11, 0x02), &clause(6)), Fault::HashAlgorithm { found: 2 });
    assert_eq!(fault(with(12, 0x04), &clause(11)), Fault::KeyAlgorithm { expected: 1, found: 4 });
    let length = chain.issuer_key.public().bytes().len();
    let wrong = Fault::KeyLength { expected: length, found: length + 1 };
    assert_eq!(fault(with(13, length as u8 + 1), "EMV Book 2 6.3"), wrong);
    let wrong = Fault::ExponentLength { expected: 1, found: 3 };
    assert_eq!(fault(with(14, 3), "EMV Book 2 6.3"), wrong);
    assert!(with(15, 0xFF).is_ok(), "a key that nobody has compared with anything");
}

#[test]
fn each_field_of_a_card_certificate() {
    let chain = Chain::small();
    let with = |at: usize, value: u8| {
        let parts: [&[u8]; 3] = [&chain.card.remainder, &chain.card.exponent, chain.static_data.as_bytes()];
        let mut forgery = chain.clone();
        forgery.card.certificate =
            forged(rsa_of(&chain.issuer_key), &chain.card.certificate, &parts, |message| message[at] = value);
        forgery.recover_card()
    };
    let clause = |step: u8| format!("EMV Book 2 6.4 step {step}");
    assert_eq!(fault(with(1, 0x02), &clause(4)), Fault::Format { expected: 4, found: 2 });
    assert_eq!(fault(with(9, 0x18), &clause(8)), Fault::Pan);
    assert_eq!(fault(with(11, 0x11), &clause(8)), Fault::Pan, "the filling is F");
    let expired = Fault::Expired { expiry: [0x10, 0x26], today: TODAY };
    assert_eq!(fault(with(12, 0x10), &clause(9)), expired);
    assert_eq!(fault(with(17, 0x02), &clause(6)), Fault::HashAlgorithm { found: 2 });
    assert_eq!(fault(with(18, 0x00), &clause(10)), Fault::KeyAlgorithm { expected: 1, found: 0 });
    let wrong = Fault::KeyLength { expected: 88, found: 80 };
    assert_eq!(fault(with(19, 80), "EMV Book 2 6.4"), wrong);
}

#[test]
fn the_remainder_the_exponent_and_the_static_data_are_hashed() {
    let key = |bits, number| PrivateKey::Rsa(rsa(bits, RsaExponent::Three, number));
    let chain = Chain::new(key(1024, 1), key(1024, 4), key(1024, 5));
    assert!(!chain.issuer.remainder.is_empty() && !chain.card.remainder.is_empty());
    let changes: [fn(&mut Chain); 6] = [
        |chain| chain.issuer.remainder[0] ^= 1,
        |chain| chain.issuer.remainder.truncate(1),
        |chain| chain.issuer.exponent[0] ^= 1,
        |chain| chain.card.remainder[0] ^= 1,
        |chain| chain.card.exponent = vec![1, 0, 1],
        |chain| chain.static_data = StaticData::from(b"\x5A\x08other records".to_vec()),
    ];
    for (number, change) in changes.into_iter().enumerate() {
        let mut chain = chain.clone();
        change(&mut chain);
        if number < 3 {
            assert_eq!(fault(chain.recover_issuer(), "EMV Book 2 6.3 step 7"), Fault::Hash, "{number}");
        } else {
            assert_eq!(fault(chain.recover_card(), "EMV Book 2 6.4 step 7"), Fault::Hash, "{number}");
        }
    }
}

#[test]
fn what_is_around_a_certificate() {
    let mut chain = Chain::small();
    let against = |list: &RevocationList, today, pan: &Pan| {
        IssuerCertificate::recover(
            chain.issuer.as_ref(),
            &chain.ca,
            Against { pan, today, revocations: list },
        )
    };
    let none = RevocationList::default();
    let revoked =
        RevocationList(vec![Revoked { rid: chain.ca.rid, ca_index: chain.ca.index, serial: [0, 0, 1] }]);
    let found = against(&revoked, TODAY, &pan());
    assert_eq!(fault(found, "EMV Book 2 6.3 step 10"), Fault::Revoked { serial: [0, 0, 1] });
    let other = RevocationList(vec![Revoked { ca_index: 0xE2, ..revoked.0[0] }]);
    assert!(against(&other, TODAY, &pan()).is_ok());
    let elsewhere = Pan::with_check_digit("629998000000001").unwrap();
    let found = Fault::IssuerIdentifier { found: [0x62, 0x99, 0x99, 0xFF] };
    assert_eq!(fault(against(&none, TODAY, &elsewhere), "EMV Book 2 6.3 step 8"), found);
    assert!(against(&none, [0x30, 0x12, 0x31], &pan()).is_ok());
    assert!(against(&none, [0x31, 0x01, 0x01], &pan()).is_err());

    chain.issuer.certificate.push(0);
    let wrong = Fault::Length { expected: 128, found: 129 };
    assert_eq!(fault(chain.recover_issuer(), "EMV Book 2 6.3 step 1"), wrong);
    let keys: CaPublicKeys = [chain.ca.clone()].into_iter().collect();
    assert_eq!(keys.find(chain.ca.rid, 0xE1, Suite::Rsa), Ok(&chain.ca));
    let unknown = Fault::UnknownCaKey { rid: chain.ca.rid, index: 0xE1 };
    assert_eq!(keys.find(chain.ca.rid, 0xE1, Suite::Sm2).unwrap_err().fault, unknown);
    assert!(chain.ca.check(&chain.ca.checksum()).is_ok());
    assert!(matches!(chain.ca.check(&[0; 20]).unwrap_err().fault, Fault::Checksum { .. }));
}

#[test]
fn each_field_of_signed_data() {
    let chain = Chain::small();
    let issuer = rsa_of(&chain.issuer_key);
    let with = |at: usize, value: u8| {
        let signed =
            forged(issuer, &chain.static_signature, &[chain.static_data.as_bytes()], |m| m[at] = value);
        recover_static_signature(&signed, &chain.static_data, &chain.issuer_key.public())
    };
    assert_eq!(fault(with(1, 4), "EMV Book 2 5.4 step 4"), Fault::Format { expected: 3, found: 4 });
    assert_eq!(fault(with(2, 4), "EMV Book 2 5.4 step 6"), Fault::HashAlgorithm { found: 4 });
    assert_eq!(with(3, 0xAD), Ok([0xAD, 0xC0]));
    let other = StaticData::new();
    let found = recover_static_signature(&chain.static_signature, &other, &chain.issuer_key.public());
    assert_eq!(fault(found, "EMV Book 2 5.4 step 7"), Fault::Hash);

    let card = chain.card_key.public();
    let data = IccDynamicData { number: vec![1; 8], rest: Vec::new() };
    let signed = data.sign(&[&[1, 2, 3, 4]], &chain.card_key).unwrap();
    let found = IccDynamicData::recover(&signed, &[&[1, 2, 3, 5]], &card);
    assert_eq!(fault(found, "EMV Book 2 6.5.2 step 7"), Fault::Hash);
    let with = |at: usize, value: u8| {
        let signed = forged(rsa_of(&chain.card_key), &signed, &[&[1, 2, 3, 4]], |m| m[at] = value);
        IccDynamicData::recover(&signed, &[&[1, 2, 3, 4]], &card)
    };
    for length in [0, 1, 9] {
        let wrong = Fault::DynamicNumber { found: usize::from(length) };
        assert_eq!(fault(with(4, length), "EMV Book 2 6.5.2"), wrong);
    }
    let wrong = Fault::DynamicDataLength { at_most: 63, found: 64 };
    assert_eq!(fault(with(3, 64), "EMV Book 2 6.5.2"), wrong);
    let long = IccDynamicData { number: vec![1; 8], rest: vec![0; 55] };
    let wrong = Fault::DynamicDataLength { at_most: longest_dynamic_data(&card), found: 64 };
    assert_eq!(long.sign(&[], &chain.card_key).unwrap_err().fault, wrong);
}

#[test]
fn each_field_of_a_combined_signature() {
    for chain in [Chain::small(), Chain::of_sm2()] {
        let card = chain.card_key.public();
        let transaction_data_hash = CdaDynamicData::transaction_data_hash(&[b"exchanged"], card.suite());
        let data = CdaDynamicData {
            number: vec![1; 8],
            cryptogram_information: 0x80,
            cryptogram: [5; 8],
            transaction_data_hash,
            rest: Vec::new(),
        };
        let signed = data.sign([1, 2, 3, 4], &chain.card_key).unwrap();
        let recover = |number, answered| CdaDynamicData::recover(&signed, number, answered, &card);
        let other = recover([1, 2, 3, 4], 0x40);
        let wrong = Fault::CryptogramInformation { expected: 0x40, found: 0x80 };
        assert_eq!(fault(other, "EMV Book 2 6.6.2 step 6"), wrong);
        let (clause, wrong) = match card.suite() {
            Suite::Rsa => ("EMV Book 2 6.6.2 step 9", Fault::Hash),
            Suite::Sm2 => ("JR/T 0025.17, as EMV Book 2 6.6.2", Fault::Signature),
        };
        assert_eq!(fault(recover([1, 2, 3, 5], 0x80), clause), wrong);
        let recovered = recover([1, 2, 3, 4], 0x80).unwrap();
        assert_eq!(recovered.check_transaction(&[b"exch", b"anged"]), Ok(()));
        let wrong = recovered.check_transaction(&[b"exchanges"]);
        assert_eq!(fault(wrong, "EMV Book 2 6.6.2 step 12"), Fault::TransactionDataHash);
        // A signature of DDA is none of CDA.
        let dda = IccDynamicData { number: vec![1; 8], rest: vec![0; 4] };
        let dda = dda.sign(&[&[1, 2, 3, 4]], &chain.card_key).unwrap();
        let short = CdaDynamicData::recover(&dda, [1, 2, 3, 4], 0x80, &card).unwrap_err().fault;
        assert!(matches!(short, Fault::Short { .. }), "{short:?}");
    }
}

#[test]
fn keys_that_do_not_fit_are_not_signed() {
    let chain = Chain::small();
    let certificate = chain.recover_issuer().unwrap();
    let wrong = Fault::KeyTooLong { at_most: 88, found: 120 };
    assert_eq!(certificate.sign(&chain.card_key).unwrap_err().fault, wrong);
    let wrong = Fault::KeyAlgorithm { expected: 4, found: 1 };
    assert_eq!(certificate.sign(&sm2(1)).unwrap_err().fault, wrong);
    assert_ne!(sha1(&[b"x"]).len(), sm3(&[b"x"]).len());
}

/// The bytes of a chain in which a bit can be wrong.
fn places(chain: &mut Chain) -> [&mut Vec<u8>; 7] {
    [
        &mut chain.issuer.certificate,
        &mut chain.issuer.remainder,
        &mut chain.issuer.exponent,
        &mut chain.card.certificate,
        &mut chain.card.remainder,
        &mut chain.card.exponent,
        &mut chain.static_signature,
    ]
}

fn authenticates(chain: &Chain) -> Result<(), CertificateError> {
    let issuer = chain.recover_issuer()?;
    recover_static_signature(&chain.static_signature, &chain.static_data, &issuer.key)?;
    chain.recover_card().map(|_| ())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn every_wrong_bit_is_found(place in 0usize..7, bit: prop::sample::Index, of_sm2: bool) {
        let mut chain = if of_sm2 { Chain::of_sm2() } else { Chain::small() };
        prop_assert_eq!(authenticates(&chain), Ok(()));
        let bytes = &mut places(&mut chain)[place];
        if !bytes.is_empty() {
            let bit = bit.index(bytes.len() * 8);
            bytes[bit / 8] ^= 0x80 >> (bit % 8);
            let error = authenticates(&chain).unwrap_err();
            prop_assert!(!error.to_string().is_empty());
        }
    }

    #[test]
    fn bytes_of_no_sense_are_refused(
        one in vec(any::<u8>(), 0..260), two in vec(any::<u8>(), 0..50), three in vec(any::<u8>(), 0..4), of_sm2: bool,
    ) {
        let mut chain = if of_sm2 { Chain::of_sm2() } else { Chain::small() };
        let bytes = Certificate { certificate: one.clone(), remainder: two.clone(), exponent: three };
        (chain.issuer, chain.card) = (bytes.clone(), bytes);
        prop_assert!(chain.recover_issuer().is_err());
        prop_assert!(chain.recover_card().is_err());
        let issuer = chain.issuer_key.public();
        prop_assert!(recover_static_signature(&one, &chain.static_data, &issuer).is_err());
        prop_assert!(IccDynamicData::recover(&one, &[&two], &issuer).is_err());
        prop_assert!(CdaDynamicData::recover(&one, [0; 4], 0x80, &issuer).is_err());
        let _ = PublicKey::rsa(&one, &two, Object::IssuerCertificate);
        let _ = PublicKey::sm2(&one, Object::IssuerCertificate);
        let _ = StaticData::new().add_record(1, 1, &one);
    }
}

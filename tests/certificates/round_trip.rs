//! What is signed is recovered, at every length and with both exponents.

use super::*;
use cardwright::words::emv::Afl;
use proptest::prelude::*;

const EXPONENTS: [RsaExponent; 2] = [RsaExponent::Three, RsaExponent::F4];

#[test]
fn chains_of_every_length_are_recovered() {
    // The longest CA key; an issuer key that just fits its record; a card key that fits
    // CDA beside 32 bytes of issuer application data; keys with and without remainder.
    for (number, [ca, issuer, card]) in
        [[1984, 1976, 1640], [1984, 1696, 1360], [1408, 1408, 1408], [1152, 1024, 704], [704, 704, 512]]
            .into_iter()
            .enumerate()
    {
        for exponent in EXPONENTS {
            let key = |bits, place| PrivateKey::Rsa(rsa(bits, exponent, number as u8 * 8 + place));
            let chain = Chain::new(key(ca, 10), key(issuer, 11), key(card, 12));
            let fits = issuer as usize / 8 + 36 <= ca as usize / 8;
            assert_eq!(chain.issuer.remainder.is_empty(), fits, "{ca} {issuer}");
            whole_chain(&chain);
        }
    }
}

#[test]
fn sm2_chains_are_recovered() {
    let chain = Chain::of_sm2();
    assert_eq!((chain.issuer.certificate.len(), chain.card.certificate.len()), (142, 148));
    assert!(chain.issuer.remainder.is_empty() && chain.issuer.exponent.is_empty());
    whole_chain(&chain);
}

fn whole_chain(chain: &Chain) {
    let issuer = chain.recover_issuer().unwrap();
    assert_eq!(issuer.key, chain.issuer_key.public());
    assert_eq!((issuer.serial, issuer.expiry), ([0, 0, 1], [0x12, 0x30]));
    let card = chain.recover_card().unwrap();
    assert_eq!((&card.key, card.serial), (&chain.card_key.public(), [0, 0, 2]));
    let code = recover_static_signature(&chain.static_signature, &chain.static_data, &issuer.key);
    assert_eq!(code, Ok([0xDA, 0xC0]));

    let data = IccDynamicData { number: vec![1; 8], rest: vec![0x44; 3] };
    let signed = data.sign(&[b"ddol", b"values"], &chain.card_key).unwrap();
    assert_eq!(IccDynamicData::recover(&signed, &[b"ddolvalues"], &card.key), Ok(data));

    let suite = card.key.suite();
    let exchanged: [&[u8]; 2] = [b"pdol and cdol values", b"\x9F\x27\x01\x40"];
    let data = CdaDynamicData {
        number: vec![7; 2],
        cryptogram_information: 0x40,
        cryptogram: [9; 8],
        transaction_data_hash: CdaDynamicData::transaction_data_hash(&exchanged, suite),
        rest: Vec::new(),
    };
    let signed = data.sign([1, 2, 3, 4], &chain.card_key).unwrap();
    let recovered = CdaDynamicData::recover(&signed, [1, 2, 3, 4], 0x40, &card.key).unwrap();
    assert_eq!(recovered, data);
    assert_eq!(recovered.check_transaction(&exchanged), Ok(()));
}

#[test]
fn a_combined_signature_fits_the_longest_answer() {
    // Template 77, 9F27, 9F36, 9F4B of 205 bytes and 9F10 of 32: 256 bytes.
    let key = PrivateKey::Rsa(rsa(1640, RsaExponent::Three, 12));
    let data = CdaDynamicData {
        number: vec![7; 8],
        cryptogram_information: 0x80,
        cryptogram: [9; 8],
        transaction_data_hash: vec![0; 20],
        rest: Vec::new(),
    };
    assert_eq!(3 + 4 + 5 + 4 + data.sign([0; 4], &key).unwrap().len() + 35, 256);
}

#[test]
fn pin_encipherment_keys_have_certificates_without_static_data() {
    let issuer = rsa(1024, RsaExponent::Three, 1);
    let key = PrivateKey::Rsa(rsa(704, RsaExponent::Three, 3)).public();
    let certificate = IccCertificate { pan: pan(), expiry: [0x12, 0x30], serial: [0; 3], key };
    let signed = certificate.sign(IccKeyUse::PinEncipherment, &PrivateKey::Rsa(issuer.clone())).unwrap();
    let (pan, revocations) = (pan(), RevocationList::default());
    let against = Against { pan: &pan, today: TODAY, revocations: &revocations };
    let issuer = PublicKey::Rsa(issuer.public().clone());
    let recover = |key_use| IccCertificate::recover(signed.as_ref(), key_use, &issuer, against);
    assert_eq!(recover(IccKeyUse::PinEncipherment), Ok(certificate.clone()));
    let other = StaticData::from(vec![1]);
    assert_eq!(recover(IccKeyUse::Authentication(&other)).unwrap_err().fault, Fault::Hash);
    let refused = certificate.sign(IccKeyUse::PinEncipherment, &sm2(1)).unwrap_err();
    assert_eq!(refused.fault, Fault::NotInSuite);
}

#[test]
fn fdda_signs_what_its_version_says() {
    let input = |card_authentication| FddaInput {
        unpredictable_number: &[1, 2, 3, 4],
        amount: &[0, 0, 0, 0, 0x12, 0x50],
        currency: &[0x01, 0x56],
        card_authentication,
    };
    let parts = |data| input(data).parts().map(|parts| parts.concat());
    assert_eq!(parts(None), Ok(vec![1, 2, 3, 4]));
    assert_eq!(parts(Some(&[0, 9, 9, 9, 9])), Ok(vec![1, 2, 3, 4]));
    let all = [1, 2, 3, 4, 0, 0, 0, 0, 0x12, 0x50, 0x01, 0x56, 1, 9, 9, 9, 9, 0x28, 0];
    assert_eq!(parts(Some(&[1, 9, 9, 9, 9, 0x28, 0])), Ok(all.to_vec()));
    for wrong in [&[2, 9][..], &[]] {
        assert_eq!(parts(Some(wrong)).unwrap_err().fault, Fault::FddaVersion { found: wrong.into() });
    }
}

#[test]
fn static_data_are_the_marked_records_and_the_listed_aip() {
    let afl = Afl::parse(&[0x08, 1, 3, 2, 0x58, 1, 1, 1]).unwrap();
    let records: [(u8, u8, &[u8]); 3] =
        [(1, 1, b"\x70\x81\x02\x5A\x00"), (1, 2, b"\x70\x03\x57\x01\x09"), (11, 1, b"\x01own\x02")];
    let of = |sfi, number| records.iter().find(|(s, n, _)| (*s, *n) == (sfi, number)).map(|(_, _, r)| *r);
    let data = StaticData::gather(&afl, of, Some(&[0x82]), [0x3C, 0x00]).unwrap();
    assert_eq!(data.as_bytes(), b"\x5A\x00\x57\x01\x09\x01own\x02\x3C\x00");
    assert_eq!(StaticData::gather(&afl, of, None, [0; 2]).unwrap().as_bytes().len(), 10);

    let fault = |result: Result<StaticData, CertificateError>| result.unwrap_err().fault;
    let listed = StaticData::gather(&afl, of, Some(&[0x82, 0x84]), [0; 2]);
    assert_eq!(fault(listed), Fault::TagList { found: vec![0x82, 0x84] });
    let absent = StaticData::gather(&afl, |_, _| None, None, [0; 2]);
    assert_eq!(fault(absent), Fault::RecordAbsent { sfi: 1, record: 1 });
    for wrong in [&b"\x77\x02\x5A\x00"[..], b"", b"\x70\x05\x5A", b"\x70\x00\x5A\x00"] {
        let result = StaticData::gather(&afl, |_, _| Some(wrong), None, [0; 2]);
        assert_eq!(fault(result), Fault::Record { sfi: 1, record: 1 }, "{wrong:02X?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn any_length_is_recovered(half_bytes in 32u32..62, less in 0u32..20, f4: bool) {
        let exponent = EXPONENTS[usize::from(f4)];
        let issuer = PrivateKey::Rsa(rsa(half_bytes * 16, exponent, 0));
        let card = PrivateKey::Rsa(rsa((half_bytes - less).max(32) * 16, exponent, 1));
        whole_chain(&Chain::new(issuer.clone(), issuer, card));
    }

    #[test]
    fn every_month_ends_on_its_last_day(month in 1u8..=12, year in 0u8..50, day in 1u8..=31) {
        let bcd = |number: u8| ((number / 10) << 4) | (number % 10);
        let revocations = RevocationList::default();
        let pan = pan();
        let chain = Chain::of_sm2();
        let certificate = IccCertificate {
            pan: pan.clone(), expiry: [bcd(month), bcd(year)], serial: [0; 3], key: chain.card_key.public(),
        };
        let key_use = IccKeyUse::Authentication(&chain.static_data);
        let signed = certificate.sign(key_use, &chain.issuer_key).unwrap();
        let on = |today| {
            let against = Against { pan: &pan, today, revocations: &revocations };
            IccCertificate::recover(signed.as_ref(), key_use, &chain.issuer_key.public(), against).is_ok()
        };
        prop_assert!(on([bcd(year), bcd(month), bcd(day)]));
        prop_assert!(on([0x99, bcd(month), bcd(day)]), "1999 comes before");
        let (next_year, next) = if month == 12 { (year + 1, 1) } else { (year, month + 1) };
        prop_assert_eq!(on([bcd(next_year), bcd(next), 0x01]), next_year == 50, "2050 is written as 1950");
    }
}

//! Cryptography, each of ours beside its rival or floor in one run:
//! `cargo bench --bench cryptography`.

#![allow(clippy::expect_used, reason = "a benchmark of a version that is not there must stop")]

use cardwright::base::crypto::{self, Padding};
use cardwright::words::emv::cryptogram::CryptogramVersion;
use des::{Des, TdesEde2};
use divan::{Bencher, black_box};
use retail_mac::{KeyInit, Mac, RetailMac};

const KEY: [u8; 16] = *b"0123456789abcdef";
const ATC: [u8; 2] = [0x00, 0x1C];
/// Forty bytes, padded by method 2.
const PADDED: [u8; 48] = {
    let mut data = [0; 48];
    let mut index = 0;
    while index < 40 {
        data[index] = 0x5A;
        index += 1;
    }
    data[40] = 0x80;
    data
};

#[path = "support/counter.rs"]
mod counter;
#[cfg(target_os = "linux")]
#[path = "support/libcrypto.rs"]
mod libcrypto;
#[path = "cryptography/payment.rs"]
mod payment;

fn main() {
    payment::table();
    divan::main();
}

/// The retail MAC over 40 bytes, key schedules included.
#[divan::bench_group]
mod retail_mac_40_bytes {
    use super::*;

    #[divan::bench]
    fn ours(bencher: Bencher) {
        bencher.bench(|| crypto::mac_algorithm_3(black_box(&KEY), black_box(&[0x5A; 40]), Padding::Method1));
    }

    #[divan::bench]
    fn rival_retail_mac(bencher: Bencher) {
        bencher.bench(|| retail(black_box(&KEY), black_box(&[0x5A; 40])));
    }
}

/// Session key, then a cryptogram over 40 bytes: what a card does for each payment.
#[divan::bench_group]
mod session_key_and_arqc_40_bytes {
    use super::*;

    #[divan::bench(args = ["PBOC CVN 01", "VIS CVN 18", "VIS CVN 10", "PBOC CVN 01 SM4"])]
    fn ours(bencher: Bencher, name: &str) {
        let version = CryptogramVersion::by_name(name).expect("a version of that name");
        bencher.bench(|| {
            version.application_cryptogram(black_box(&KEY), black_box(ATC), black_box(&[0x5A; 40]))
        });
    }

    /// PBOC's session key by the crate des, then the crate retail-mac.
    #[divan::bench]
    fn rival_des_and_retail_mac(bencher: Bencher) {
        use des::cipher::BlockCipherEncrypt;
        bencher.bench(|| {
            let cipher = TdesEde2::new(black_box(&KEY).into());
            let [high, low] = black_box(ATC);
            let mut halves = [[0, 0, 0, 0, 0, 0, high, low].into(), [0, 0, 0, 0, 0, 0, !high, !low].into()];
            cipher.encrypt_blocks(&mut halves);
            let [left, right]: [[u8; 8]; 2] = halves.map(Into::into);
            let key: [u8; 16] = std::array::from_fn(|i| if i < 8 { left[i] } else { right[i - 8] });
            retail(&key, black_box(&PADDED))
        });
    }
}

/// The floor under the cryptogram above: its two triple DES and eight DES blocks
/// with the key schedules made beforehand.
#[divan::bench]
fn floor_fourteen_des_blocks(bencher: Bencher) {
    use des::cipher::BlockCipherEncrypt;
    let cipher = Des::new(KEY.first_chunk::<8>().expect("8 bytes").into());
    bencher.bench(|| {
        let mut block = [0u8; 8].into();
        for _ in 0..14 {
            cipher.encrypt_block(black_box(&mut block));
        }
        block
    });
}

/// A card key from a master key, 19 digits of PAN.
#[divan::bench(args = ["PBOC CVN 01", "VIS CVN 18", "PBOC CVN 01 SM4"])]
fn card_key(bencher: Bencher, name: &str) {
    let version = CryptogramVersion::by_name(name).expect("a version of that name");
    bencher.bench(|| version.udk(black_box(&KEY), black_box("6299999999999999999"), 0));
}

/// The retail MAC and a session key by tables, as simulated cards have it, beside the crate
/// des and libcrypto.
#[divan::bench_group]
mod des_by_tables {
    use super::*;
    use crypto::TripleDes;

    /// Session key, then a cryptogram over 40 bytes: four key schedules, two triple DES,
    /// eight DES.
    #[divan::bench(args = [TripleDes::Tables, TripleDes::Crate])]
    fn session_key_and_arqc_40_bytes(bencher: Bencher, by: &TripleDes) {
        bencher.bench(|| one(*by));
    }

    #[cfg(target_os = "linux")]
    #[divan::bench]
    fn session_key_and_arqc_40_bytes_rival_libcrypto(bencher: Bencher) {
        let Some(rival) = libcrypto::Libcrypto::load() else { return };
        let theirs = || rival.session_key_and_mac(black_box(&KEY), black_box(ATC), black_box(&PADDED));
        assert_eq!(theirs(), one(TripleDes::Tables), "the rival computes another thing");
        bencher.bench(theirs);
    }

    #[divan::bench(args = [TripleDes::Tables, TripleDes::Crate])]
    fn tdes_block_with_schedule(bencher: Bencher, by: &TripleDes) {
        bencher.bench(|| by.encrypt_block(black_box(&KEY), black_box([7; 8])));
    }

    fn one(by: TripleDes) -> [u8; 8] {
        let key = by.pboc_session_key(black_box(&KEY), black_box(ATC));
        by.mac_algorithm_3(&key, black_box(&[0x5A; 40]), Padding::Method2)
    }
}

/// Raw RSA, beside num-bigint. `openssl speed rsa1024` is another rival, of other lengths.
#[divan::bench_group(max_time = 2)]
mod rsa {
    use super::*;
    use cardwright::base::bytes::Secret;
    use crypto::{RsaExponent, RsaPrivateKey, RsaPublicKey};
    use num_bigint::BigUint;

    const LENGTHS: [u32; 3] = [1024, 1408, 1984];

    fn key(bits: u32, exponent: RsaExponent) -> RsaPrivateKey {
        RsaPrivateKey::generate(bits, exponent, &Secret::new([1; 32])).expect("a key of that length")
    }

    fn message(bits: u32) -> Vec<u8> {
        let mut message = vec![0xA5; bits as usize / 8];
        message[0] = 0x6A;
        message
    }

    fn public(bencher: Bencher, bits: u32, exponent: RsaExponent) {
        let (key, message) = (key(bits, exponent), message(bits));
        bencher.bench(|| key.public().apply(black_box(&message)));
    }

    #[divan::bench(args = LENGTHS)]
    fn public_e_3_ours(bencher: Bencher, bits: u32) {
        public(bencher, bits, RsaExponent::Three);
    }

    /// Two products and remainders, which for this exponent is what num-bigint does best.
    #[divan::bench(args = LENGTHS)]
    fn public_e_3_rival_num_bigint(bencher: Bencher, bits: u32) {
        let modulus = BigUint::from_bytes_be(key(bits, RsaExponent::Three).public().modulus());
        let message = BigUint::from_bytes_be(&message(bits));
        bencher.bench(|| {
            let message = black_box(&message);
            message * message % &modulus * message % &modulus
        });
    }

    #[divan::bench(args = LENGTHS)]
    fn public_e_65537_ours(bencher: Bencher, bits: u32) {
        public(bencher, bits, RsaExponent::F4);
    }

    #[divan::bench(args = LENGTHS)]
    fn public_e_65537_rival_num_bigint(bencher: Bencher, bits: u32) {
        let modulus = BigUint::from_bytes_be(key(bits, RsaExponent::F4).public().modulus());
        let (message, exponent) = (BigUint::from_bytes_be(&message(bits)), BigUint::from(65537u32));
        bencher.bench(|| black_box(&message).modpow(&exponent, &modulus));
    }

    #[divan::bench(args = LENGTHS)]
    fn private_ours(bencher: Bencher, bits: u32) {
        let (key, message) = (key(bits, RsaExponent::Three), message(bits));
        bencher.bench(|| key.apply(black_box(&message)));
    }

    /// CRT by hand; not constant time.
    #[divan::bench(args = LENGTHS)]
    fn private_rival_num_bigint(bencher: Bencher, bits: u32) {
        let key = key(bits, RsaExponent::Three);
        let [p, q] = key.primes().map(|prime| BigUint::from_bytes_be(prime.expose()));
        let one = BigUint::from(1u32);
        let (p_1, q_1) = (&p - &one, &q - &one);
        let three = BigUint::from(3u32);
        let (d_p, d_q) = (three.modinv(&p_1).expect("an inverse"), three.modinv(&q_1).expect("an inverse"));
        let q_inverse = q.modinv(&p).expect("an inverse");
        let message = BigUint::from_bytes_be(&message(bits));
        bencher.bench(|| {
            let message = black_box(&message);
            let (m_p, m_q) = (message.modpow(&d_p, &p), message.modpow(&d_q, &q));
            let missing = (&m_p + &p - &m_q % &p) * &q_inverse % &p;
            m_q + missing * &q
        });
    }

    /// What keeping a key saves at each use.
    #[divan::bench(args = LENGTHS)]
    fn parameters_of_a_public_key(bencher: Bencher, bits: u32) {
        let key = key(bits, RsaExponent::Three);
        bencher.bench(|| RsaPublicKey::new(black_box(key.public().modulus()), RsaExponent::Three));
    }
}

/// A terminal's whole way from the CA's key to the card's: two certificates, their hashes
/// and checks, and the parameters of the two recovered keys. SM2 beside it.
#[divan::bench_group(max_time = 2)]
mod certificates {
    use super::*;
    use cardwright::roles::bureau::{Authority, CertificateOrder};
    use cardwright::words::emv::Pan;
    use cardwright::words::emv::certificate::{
        Against, CertificateRef, IccCertificate, IccKeyUse, IssuerCertificate, RevocationList, StaticData,
        Suite,
    };
    use cardwright::words::tlv::{Tag, TlvStore};

    const SUITES: [&str; 2] = ["rsa 1984 1408 1152", "sm2"];

    fn order<'a>(suite: &str, pan: &'a Pan, static_data: &'a StaticData) -> CertificateOrder<'a> {
        CertificateOrder {
            rid: [0xA0, 0x00, 0x00, 0x03, 0x33],
            suite: if suite == "sm2" { Suite::Sm2 } else { Suite::Rsa },
            pan,
            psn: 1,
            expiry: [0x35, 0x12, 0x31],
            static_data,
            static_signature: false,
            card_key: true,
            pin_key: false,
        }
    }

    fn pan() -> Pan {
        Pan::with_check_digit("629999000000001").expect("a PAN")
    }

    #[divan::bench(args = SUITES)]
    fn recovered(bencher: Bencher, suite: &str) {
        let (authority, pan) = (Authority::test().expect("the test authority"), pan());
        let static_data = StaticData::from(vec![0x5A; 120]);
        let order = order(suite, &pan, &static_data);
        let card: TlvStore = authority.certify(&order).expect("certificates").elements.into_iter().collect();
        let keys = authority.public_keys();
        let index = card.value(Tag(0x8F)).map_or(0, |value| value[0]);
        let ca = keys.find(order.rid, index, order.suite).expect("the CA's key");
        let revocations = RevocationList::default();
        let against = Against { pan: &pan, today: [0x26, 0x11, 0x21], revocations: &revocations };
        let objects = |certificate, remainder, exponent| CertificateRef {
            certificate: card.value(Tag(certificate)).unwrap_or_default(),
            remainder: card.value(Tag(remainder)).unwrap_or_default(),
            exponent: card.value(Tag(exponent)).unwrap_or_default(),
        };
        bencher.bench(|| {
            let issuer = IssuerCertificate::recover(objects(0x90, 0x92, 0x9F32), ca, against).expect("valid");
            let key_use = IccKeyUse::Authentication(&static_data);
            IccCertificate::recover(objects(0x9F46, 0x9F48, 0x9F47), key_use, &issuer.key, against)
                .expect("valid")
        });
    }

    /// What a new card costs the bureau.
    #[divan::bench(args = SUITES)]
    fn signed(bencher: Bencher, suite: &str) {
        let (authority, pan) = (Authority::test().expect("the test authority"), pan());
        let static_data = StaticData::from(vec![0x5A; 120]);
        let order = order(suite, &pan, &static_data);
        bencher.bench(|| authority.certify(black_box(&order)));
    }
}

fn retail(key: &[u8; 16], data: &[u8]) -> [u8; 8] {
    let mut mac = RetailMac::<Des>::new(key.into());
    mac.update(data);
    mac.finalize().into_bytes().into()
}

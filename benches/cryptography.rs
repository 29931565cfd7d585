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

fn main() {
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

fn retail(key: &[u8; 16], data: &[u8]) -> [u8; 8] {
    let mut mac = RetailMac::<Des>::new(key.into());
    mac.update(data);
    mac.finalize().into_bytes().into()
}

//! Reading words, each of ours beside its rival in one run: `cargo bench --bench words`.

#![allow(clippy::expect_used, clippy::panic, reason = "a benchmark whose input is not read must stop")]

use cardwright::base::bytes::parse_hex;
use cardwright::words::decode::Masker;
use cardwright::words::emv::Fci;
use cardwright::words::iso7816::Aid;
use cardwright::words::tlv::{self, Tlv};
use divan::{Bencher, black_box};

/// The answer to SELECT PPSE of a card with two applications.
const PPSE: &str = "6F4B 840E325041592E5359532E4444463031 A539 BF0C36 \
    6119 4F08A000000333010101 500A50424F43204445424954 870101 \
    6119 4F08A000000333010106 500A50424F43204543415348 870102";

fn main() {
    divan::main();
}

fn ppse() -> Vec<u8> {
    let bytes = parse_hex(PPSE).expect("hexadecimal digits");
    assert_eq!(tlv::parse(&bytes).map(|all| all.len()), Ok(1), "the answer is one template");
    bytes
}

/// The answer to SELECT PPSE, every template opened.
#[divan::bench_group]
mod ppse_fci_as_tlv {
    use super::*;

    #[divan::bench]
    fn ours(bencher: Bencher) {
        let bytes = ppse();
        assert_eq!(count(&tlv::parse(&bytes).expect("TLV")), 12);
        bencher.bench(|| count(&tlv::parse(black_box(&bytes)).expect("TLV")));
    }

    #[divan::bench]
    fn rival_iso7816_tlv(bencher: Bencher) {
        let bytes = ppse();
        let read = |bytes: &[u8]| iso7816_tlv::ber::Tlv::from_bytes(bytes).expect("TLV");
        assert_eq!(count_rival(&read(&bytes)), 12);
        bencher.bench(|| count_rival(&read(black_box(&bytes))));
    }

    /// Every data object, opened: ours opens a template when it is asked to.
    fn count(list: &[Tlv<'_>]) -> usize {
        let inside = |element: &Tlv<'_>| match element.tag.is_constructed() {
            true => count(&element.children().expect("TLV")),
            false => 0,
        };
        list.iter().map(|element| 1 + inside(element)).sum()
    }

    fn count_rival(element: &iso7816_tlv::ber::Tlv) -> usize {
        match element.value() {
            iso7816_tlv::ber::Value::Constructed(list) => 1 + list.iter().map(count_rival).sum::<usize>(),
            iso7816_tlv::ber::Value::Primitive(_) => 1,
        }
    }
}

/// The same answer as an `Fci`, applications named.
#[divan::bench]
fn ppse_fci_as_words(bencher: Bencher) {
    let bytes = ppse();
    let name = Aid::new(*b"2PAY.SYS.DDF01").expect("14 bytes");
    bencher.bench(|| Fci::parse(black_box(&bytes), &name).expect("an FCI"));
}

/// Masking a record with PAN and track 2, the pseudonym known.
#[divan::bench]
fn mask_record(bencher: Bencher) {
    let record = "7022 5A0A6222020000001234567F 5714 6222020000001234567D30122201234567890123";
    let record = parse_hex(record).expect("hexadecimal digits");
    let mut masker = Masker::new();
    bencher.bench_local(|| masker.tlv(black_box(&record)));
}

/// A terminal's load as a message of the `pos` dialect.
mod iso8583_load {
    use super::*;
    use cardwright::words::iso8583::{Dialect, Message, Mti, dialect, encode, mac, mac_input, parse};

    fn message() -> Message {
        let chip = "9F2608C9C9C9C9C9C9C9C9 9F2701 80 9F1013 07010103A00010010A010000050000A1B2C3D4 \
            9F3704 01020304 9F3602 001A 9505 0000000000 9A03 261121 9C0160 9F0206 000000005000 5F2A02 0156 \
            8202 7C00 9F1A02 0156 9F0306 000000000000 9F3303 E0F8C8 9F3403 420300 9F3501 22";
        Message::new(Mti::FINANCIAL)
            .with(2, "6299990000000001234")
            .with(3, "600000")
            .with(4, "000000005000")
            .with(11, "000123")
            .with(22, "051")
            .with(23, "001")
            .with(25, "91")
            .with(41, "TERM0001")
            .with(42, "MERCHANT0000001")
            .with(49, "156")
            .with(55, parse_hex(chip).expect("hexadecimal digits"))
            .with(60, "4500000100050")
            .with(64, [0; 8])
    }

    fn pos() -> &'static Dialect {
        dialect("pos").expect("a built-in dialect")
    }

    #[divan::bench]
    fn write(bencher: Bencher) {
        let message = message();
        bencher.bench(|| encode(black_box(&message), pos()).expect("a message that fits"));
    }

    #[divan::bench]
    fn read(bencher: Bencher) {
        let bytes = encode(&message(), pos()).expect("a message that fits");
        assert_eq!(parse(&bytes, pos()).as_ref(), Ok(&message()));
        bencher.bench(|| parse(black_box(&bytes), pos()).expect("a message"));
    }

    #[divan::bench]
    fn code(bencher: Bencher) {
        let bytes = encode(&message(), pos()).expect("a message that fits");
        let input = mac_input(&bytes, pos()).expect("a message with a code");
        bencher.bench(|| mac(black_box(input), pos().mac, &[0x3B; 16]));
    }
}

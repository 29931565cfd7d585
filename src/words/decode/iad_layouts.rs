//! Issuer application data, tag 9F10, of other schemes: common core definitions (EMV 4.4
//! Book 3 C9), M/Chip 4 and Advance, and Visa's formats 0 to 4, as the public decoder
//! openemv/emv-utils cites them.

use super::fields::BitRow;
use super::{Line, bits};
use crate::base::bytes::Bit;
use crate::words::emv::{CryptogramType, mchip};

/// A layout: how it is told from others, and where its parts are.
struct Layout {
    name: &'static str,
    fits: fn(&[u8]) -> bool,
    /// Derivation key index, cryptogram version number, first byte of the CVR.
    places: (usize, usize, usize),
    /// Length of the CVR.
    cvr_bytes: usize,
    /// Which byte of the CVR, from 1, has the cryptograms given in bits 8 to 5.
    cryptograms: u8,
    /// Counters: byte of the CVR from 1, mask, what is counted.
    counters: &'static [(u8, u8, &'static str)],
    rows: &'static [BitRow],
}

const LAYOUTS: &[Layout] = &[
    Layout {
        name: "common core definitions, version 4.1",
        fits: |iad| matches!(iad, [0x0F, 0xA5 | 0xA6, ..]) && iad.len() == 32 && iad[16] == 0x0F,
        places: (2, 1, 3),
        cvr_bytes: 5,
        cryptograms: 1,
        counters: &[(2, 0xF0, "PIN try counter"), (4, 0xF0, "script commands")],
        rows: COMMON_CORE,
    },
    Layout {
        name: "Visa, format 2 or 4",
        fits: |iad| iad.len() == 32 && matches!(iad, [0x1F, version, ..] if matches!(version >> 4, 2 | 4)),
        places: (2, 1, 3),
        cvr_bytes: 5,
        cryptograms: 2,
        counters: &[(4, 0xF0, "script commands")],
        rows: VISA_2_4,
    },
    Layout {
        name: "Visa, format 0, 1 or 3",
        fits: |iad| {
            iad.len() >= 7 && matches!(iad, [0x06, _, version, 0x03, ..] if matches!(version >> 4, 0 | 1 | 3))
        },
        places: (1, 2, 4),
        cvr_bytes: 3,
        cryptograms: 1,
        counters: &[(3, 0xF0, "script commands")],
        rows: VISA_0_1_3,
    },
    Layout {
        name: "M/Chip",
        fits: |iad| {
            matches!(iad.len(), 18 | 20 | 26 | 28)
                && matches!(iad, [_, version, ..] if version & 0xFA == 0x10)
        },
        places: (0, 1, 2),
        cvr_bytes: 6,
        cryptograms: 1,
        counters: &[(3, 0xF0, "script counter"), (3, 0x0F, "PIN try counter")],
        rows: MCHIP,
    },
];

/// The lines of issuer application data that begins at `start`; none where no layout fits.
pub(super) fn lines(value: &[u8], start: usize, depth: usize) -> Vec<Line> {
    let Some(layout) = LAYOUTS.iter().find(|layout| (layout.fits)(value)) else { return Vec::new() };
    let (key_index, version, first) = layout.places;
    let Some(cvr) = value.get(first..first + layout.cvr_bytes) else { return Vec::new() };
    let part = |at: usize, name, says: String| {
        Line::new(depth, start + at, name).value(value.get(at..=at).unwrap_or_default()).meaning(says)
    };
    let number = value.get(version).copied().unwrap_or_default();
    let mut lines = vec![
        Line::new(depth, start, "layout").meaning(layout.name),
        part(key_index, "derivation key index", String::new()),
        part(version, "cryptogram version number", version_words(layout, number)),
        Line::new(depth, start + first, "CVR").value(cvr).meaning(counts(layout, cvr)),
    ];
    let mut named = cvr.to_vec();
    for (byte, mask, _) in layout.counters.iter().chain(&[(layout.cryptograms, 0xF0, "")]) {
        if let Some(byte) = named.get_mut(usize::from(*byte) - 1) {
            *byte &= !mask;
        }
    }
    for (byte, bit, words) in bits::of_rows(&named, layout.rows) {
        lines.push(Line::bit(depth + 1, start + first, byte, bit, words));
    }
    let rest = first + layout.cvr_bytes;
    if rest < value.len() {
        lines.push(Line::new(depth, start + rest, "issuer discretionary data").value(&value[rest..]));
    }
    lines
}

/// What is numbered in the CVR rather than a bit.
fn counts(layout: &Layout, cvr: &[u8]) -> String {
    let byte = |place: u8| cvr.get(usize::from(place) - 1).copied().unwrap_or_default();
    let given = byte(layout.cryptograms);
    let first = CryptogramType::from_bits(given << 2).map_or("reserved".to_owned(), |ac| ac.to_string());
    let second = match CryptogramType::from_bits(given) {
        Some(CryptogramType::Arqc) => "not requested".to_owned(),
        Some(ac) => ac.to_string(),
        None => "reserved".to_owned(),
    };
    let mut words = format!("first cryptogram {first}, second {second}");
    for (place, mask, counted) in layout.counters {
        let count = (byte(*place) & mask) >> mask.trailing_zeros();
        words.push_str(&format!(", {counted} {count}"));
    }
    words
}

fn version_words(layout: &Layout, number: u8) -> String {
    match layout.name {
        "M/Chip" => {
            let keys =
                if number & 0x04 != 0 { "EMV common session keys" } else { "proprietary session keys" };
            let counters = if number & 0x01 != 0 {
                "counters in the cryptogram"
            } else {
                "no counters in the cryptogram"
            };
            format!("{keys}, {counters}")
        }
        "Visa, format 0, 1 or 3" => format!("CVN {number}"),
        "Visa, format 2 or 4" => format!("CVN '{number:02X}'"),
        _ => if number & 0x0F == 6 { "AES" } else { "triple DES" }.to_owned(),
    }
}

const COMMON_CORE: &[BitRow] = &[
    (1, 4, "CDA performed"),
    (1, 3, "offline DDA performed"),
    (1, 2, "issuer authentication not performed"),
    (1, 1, "issuer authentication failed"),
    (2, 4, "offline PIN verification performed"),
    (2, 3, "offline PIN verification performed and PIN not successfully verified"),
    (2, 2, "PIN try limit exceeded"),
    (2, 1, "last online transaction not completed"),
    (3, 8, "lower offline transaction count limit exceeded"),
    (3, 7, "upper offline transaction count limit exceeded"),
    (3, 6, "lower cumulative offline amount limit exceeded"),
    (3, 5, "upper cumulative offline amount limit exceeded"),
    (3, 4, "issuer discretionary bit 1"),
    (3, 3, "issuer discretionary bit 2"),
    (3, 2, "issuer discretionary bit 3"),
    (3, 1, "issuer discretionary bit 4"),
    (4, 4, "issuer script processing failed"),
    (4, 3, "offline data authentication failed on previous transaction"),
    (4, 2, "go online on next transaction was set"),
    (4, 1, "unable to go online"),
];

const VISA_0_1_3: &[BitRow] = &[
    (1, 4, "issuer authentication performed and failed"),
    (1, 3, "offline PIN verification performed"),
    (1, 2, "offline PIN verification failed"),
    (1, 1, "unable to go online"),
    (2, 8, "last online transaction not completed"),
    (2, 7, "PIN try limit exceeded"),
    (2, 6, "exceeded velocity checking counters"),
    (2, 5, "new card"),
    (2, 4, "issuer authentication failure on last online transaction"),
    (2, 3, "issuer authentication not performed after online authorisation"),
    (2, 2, "application blocked because PIN try limit exceeded"),
    (2, 1, "offline static data authentication failed on last transaction"),
    (3, 4, "issuer script processing failed"),
    (3, 3, "offline dynamic data authentication failed on last transaction"),
    (3, 2, "offline dynamic data authentication performed"),
    (3, 1, "PIN verification command not received for a PIN-expecting card"),
];

const VISA_2_4: &[BitRow] = &[
    (2, 4, "issuer authentication performed and failed"),
    (2, 3, "consumer device CVM successfully performed"),
    (2, 1, "unable to go online"),
    (3, 8, "last online transaction not completed"),
    (3, 7, "PIN try limit exceeded"),
    (3, 6, "exceeded velocity checking counters"),
    (3, 5, "new card"),
    (3, 4, "issuer authentication failure on last online transaction"),
    (3, 3, "issuer authentication not performed after online authorisation"),
    (3, 2, "application blocked because PIN try limit exceeded"),
    (3, 1, "offline static data authentication failed on last transaction"),
    (4, 4, "issuer script processing failed"),
    (4, 3, "offline dynamic data authentication failed on last transaction"),
    (4, 2, "offline dynamic data authentication performed"),
    (4, 1, "PIN verification command not received for a PIN-expecting card"),
    (5, 8, "device is not in debug mode"),
    (5, 7, "device is not rooted"),
    (5, 6, "mobile application is not hooked"),
    (5, 5, "mobile application is intact"),
    (5, 4, "device has data connectivity"),
    (5, 3, "device is genuine"),
    (5, 2, "consumer device CVM successfully performed"),
    (5, 1, "secure messaging uses EMV session keys"),
];

const MCHIP: &[BitRow] = &rows_of::<_, { mchip::Cvr::ROWS.len() }>(mchip::Cvr::ROWS);

const fn rows_of<F, const N: usize>(bits: &[Bit<F>]) -> [BitRow; N] {
    let mut rows = [(0, 0, ""); N];
    let mut index = 0;
    while index < N {
        rows[index] = (bits[index].byte, bits[index].bit, bits[index].words);
        index += 1;
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::bytes::parse_hex;

    fn told(hex: &str) -> Vec<String> {
        let lines = lines(&parse_hex(hex).unwrap(), 0, 0);
        lines.iter().map(|line| format!("@{} {}: {}", line.offset, line.name, line.meaning)).collect()
    }

    #[test]
    fn each_layout_is_told_by_its_form() {
        let mchip = told("0110A04003220000000000000000000000FF");
        assert_eq!(mchip[0], "@0 layout: M/Chip");
        assert_eq!(
            mchip[3],
            "@2 CVR: first cryptogram ARQC, second not requested, script counter 0, PIN try counter 3"
        );
        assert_eq!(mchip[4], "@3 byte 2 bit 7: CDA returned in first GENERATE AC");
        let visa = told("06010A03A02000");
        assert_eq!(visa[2], "@2 cryptogram version number: CVN 10");
        assert_eq!(visa[4], "@5 byte 2 bit 6: exceeded velocity checking counters");
        assert_eq!(told(&format!("1F4201{}", "00".repeat(29)))[0], "@0 layout: Visa, format 2 or 4");
        let core = told(&format!("0FA501A030000000{}0F{}", "00".repeat(8), "00".repeat(15)));
        assert_eq!(
            core[3],
            "@3 CVR: first cryptogram ARQC, second not requested, PIN try counter 3, script commands 0"
        );
        assert!(told("AABBCC").is_empty());
    }
}

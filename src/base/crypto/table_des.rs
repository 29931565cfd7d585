//! DES by tables, for simulation in bulk: twice to three times as fast as the crate
//! `des`. Look-ups take the time that the cache gives them, so keys that must stay
//! secret on a shared host belong to the functions of [`super`], which do the same.

use super::Padding;
use super::mac::{halves, last_block};
use zeroize::Zeroize;

/// A key schedule of single DES.
pub struct TableDes {
    /// For each round the boxes 1, 3, 5, 7 and 2, 4, 6, 8, six bits in each byte.
    rounds: [(u32, u32); 16],
}

/// Both halves of a block after the initial permutation, each turned left by one bit:
/// so the six bits of four boxes stand in one byte each.
type Halves = (u32, u32);

impl TableDes {
    /// The schedule of a key; its parity does not matter.
    pub fn new(key: &[u8; 8]) -> Self {
        let mut chosen = 0;
        for (place, byte) in key.iter().enumerate() {
            chosen |= PERMUTED_CHOICE_1[place][usize::from(byte >> 1)];
        }
        let (mut c, mut d) = ((chosen >> 28) as u32, (chosen & 0x0FFF_FFFF) as u32);
        let rounds = std::array::from_fn(|round| {
            let turn = if matches!(round, 0 | 1 | 8 | 15) { 1 } else { 2 };
            c = (c << turn | c >> (28 - turn)) & 0x0FFF_FFFF;
            d = (d << turn | d >> (28 - turn)) & 0x0FFF_FFFF;
            let mut key = 0;
            for place in 0..4 {
                key |= PERMUTED_CHOICE_2[place][(c >> (21 - 7 * place)) as usize & 127]
                    | PERMUTED_CHOICE_2[place + 4][(d >> (21 - 7 * place)) as usize & 127];
            }
            ((key >> 32) as u32, key as u32)
        });
        Self { rounds }
    }

    /// Encrypts one block.
    pub fn encrypt_block(&self, block: [u8; 8]) -> [u8; 8] {
        leave(self.forth(enter(block)))
    }

    /// Decrypts one block.
    pub fn decrypt_block(&self, block: [u8; 8]) -> [u8; 8] {
        leave(self.back(enter(block)))
    }

    fn forth(&self, halves: Halves) -> Halves {
        sixteen(halves, self.rounds.iter())
    }

    fn back(&self, halves: Halves) -> Halves {
        sixteen(halves, self.rounds.iter().rev())
    }
}

impl Drop for TableDes {
    fn drop(&mut self) {
        for (odd, even) in &mut self.rounds {
            odd.zeroize();
            even.zeroize();
        }
    }
}

/// As [`super::tdes_encrypt_block`]: E(left), D(right), E(left).
pub fn tdes_encrypt_block(key: &[u8; 16], block: [u8; 8]) -> [u8; 8] {
    let [out] = tdes_encrypt_blocks(key, [block]);
    out
}

/// As [`super::mac_algorithm_3`]: the retail MAC, all 8 bytes.
pub fn mac_algorithm_3(key: &[u8; 16], data: &[u8], padding: Padding) -> [u8; 8] {
    let (left, right) = halves(key);
    let (left, right) = (TableDes::new(&left), TableDes::new(&right));
    // The chain stays as the rounds have it: a permutation and its inverse between two
    // blocks undo each other.
    let mut chain = (0, 0);
    let mut absorb = |block: &[u8; 8]| {
        let (l, r) = enter(*block);
        chain = left.forth((chain.0 ^ l, chain.1 ^ r));
    };
    let (blocks, rest) = data.as_chunks::<8>();
    blocks.iter().for_each(&mut absorb);
    if let Some(last) = last_block(rest, data.is_empty(), padding) {
        absorb(&last);
    }
    leave(left.forth(right.back(chain)))
}

pub(super) fn tdes_encrypt_blocks<const N: usize>(key: &[u8; 16], blocks: [[u8; 8]; N]) -> [[u8; 8]; N] {
    let (left, right) = halves(key);
    let (left, right) = (TableDes::new(&left), TableDes::new(&right));
    blocks.map(|block| leave(left.forth(right.back(left.forth(enter(block))))))
}

fn sixteen<'a>((mut l, mut r): Halves, rounds: impl Iterator<Item = &'a (u32, u32)>) -> Halves {
    for (odd, even) in rounds {
        let (a, b) = ((r.rotate_right(4) ^ odd).to_be_bytes(), (r ^ even).to_be_bytes());
        l ^= BOXES[0][usize::from(a[0] & 63)]
            ^ BOXES[2][usize::from(a[1] & 63)]
            ^ BOXES[4][usize::from(a[2] & 63)]
            ^ BOXES[6][usize::from(a[3] & 63)]
            ^ BOXES[1][usize::from(b[0] & 63)]
            ^ BOXES[3][usize::from(b[1] & 63)]
            ^ BOXES[5][usize::from(b[2] & 63)]
            ^ BOXES[7][usize::from(b[3] & 63)];
        (l, r) = (r, l);
    }
    // The last round does not change sides.
    (r, l)
}

/// The initial permutation, by exchanges of groups of bits.
fn enter(block: [u8; 8]) -> Halves {
    let whole = u64::from_be_bytes(block);
    let (mut l, mut r) = ((whole >> 32) as u32, whole as u32);
    exchange(&mut l, &mut r, 4, 0x0F0F_0F0F);
    exchange(&mut l, &mut r, 16, 0x0000_FFFF);
    exchange(&mut r, &mut l, 2, 0x3333_3333);
    exchange(&mut r, &mut l, 8, 0x00FF_00FF);
    r = r.rotate_left(1);
    exchange(&mut l, &mut r, 0, 0xAAAA_AAAA);
    (l.rotate_left(1), r)
}

/// The way back: the same exchanges in the other order.
fn leave((l, mut r): Halves) -> [u8; 8] {
    let mut l = l.rotate_right(1);
    exchange(&mut l, &mut r, 0, 0xAAAA_AAAA);
    r = r.rotate_right(1);
    exchange(&mut r, &mut l, 8, 0x00FF_00FF);
    exchange(&mut r, &mut l, 2, 0x3333_3333);
    exchange(&mut l, &mut r, 16, 0x0000_FFFF);
    exchange(&mut l, &mut r, 4, 0x0F0F_0F0F);
    (u64::from(l) << 32 | u64::from(r)).to_be_bytes()
}

fn exchange(a: &mut u32, b: &mut u32, shift: u32, mask: u32) {
    let different = (*a >> shift ^ *b) & mask;
    *b ^= different;
    *a ^= different << shift;
}

/// What each box gives for six bits, the permutation P done and turned left by one.
static BOXES: [[u32; 64]; 8] = {
    let mut tables = [[0u32; 64]; 8];
    let mut number = 0;
    while number < 8 {
        let mut six = 0;
        while six < 64 {
            let row = (six >> 4 & 2) | (six & 1);
            let column = six >> 1 & 15;
            let four = (S[number][row] >> (60 - 4 * column) & 15) as u32;
            let placed = four << (28 - 4 * number);
            let mut out = 0u32;
            let mut bit = 0;
            while bit < 32 {
                out |= (placed >> (32 - P[bit] as u32) & 1) << (31 - bit);
                bit += 1;
            }
            tables[number][six] = out.rotate_left(1);
            six += 1;
        }
        number += 1;
    }
    tables
};

/// For each byte of the key without its parity: where permuted choice 1 puts its bits.
static PERMUTED_CHOICE_1: [[u64; 128]; 8] = {
    let mut tables = [[0u64; 128]; 8];
    let mut to = 0;
    while to < 56 {
        let from = PC_1[to] as usize - 1;
        let mut value = 0;
        while value < 128 {
            tables[from / 8][value] |= (value as u64 >> (6 - from % 8) & 1) << (55 - to);
            value += 1;
        }
        to += 1;
    }
    tables
};

/// For seven bits each of the two registers: where permuted choice 2 puts them in a
/// round's key as [`TableDes`] keeps it, the odd boxes above the even ones.
static PERMUTED_CHOICE_2: [[u64; 128]; 8] = {
    let mut tables = [[0u64; 128]; 8];
    let mut to = 0;
    while to < 48 {
        let from = PC_2[to] as usize - 1;
        let number = to / 6;
        let half = if number.is_multiple_of(2) { 32 } else { 0 };
        let place = half + 24 - 8 * (number / 2) + (5 - to % 6);
        let mut value = 0;
        while value < 128 {
            tables[from / 7][value] |= (value as u64 >> (6 - from % 7) & 1) << place;
            value += 1;
        }
        to += 1;
    }
    tables
};

/// The permutation P, FIPS 46-3 page 12: bits count from 1 on the left.
const P: [u8; 32] = [
    16, 7, 20, 21, 29, 12, 28, 17, 1, 15, 23, 26, 5, 18, 31, 10, 2, 8, 24, 14, 32, 27, 3, 9, 19, 13, 30, 6,
    22, 11, 4, 25,
];

/// Permuted choice 1, FIPS 46-3 page 19.
const PC_1: [u8; 56] = [
    57, 49, 41, 33, 25, 17, 9, 1, 58, 50, 42, 34, 26, 18, 10, 2, 59, 51, 43, 35, 27, 19, 11, 3, 60, 52, 44,
    36, 63, 55, 47, 39, 31, 23, 15, 7, 62, 54, 46, 38, 30, 22, 14, 6, 61, 53, 45, 37, 29, 21, 13, 5, 28, 20,
    12, 4,
];

/// Permuted choice 2, FIPS 46-3 page 21.
const PC_2: [u8; 48] = [
    14, 17, 11, 24, 1, 5, 3, 28, 15, 6, 21, 10, 23, 19, 12, 4, 26, 8, 16, 7, 27, 20, 13, 2, 41, 52, 31, 37,
    47, 55, 30, 40, 51, 45, 33, 48, 44, 49, 39, 56, 34, 53, 46, 42, 50, 36, 29, 32,
];

/// The boxes, FIPS 46-3 appendix 1: four rows of sixteen, a hexadecimal digit each.
const S: [[u64; 4]; 8] = [
    [0xE4D1_2FB8_3A6C_5907, 0x0F74_E2D1_A6CB_9538, 0x41E8_D62B_FC97_3A50, 0xFC82_4917_5B3E_A06D],
    [0xF18E_6B34_972D_C05A, 0x3D47_F28E_C01A_69B5, 0x0E7B_A4D1_58C6_932F, 0xD8A1_3F42_B67C_05E9],
    [0xA09E_63F5_1DC7_B428, 0xD709_346A_285E_CBF1, 0xD649_8F30_B12C_5AE7, 0x1AD0_6987_4FE3_B52C],
    [0x7DE3_069A_1285_BC4F, 0xD8B5_6F03_472C_1AE9, 0xA690_CB7D_F13E_5284, 0x3F06_A1D8_945B_C72E],
    [0x2C41_7AB6_853F_D0E9, 0xEB2C_47D1_50FA_3986, 0x421B_AD78_F9C5_630E, 0xB8C7_1E2D_6F09_A453],
    [0xC1AF_9268_0D34_E75B, 0xAF42_7C95_61DE_0B38, 0x9EF5_28C3_704A_1DB6, 0x432C_95FA_BE17_608D],
    [0x4B2E_F08D_3C97_5A61, 0xD0B7_491A_E35C_2F86, 0x14BD_C37E_AF68_0592, 0x6BD8_14A7_950F_E23C],
    [0xD284_6FB1_A93E_50C7, 0x1FD8_A374_C56B_0E92, 0x7B41_9CE2_06AD_F358, 0x21E7_4A8D_FC90_356B],
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::crypto;
    use proptest::prelude::*;

    #[test]
    fn weak_key_and_known_answer() {
        // FIPS 81 table B1: "Now is t" under 0123456789ABCDEF.
        let des = TableDes::new(&[0x01, 0x23, 0x45, 0x67, 0x89, 0xAB, 0xCD, 0xEF]);
        let out = des.encrypt_block(*b"Now is t");
        assert_eq!(out, [0x3F, 0xA4, 0x0E, 0x8A, 0x98, 0x4D, 0x48, 0x15]);
        let weak = TableDes::new(&[0x01; 8]);
        assert_eq!(weak.encrypt_block(weak.encrypt_block(*b"twiceone")), *b"twiceone");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1000))]

        #[test]
        fn does_what_the_crate_des_does(
            key: [u8; 16], block: [u8; 8], other: [u8; 8],
            data in prop::collection::vec(any::<u8>(), 0..70), second: bool,
        ) {
            let single = *key.first_chunk().unwrap();
            let des = TableDes::new(&single);
            prop_assert_eq!(des.encrypt_block(block), crypto::des_encrypt_block(&single, block));
            prop_assert_eq!(des.decrypt_block(block), crypto::des_decrypt_block(&single, block));
            prop_assert_eq!(tdes_encrypt_block(&key, block), crypto::tdes_encrypt_block(&key, block));
            prop_assert_eq!(
                tdes_encrypt_blocks(&key, [block, other]),
                [block, other].map(|block| crypto::tdes_encrypt_block(&key, block))
            );
            let padding = if second { Padding::Method2 } else { Padding::Method1 };
            prop_assert_eq!(
                mac_algorithm_3(&key, &data, padding),
                crypto::mac_algorithm_3(&key, &data, padding)
            );
        }
    }
}

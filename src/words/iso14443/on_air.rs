//! How long frames of type A are on the air: ISO/IEC 14443-3 6.2 (frames and delays) and
//! ISO/IEC 14443-4 (blocks and chaining). Time is counted, never measured, here.

use std::iter::Sum;
use std::ops::{Add, Mul};

/// Frequency of the carrier, hertz.
pub(super) const CARRIER_HZ: u64 = 13_560_000;
/// Cycles of the carrier in an elementary time unit at 106 kbit/s.
const ETU: u64 = 128;
/// Frame delay from the reader to the card after a last bit 1, the shortest: (9 * 128 + 84) / fc.
const FRAME_DELAY_TO_CARD: Cycles = Cycles(1236);
/// What a block adds to its bytes: PCB and CRC_A.
const BLOCK_BYTES: u64 = 3;
/// A reader waits 5 ms after it switches its field on (ISO/IEC 14443-3 5.1).
const GUARD: Cycles = Cycles::of_micros(5_000);

/// Largest frames that FSDI and FSCI can announce, bytes (ISO/IEC 14443-4 5.1).
pub const FRAME_SIZES: &[u16] = &[16, 24, 32, 40, 48, 64, 96, 128, 256];

/// A duration in cycles of the 13.56 MHz carrier: every duration on the air is a whole
/// number of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Cycles(pub u64);

/// Bits a second on the air; the same in both directions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum BitRate {
    /// 106 kbit/s, with which every activation begins.
    #[default]
    Kbit106,
    /// 212 kbit/s.
    Kbit212,
    /// 424 kbit/s.
    Kbit424,
    /// 848 kbit/s.
    Kbit848,
}

/// What rules the time that exchanges take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OnAir {
    /// The bit rate after activation.
    pub bit_rate: BitRate,
    /// FSC: the largest frame that the card takes, bytes; one of [`FRAME_SIZES`].
    pub to_card_bytes: u16,
    /// FSD: the largest frame that the reader takes, bytes; one of [`FRAME_SIZES`].
    pub to_reader_bytes: u16,
    /// What a reader takes from an answer to its next frame. No standard rules it from above; the
    /// least is 1172 cycles.
    pub turnaround: Cycles,
}

/// What one command and its answer cost on the air; the card's own work is not in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ApduCost {
    /// Frames from the reader, those that acknowledge a part of the answer too.
    pub to_card: Cycles,
    /// Frames from the card, those that acknowledge a part of the command too.
    pub to_reader: Cycles,
    /// Silence that either side must or does keep.
    pub silence: Cycles,
    /// How many frames that were.
    pub frames: u32,
}

impl Cycles {
    /// So many microseconds, rounded down to a cycle.
    pub const fn of_micros(micros: u64) -> Self {
        Self(micros * (CARRIER_HZ / 10_000) / 100)
    }

    /// In microseconds, rounded.
    pub const fn micros(self) -> u64 {
        let per_100_us = CARRIER_HZ / 10_000;
        (self.0.saturating_mul(100) + per_100_us / 2) / per_100_us
    }
}

impl BitRate {
    /// Every bit rate.
    pub const ALL: &'static [Self] = &[Self::Kbit106, Self::Kbit212, Self::Kbit424, Self::Kbit848];

    /// The rate that is called so, in kbit/s.
    pub fn of_kbit(kbit: u16) -> Option<Self> {
        Self::ALL.iter().copied().find(|rate| rate.kbit() == kbit)
    }

    /// In kbit/s, as it is called.
    pub const fn kbit(self) -> u16 {
        match self {
            Self::Kbit106 => 106,
            Self::Kbit212 => 212,
            Self::Kbit424 => 424,
            Self::Kbit848 => 848,
        }
    }

    const fn etu(self) -> u64 {
        match self {
            Self::Kbit106 => ETU,
            Self::Kbit212 => ETU / 2,
            Self::Kbit424 => ETU / 4,
            Self::Kbit848 => ETU / 8,
        }
    }

    /// A frame of so many whole bytes, CRC counted, from the reader: start of communication,
    /// each byte with its parity bit, end of communication of two units.
    pub const fn from_reader(self, bytes: u64) -> Cycles {
        Cycles((1 + 9 * bytes + 2) * self.etu())
    }

    /// The same from the card, whose end of communication is one unit.
    pub const fn from_card(self, bytes: u64) -> Cycles {
        Cycles((1 + 9 * bytes + 1) * self.etu())
    }

    /// A short frame of seven bits from the reader: REQA, WUPA.
    pub const fn short_frame(self) -> Cycles {
        Cycles((1 + 7 + 2) * self.etu())
    }

    /// An acknowledgement of four bits from the card, as type 2 tags send it.
    pub const fn four_bits(self) -> Cycles {
        Cycles((1 + 4 + 1) * self.etu())
    }
}

impl Default for OnAir {
    /// 106 kbit/s, frames of 256 bytes, and 0.5 ms from an answer to the next frame, which is
    /// an assumption.
    fn default() -> Self {
        Self {
            bit_rate: BitRate::default(),
            to_card_bytes: 256,
            to_reader_bytes: 256,
            turnaround: Cycles::of_micros(500),
        }
    }
}

impl OnAir {
    /// A command and its answer of so many bytes, in one or more blocks each.
    pub fn exchange(&self, command_bytes: usize, answer_bytes: usize) -> ApduCost {
        let mut cost = ApduCost::default();
        let command = parts(command_bytes, self.to_card_bytes);
        for (index, part) in command.iter().enumerate() {
            cost.frame_to_card(self.bit_rate.from_reader(part + BLOCK_BYTES));
            // The card answers, or acknowledges a part.
            cost.silence = cost.silence + FRAME_DELAY_TO_CARD;
            if index + 1 < command.len() {
                cost.frame_to_reader(self.bit_rate.from_card(BLOCK_BYTES));
                cost.silence = cost.silence + self.turnaround;
            }
        }
        let answer = parts(answer_bytes, self.to_reader_bytes);
        for (index, part) in answer.iter().enumerate() {
            cost.frame_to_reader(self.bit_rate.from_card(part + BLOCK_BYTES));
            cost.silence = cost.silence + self.turnaround;
            if index + 1 < answer.len() {
                cost.frame_to_card(self.bit_rate.from_reader(BLOCK_BYTES));
                cost.silence = cost.silence + FRAME_DELAY_TO_CARD;
            }
        }
        cost
    }

    /// From the field's start to the ATS: guard time, REQA, an anticollision and a selection for
    /// each of `cascade_levels` (one with an identifier of four bytes, two with seven), RATS.
    /// All of it is at 106 kbit/s.
    pub fn activation(&self, cascade_levels: u32, ats_bytes: usize) -> Cycles {
        const CRC: u64 = 2;
        let rate = BitRate::Kbit106;
        let round =
            |to_card: Cycles, to_reader: Cycles| to_card + FRAME_DELAY_TO_CARD + to_reader + self.turnaround;
        let find = round(rate.short_frame(), rate.from_card(2));
        let anticollision = round(rate.from_reader(2), rate.from_card(5));
        let select = round(rate.from_reader(7 + CRC), rate.from_card(1 + CRC));
        let rats = round(rate.from_reader(2 + CRC), rate.from_card(ats_bytes as u64 + CRC));
        GUARD + find + (anticollision + select) * u64::from(cascade_levels) + rats
    }
}

impl ApduCost {
    /// All of it.
    pub fn total(&self) -> Cycles {
        self.to_card + self.to_reader + self.silence
    }

    fn frame_to_card(&mut self, cycles: Cycles) {
        self.to_card = self.to_card + cycles;
        self.frames += 1;
    }

    fn frame_to_reader(&mut self, cycles: Cycles) {
        self.to_reader = self.to_reader + cycles;
        self.frames += 1;
    }
}

impl Add for Cycles {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl Mul<u64> for Cycles {
    type Output = Self;

    fn mul(self, times: u64) -> Self {
        Self(self.0.saturating_mul(times))
    }
}

impl Sum for Cycles {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::default(), Add::add)
    }
}

/// The bytes in each block of a message; one of no bytes is a block too.
fn parts(bytes: usize, frame_bytes: u16) -> Vec<u64> {
    let most = u64::from(frame_bytes).saturating_sub(BLOCK_BYTES).max(1);
    let bytes = bytes as u64;
    let blocks = bytes.div_ceil(most).max(1);
    (0..blocks).map(|index| most.min(bytes.saturating_sub(index * most))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Figures in microseconds printed in the data sheet NTAG213/215/216 (NXP, revision 3.2,
    /// section 10, the command tables): READ, GET_VERSION, READ_SIG, and an acknowledgement.
    #[test]
    fn the_data_sheets_figures_come_out_to_the_microsecond() {
        let rate = BitRate::Kbit106;
        assert_eq!(rate.from_reader(4).micros(), 368, "READ, command");
        assert_eq!(rate.from_card(18).micros(), 1548, "READ, answer");
        assert_eq!(rate.from_reader(3).micros(), 283, "GET_VERSION, command");
        assert_eq!(rate.from_card(10).micros(), 868, "GET_VERSION, answer");
        assert_eq!(rate.four_bits().micros(), 57, "ACK");
        assert_eq!(rate.from_card(34).micros(), 2907, "READ_SIG, answer");
        // ISO/IEC 14443-3 6.2.1.1: 1236 cycles are 91.15 us.
        assert_eq!(FRAME_DELAY_TO_CARD.micros(), 91);
    }

    #[test]
    fn an_activation_takes_about_what_readers_take() {
        let model = OnAir::default();
        let single = model.activation(1, 6).micros();
        let double = model.activation(2, 6).micros();
        assert!((9_500..11_000).contains(&single), "{single}");
        assert!((11_500..13_500).contains(&double), "{double}");
    }

    /// Published recordings of real cards: six exchanges, 976 bytes, 90.6 ms.
    #[test]
    fn a_real_cards_tap_is_about_ninety_milliseconds() {
        let model = OnAir::default();
        let tap: Cycles = (0..6).map(|_| model.exchange(33, 976 / 6 - 33).total()).sum();
        assert!((87_000..94_000).contains(&tap.micros()), "{}", tap.micros());
    }

    #[test]
    fn small_frames_are_chained_and_higher_rates_are_faster() {
        let model = OnAir::default();
        let whole = model.exchange(20, 200);
        assert_eq!(whole.frames, 2);
        let small = OnAir { to_card_bytes: 16, to_reader_bytes: 64, ..model };
        let chained = small.exchange(20, 200);
        // 20 bytes in blocks of 13, 200 in blocks of 61: two and four, one acknowledgement less each.
        assert_eq!(chained.frames, 2 + 4 + 1 + 3);
        assert!(chained.total() > whole.total());
        let fast = OnAir { bit_rate: BitRate::Kbit848, ..model }.exchange(20, 200);
        assert_eq!(fast.to_reader.0 * 8, whole.to_reader.0);
        assert_eq!(fast.silence, whole.silence);
        assert_eq!(model.exchange(0, 0).frames, 2);
    }
}

//! What a host sets in the chip: registers of the radio, times and retries (PN532 user manual,
//! 7.2.4, 7.2.9 and 7.3.1; the registers are those of its data sheet, 8.7, which counts bits from 0).

use crate::air::link::pn532::command::{RfConfiguration, SetParameters};
use crate::air::link::{Modulation, Technology};
use crate::words::iso18092::BitRate;
use std::collections::BTreeMap;
use std::time::Duration;

/// CIU_Mode: bit 6 has the chip add and take away the first byte of NFC-DEP at 106 kbit/s.
const MODE: u16 = 0x6301;
const DETECT_SYNC: u8 = 0x40;
/// CIU_TxMode and CIU_RxMode: check sum in bit 7, rate in bits 6 to 4, framing in 1 and 0.
const TX_MODE: u16 = 0x6302;
const RX_MODE: u16 = 0x6303;
const HAS_CRC: u8 = 0x80;
const FRAMING: u8 = 0x03;
/// How each technology is framed; 01 is active communication, which the chip has not.
const FRAMINGS: [(u8, Technology); 3] = [(0, Technology::A), (2, Technology::F), (3, Technology::B)];
/// CIU_FIFOData, which holds what was sent where nothing came.
const FIFO: u16 = 0x6339;
/// CIU_Control: bits of the last byte that came, in bits 2 to 0.
const CONTROL: u16 = 0x633C;
/// Times grow from 100 us, doubled with each step (item 02).
const STEP: Duration = Duration::from_micros(100);
/// 51.2 ms.
const DEFAULT_TIMEOUT: u8 = 0x0A;
const ENDLESS: u8 = 0xFF;

/// What a host has set.
#[derive(Debug)]
pub(super) struct Settings {
    registers: BTreeMap<u16, u8>,
    parameters: u8,
    timeout: u8,
    search_retries: u8,
    /// Whether the field is on.
    pub field: bool,
}

impl Default for Settings {
    fn default() -> Self {
        let registers = BTreeMap::from([(TX_MODE, HAS_CRC), (RX_MODE, HAS_CRC)]);
        // What the chip does after a reset (7.2.9).
        let parameters = SetParameters::AUTO_ATR_RES | SetParameters::AUTO_RATS;
        let (timeout, search_retries) = (DEFAULT_TIMEOUT, ENDLESS);
        Self { registers, parameters, timeout, search_retries, field: false }
    }
}

impl Settings {
    pub(super) fn register(&self, address: u16) -> u8 {
        self.registers.get(&address).copied().unwrap_or(0)
    }

    pub(super) fn set_register(&mut self, address: u16, value: u8) {
        self.registers.insert(address, value);
    }

    pub(super) fn set_parameters(&mut self, flags: u8) {
        self.parameters = flags;
    }

    /// Whether the chip does this by itself.
    pub(super) fn does(&self, flag: u8) -> bool {
        self.parameters & flag != 0
    }

    /// Items that are not known change nothing.
    pub(super) fn configure(&mut self, item: u8, data: &[u8]) {
        match (item, data) {
            (RfConfiguration::FIELD, [flags, ..]) => self.field = flags & 1 != 0,
            (RfConfiguration::TIMINGS, [_, _, timeout, ..]) => self.timeout = *timeout,
            (RfConfiguration::RETRIES, [_, _, retries, ..]) => self.search_retries = *retries,
            _ => {}
        }
    }

    /// How long an exchange may take; `None` is without end.
    pub(super) fn timeout(&self) -> Option<Duration> {
        (self.timeout != 0).then(|| STEP * (1 << (self.timeout - 1).min(15)))
    }

    /// How often a card is searched for; `None` is without end.
    pub(super) fn searches(&self) -> Option<u32> {
        (self.search_retries != ENDLESS).then(|| u32::from(self.search_retries) + 1)
    }

    /// The modulation that the registers name for what is sent.
    pub(super) fn modulation(&self) -> Modulation {
        let value = self.register(TX_MODE);
        let rate = BitRate::of_divisor(value >> 4 & 7).unwrap_or(BitRate::Kbps106);
        let framing = FRAMINGS.iter().find(|(framing, _)| *framing == value & FRAMING);
        Modulation { rate, technology: framing.map_or(Technology::A, |(_, technology)| *technology) }
    }

    /// The registers follow an activation.
    pub(super) fn follow(&mut self, modulation: Modulation) {
        let framing = FRAMINGS.iter().find(|(_, technology)| *technology == modulation.technology);
        let framing = framing.map_or(0, |(framing, _)| *framing);
        let value = HAS_CRC | modulation.rate.divisor() << 4 | framing;
        self.set_register(TX_MODE, value);
        self.set_register(RX_MODE, value);
    }

    /// Whether the chip adds check sums to what is sent.
    pub(super) fn adds_crc(&self) -> bool {
        self.register(TX_MODE) & HAS_CRC != 0
    }

    /// Whether the chip takes check sums off what comes.
    pub(super) fn takes_crc(&self) -> bool {
        self.register(RX_MODE) & HAS_CRC != 0
    }

    /// Whether the chip adds and takes away F0 in NFC-DEP at 106 kbit/s.
    pub(super) fn detects_sync(&self) -> bool {
        self.register(MODE) & DETECT_SYNC != 0
    }

    /// What a host reads after an exchange: whether anything came.
    pub(super) fn note_answer(&mut self, sent: &[u8], came: bool) {
        self.set_register(FIFO, if came { 0 } else { sent.first().copied().unwrap_or(0) });
        self.set_register(CONTROL, 0);
    }
}

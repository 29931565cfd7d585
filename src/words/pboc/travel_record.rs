//! The ride record of T-Union, 48 bytes (JT/T 978; file 001E): one for each gate that was passed.

use super::fixed::fixed_record;

fixed_record! {
    /// One entry of a card's log of rides.
    TravelRecord {
        /// Of a purse 03 entry, 04 exit, 06 single fare, 08 a fare made up for, 0A load; bus validators of
        /// public source have 01, 02, 05, 07, 09 for electronic cash, and cards bear 02 for a single fare.
        kind: u8 = "ride type",
        /// Terminal number.
        terminal: [u8; 8] = "ride terminal",
        /// 01 metro, 02 bus, and so on to 0E; 00 other.
        industry: u8 = "ride industry",
        /// Line and station; cities write it in ways of their own, see [`TravelRecord::station_of`].
        station: [u8; 7] = "ride station",
        /// Minor units.
        amount_minor: u32 = "purse amount",
        /// What the purse held afterwards, minor units.
        balance_minor: u32 = "purse balance",
        /// Date, BCD YYYYMMDD.
        date: [u8; 4] = "purse date",
        /// Time, BCD hhmmss.
        time: [u8; 3] = "purse time",
        /// The city of the ride.
        city: [u8; 2] = "ride city",
        /// Who ran it.
        institution: [u8; 8] = "ride institution",
        /// What cities put there besides.
        reserved: [u8; 6] = "ride reserve",
    }
}

impl TravelRecord {
    /// A ride of one tap, as on a bus.
    pub const SINGLE: u8 = 0x06;
    /// The way in.
    pub const ENTRY: u8 = 0x03;
    /// The way out.
    pub const EXIT: u8 = 0x04;

    /// Line and station as one public writer has them: line, station, operator, a reserved byte.
    pub const fn station_of(line: [u8; 2], station: [u8; 2], operator: [u8; 2]) -> [u8; 7] {
        [line[0], line[1], station[0], station[1], operator[0], operator[1], 0]
    }

    /// The station alone, where it was written so.
    pub const fn stop(&self) -> [u8; 2] {
        [self.station[2], self.station[3]]
    }

    /// The words of its type.
    pub const fn words(&self) -> &'static str {
        match self.kind {
            Self::SINGLE | 0x02 => "single fare",
            Self::ENTRY => "entry",
            Self::EXIT => "exit",
            0x08 => "fare made up for",
            0x0A => "load",
            _ => "other ride",
        }
    }

    /// The words of its industry.
    pub const fn industry_words(&self) -> &'static str {
        match self.industry {
            0x01 => "metro",
            0x02 => "bus",
            0x03 => "ship",
            0x04 => "taxi",
            0x05 => "hired car",
            0x06 => "bicycle",
            0x07 => "car park",
            0x08 => "coach",
            0x09 => "ferry",
            0x0A => "high-speed railway",
            0x0B => "aeroplane",
            0x0C => "motorway",
            0x0E => "suburban railway",
            _ => "other",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::bytes::{Cursor, parse_hex};
    use crate::words::pboc::fixed::Fixed;

    #[test]
    fn a_record_has_48_bytes() {
        let mut bytes = parse_hex("06 0000413101776703 02 03010000783509 00000064 00000F64").unwrap();
        bytes.extend(parse_hex("20241027212555 7835 11355850FFFFFFFF 000000000000").unwrap());
        assert_eq!((TravelRecord::BYTES, bytes.len()), (48, 48));
        let record = TravelRecord::take(&mut Cursor::new(&bytes)).unwrap();
        assert_eq!((record.amount_minor, record.balance_minor), (100, 3_940));
        assert_eq!((record.words(), record.industry_words()), ("single fare", "bus"));
        assert_eq!(record.to_bytes(), bytes);
    }
}

//! The travel record of a transit purse, 48 bytes (T-Union, JT/T 978; file 001E): a ride as the
//! gate writes it with its debit.

use super::fixed::fixed_record;

fixed_record! {
    /// One entry of a purse's travel log.
    TravelRecord {
        /// What it is: see [`TravelRecord::SINGLE`] and those after it.
        kind: u8 = "travel record type",
        /// Terminal number.
        terminal: [u8; 8] = "travel terminal",
        /// Industry: 00 other, 01 metro, 02 bus.
        industry: u8 = "travel industry",
        /// Line.
        line: [u8; 2] = "travel line",
        /// Station.
        station: [u8; 2] = "travel station",
        /// Operator.
        operator: [u8; 2] = "travel operator",
        /// Reserved.
        reserved: u8 = "reserved",
        /// Minor units.
        amount_minor: u32 = "purse amount",
        /// Balance after it, minor units.
        balance_minor: u32 = "purse balance",
        /// When, BCD YYYYMMDDhhmmss.
        at: [u8; 7] = "travel time",
        /// City.
        city: [u8; 2] = "travel city",
        /// Institution.
        institution: [u8; 8] = "travel institution",
        /// Reserved.
        filler: [u8; 6] = "reserved",
    }
}

impl TravelRecord {
    /// A ride of one tap, as on a bus.
    pub const SINGLE: u8 = 0x02;
    /// The way in.
    pub const ENTRY: u8 = 0x03;
    /// The way out.
    pub const EXIT: u8 = 0x04;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::bytes::Cursor;
    use crate::words::pboc::fixed::Fixed;

    #[test]
    fn a_record_has_48_bytes() {
        let bytes: Vec<u8> = (0..48).collect();
        let record = TravelRecord::take(&mut Cursor::new(&bytes)).unwrap();
        assert_eq!((TravelRecord::BYTES, record.kind, record.industry), (48, 0, 9));
        assert_eq!((record.station, record.amount_minor, record.at[0]), ([12, 13], 0x1112_1314, 25));
        assert_eq!(record.to_bytes(), bytes);
    }
}

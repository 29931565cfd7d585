//! The transaction detail record of a purse, 23 bytes (PBOC part 1; file 0018).

use super::fixed::fixed_record;

fixed_record! {
    /// One entry of a purse's log.
    PurseRecord {
        /// Transaction counter after it stepped: the online one of loads, unloads and changes of
        /// the limit, else the offline one.
        sequence: u16 = "card sequence",
        /// Overdraft limit, minor units.
        overdraft_limit: [u8; 3] = "overdraft limit",
        /// Minor units.
        amount_minor: u32 = "purse amount",
        /// Type.
        kind: u8 = "purse transaction type",
        /// Terminal number.
        terminal: [u8; 6] = "terminal number",
        /// Date, BCD YYYYMMDD.
        date: [u8; 4] = "purse date",
        /// Time, BCD hhmmss.
        time: [u8; 3] = "purse time",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::bytes::{Cursor, parse_hex};
    use crate::words::pboc::fixed::Fixed;

    #[test]
    fn a_record_has_23_bytes() {
        let bytes = parse_hex("0001 000000 00001C37 02 000001000050 20140825 103100").unwrap();
        assert_eq!((PurseRecord::BYTES, bytes.len()), (23, 23));
        let record = PurseRecord::take(&mut Cursor::new(&bytes)).unwrap();
        assert_eq!((record.sequence, record.amount_minor, record.kind), (1, 0x1C37, 2));
        assert_eq!(record.to_bytes(), bytes);
    }
}

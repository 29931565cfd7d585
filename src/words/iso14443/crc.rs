//! CRC_A, the check sum of type A (ISO/IEC 14443-3, 6.2.4 and annex B), for a host that
//! has its chip's own check sum switched off.

/// The check sum over these bytes, as it goes on air: least significant byte first.
pub fn crc_a(bytes: &[u8]) -> [u8; 2] {
    let sum = bytes.iter().fold(0x6363_u16, |sum, byte| {
        (0..8).fold(sum ^ u16::from(*byte), |sum, _| if sum & 1 == 1 { sum >> 1 ^ 0x8408 } else { sum >> 1 })
    });
    sum.to_le_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_standards_examples_come_out() {
        // ISO/IEC 14443-3, annex B.2.
        assert_eq!(crc_a(&[0x00, 0x00]), [0xA0, 0x1E]);
        assert_eq!(crc_a(&[0x12, 0x34]), [0x26, 0xCF]);
        // RATS and HLTA, as readers send them.
        assert_eq!(crc_a(&[0xE0, 0x50]), [0xBC, 0xA5]);
        assert_eq!(crc_a(&[0x50, 0x00]), [0x57, 0xCD]);
    }
}

//! Dates of six digits: EMV Book 4 6.7.3.

/// YYMMDD with its century, so that dates compare: years 50 to 99 are 19xx.
pub const fn with_century([year, month, day]: [u8; 3]) -> [u8; 4] {
    [if year < 0x50 { 0x20 } else { 0x19 }, year, month, day]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_century_turns_at_50() {
        assert!(with_century([0x49, 0x12, 0x31]) > with_century([0x50, 0x01, 0x01]));
    }
}

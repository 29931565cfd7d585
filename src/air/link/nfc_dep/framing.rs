//! How a frame of NFC-DEP lies in a frame of the air: a length byte before it, and at
//! 106 kbit/s the byte F0 before that (ISO/IEC 18092, 11.2.1.3 and 11.3.1.2).

use crate::air::link::{LinkError, Modulation, RfFrame};
use crate::words::iso18092::{BitRate, NfcDepFrame};

/// With which NFC-DEP begins at 106 kbit/s.
pub(in crate::air::link) const START: u8 = 0xF0;
/// Command bytes and PFB, which go off a frame's length.
pub(super) const OVERHEAD: usize = 3;

/// The longest payload that is put together of its blocks: many times what any service of
/// a peer sends at once.
pub(in crate::air::link) const LONGEST_PAYLOAD: usize = 64 << 10;

/// The frame as it goes on air.
pub(super) fn wrap(frame: &NfcDepFrame, rate: BitRate) -> RfFrame {
    let inner = frame.to_bytes();
    let mut bytes = if rate == BitRate::Kbps106 { vec![START] } else { Vec::new() };
    // Blocks are cut to at most 254 bytes, and general bytes to 48.
    bytes.push(u8::try_from(inner.len() + 1).unwrap_or(u8::MAX));
    bytes.extend(inner);
    RfFrame { modulation: Modulation::of_nfc_dep(rate), bytes }
}

/// The frame that came. `during` says in which exchange.
pub(super) fn unwrap(frame: &RfFrame, during: &str) -> Result<NfcDepFrame, LinkError> {
    let garbled = |expected: String, found: String| LinkError::protocol(during, expected, found);
    let mut bytes = frame.bytes.as_slice();
    if frame.modulation.rate == BitRate::Kbps106 {
        bytes = bytes.strip_prefix(&[START]).ok_or_else(|| {
            garbled("a frame that begins with F0".into(), format!("{:02X?}", bytes.first()))
        })?;
    }
    match bytes.split_first() {
        Some((length, inner)) if usize::from(*length) == bytes.len() => {
            NfcDepFrame::parse(inner).map_err(|error| garbled("a frame of NFC-DEP".into(), error.to_string()))
        }
        length => Err(garbled(
            format!("the length byte {:02X}", bytes.len()),
            length.map_or("nothing".into(), |(length, _)| format!("{length:02X}")),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::iso18092::{Pfb, Side};

    #[test]
    fn a_frame_is_unwrapped_as_it_was_wrapped() {
        let frame = NfcDepFrame::block(Side::Initiator, Pfb::information(1, false), [1, 2, 3]);
        for rate in BitRate::ALL {
            assert_eq!(unwrap(&wrap(&frame, rate), "a test"), Ok(frame.clone()));
        }
        assert_eq!(wrap(&frame, BitRate::Kbps106).bytes[..2], [0xF0, 7]);
        assert_eq!(wrap(&frame, BitRate::Kbps424).bytes[..2], [7, 0xD4]);
    }

    #[test]
    fn what_is_no_frame_is_refused() {
        for (text, bytes) in
            [("106A", &[][..]), ("106A", &[0xF0]), ("106A", &[3, 0xD4, 8]), ("424F", &[9, 0xD4])]
        {
            let frame = RfFrame { modulation: text.parse().unwrap(), bytes: bytes.to_vec() };
            let told = unwrap(&frame, "a test").unwrap_err().to_string();
            assert!(told.contains("a test") && told.contains("expected"), "{told}");
        }
    }
}

//! A frame of NFC-DEP: a request begins with D4, a response with D5 (ISO/IEC 18092, 12.5).

use super::{AttributeRequest, AttributeResponse, NfcDepError, ParameterRequest, Pfb};
use crate::base::bytes::Cursor;

const REQUEST: u8 = 0xD4;
const RESPONSE: u8 = 0xD5;
const ATR: u8 = 0x00;
const PSL: u8 = 0x04;
const DEP: u8 = 0x06;
const DSL: u8 = 0x08;
const RLS: u8 = 0x0A;

/// Who sends a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Side {
    /// The initiator: requests.
    Initiator,
    /// The target: responses.
    Target,
}

/// A frame, without length byte and check sum.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NfcDepFrame {
    /// ATR_REQ.
    AttributeRequest(AttributeRequest),
    /// ATR_RES.
    AttributeResponse(AttributeResponse),
    /// PSL_REQ.
    ParameterRequest(ParameterRequest),
    /// PSL_RES, with the DID.
    ParameterResponse(u8),
    /// DEP_REQ or DEP_RES.
    Exchange {
        /// Who sends it.
        side: Side,
        /// Which block it is.
        pfb: Pfb,
        /// DID, where the PFB says that there is one.
        did: Option<u8>,
        /// NAD, where the PFB says that there is one.
        nad: Option<u8>,
        /// What it carries.
        data: Vec<u8>,
    },
    /// DSL_REQ or DSL_RES: the target sleeps, and can be woken.
    Deselect {
        /// Who sends it.
        side: Side,
        /// DID, where one is used.
        did: Option<u8>,
    },
    /// RLS_REQ or RLS_RES: the target begins anew.
    Release {
        /// Who sends it.
        side: Side,
        /// DID, where one is used.
        did: Option<u8>,
    },
}

impl NfcDepFrame {
    /// A block without DID and NAD, which are for more than one target.
    pub fn block(side: Side, pfb: Pfb, data: impl Into<Vec<u8>>) -> Self {
        Self::Exchange { side, pfb, did: None, nad: None, data: data.into() }
    }

    /// Reads a frame.
    ///
    /// # Errors
    /// It ends early, or its command is none of NFC-DEP's.
    pub fn parse(bytes: &[u8]) -> Result<Self, NfcDepError> {
        let mut cursor = Cursor::new(bytes);
        let side = match cursor.byte("the first command byte")? {
            REQUEST => Side::Initiator,
            RESPONSE => Side::Target,
            found => {
                let expected = "D4 (a request) or D5 (a response)";
                return Err(NfcDepError::Unexpected { expected, found, offset: 0 });
            }
        };
        let command = cursor.byte("the second command byte")?;
        // A response's is one more than its request's.
        let request = if side == Side::Target { command.wrapping_sub(1) } else { command };
        Ok(match (request, side) {
            (ATR, Side::Initiator) => Self::AttributeRequest(AttributeRequest::read(&mut cursor)?),
            (ATR, Side::Target) => Self::AttributeResponse(AttributeResponse::read(&mut cursor)?),
            (PSL, Side::Initiator) => Self::ParameterRequest(ParameterRequest::read(&mut cursor)?),
            (PSL, Side::Target) => Self::ParameterResponse(cursor.byte("DID")?),
            (DEP, _) => {
                let pfb = Pfb(cursor.byte("PFB")?);
                let did = pfb.has_did().then(|| cursor.byte("DID")).transpose()?;
                let nad = pfb.has_nad().then(|| cursor.byte("NAD")).transpose()?;
                Self::Exchange { side, pfb, did, nad, data: cursor.rest().to_vec() }
            }
            (DSL, _) => Self::Deselect { side, did: cursor.rest().first().copied() },
            (RLS, _) => Self::Release { side, did: cursor.rest().first().copied() },
            _ => {
                let expected = "ATR (00), PSL (04), DEP (06), DSL (08) or RLS (0A)";
                return Err(NfcDepError::Unexpected { expected, found: command, offset: 1 });
            }
        })
    }

    /// Its bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let (side, command) = match self {
            Self::AttributeRequest(_) => (Side::Initiator, ATR),
            Self::AttributeResponse(_) => (Side::Target, ATR),
            Self::ParameterRequest(_) => (Side::Initiator, PSL),
            Self::ParameterResponse(_) => (Side::Target, PSL),
            Self::Exchange { side, .. } => (*side, DEP),
            Self::Deselect { side, .. } => (*side, DSL),
            Self::Release { side, .. } => (*side, RLS),
        };
        let mut out = match side {
            Side::Initiator => vec![REQUEST, command],
            Side::Target => vec![RESPONSE, command + 1],
        };
        match self {
            Self::AttributeRequest(request) => request.write(&mut out),
            Self::AttributeResponse(response) => response.write(&mut out),
            Self::ParameterRequest(request) => out.extend([request.did, request.rates, request.length]),
            Self::ParameterResponse(did) => out.push(*did),
            Self::Exchange { pfb, did, nad, data, .. } => {
                out.push(pfb.0);
                out.extend(did.iter().chain(nad));
                out.extend_from_slice(data);
            }
            Self::Deselect { did, .. } | Self::Release { did, .. } => out.extend(did),
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::bytes::parse_hex;
    use crate::words::iso18092::{BitRate, LengthReduction};
    use proptest::prelude::*;

    // A session of nfcpy 1.0.4 with itself over UDP, its length bytes taken off.
    const SESSION: &[&str] = &[
        "D40001FE01020304050607080000003246666D0101130202007803020003040132070103",
        "D50101FE0102030405060708000000083246666D0101130202007803020013040132070103",
        "D404001203",
        "D50500",
        "D406000520060F75726E3A6E66633A736E3A736E6570",
        "D5070081840202007805010F",
        "D40680",
        "D50780",
        "D408",
        "D50B",
    ];

    #[test]
    fn a_session_is_read_and_written_as_it_was() {
        for line in SESSION {
            let bytes = parse_hex(line).unwrap();
            let frame = NfcDepFrame::parse(&bytes).unwrap();
            assert_eq!(frame.to_bytes(), bytes, "{frame:?}");
        }
    }

    #[test]
    fn its_parts_are_named() {
        let bytes = parse_hex("D50101FE0102030405060708000000083246666D").unwrap();
        let NfcDepFrame::AttributeResponse(response) = NfcDepFrame::parse(&bytes).unwrap() else { panic!() };
        assert_eq!((response.timeout, response.length), (8, LengthReduction::LONGEST));
        assert_eq!((response.length.bytes(), response.general.as_slice()), (254, &b"Ffm"[..]));
        let frame = NfcDepFrame::parse(&parse_hex("D404001203").unwrap()).unwrap();
        assert_eq!(frame, NfcDepFrame::ParameterRequest(ParameterRequest::at(BitRate::Kbps424)));
        let frame = NfcDepFrame::parse(&parse_hex("D5070E0102AA").unwrap()).unwrap();
        let (did, nad) = (Some(1), Some(2));
        let (side, pfb) = (Side::Target, Pfb(0x0E));
        assert_eq!(frame, NfcDepFrame::Exchange { side, pfb, did, nad, data: vec![0xAA] });
    }

    #[test]
    fn what_is_no_frame_says_where() {
        let told = |hex| NfcDepFrame::parse(&parse_hex(hex).unwrap()).unwrap_err().to_string();
        assert_eq!(told("D306"), "expected D4 (a request) or D5 (a response) at offset 0, found D3");
        assert!(told("D502").contains("at offset 1, found 02"));
        assert!(told("D40001").contains("10 bytes of NFCID3i at offset 2, found 1"));
        assert!(told("D4060C01").contains("1 bytes of NAD"));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
            let _ = NfcDepFrame::parse(&bytes);
            let framed = [&[REQUEST, DEP], bytes.as_slice()].concat();
            if let Ok(frame) = NfcDepFrame::parse(&framed) {
                prop_assert_eq!(frame.to_bytes(), framed);
            }
        }
    }
}

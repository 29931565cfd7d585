//! Parameters, each type, length and value (NFC Forum LLCP 1.3, 4.4): of the link in the
//! general bytes, of a connection in CONNECT and CC, of a look-up in SNL.

use super::error::LlcpError;
use super::pdu::Sap;
use crate::base::bytes::{Cursor, Hex};
use std::time::Duration;

/// How general bytes begin where LLCP is spoken.
pub const MAGIC: &[u8] = b"Ffm";

const VERSION: u8 = 1;
const MIUX: u8 = 2;
const WKS: u8 = 3;
const LTO: u8 = 4;
const RW: u8 = 5;
const SN: u8 = 6;
const OPT: u8 = 7;
const SDREQ: u8 = 8;
const SDRES: u8 = 9;

/// What every device takes at once, in bytes (4.4.2).
const LEAST_MIU: u16 = 128;
/// MIUX has eleven bits.
const MOST_MIUX: u16 = 0x07FF;
/// LTO without its parameter, in units of 10 ms (4.4.4).
const DEFAULT_LTO: u8 = 10;
/// Connection-less and connection-oriented transport (4.4.7).
const BOTH_CLASSES: u8 = 3;

/// What the parameters of a unit say; what is absent has its default.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Parameters {
    /// Major and minor version.
    pub version: Option<(u8, u8)>,
    /// How many bytes beyond 128 are taken at once.
    pub miux: u16,
    /// Link timeout in units of 10 ms.
    pub lto: Option<u8>,
    /// Receive window of a connection.
    pub rw: Option<u8>,
    /// Name of the service to connect to.
    pub name: Option<Vec<u8>>,
    /// Names that are looked up, each with its transaction identifier.
    pub requests: Vec<(u8, Vec<u8>)>,
    /// What was found: transaction identifier and service access point, 0 for none.
    pub responses: Vec<(u8, Sap)>,
}

impl Parameters {
    /// Reads them; unknown ones, and known ones of a wrong length, are passed over (4.4).
    ///
    /// # Errors
    /// They end early.
    pub fn parse(bytes: &[u8]) -> Result<Self, LlcpError> {
        let mut cursor = Cursor::new(bytes);
        let mut found = Self::default();
        while !cursor.is_empty() {
            let [kind, length] = cursor.array("type and length of a parameter")?;
            let value = cursor.take(usize::from(length), "a parameter")?;
            match (kind, value) {
                (VERSION, &[version]) => found.version = Some((version >> 4, version & 0x0F)),
                (MIUX, &[high, low]) => found.miux = u16::from_be_bytes([high, low]) & MOST_MIUX,
                (LTO, &[lto]) => found.lto = Some(lto),
                (RW, &[rw]) => found.rw = Some(rw & 0x0F),
                (SN, name) => found.name = Some(name.to_vec()),
                (SDREQ, [tid, name @ ..]) => found.requests.push((*tid, name.to_vec())),
                (SDRES, &[tid, sap]) => found.responses.push((tid, Sap::new(sap))),
                _ => {}
            }
        }
        Ok(found)
    }

    /// Their bytes, without those that have their default.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        // Names are at most 254 bytes, as `Link` sees to.
        let mut put = |kind, value: &[u8]| {
            out.extend([kind, u8::try_from(value.len()).unwrap_or(u8::MAX)]);
            out.extend_from_slice(value);
        };
        if let Some((major, minor)) = self.version {
            put(VERSION, &[major << 4 | minor & 0x0F]);
        }
        if self.miux > 0 {
            put(MIUX, &self.miux.min(MOST_MIUX).to_be_bytes());
        }
        if let Some(lto) = self.lto {
            put(LTO, &[lto]);
        }
        if let Some(rw) = self.rw {
            put(RW, &[rw & 0x0F]);
        }
        if let Some(name) = &self.name {
            put(SN, name);
        }
        for (tid, name) in &self.requests {
            put(SDREQ, &[&[*tid], name.as_slice()].concat());
        }
        for (tid, sap) in &self.responses {
            put(SDRES, &[*tid, sap.number()]);
        }
        out
    }

    /// MIU, in bytes.
    pub fn miu(&self) -> usize {
        usize::from(LEAST_MIU + self.miux)
    }

    /// Link timeout.
    pub fn link_timeout(&self) -> Duration {
        Duration::from_millis(u64::from(self.lto.unwrap_or(DEFAULT_LTO)) * 10)
    }
}

/// What a device says of its link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LinkParameters {
    /// The most bytes of information that it takes at once, 128 to 2175.
    pub miu: u16,
    /// How long it may be silent, 10 ms to 2550 ms.
    pub timeout: Duration,
}

impl Default for LinkParameters {
    /// 248 bytes, which with their header fit one block of NFC-DEP; two seconds, as a
    /// loaded machine needs.
    fn default() -> Self {
        Self { miu: 248, timeout: Duration::from_secs(2) }
    }
}

impl LinkParameters {
    /// The general bytes of a device; `wks` has a bit for each of the well-known service
    /// access points, 0 to 15, that it serves.
    pub fn general_bytes(&self, wks: u16) -> Vec<u8> {
        let lto = u8::try_from(self.timeout.as_millis() / 10).unwrap_or(u8::MAX).max(1);
        let parameters = Parameters {
            version: Some((1, 3)),
            miux: self.miu.saturating_sub(LEAST_MIU),
            lto: Some(lto),
            ..Parameters::default()
        };
        let [high, low] = (wks | 1).to_be_bytes();
        [MAGIC, &parameters.to_bytes(), &[WKS, 2, high, low, OPT, 1, BOTH_CLASSES]].concat()
    }

    /// What the other device's general bytes say.
    ///
    /// # Errors
    /// They are not of LLCP, or of another major version.
    pub fn read_general_bytes(general: &[u8]) -> Result<Parameters, LlcpError> {
        let found = general
            .strip_prefix(MAGIC)
            .ok_or_else(|| LlcpError::NoLlcp { found: Hex(general).to_string() })?;
        let found = Parameters::parse(found)?;
        match found.version {
            Some((1, _)) => Ok(found),
            Some((major, minor)) => Err(LlcpError::Version { major, minor }),
            None => Err(LlcpError::Version { major: 0, minor: 0 }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::bytes::parse_hex;
    use proptest::prelude::*;

    #[test]
    fn general_bytes_are_read_as_they_are_written() {
        // nfcpy 1.0.4.
        let theirs = parse_hex("46666D0101130202007803020003040132070103").unwrap();
        let found = LinkParameters::read_general_bytes(&theirs).unwrap();
        assert_eq!((found.version, found.miu()), (Some((1, 3)), 248));
        assert_eq!(found.link_timeout(), Duration::from_millis(500));
        let ours = LinkParameters::default().general_bytes(1 << 4);
        let found = LinkParameters::read_general_bytes(&ours).unwrap();
        assert_eq!((found.miu(), found.link_timeout()), (248, Duration::from_secs(2)));
        assert!(ours.ends_with(&[WKS, 2, 0, 0x11, OPT, 1, 3]), "{ours:02X?}");
    }

    #[test]
    fn other_general_bytes_are_refused() {
        let told =
            |hex| LinkParameters::read_general_bytes(&parse_hex(hex).unwrap()).unwrap_err().to_string();
        assert!(told("4666").contains("found 4666"));
        assert!(told("46666D010120").contains("found 2.0"));
        assert!(told("46666D").contains("found 0.0"));
        assert!(told("46666D0101").contains("1 bytes of a parameter"));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
            if let Ok(found) = Parameters::parse(&bytes) {
                prop_assert_eq!(Parameters::parse(&found.to_bytes()), Ok(found));
            }
        }
    }
}

//! The static data that an issuer signs (EMV Book 3 10.3), and signed static
//! application data, tag 93 (EMV Book 2 5.4).

use super::envelope::{self, RSA_FRAME_BYTES, SHA_1};
use super::issuer::Fields;
use super::{CertificateError, Fault, Object, PrivateKey, PublicKey, Suite};
use crate::words::dictionary::tag;
use crate::words::emv::Afl;
use crate::words::tlv;

/// Files up to this one hold templates; those above are the issuer's own.
const LAST_EMV_SFI: u8 = 10;

/// Records that the AFL marks, one after another, and the AIP where 9F4A lists it.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct StaticData(Vec<u8>);

impl StaticData {
    /// Nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a record that the AFL marks as signed, as the card gave it. Of SFI 1 to 10
    /// what is in template 70 counts, of others all.
    pub fn add_record(&mut self, sfi: u8, record: u8, bytes: &[u8]) -> Result<(), CertificateError> {
        if sfi > LAST_EMV_SFI {
            self.0.extend_from_slice(bytes);
            return Ok(());
        }
        let wrong = || Object::StaticData.fault(Fault::Record { sfi, record });
        let template = tlv::parse_one(bytes).map_err(|_| wrong())?;
        if template.tag != tag::RECORD_TEMPLATE {
            return Err(wrong());
        }
        self.0.extend_from_slice(template.value);
        Ok(())
    }

    /// Adds what the static data authentication tag list (9F4A) names, which may be the
    /// AIP alone; without a list nothing is added.
    pub fn add_listed(&mut self, tag_list: Option<&[u8]>, aip: [u8; 2]) -> Result<(), CertificateError> {
        match tag_list {
            None | Some([]) => {}
            Some([0x82]) => self.0.extend(aip),
            Some(found) => return Err(Object::StaticData.fault(Fault::TagList { found: found.into() })),
        }
        Ok(())
    }

    /// All of it from an AFL and a way to the records.
    pub fn gather<'a>(
        afl: &Afl,
        record_of: impl Fn(u8, u8) -> Option<&'a [u8]>,
        tag_list: Option<&[u8]>,
        aip: [u8; 2],
    ) -> Result<Self, CertificateError> {
        let mut data = Self::new();
        for (sfi, record, _) in afl.records().filter(|(_, _, signed)| *signed) {
            let absent = || Object::StaticData.fault(Fault::RecordAbsent { sfi, record });
            data.add_record(sfi, record, record_of(sfi, record).ok_or_else(absent)?)?;
        }
        data.add_listed(tag_list, aip)?;
        Ok(data)
    }

    /// The bytes that are hashed.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl From<Vec<u8>> for StaticData {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }
}

impl std::fmt::Debug for StaticData {
    /// Records hold the PAN.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "StaticData({} bytes)", self.0.len())
    }
}

const OBJECT: Object = Object::StaticSignature;

/// Signs static data with a data authentication code of the issuer's choice: tag 93.
pub fn sign_static_data(
    data: &StaticData,
    data_authentication_code: [u8; 2],
    issuer: &PrivateKey,
) -> Result<Vec<u8>, CertificateError> {
    let public = issuer.public();
    let mut fields = vec![OBJECT.format(&public)];
    if issuer.suite() == Suite::Rsa {
        fields.push(SHA_1);
    }
    fields.extend(data_authentication_code);
    if issuer.suite() == Suite::Rsa {
        fields = envelope::padded(fields, public.bytes().len() - RSA_FRAME_BYTES);
    }
    envelope::seal(OBJECT, &fields, &[data.as_bytes()], issuer)
}

/// Recovers and checks tag 93 in the order of EMV Book 2 5.4; gives the data
/// authentication code, tag 9F45.
pub fn recover_static_signature(
    signed: &[u8],
    data: &StaticData,
    issuer: &PublicKey,
) -> Result<[u8; 2], CertificateError> {
    let opened = envelope::open(OBJECT, signed, issuer)?;
    let fewest = if issuer.suite() == Suite::Rsa { 4 } else { 3 };
    let mut fields = Fields::of(OBJECT, &opened, fewest)?;
    opened.check_hash_algorithm(1)?;
    if issuer.suite() == Suite::Rsa {
        fields.array::<1>()?;
    }
    let code = fields.array()?;
    opened.check(&[data.as_bytes()])?;
    Ok(code)
}

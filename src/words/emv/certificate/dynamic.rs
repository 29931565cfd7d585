//! Signed dynamic application data, tag 9F4B: DDA (EMV Book 2 6.5), CDA (6.6), and fDDA
//! of contactless quick paths (JR/T 0025.12; EMV Book C-3).

use super::envelope::{self, Opened, RSA_FRAME_BYTES, SHA_1};
use super::{CertificateError, Fault, Object, PrivateKey, PublicKey, Suite};
use crate::base::bytes::Cursor;

/// Most bytes of ICC dynamic data under a key, 25 less than its length (EMV Book 2
/// 6.5.1); with SM2 the length field alone bounds it.
pub fn longest_dynamic_data(key: &PublicKey) -> usize {
    match key.suite() {
        Suite::Rsa => key.bytes().len().saturating_sub(RSA_FRAME_BYTES + 3),
        Suite::Sm2 => 0xFF,
    }
}

/// ICC dynamic data: the ICC dynamic number, tag 9F4C, and what the card adds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IccDynamicData {
    /// 2 to 8 bytes.
    pub number: Vec<u8>,
    /// What follows.
    pub rest: Vec<u8>,
}

impl IccDynamicData {
    /// Signs it together with the terminal's data, which DDOL or [`FddaInput`] gives.
    pub fn sign(&self, terminal_data: &[&[u8]], card: &PrivateKey) -> Result<Vec<u8>, CertificateError> {
        sign(Object::DynamicSignature, &self.encode(Object::DynamicSignature)?, terminal_data, card)
    }

    /// Recovers and checks it in the order of EMV Book 2 6.5.2.
    pub fn recover(
        signed: &[u8],
        terminal_data: &[&[u8]],
        card: &PublicKey,
    ) -> Result<Self, CertificateError> {
        let opened = envelope::open(Object::DynamicSignature, signed, card)?;
        let dynamic = dynamic_data(Object::DynamicSignature, &opened, card)?;
        opened.check_hash_algorithm(1)?;
        opened.check(terminal_data)?;
        Self::parse(Object::DynamicSignature, dynamic)
    }

    fn encode(&self, object: Object) -> Result<Vec<u8>, CertificateError> {
        let found = self.number.len();
        if !(2..=8).contains(&found) {
            return Err(object.fault(Fault::DynamicNumber { found }));
        }
        Ok([&[found as u8], self.number.as_slice(), &self.rest].concat())
    }

    fn parse(object: Object, bytes: &[u8]) -> Result<Self, CertificateError> {
        let mut cursor = Cursor::new(bytes);
        let found = usize::from(cursor.byte("length").unwrap_or_default());
        let number = cursor.take(found, "number").ok().filter(|number| (2..=8).contains(&number.len()));
        let number = number.ok_or_else(|| object.fault(Fault::DynamicNumber { found }))?;
        Ok(Self { number: number.into(), rest: cursor.rest().into() })
    }
}

/// What a card signs in a combined signature: EMV Book 2 6.6.1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CdaDynamicData {
    /// ICC dynamic number, tag 9F4C, 2 to 8 bytes.
    pub number: Vec<u8>,
    /// Cryptogram information data, tag 9F27.
    pub cryptogram_information: u8,
    /// TC or ARQC, tag 9F26.
    pub cryptogram: [u8; 8],
    /// The hash over the data exchanged: 20 bytes, with SM2 32.
    pub transaction_data_hash: Vec<u8>,
    /// What a card adds behind it: relay resistance data (EMV Book C-2).
    pub rest: Vec<u8>,
}

impl CdaDynamicData {
    /// Signs it together with the terminal's unpredictable number, tag 9F37.
    pub fn sign(
        &self,
        unpredictable_number: [u8; 4],
        card: &PrivateKey,
    ) -> Result<Vec<u8>, CertificateError> {
        let object = Object::CombinedSignature;
        let rest =
            [&[self.cryptogram_information], &self.cryptogram[..], &self.transaction_data_hash, &self.rest]
                .concat();
        let data = IccDynamicData { number: self.number.clone(), rest }.encode(object)?;
        sign(object, &data, &[&unpredictable_number], card)
    }

    /// Recovers and checks it up to step 9 of EMV Book 2 6.6.2; `answered` is tag 9F27
    /// of the answer. [`Self::check_transaction`] is the rest.
    pub fn recover(
        signed: &[u8],
        unpredictable_number: [u8; 4],
        answered: u8,
        card: &PublicKey,
    ) -> Result<Self, CertificateError> {
        let object = Object::CombinedSignature;
        let opened = envelope::open(object, signed, card)?;
        let dynamic = IccDynamicData::parse(object, dynamic_data(object, &opened, card)?)?;
        let hash_bytes = card.suite().hash_bytes();
        let expected = dynamic.number.len() + 10 + hash_bytes;
        let found = dynamic.number.len() + 1 + dynamic.rest.len();
        let short = || object.fault(Fault::Short { expected, found });
        let (fixed, rest) = dynamic.rest.split_first_chunk::<9>().ok_or_else(short)?;
        let (hash, rest) = rest.split_at_checked(hash_bytes).ok_or_else(short)?;
        let (transaction_data_hash, rest) = (hash.to_vec(), rest.to_vec());
        let [cryptogram_information, cryptogram @ ..] = *fixed;
        if cryptogram_information != answered {
            let (expected, found) = (answered, cryptogram_information);
            return Err(object.fault(Fault::CryptogramInformation { expected, found }));
        }
        opened.check_hash_algorithm(1)?;
        opened.check(&[&unpredictable_number])?;
        Ok(Self { number: dynamic.number, cryptogram_information, cryptogram, transaction_data_hash, rest })
    }

    /// The hash over what was exchanged, which a card signs: the values of PDOL, CDOL1
    /// and, at the second GENERATE AC, CDOL2, then the data objects of the answer as
    /// they came, without 9F4B.
    pub fn transaction_data_hash(parts: &[&[u8]], suite: Suite) -> Vec<u8> {
        suite.hash(parts)
    }

    /// Steps 10 to 12 of EMV Book 2 6.6.2 over the same parts.
    pub fn check_transaction(&self, parts: &[&[u8]]) -> Result<(), CertificateError> {
        let suite =
            if self.transaction_data_hash.len() == Suite::Sm2.hash_bytes() { Suite::Sm2 } else { Suite::Rsa };
        match Self::transaction_data_hash(parts, suite) == self.transaction_data_hash {
            true => Ok(()),
            false => Err(Object::CombinedSignature.fault(Fault::TransactionDataHash)),
        }
    }
}

/// The terminal's data of fDDA. Version 00, where the card gives no 9F69 or one that
/// begins with 00, signs the unpredictable number alone; version 01 all four.
#[derive(Debug, Clone, Copy)]
pub struct FddaInput<'a> {
    /// Tag 9F37.
    pub unpredictable_number: &'a [u8],
    /// Tag 9F02.
    pub amount: &'a [u8],
    /// Tag 5F2A.
    pub currency: &'a [u8],
    /// Card authentication related data, tag 9F69: version, a number of the card's, CTQ.
    pub card_authentication: Option<&'a [u8]>,
}

impl<'a> FddaInput<'a> {
    /// The parts that are hashed after the ICC dynamic data.
    pub fn parts(&self) -> Result<Vec<&'a [u8]>, CertificateError> {
        match self.card_authentication {
            None | Some([0x00, ..]) => Ok(vec![self.unpredictable_number]),
            Some(data @ [0x01, ..]) => Ok(vec![self.unpredictable_number, self.amount, self.currency, data]),
            Some(found) => Err(Object::DynamicSignature.fault(Fault::FddaVersion { found: found.into() })),
        }
    }
}

/// Format, for RSA the hash algorithm, length, data and padding.
fn sign(
    object: Object,
    dynamic: &[u8],
    terminal_data: &[&[u8]],
    card: &PrivateKey,
) -> Result<Vec<u8>, CertificateError> {
    let public = card.public();
    let at_most = longest_dynamic_data(&public);
    if dynamic.len() > at_most {
        return Err(object.fault(Fault::DynamicDataLength { at_most, found: dynamic.len() }));
    }
    let mut fields = vec![object.format(&public)];
    if card.suite() == Suite::Rsa {
        fields.push(SHA_1);
    }
    fields.push(dynamic.len() as u8);
    fields.extend_from_slice(dynamic);
    if card.suite() == Suite::Rsa {
        fields = envelope::padded(fields, public.bytes().len() - RSA_FRAME_BYTES);
    }
    envelope::seal(object, &fields, terminal_data, card)
}

/// The dynamic data within recovered fields.
fn dynamic_data<'a>(
    object: Object,
    opened: &'a Opened<'_>,
    card: &PublicKey,
) -> Result<&'a [u8], CertificateError> {
    let at = if card.suite() == Suite::Rsa { 2 } else { 1 };
    let found = opened.fields.get(at).copied().map_or(0, usize::from);
    let data = opened.fields.get(at + 1..at + 1 + found);
    let at_most = opened.fields.len().saturating_sub(at + 1);
    data.ok_or_else(|| object.fault(Fault::DynamicDataLength { at_most, found }))
}

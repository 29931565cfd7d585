//! What goes from phone to phone: one NDEF record of an external type (NFC Forum RTD 1.0,
//! 3.2). Each message is whole in itself.

use super::contents::{put_amount, read_amount};
use super::signed::end;
use super::{Agreement, Certificate, HostReceipt, Offer, PhoneReceipt, Signed, TransferFormatError};
use crate::base::bytes::Cursor;
use crate::words::iso4217::Amount;
use crate::words::ndef::{Message, Record, TypeNameFormat};
use std::fmt;

/// The record's type, `urn:nfc:ext:cardwright:transfer`.
pub const RECORD_TYPE: &str = "cardwright:transfer";
/// The first byte of a payload: the version of this format.
const VERSION: u8 = 1;

/// Why a phone does not go on. Nothing has moved by it, and nothing is proven by it: it is
/// not signed. Unknown codes are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Refusal(pub u8);

impl Refusal {
    /// The holder said no.
    pub const DECLINED: Self = Self(1);
    /// It pays itself: both were told to.
    pub const PAYS_TOO: Self = Self(2);
    /// It receives itself: both were told to.
    pub const RECEIVES_TOO: Self = Self(3);
    /// Another host, or a certificate that is not to be believed.
    pub const OTHER_HOST: Self = Self(4);
    /// What came is not signed as it must be, or not meant for this phone.
    pub const NOT_BELIEVED: Self = Self(5);
    /// The offer has run out.
    pub const EXPIRED: Self = Self(6);
    /// Another amount than this holder wants.
    pub const OTHER_AMOUNT: Self = Self(7);
    /// More than may be promised without the host.
    pub const OFFLINE_LIMIT: Self = Self(8);
    /// The host refuses it.
    pub const HOST_REFUSED: Self = Self(9);
    /// The phone cannot keep what it would have to keep.
    pub const CANNOT_KEEP: Self = Self(10);
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match *self {
            Self::DECLINED => "its holder declined",
            Self::PAYS_TOO => "both phones are told to pay: let one of them receive",
            Self::RECEIVES_TOO => "both phones are told to receive: let one of them pay",
            Self::OTHER_HOST => "the phones are not of the same host",
            Self::NOT_BELIEVED => "what came is not signed as it must be",
            Self::EXPIRED => "the offer has run out: check the clocks of both phones",
            Self::OTHER_AMOUNT => "payer and payee name different amounts",
            Self::OFFLINE_LIMIT => "it is more than may be promised before the host has heard of it",
            Self::HOST_REFUSED => "the host refuses it",
            Self::CANNOT_KEEP => "the phone cannot keep the transfer",
            Self(code) => return write!(f, "reason {code}"),
        })
    }
}

/// What goes from phone to phone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TouchMessage {
    /// From the payer, first: who wants to pay how much.
    Greeting {
        /// Who.
        certificate: Signed<Certificate>,
        /// How much.
        amount: Amount,
    },
    /// From the payee: what may be agreed to.
    Offer {
        /// Who offers it.
        certificate: Signed<Certificate>,
        /// The offer.
        offer: Signed<Offer>,
    },
    /// From the payer: the promise, for this offer or one of before.
    Agreement {
        /// What is agreed to.
        offer: Signed<Offer>,
        /// The promise.
        agreement: Signed<Agreement>,
        /// What the host has made of it, where it was asked.
        receipt: Option<Signed<HostReceipt>>,
    },
    /// From the payee: the promise is kept.
    Receipt {
        /// Which transfer.
        offer: Signed<Offer>,
        /// That it is kept.
        receipt: Signed<PhoneReceipt>,
        /// What the host has made of it, where it was asked.
        host: Option<Signed<HostReceipt>>,
    },
    /// From either: it does not go on.
    Refusal(Refusal),
}

impl TouchMessage {
    /// Its NDEF message.
    ///
    /// # Errors
    /// Never, as the type of the record is short; NDEF says so.
    pub fn to_ndef(&self) -> Result<Vec<u8>, TransferFormatError> {
        let record = Record::new(TypeNameFormat::EXTERNAL, RECORD_TYPE, self.payload());
        Ok(Message::new([record]).to_bytes()?)
    }

    /// Reads an NDEF message.
    ///
    /// # Errors
    /// It is none, of another type or version, ends early, or holds what cannot be.
    pub fn parse(bytes: &[u8]) -> Result<Self, TransferFormatError> {
        let message = Message::parse(bytes)?;
        let is_ours = |record: &&Record| {
            record.format == TypeNameFormat::EXTERNAL
                && record.kind.eq_ignore_ascii_case(RECORD_TYPE.as_bytes())
        };
        let record = message.records().iter().find(is_ours).ok_or(TransferFormatError::Malformed {
            expected: "a record of type cardwright:transfer",
            found: "others".into(),
            offset: 0,
        })?;
        let mut cursor = Cursor::new(&record.payload);
        let message = Self::read(&mut cursor)?;
        end(&cursor)?;
        Ok(message)
    }

    fn payload(&self) -> Vec<u8> {
        let mut out = vec![VERSION];
        match self {
            Self::Greeting { certificate, amount } => {
                out.push(1);
                out.extend(certificate.to_bytes());
                put_amount(*amount, &mut out);
            }
            Self::Offer { certificate, offer } => {
                out.push(2);
                out.extend(certificate.to_bytes());
                out.extend(offer.to_bytes());
            }
            Self::Agreement { offer, agreement, receipt } => {
                out.push(3);
                out.extend(offer.to_bytes());
                out.extend(agreement.to_bytes());
                put_receipt(receipt.as_ref(), &mut out);
            }
            Self::Receipt { offer, receipt, host } => {
                out.push(4);
                out.extend(offer.to_bytes());
                out.extend(receipt.to_bytes());
                put_receipt(host.as_ref(), &mut out);
            }
            Self::Refusal(refusal) => out.extend([5, refusal.0]),
        }
        out
    }

    fn read(cursor: &mut Cursor<'_>) -> Result<Self, TransferFormatError> {
        let [version, kind] = cursor.array("version and kind")?;
        let malformed = |expected, found: u8| TransferFormatError::Malformed {
            expected,
            found: found.to_string(),
            offset: 0,
        };
        if version != VERSION {
            return Err(malformed("version 1", version));
        }
        Ok(match kind {
            1 => Self::Greeting { certificate: Signed::read(cursor)?, amount: read_amount(cursor)? },
            2 => Self::Offer { certificate: Signed::read(cursor)?, offer: Signed::read(cursor)? },
            3 => Self::Agreement {
                offer: Signed::read(cursor)?,
                agreement: Signed::read(cursor)?,
                receipt: read_receipt(cursor)?,
            },
            4 => Self::Receipt {
                offer: Signed::read(cursor)?,
                receipt: Signed::read(cursor)?,
                host: read_receipt(cursor)?,
            },
            5 => Self::Refusal(Refusal(cursor.byte("a reason")?)),
            other => return Err(malformed("a message of kind 1 to 5", other)),
        })
    }
}

fn put_receipt(receipt: Option<&Signed<HostReceipt>>, out: &mut Vec<u8>) {
    if let Some(receipt) = receipt {
        out.extend(receipt.to_bytes());
    }
}

fn read_receipt(cursor: &mut Cursor<'_>) -> Result<Option<Signed<HostReceipt>>, TransferFormatError> {
    if cursor.is_empty() { Ok(None) } else { Signed::read(cursor).map(Some) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::bytes::Secret;
    use crate::base::crypto::Sm2PrivateKey;
    use crate::base::env::Timestamp;
    use crate::words::iso4217::Currency;
    use crate::words::transfer::{HostId, HostOutcome, PhoneId};
    use proptest::prelude::*;

    const AT: Timestamp = Timestamp::from_micros(1_795_248_000_000_000);
    const AMOUNT: Amount = Amount::new(2_000, Currency::CNY);

    fn key(seed: u8) -> Sm2PrivateKey {
        Sm2PrivateKey::generate(&Secret::new([seed; 32])).unwrap()
    }

    fn certificate(name: &str) -> Signed<Certificate> {
        let (host, phone) = (key(1), key(2));
        let contents = Certificate {
            host: HostId::of(host.public()),
            key: phone.public().clone(),
            name: name.into(),
            offline_limit: AMOUNT,
            expires: AT,
        };
        Signed::sign(contents, &[], &host).unwrap()
    }

    fn offer() -> Signed<Offer> {
        let (host, payee) = (HostId::of(key(1).public()), key(3));
        let contents = Offer {
            host,
            payee: PhoneId::of(payee.public()),
            payer: PhoneId::of(key(2).public()),
            nonce: [7; 8],
            amount: AMOUNT,
            made: AT,
            expires: AT,
        };
        Signed::sign(contents, &[], &payee).unwrap()
    }

    fn every_message() -> Vec<TouchMessage> {
        let (offer, certificate, about) = (offer(), certificate("张三"), offer().id().0);
        let contents = HostReceipt { outcome: HostOutcome::Booked, code: *b"00", made: AT };
        let receipt = Some(Signed::sign(contents, &about, &key(1)).unwrap());
        let agreement = Signed::sign(Agreement { sequence: 1, made: AT }, &about, &key(2)).unwrap();
        let kept = Signed::sign(PhoneReceipt { made: AT }, &about, &key(3)).unwrap();
        vec![
            TouchMessage::Greeting { certificate: certificate.clone(), amount: AMOUNT },
            TouchMessage::Offer { certificate, offer: offer.clone() },
            TouchMessage::Agreement {
                offer: offer.clone(),
                agreement: agreement.clone(),
                receipt: receipt.clone(),
            },
            TouchMessage::Agreement { offer: offer.clone(), agreement, receipt: None },
            TouchMessage::Receipt { offer, receipt: kept, host: receipt },
            TouchMessage::Refusal(Refusal::DECLINED),
        ]
    }

    #[test]
    fn a_message_is_read_as_it_is_written_and_refused_where_it_is_cut() {
        for message in every_message() {
            let bytes = message.to_ndef().unwrap();
            assert_eq!(TouchMessage::parse(&bytes).unwrap(), message);
            for length in 0..bytes.len() {
                assert!(TouchMessage::parse(&bytes[..length]).is_err(), "{length} of {message:?}");
            }
        }
    }

    #[test]
    fn a_changed_bit_is_not_believed() {
        let (signed, key) = (offer(), key(3));
        assert!(signed.verify(&[], key.public()).is_ok());
        let bytes = signed.to_bytes();
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            let believed =
                Signed::<Offer>::parse(&changed).is_ok_and(|it| it.verify(&[], key.public()).is_ok());
            assert!(!believed, "byte {at}");
        }
        // About something else, by somebody else, or as something else: no signature either.
        assert!(signed.verify(&[1], key.public()).is_err());
        let receipt = Signed::sign(PhoneReceipt { made: AT }, &[1], &key).unwrap();
        let bytes = receipt.to_bytes();
        let withdrawal = Signed::<crate::words::transfer::Withdrawal>::parse(&bytes).unwrap();
        assert!(receipt.verify(&[1], key.public()).is_ok() && withdrawal.verify(&[1], key.public()).is_err());
    }

    #[test]
    fn a_certificate_is_of_its_host_and_runs_out() {
        let signed = certificate("Li");
        let later = AT.plus(std::time::Duration::from_secs(1));
        assert!(signed.check(key(1).public(), AT).is_ok());
        let expired = signed.check(key(1).public(), later).unwrap_err().to_string();
        assert!(expired.contains("run out"), "{expired}");
        assert!(signed.check(key(4).public(), AT).is_err());
        assert!(Certificate::check_name("").is_err() && Certificate::check_name("a\nb").is_err());
        assert!(Certificate::check_name(&"x".repeat(41)).is_err());
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..80), kind in 0..7_u8) {
            let payload = [&[VERSION, kind], &bytes[..]].concat();
            let record = Record::new(TypeNameFormat::EXTERNAL, RECORD_TYPE, payload);
            let _ = TouchMessage::parse(&Message::new([record]).to_bytes().unwrap());
            let _ = TouchMessage::parse(&bytes);
        }
    }
}

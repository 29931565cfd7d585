//! What a host says of a phone: its key, the name of its holder, and how much it may promise
//! without asking. The account behind it stays with the host.

use super::contents::{put_amount, read_amount, read_time, seconds};
use super::signed::Contents;
use super::{Signed, TransferFormatError};
use crate::base::bytes::{Cursor, Hex};
use crate::base::crypto::{Sm2PublicKey, sm3};
use crate::base::env::Timestamp;
use crate::words::iso4217::Amount;
use std::fmt;

macro_rules! key_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub [u8; 8]);

        impl $name {
            /// The identifier of a key: the first eight bytes of its SM3.
            pub fn of(key: &Sm2PublicKey) -> Self {
                let mut id = [0; 8];
                id.copy_from_slice(&sm3(&[key.coordinates()])[..8]);
                Self(id)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}", Hex(&self.0))
            }
        }
    };
}

key_id! {
    /// A phone, by its key.
    PhoneId
}
key_id! {
    /// A host, by the key under its certificates and receipts.
    HostId
}

/// What a host says of a phone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    /// Who says it.
    pub host: HostId,
    /// The phone's key.
    pub key: Sm2PublicKey,
    /// The holder as the other side is shown it, 1 to 40 bytes of UTF-8 without controls.
    pub name: String,
    /// How much the phone may have promised that its host has not heard of yet.
    pub offline_limit: Amount,
    /// Until when, to the second.
    pub expires: Timestamp,
}

impl Certificate {
    /// The most bytes of a name.
    pub const NAME_BYTES: usize = 40;

    /// The phone that it speaks of.
    pub fn phone(&self) -> PhoneId {
        PhoneId::of(&self.key)
    }

    /// Refuses a name that people could not be shown.
    ///
    /// # Errors
    /// It is empty, too long, or has control characters.
    pub fn check_name(name: &str) -> Result<(), TransferFormatError> {
        let (what, most, found) = ("holder's name", Self::NAME_BYTES, name.len());
        if found == 0 || found > most {
            return Err(TransferFormatError::Text { what, most, found });
        }
        match name.chars().find(|letter| letter.is_control()) {
            None => Ok(()),
            Some(letter) => Err(TransferFormatError::Malformed {
                expected: "a holder's name without control characters",
                found: format!("{letter:?}"),
                offset: 0,
            }),
        }
    }
}

impl Contents for Certificate {
    const NAME: &'static str = "certificate";

    fn write(&self, out: &mut Vec<u8>) {
        out.extend(self.host.0);
        out.extend(self.key.coordinates());
        put_amount(self.offline_limit, out);
        out.extend(seconds(self.expires));
        // `check_name` keeps it below 256.
        out.push(self.name.len() as u8);
        out.extend(self.name.as_bytes());
    }

    fn read(cursor: &mut Cursor<'_>) -> Result<Self, TransferFormatError> {
        let host = HostId(cursor.array("a host's identifier")?);
        let offset = cursor.offset();
        let key = Sm2PublicKey::new(&cursor.array("a phone's key")?).map_err(|_| {
            let (expected, found) = ("a point of the curve", "another number".into());
            TransferFormatError::Malformed { expected, found, offset }
        })?;
        let offline_limit = read_amount(cursor)?;
        let expires = read_time(cursor)?;
        let length = usize::from(cursor.byte("the length of a holder's name")?);
        let offset = cursor.offset();
        let name = std::str::from_utf8(cursor.take(length, "a holder's name")?);
        let name = name.map_err(|_| TransferFormatError::Malformed {
            expected: "a holder's name in UTF-8",
            found: "other bytes".into(),
            offset,
        })?;
        Self::check_name(name)?;
        Ok(Self { host, key, name: name.into(), offline_limit, expires })
    }
}

impl Signed<Certificate> {
    /// Checks it against the host's key, and that it has not run out.
    ///
    /// # Errors
    /// Another host's, changed, or run out.
    pub fn check(&self, host: &Sm2PublicKey, now: Timestamp) -> Result<&Certificate, TransferFormatError> {
        let certificate = self.verify(&[], host)?;
        let expected = HostId::of(host);
        if certificate.host != expected {
            return Err(TransferFormatError::Malformed {
                expected: "a certificate of the same host",
                found: certificate.host.to_string(),
                offset: 0,
            });
        }
        match certificate.expires >= now {
            true => Ok(certificate),
            false => Err(TransferFormatError::Malformed {
                expected: "a certificate that has not run out",
                found: format!("one until {}", certificate.expires),
                offset: 0,
            }),
        }
    }
}

//! A message: its type and its fields by number.

use crate::base::bytes::Secret;
use std::collections::BTreeMap;
use std::fmt;

/// Message type indicator: version, class, function, origin; one half of a byte
/// each. Unknown ones are kept.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mti(pub u16);

impl Mti {
    /// Authorisation request.
    pub const AUTHORISATION: Self = Self(0x0100);
    /// Financial request.
    pub const FINANCIAL: Self = Self(0x0200);
    /// Financial advice.
    pub const FINANCIAL_ADVICE: Self = Self(0x0220);
    /// Batch upload.
    pub const BATCH_UPLOAD: Self = Self(0x0320);
    /// Reversal request.
    pub const REVERSAL: Self = Self(0x0400);
    /// Reversal advice.
    pub const REVERSAL_ADVICE: Self = Self(0x0420);
    /// Settlement.
    pub const SETTLEMENT: Self = Self(0x0500);
    /// Notice of a script's result.
    pub const NOTICE: Self = Self(0x0620);
    /// Network management request: sign-on.
    pub const NETWORK: Self = Self(0x0800);
    /// Network management advice: sign-off, echo.
    pub const NETWORK_ADVICE: Self = Self(0x0820);

    /// The type of the answer: the function's digit is one more.
    #[must_use]
    pub fn answer(self) -> Self {
        Self(self.0 | 0x0010)
    }

    /// Whether it is an answer's type.
    pub fn is_answer(self) -> bool {
        self.0 & 0x0010 != 0
    }

    /// The type of the request that this one answers.
    #[must_use]
    pub fn request(self) -> Self {
        Self(self.0 & !0x0010)
    }

    /// What it says, where that is known.
    pub fn words(self) -> &'static str {
        let request = match self.request() {
            Self::AUTHORISATION => ["authorisation request", "authorisation answer"],
            Self::FINANCIAL => ["financial request", "financial answer"],
            Self::FINANCIAL_ADVICE => ["financial advice", "answer to a financial advice"],
            Self::BATCH_UPLOAD => ["batch upload", "answer to a batch upload"],
            Self::REVERSAL => ["reversal request", "reversal answer"],
            Self::REVERSAL_ADVICE => ["reversal advice", "answer to a reversal advice"],
            Self::SETTLEMENT => ["settlement", "settlement answer"],
            Self::NOTICE => ["notice", "answer to a notice"],
            Self::NETWORK => ["network management request", "network management answer"],
            Self::NETWORK_ADVICE => ["network management advice", "answer to a network management advice"],
            _ => ["unnamed type", "unnamed type"],
        };
        request[usize::from(self.is_answer())]
    }
}

impl fmt::Display for Mti {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04X}", self.0)
    }
}

impl fmt::Debug for Mti {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A message. A numeric or track field is its characters (`=` parts a track), a
/// text field its bytes as they are, a binary field its bytes. `Debug` shows no value.
#[derive(Clone, PartialEq, Eq)]
pub struct Message {
    /// The type.
    pub mti: Mti,
    fields: BTreeMap<u8, Secret<Vec<u8>>>,
}

impl Message {
    /// A message without fields.
    pub fn new(mti: Mti) -> Self {
        Self { mti, fields: BTreeMap::new() }
    }

    /// Puts a field, 2 to 128; an earlier value is replaced. Whether it fits is seen
    /// when it is written. Fields 1 and 65, which are bitmaps, are no fields here.
    pub fn put(&mut self, field: u8, value: impl Into<Vec<u8>>) {
        self.fields.insert(field, Secret::new(value.into()));
    }

    /// The same, for building one.
    #[must_use]
    pub fn with(mut self, field: u8, value: impl Into<Vec<u8>>) -> Self {
        self.put(field, value);
        self
    }

    /// Takes a field out.
    pub fn remove(&mut self, field: u8) -> Option<Secret<Vec<u8>>> {
        self.fields.remove(&field)
    }

    /// The value of a field.
    pub fn bytes(&self, field: u8) -> Option<&[u8]> {
        self.fields.get(&field).map(|value| value.expose().as_slice())
    }

    /// The value of a field of characters.
    pub fn text(&self, field: u8) -> Option<&str> {
        std::str::from_utf8(self.bytes(field)?).ok()
    }

    /// Whether the field is there.
    pub fn has(&self, field: u8) -> bool {
        self.fields.contains_key(&field)
    }

    /// The fields by number.
    pub fn iter(&self) -> impl Iterator<Item = (u8, &[u8])> {
        self.fields.iter().map(|(field, value)| (*field, value.expose().as_slice()))
    }
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.mti)?;
        for (field, value) in self.iter() {
            write!(f, " F{field}[{}]", value.len())?;
        }
        Ok(())
    }
}

//! Radio as frames with their bit rate: what two chips say to each other, or two programs
//! that stand in for them. No payment word, and nothing of what the frames say.

use super::LinkError;
use crate::base::context::Context;
use crate::words::iso18092::BitRate;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// The three ways of 13.56 MHz.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Technology {
    /// NFC-A: ISO/IEC 14443 type A.
    A,
    /// NFC-B: ISO/IEC 14443 type B.
    B,
    /// NFC-F: JIS X 6319-4.
    F,
}

/// A rate and a technology, written as `106A`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Modulation {
    /// The rate.
    pub rate: BitRate,
    /// The technology.
    pub technology: Technology,
}

impl Modulation {
    /// 106 kbit/s of type A, where every activation may begin.
    pub const A106: Self = Self { rate: BitRate::Kbps106, technology: Technology::A };

    /// 106 kbit/s of type B.
    pub const B106: Self = Self { rate: BitRate::Kbps106, technology: Technology::B };

    /// How NFC-DEP goes on at a rate: type A at 106 kbit/s, else type F.
    pub fn of_nfc_dep(rate: BitRate) -> Self {
        let technology = if rate == BitRate::Kbps106 { Technology::A } else { Technology::F };
        Self { rate, technology }
    }
}

impl fmt::Display for Modulation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{:?}", self.rate.kbps(), self.technology)
    }
}

/// No rate and technology.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected 106, 212 or 424 and A, B or F, as 106A; found {found:?}")]
pub struct ModulationError {
    /// What was found.
    pub found: String,
}

impl FromStr for Modulation {
    type Err = ModulationError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let all = BitRate::ALL.into_iter().flat_map(|rate| {
            [Technology::A, Technology::B, Technology::F].map(|technology| Self { rate, technology })
        });
        let fits = |modulation: &Self| modulation.to_string() == text;
        all.into_iter().find(fits).ok_or_else(|| ModulationError { found: text.into() })
    }
}

/// A frame without check sum, parity, start and end; with its length byte where the
/// technology has one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RfFrame {
    /// How it is sent.
    pub modulation: Modulation,
    /// Its bytes; a short frame of seven bits is one byte.
    pub bytes: Vec<u8>,
}

/// What is heard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    /// A frame.
    Frame(RfFrame),
    /// The field went off.
    FieldOff,
}

/// Radio, seen by one end of it.
pub trait Air: Send {
    /// Where it is, for people.
    fn place(&self) -> &str;

    /// Sends a frame. What was heard before and not asked for is forgotten: it answers
    /// something older.
    fn send(&mut self, frame: &RfFrame, context: &mut Context) -> Result<(), LinkError>;

    /// Waits for the next frame, at most so long; `None` where none came.
    fn receive(&mut self, timeout: Duration, context: &mut Context) -> Result<Option<Heard>, LinkError>;

    /// Switches the field off.
    fn field_off(&mut self, context: &mut Context) -> Result<(), LinkError>;
}

impl<A: Air + ?Sized> Air for Box<A> {
    fn place(&self) -> &str {
        (**self).place()
    }

    fn send(&mut self, frame: &RfFrame, context: &mut Context) -> Result<(), LinkError> {
        (**self).send(frame, context)
    }

    fn receive(&mut self, timeout: Duration, context: &mut Context) -> Result<Option<Heard>, LinkError> {
        (**self).receive(timeout, context)
    }

    fn field_off(&mut self, context: &mut Context) -> Result<(), LinkError> {
        (**self).field_off(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_modulation_is_read_as_it_is_written() {
        for text in ["106A", "212F", "424F", "106B"] {
            assert_eq!(text.parse::<Modulation>().unwrap().to_string(), text);
        }
        assert!("848A".parse::<Modulation>().unwrap_err().to_string().contains("found \"848A\""));
        assert_eq!(Modulation::of_nfc_dep(BitRate::Kbps424).to_string(), "424F");
    }
}

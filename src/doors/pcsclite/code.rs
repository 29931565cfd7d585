//! What a PC/SC call comes to: return codes and bit fields, with the values and the
//! words of pcsc-lite 1.9. Nothing here knows a card.

use std::borrow::Cow;

/// A return code other than success (PC/SC Part 5, 3.1.1; values of `pcsclite.h`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Code(pub u32);

macro_rules! codes {
    ($($name:ident $value:literal $words:literal;)+) => {
        impl Code {
            $(#[doc = $words] pub const $name: Self = Self($value);)+
        }

        const WORDS: &[(u32, &str)] = &[$(($value, $words),)+];
    };
}

codes! {
    INTERNAL_ERROR 0x8010_0001 "Internal error.";
    CANCELLED 0x8010_0002 "Command cancelled.";
    INVALID_HANDLE 0x8010_0003 "Invalid handle.";
    INVALID_PARAMETER 0x8010_0004 "Invalid parameter given.";
    INVALID_TARGET 0x8010_0005 "Invalid target given.";
    NO_MEMORY 0x8010_0006 "Not enough memory.";
    WAITED_TOO_LONG 0x8010_0007 "Waited too long.";
    INSUFFICIENT_BUFFER 0x8010_0008 "Insufficient buffer.";
    UNKNOWN_READER 0x8010_0009 "Unknown reader specified.";
    TIMEOUT 0x8010_000A "Command timeout.";
    SHARING_VIOLATION 0x8010_000B "Sharing violation.";
    NO_SMARTCARD 0x8010_000C "No smart card inserted.";
    UNKNOWN_CARD 0x8010_000D "Unknown card.";
    CANT_DISPOSE 0x8010_000E "Cannot dispose handle.";
    PROTO_MISMATCH 0x8010_000F "Card protocol mismatch.";
    NOT_READY 0x8010_0010 "Subsystem not ready.";
    INVALID_VALUE 0x8010_0011 "Invalid value given.";
    SYSTEM_CANCELLED 0x8010_0012 "System cancelled.";
    COMM_ERROR 0x8010_0013 "RPC transport error.";
    UNKNOWN_ERROR 0x8010_0014 "Unknown error.";
    INVALID_ATR 0x8010_0015 "Invalid ATR.";
    NOT_TRANSACTED 0x8010_0016 "Transaction failed.";
    READER_UNAVAILABLE 0x8010_0017 "Reader is unavailable.";
    PCI_TOO_SMALL 0x8010_0019 "PCI struct too small.";
    READER_UNSUPPORTED 0x8010_001A "Reader is unsupported.";
    DUPLICATE_READER 0x8010_001B "Reader already exists.";
    CARD_UNSUPPORTED 0x8010_001C "Card is unsupported.";
    NO_SERVICE 0x8010_001D "Service not available.";
    SERVICE_STOPPED 0x8010_001E "Service was stopped.";
    UNSUPPORTED_FEATURE 0x8010_001F "Feature not supported.";
    NO_READERS_AVAILABLE 0x8010_002E "Cannot find a smart card reader.";
    UNSUPPORTED_CARD 0x8010_0065 "Card is not supported.";
    UNRESPONSIVE_CARD 0x8010_0066 "Card is unresponsive.";
    UNPOWERED_CARD 0x8010_0067 "Card is unpowered.";
    RESET_CARD 0x8010_0068 "Card was reset.";
    REMOVED_CARD 0x8010_0069 "Card was removed.";
    SECURITY_VIOLATION 0x8010_006A "Access denied.";
}

/// The words of `pcsc_stringify_error`, for any value.
pub(super) fn words(value: i64) -> Cow<'static, str> {
    if value == 0 {
        return Cow::Borrowed("Command successful.");
    }
    let known = u32::try_from(value).ok().and_then(|value| WORDS.iter().find(|row| row.0 == value));
    match known {
        Some((_, words)) => Cow::Borrowed(words),
        None => Cow::Owned(format!("Unknown error: 0x{value:08X}")),
    }
}

/// What a handle does to the card when it lets go of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Disposition {
    /// Nothing.
    Leave,
    /// A warm reset.
    Reset,
    /// Power off.
    Unpower,
    /// Out of the reader, where it can; here it stays, as in most readers.
    Eject,
}

impl Disposition {
    /// `SCARD_LEAVE_CARD` and its like.
    pub fn of(value: u64) -> Result<Self, Code> {
        match value {
            0 => Ok(Self::Leave),
            1 => Ok(Self::Reset),
            2 => Ok(Self::Unpower),
            3 => Ok(Self::Eject),
            _ => Err(Code::INVALID_VALUE),
        }
    }
}

/// How a handle shares the card.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Share {
    /// With nobody.
    Exclusive,
    /// With others that share it.
    Shared,
    /// It speaks to the reader; a card need not be there.
    Direct,
}

impl Share {
    /// `SCARD_SHARE_EXCLUSIVE` and its like.
    pub fn of(value: u64) -> Result<Self, Code> {
        match value {
            1 => Ok(Self::Exclusive),
            2 => Ok(Self::Shared),
            3 => Ok(Self::Direct),
            _ => Err(Code::INVALID_VALUE),
        }
    }
}

/// `SCARD_PROTOCOL_`: one bit a protocol.
pub mod protocol {
    /// None is chosen yet.
    pub const UNDEFINED: u64 = 0;
    /// T=0.
    pub const T0: u64 = 1;
    /// T=1.
    pub const T1: u64 = 2;
    /// Bytes as they are.
    pub const RAW: u64 = 4;
    /// Any of T=0 and T=1, as old programs say it.
    pub const ANY_OLD: u64 = 0x1000;
}

/// What `SCardStatus` tells of a card: bits of `SCARD_ABSENT` and its like.
pub mod status {
    /// No card.
    pub const ABSENT: u64 = 0x02;
    /// A card.
    pub const PRESENT: u64 = 0x04;
    /// It has power.
    pub const POWERED: u64 = 0x10;
    /// It was reset, and a protocol can be chosen.
    pub const NEGOTIABLE: u64 = 0x20;
}

/// What `SCardGetStatusChange` tells of a reader: bits of `SCARD_STATE_`.
pub mod state {
    /// The program knows nothing and wants to know.
    pub const UNAWARE: u64 = 0x0000;
    /// The program does not want to know.
    pub const IGNORE: u64 = 0x0001;
    /// Something is other than the program thought.
    pub const CHANGED: u64 = 0x0002;
    /// There is no such reader.
    pub const UNKNOWN: u64 = 0x0004;
    /// The reader does not work.
    pub const UNAVAILABLE: u64 = 0x0008;
    /// No card.
    pub const EMPTY: u64 = 0x0010;
    /// A card.
    pub const PRESENT: u64 = 0x0020;
    /// One handle has it for itself.
    pub const EXCLUSIVE: u64 = 0x0080;
    /// Handles share it.
    pub const INUSE: u64 = 0x0100;
    /// The card does not answer.
    pub const MUTE: u64 = 0x0200;
    /// Where the count of insertions and removals stands.
    pub const COUNT: u64 = 0xFFFF_0000;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_have_the_words_of_pcsc_lite() {
        assert_eq!(words(0), "Command successful.");
        assert_eq!(words(0x8010_0069), "Card was removed.");
        assert_eq!(words(0x8010_0032), "Unknown error: 0x80100032");
        assert_eq!(words(-1), "Unknown error: 0xFFFFFFFFFFFFFFFF");
    }
}

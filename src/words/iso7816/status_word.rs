//! Status words: ISO/IEC 7816-4 5.1.3, with the words that PBOC cards add.

use serde::{Deserialize, Serialize};
use std::fmt;

/// SW1 SW2. Any value is kept; the named ones have words.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct StatusWord(pub u16);

macro_rules! status_words {
    ($( $name:ident = $value:literal, $words:literal; )*) => {
        impl StatusWord {
            $( #[doc = $words] pub const $name: Self = Self($value); )*

            /// Every named status word and what it says.
            pub const ROWS: &'static [(Self, &'static str)] = &[$((Self::$name, $words)),*];
        }
    };
}

status_words! {
    OK = 0x9000, "normal processing";
    FILE_INVALIDATED = 0x6283, "selected file invalidated (application blocked)";
    AUTHENTICATION_FAILED = 0x6300, "authentication failed";
    MEMORY_FAILURE = 0x6581, "memory failure";
    WRONG_LENGTH = 0x6700, "wrong length";
    INCOMPATIBLE_FILE = 0x6981, "command incompatible with file structure";
    SECURITY_NOT_SATISFIED = 0x6982, "security status not satisfied";
    METHOD_BLOCKED = 0x6983, "authentication method blocked";
    DATA_INVALIDATED = 0x6984, "referenced data invalidated";
    CONDITIONS_NOT_SATISFIED = 0x6985, "conditions of use not satisfied";
    NOT_ALLOWED = 0x6986, "command not allowed";
    SM_OBJECT_MISSING = 0x6987, "secure messaging data objects missing";
    SM_OBJECT_INCORRECT = 0x6988, "secure messaging data objects incorrect";
    TOO_MANY_PRE_AUTHORISATIONS = 0x6971, "three pre-authorisations are open (JR/T 0025.14)";
    PRE_AUTHORISATION_OPEN = 0x6972, "a pre-authorisation of this record is open (JR/T 0025.14)";
    NO_PRE_AUTHORISATION = 0x6973, "no pre-authorisation of this record is open (JR/T 0025.14)";
    CAPP_RECORD_DIFFERS = 0x6974, "the record updated is not the one that was read (JR/T 0025.14)";
    WRONG_DATA = 0x6A80, "incorrect parameters in the data field";
    NOT_SUPPORTED = 0x6A81, "function not supported (card blocked)";
    FILE_NOT_FOUND = 0x6A82, "file or application not found";
    RECORD_NOT_FOUND = 0x6A83, "record not found";
    NO_SPACE = 0x6A84, "not enough memory space";
    WRONG_P1P2 = 0x6A86, "incorrect parameters P1-P2";
    DATA_NOT_FOUND = 0x6A88, "referenced data not found";
    OUTSIDE_FILE = 0x6B00, "wrong parameters (offset outside the file)";
    INS_NOT_SUPPORTED = 0x6D00, "instruction not supported";
    CLA_NOT_SUPPORTED = 0x6E00, "class not supported";
    NO_DIAGNOSIS = 0x6F00, "no precise diagnosis";
    MAC_WRONG = 0x9302, "MAC wrong (PBOC)";
    INSUFFICIENT_BALANCE = 0x9401, "insufficient balance (PBOC)";
    COUNTER_AT_MAXIMUM = 0x9402, "counter at its maximum (PBOC)";
    KEY_INDEX_NOT_SUPPORTED = 0x9403, "key index not supported (PBOC)";
    LOCKED_FOR_GOOD = 0x9303, "application locked for good (PBOC)";
    PROVE_NOT_AVAILABLE = 0x9406, "required MAC or TAC not available (PBOC)";
}

impl StatusWord {
    /// First byte.
    pub const fn sw1(self) -> u8 {
        (self.0 >> 8) as u8
    }

    /// Second byte.
    pub const fn sw2(self) -> u8 {
        self.0 as u8
    }

    /// Whether it is 9000.
    pub const fn is_ok(self) -> bool {
        self.0 == 0x9000
    }

    /// Whether a script goes on after it: 9000, 62xx, 63xx (EMV Book 3 10.10).
    pub const fn lets_script_go_on(self) -> bool {
        matches!(self.sw1(), 0x90 | 0x62 | 0x63)
    }

    /// `63Cx`: the counter that stands in the low four bits.
    pub const fn counter(self) -> Option<u8> {
        if self.0 & 0xFFF0 == 0x63C0 { Some((self.0 & 0x0F) as u8) } else { None }
    }

    /// `63Cx` with `left` tries, as VERIFY answers.
    pub const fn tries_left(left: u8) -> Self {
        Self(0x63C0 | (left & 0x0F) as u16)
    }

    /// What it says, where that is known.
    pub fn words(self) -> Option<&'static str> {
        let named = Self::ROWS.iter().find(|row| row.0 == self).map(|row| row.1);
        named.or(match self.sw1() {
            0x61 => Some("response bytes still available"),
            0x62 => Some("warning, non-volatile memory unchanged"),
            0x63 if self.counter().is_some() => Some("verification failed, tries left in the last digit"),
            0x63 => Some("warning, non-volatile memory changed"),
            0x64 => Some("execution error, non-volatile memory unchanged"),
            0x65 => Some("execution error, non-volatile memory changed"),
            0x6C => Some("wrong Le, the right one in SW2"),
            _ => None,
        })
    }
}

impl fmt::Display for StatusWord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.words() {
            Some(words) => write!(f, "{:04X} ({words})", self.0),
            None => write!(f, "{:04X}", self.0),
        }
    }
}

impl fmt::Debug for StatusWord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04X}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_words_are_kept_and_printed() {
        assert_eq!(StatusWord(0x91AE).to_string(), "91AE");
        assert_eq!(StatusWord::tries_left(2).counter(), Some(2));
        assert_eq!(StatusWord(0x6C10).to_string(), "6C10 (wrong Le, the right one in SW2)");
        assert!(StatusWord(0x6283).lets_script_go_on() && !StatusWord(0x6985).lets_script_go_on());
    }
}

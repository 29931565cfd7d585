//! Cardholder verification methods: the CVM List (tag 8E), its rules, and what was
//! done (tag 9F34). EMV Book 3 10.5, Annex C3; EMV Book 4 A4.

use std::fmt;

/// The most rules that a list of 252 bytes holds.
const RULES_LIMIT: usize = 122;

/// A CVM Code: byte 1 of a CV Rule (EMV Book 3 table 44). Any value is kept.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct CvmCode(pub u8);

impl CvmCode {
    /// Fail CVM processing.
    pub const FAIL: Self = Self(0x00);
    /// Plaintext PIN verification performed by ICC.
    pub const PLAINTEXT_PIN: Self = Self(0x01);
    /// Enciphered PIN verified online.
    pub const ONLINE_PIN: Self = Self(0x02);
    /// Plaintext PIN verification performed by ICC and signature.
    pub const PLAINTEXT_PIN_AND_SIGNATURE: Self = Self(0x03);
    /// Enciphered PIN verification performed by ICC.
    pub const ENCIPHERED_PIN: Self = Self(0x04);
    /// Enciphered PIN verification performed by ICC and signature.
    pub const ENCIPHERED_PIN_AND_SIGNATURE: Self = Self(0x05);
    /// Signature (paper).
    pub const SIGNATURE: Self = Self(0x1E);
    /// No CVM required.
    pub const NO_CVM: Self = Self(0x1F);
    /// The cardholder shows an identification document: PBOC's own (JR/T 0025.5).
    pub const IDENTIFICATION: Self = Self(0x20);
    /// No CVM was performed; never in a list (EMV Book 4 A4).
    pub const NOT_PERFORMED: Self = Self(0x3F);

    /// Every named method and its words.
    pub const ROWS: &'static [(Self, &'static str)] = &[
        (Self::FAIL, "fail CVM processing"),
        (Self::PLAINTEXT_PIN, "plaintext PIN verified by the card"),
        (Self::ONLINE_PIN, "enciphered PIN verified online"),
        (Self::PLAINTEXT_PIN_AND_SIGNATURE, "plaintext PIN verified by the card and signature"),
        (Self::ENCIPHERED_PIN, "enciphered PIN verified by the card"),
        (Self::ENCIPHERED_PIN_AND_SIGNATURE, "enciphered PIN verified by the card and signature"),
        (Self(0x06), "facial biometric verified by the card"),
        (Self(0x07), "facial biometric verified online"),
        (Self(0x08), "finger biometric verified by the card"),
        (Self(0x09), "finger biometric verified online"),
        (Self(0x0A), "palm biometric verified by the card"),
        (Self(0x0B), "palm biometric verified online"),
        (Self(0x0C), "iris biometric verified by the card"),
        (Self(0x0D), "iris biometric verified online"),
        (Self(0x0E), "voice biometric verified by the card"),
        (Self(0x0F), "voice biometric verified online"),
        (Self::SIGNATURE, "signature"),
        (Self::NO_CVM, "no CVM required"),
        (Self::IDENTIFICATION, "cardholder identification document"),
        (Self::NOT_PERFORMED, "no CVM performed"),
    ];

    /// The method alone: bits 6 to 1.
    pub const fn method(self) -> Self {
        Self(self.0 & 0x3F)
    }

    /// Whether the next rule applies where this one fails: bit 7.
    pub const fn goes_on(self) -> bool {
        self.0 & 0x40 != 0
    }

    /// What the method is called; `None` where it is RFU or a payment system's own.
    pub fn words(self) -> Option<&'static str> {
        Self::ROWS.iter().find(|row| row.0 == self.method()).map(|row| row.1)
    }

    /// Whether a signature belongs to the method.
    pub const fn has_signature(self) -> bool {
        matches!(
            self.method(),
            Self::SIGNATURE | Self::PLAINTEXT_PIN_AND_SIGNATURE | Self::ENCIPHERED_PIN_AND_SIGNATURE
        )
    }
}

impl fmt::Display for CvmCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.words() {
            Some(words) => f.write_str(words),
            None => write!(f, "CVM {:02X}", self.0),
        }
    }
}

impl fmt::Debug for CvmCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CvmCode({:02X})", self.0)
    }
}

/// A CVM Condition Code: byte 2 of a CV Rule (EMV Book 3 table 45). Any value is kept.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct CvmCondition(pub u8);

impl CvmCondition {
    /// Always.
    pub const ALWAYS: Self = Self(0x00);
    /// If unattended cash.
    pub const UNATTENDED_CASH: Self = Self(0x01);
    /// If not unattended cash and not manual cash and not purchase with cashback.
    pub const NO_CASH: Self = Self(0x02);
    /// If terminal supports the CVM.
    pub const SUPPORTED: Self = Self(0x03);
    /// If manual cash.
    pub const MANUAL_CASH: Self = Self(0x04);
    /// If purchase with cashback.
    pub const CASHBACK: Self = Self(0x05);
    /// If transaction is in the application currency and is under X value.
    pub const UNDER_X: Self = Self(0x06);
    /// If transaction is in the application currency and is over X value.
    pub const OVER_X: Self = Self(0x07);
    /// If transaction is in the application currency and is under Y value.
    pub const UNDER_Y: Self = Self(0x08);
    /// If transaction is in the application currency and is over Y value.
    pub const OVER_Y: Self = Self(0x09);

    /// Every named condition and its words.
    pub const ROWS: &'static [(Self, &'static str)] = &[
        (Self::ALWAYS, "always"),
        (Self::UNATTENDED_CASH, "if unattended cash"),
        (Self::NO_CASH, "if neither cash nor cashback"),
        (Self::SUPPORTED, "if the terminal supports it"),
        (Self::MANUAL_CASH, "if manual cash"),
        (Self::CASHBACK, "if purchase with cashback"),
        (Self::UNDER_X, "if under X"),
        (Self::OVER_X, "if over X"),
        (Self::UNDER_Y, "if under Y"),
        (Self::OVER_Y, "if over Y"),
    ];

    /// What the condition says; `None` where it is RFU or a payment system's own.
    pub fn words(self) -> Option<&'static str> {
        Self::ROWS.iter().find(|row| row.0 == self).map(|row| row.1)
    }
}

impl fmt::Display for CvmCondition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.words() {
            Some(words) => f.write_str(words),
            None => write!(f, "condition {:02X}", self.0),
        }
    }
}

impl fmt::Debug for CvmCondition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CvmCondition({:02X})", self.0)
    }
}

/// A CV Rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CvmRule {
    /// The method, and what follows where it fails.
    pub code: CvmCode,
    /// When the rule applies.
    pub condition: CvmCondition,
}

/// A CVM List, tag 8E.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CvmList {
    /// Amount X, minor units of the application currency (9F42).
    pub x_minor: u32,
    /// Amount Y, the same.
    pub y_minor: u32,
    /// The rules, in their order. None is like no list at all (EMV Book 3 10.5).
    pub rules: Vec<CvmRule>,
}

/// Why bytes are no CVM List.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CvmListError {
    /// Not two amounts and whole rules.
    #[error(
        "CVM List (8E): expected 8 bytes of amounts and 2 bytes a rule, found {found} bytes (EMV Book 3 10.5)"
    )]
    Length {
        /// How many bytes are there.
        found: usize,
    },
}

impl CvmList {
    /// From the value of tag 8E.
    pub fn parse(bytes: &[u8]) -> Result<Self, CvmListError> {
        let wrong = CvmListError::Length { found: bytes.len() };
        let Some((x, rest)) = bytes.split_first_chunk::<4>() else { return Err(wrong) };
        let Some((y, rest)) = rest.split_first_chunk::<4>() else { return Err(wrong) };
        let (pairs, odd) = rest.as_chunks::<2>();
        if !odd.is_empty() || pairs.len() > RULES_LIMIT {
            return Err(wrong);
        }
        let rule = |[code, condition]: &[u8; 2]| CvmRule {
            code: CvmCode(*code),
            condition: CvmCondition(*condition),
        };
        Ok(Self {
            x_minor: u32::from_be_bytes(*x),
            y_minor: u32::from_be_bytes(*y),
            rules: pairs.iter().map(rule).collect(),
        })
    }
}

/// How a method ended: byte 3 of the CVM Results.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CvmEnd {
    /// Only the issuer, or whoever looks at the signature, knows.
    Unknown,
    /// It failed.
    Failed,
    /// It succeeded.
    Successful,
}

/// CVM Results, tag 9F34: method, condition, result (EMV Book 4 A4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct CvmResults(pub [u8; 3]);

impl CvmResults {
    /// No CVM was performed.
    pub const NOT_PERFORMED: Self = Self([0x3F, 0x00, 0x00]);
    /// No rule's condition was satisfied, or none was recognised (EMV Book 4 6.3.4.5).
    pub const NO_RULE: Self = Self([0x3F, 0x00, 0x01]);
    /// No CVM required, successful.
    pub const NO_CVM: Self = Self([0x1F, 0x00, 0x02]);
    /// Online PIN entered; only the issuer knows whether it was right.
    pub const ONLINE_PIN: Self = Self([0x02, 0x00, 0x00]);

    /// What came of a rule.
    pub const fn of(rule: CvmRule, end: CvmEnd) -> Self {
        let end = match end {
            CvmEnd::Unknown => 0,
            CvmEnd::Failed => 1,
            CvmEnd::Successful => 2,
        };
        Self([rule.code.0, rule.condition.0, end])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_two_amounts_and_rules() {
        let list = CvmList::parse(&[0, 0, 0x13, 0x88, 0, 0, 0, 1, 0x41, 0x03, 0x1F, 0x00]).unwrap();
        assert_eq!((list.x_minor, list.y_minor), (5000, 1));
        let [first, second] = list.rules[..] else { panic!("two rules") };
        assert_eq!((first.code.method(), first.code.goes_on()), (CvmCode::PLAINTEXT_PIN, true));
        assert_eq!((second.code.to_string(), second.code.goes_on()), ("no CVM required".into(), false));
        assert_eq!(second.condition, CvmCondition::ALWAYS);
    }

    #[test]
    fn a_list_without_rules_is_a_list_and_half_a_rule_is_none() {
        assert!(CvmList::parse(&[0; 8]).unwrap().rules.is_empty());
        for length in [0, 7, 9, 11] {
            assert_eq!(CvmList::parse(&vec![0; length]), Err(CvmListError::Length { found: length }));
        }
    }

    #[test]
    fn what_has_no_name_is_printed_as_it_came() {
        assert_eq!(CvmCode(0x6A).to_string(), "CVM 6A");
        assert_eq!(CvmCondition(0x8A).to_string(), "condition 8A");
    }
}

//! Issuer scripts, templates 71 and 72: EMV Book 3 10.10; and how the terminal
//! reports them (DF31).

use crate::words::dictionary::tag;
use crate::words::iso7816::{ApduError, CommandApdu};
use crate::words::tlv::{self, Tag, TlvError, TlvStore};

/// Longest script template that is taken (EMV Book 3 10.10).
const MAX_BYTES: usize = 128;

/// One script: an identifier and commands in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssuerScript {
    /// Whether it runs before the second GENERATE AC (template 71) or after (72).
    pub before_second_ac: bool,
    /// Tag 9F18; zeros where it is absent.
    pub identifier: [u8; 4],
    /// The commands of tags 86.
    pub commands: Vec<CommandApdu>,
}

/// Why a script cannot be run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScriptError {
    /// The template is no TLV.
    #[error("issuer script: {0}")]
    Tlv(#[from] TlvError),
    /// A command is no APDU.
    #[error("issuer script command {index}: {source}")]
    Command {
        /// Which one, from 1.
        index: usize,
        /// What is wrong.
        source: ApduError,
    },
    /// Longer than terminals take.
    #[error("expected issuer scripts of at most {MAX_BYTES} bytes, found {found}")]
    TooLong {
        /// The length.
        found: usize,
    },
}

impl IssuerScript {
    /// The templates, each of which may come several times in an answer (EMV Book 3 10.10).
    pub const TEMPLATES: [Tag; 2] = [tag::ISSUER_SCRIPT_TEMPLATE_1, tag::ISSUER_SCRIPT_TEMPLATE_2];

    /// The scripts of an answer (F55), in order.
    pub fn parse_all(chip: &TlvStore) -> Result<Vec<Self>, ScriptError> {
        let mut scripts = Vec::new();
        for (template, value) in chip.iter() {
            if Self::TEMPLATES.contains(&template) {
                scripts.push(Self::parse(template, value)?);
            }
        }
        Ok(scripts)
    }

    /// Reads the value of a template 71 or 72.
    pub fn parse(template: Tag, value: &[u8]) -> Result<Self, ScriptError> {
        if value.len() > MAX_BYTES {
            return Err(ScriptError::TooLong { found: value.len() });
        }
        let mut script = Self {
            before_second_ac: template == tag::ISSUER_SCRIPT_TEMPLATE_1,
            identifier: [0; 4],
            commands: Vec::new(),
        };
        for part in tlv::parse(value)? {
            match part.tag {
                tag::ISSUER_SCRIPT_IDENTIFIER => {
                    script.identifier = part.value.try_into().unwrap_or([0; 4]);
                }
                tag::ISSUER_SCRIPT_COMMAND => {
                    let index = script.commands.len() + 1;
                    let command = CommandApdu::parse(part.value)
                        .map_err(|source| ScriptError::Command { index, source })?;
                    script.commands.push(command);
                }
                _ => {}
            }
        }
        Ok(script)
    }

    /// The value of the template.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = tlv::encode(tag::ISSUER_SCRIPT_IDENTIFIER, &self.identifier);
        for command in &self.commands {
            tlv::encode_into(&mut out, tag::ISSUER_SCRIPT_COMMAND, &command.to_bytes());
        }
        out
    }

    /// The template's tag.
    pub fn template(&self) -> Tag {
        if self.before_second_ac { tag::ISSUER_SCRIPT_TEMPLATE_1 } else { tag::ISSUER_SCRIPT_TEMPLATE_2 }
    }
}

/// What became of one script: one five-byte entry of DF31.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ScriptResult {
    /// Not performed, or its answer was lost.
    NotPerformed,
    /// A command failed; its number, from 1.
    Failed(u8),
    /// Every command succeeded.
    Succeeded,
}

impl ScriptResult {
    /// The entry: result and failing command (15 and above are F), identifier.
    pub fn to_bytes(self, identifier: [u8; 4]) -> [u8; 5] {
        let first = match self {
            Self::NotPerformed => 0x00,
            Self::Failed(command) => 0x10 | command.min(15),
            Self::Succeeded => 0x20,
        };
        let [a, b, c, d] = identifier;
        [first, a, b, c, d]
    }

    /// From the first byte of an entry; `None` for an unknown result.
    pub fn from_byte(byte: u8) -> Option<Self> {
        match byte >> 4 {
            0 => Some(Self::NotPerformed),
            1 => Some(Self::Failed(byte & 0x0F)),
            2 => Some(Self::Succeeded),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::bytes::parse_hex;

    #[test]
    fn the_template_goes_both_ways() {
        let value = parse_hex("9F180400000001 860F 04DA9F790A00000004878761B9F4A0").unwrap();
        let script = IssuerScript::parse(tag::ISSUER_SCRIPT_TEMPLATE_2, &value).unwrap();
        assert_eq!((script.identifier, script.commands.len()), ([0, 0, 0, 1], 1));
        assert_eq!(script.to_bytes(), value);
        assert!(matches!(
            IssuerScript::parse(tag::ISSUER_SCRIPT_TEMPLATE_2, &[0x86, 0x02, 0x04, 0xDA]),
            Err(ScriptError::Command { index: 1, .. })
        ));
    }

    #[test]
    fn results_are_entries_of_df31() {
        assert_eq!(ScriptResult::Succeeded.to_bytes([0, 0, 0, 1]), [0x20, 0, 0, 0, 1]);
        assert_eq!(ScriptResult::from_byte(0x11), Some(ScriptResult::Failed(1)));
        assert_eq!(ScriptResult::Failed(20).to_bytes([0; 4])[0], 0x1F);
        assert_eq!(ScriptResult::from_byte(0x30), None);
    }
}

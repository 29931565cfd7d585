//! A purse or security module in a profile: files with access rights, and what differs from card
//! to card.

use crate::roles::card::profile::Bytes;
use crate::words::emv::Pan;
use crate::words::pboc::LogForm;
use serde::{Deserialize, Serialize};

/// What a purse application does where cards differ.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::roles::card) struct PurseProfile {
    /// Whether it has an electronic deposit.
    #[serde(default)]
    pub deposit: bool,
    /// Whether it has an electronic purse.
    #[serde(default = "yes")]
    pub purse: bool,
    /// Whether the electronic purse can be unloaded, as some cities have it.
    #[serde(default)]
    pub purse_unloads: bool,
    /// Whether a load needs the PIN.
    #[serde(default = "yes")]
    pub load_needs_pin: bool,
    /// Whether the balance that it tells includes the overdraft limit.
    #[serde(default = "yes")]
    pub balance_includes_overdraft: bool,
    /// Index of the load key, and of the unload and overdraft keys.
    #[serde(default = "one")]
    pub load_key: u8,
    /// Index of the purchase key.
    #[serde(default = "one")]
    pub purchase_key: u8,
    /// Version of the keys.
    #[serde(default = "one")]
    pub key_version: u8,
    /// Most that a purse may hold, minor units.
    #[serde(default)]
    pub balance_limit_minor: u32,
    /// Where the counter of loads, unloads and limits begins: that of a much used card is near 65535.
    #[serde(default)]
    pub online_sequence: u16,
    /// Where the counter of purchases begins.
    #[serde(default)]
    pub offline_sequence: u16,
    /// The file of transaction details.
    #[serde(default)]
    pub log_sfi: u8,
    /// Whether GET BALANCE tells the parts of a balance too: 01 the overdraft limit, 02 what is
    /// overdrawn, 03 the holder's own money.
    #[serde(default)]
    pub balance_parts: bool,
    /// How the log's records are written.
    #[serde(default)]
    pub log_form: LogForm,
    /// Which number the purse goes by.
    #[serde(default)]
    pub number: NumberForm,
    /// The certification code that City Union has: 9 bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certification_code: Option<Bytes>,
    /// Whether MAC1 of a purchase covers it.
    #[serde(default = "yes")]
    pub mac1_covers_code: bool,
    /// Its files.
    #[serde(default, rename = "file")]
    pub files: Vec<FileProfile>,
}

/// A security module in a profile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::roles::card) struct SamProfile {
    /// The file with the terminal number, 6 bytes.
    pub terminal_sfi: u8,
    /// The file whose first byte is the index of the purchase key.
    pub key_sfi: u8,
    /// Wrong MAC2s in a row until it is locked.
    #[serde(default = "fifteen")]
    pub mac_tries: u8,
    /// Whether MAC1 covers the card's certification code, as City Union has it: then it is told
    /// the code before each purchase.
    #[serde(default)]
    pub certification_code: bool,
    /// Its files.
    #[serde(default, rename = "file")]
    pub files: Vec<FileProfile>,
}

/// An elementary file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::roles::card) struct FileProfile {
    /// Short file identifier, 1 to 30.
    pub sfi: u8,
    /// What it is made of.
    pub kind: FileKind,
    /// Who may read it.
    #[serde(default)]
    pub read: Access,
    /// Who may update it.
    #[serde(default = "never")]
    pub write: Access,
    /// The bytes of a binary file.
    #[serde(default)]
    pub content: Bytes,
    /// What personalisation writes over them.
    #[serde(default, rename = "insert", skip_serializing_if = "Vec::is_empty")]
    pub inserts: Vec<Insert>,
    /// Where in a record its identifier stands, by which compound purchases name it.
    #[serde(default)]
    pub identifier_at: usize,
    /// The records that a record file begins with.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub records: Vec<Bytes>,
    /// How many records a ring keeps.
    #[serde(default)]
    pub most: u8,
    /// How long the records of a ring are.
    #[serde(default)]
    pub length: u8,
}

/// What a file is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(in crate::roles::card) enum FileKind {
    /// Bytes.
    Binary,
    /// Records that are there.
    Records,
    /// The newest records; a new one takes the place of the oldest.
    Ring,
}

/// Who may do something with a file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(in crate::roles::card) enum Access {
    /// Anybody.
    #[default]
    Always,
    /// Who has presented the PIN.
    Pin,
    /// Who has proved the authentication key.
    Key,
    /// Who has the maintenance key: each command bears its MAC.
    Mac,
    /// Nobody; a ring may still be written by a compound purchase.
    Never,
}

/// What personalisation writes into a binary file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::roles::card) struct Insert {
    /// Where.
    pub at: usize,
    /// What.
    pub what: Inserted,
}

/// The account number of a purse, out of its card's.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(in crate::roles::card) enum NumberForm {
    /// The card's own.
    #[default]
    Card,
    /// 19 digits: the card's of 16 and 105, so that it is told apart from another purse.
    Long,
    /// 10 digits, for files with no room for more: 1 and nine of the card's.
    Short,
}

/// What personalisation knows of a card.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(in crate::roles::card) enum Inserted {
    /// The purse's number: 20 digits in BCD, zeros before it.
    Number,
    /// Its last 16 digits in BCD.
    Serial,
    /// Its last 10 digits in BCD.
    Short,
    /// It as an integer of 4 bytes, the least significant byte first.
    Reversed,
    /// First day, BCD YYYYMMDD.
    Start,
    /// Last day, BCD YYYYMMDD.
    End,
    /// The terminal number of a security module, 6 bytes.
    Terminal,
}

impl PurseProfile {
    /// What is wrong with it, if anything.
    pub(in crate::roles::card) fn check(&self) -> Result<(), String> {
        check_files(&self.files)?;
        if !self.deposit && !self.purse {
            // Files alone, as some cities have them beside their purse.
            return Ok(());
        }
        let log = self.files.iter().find(|file| file.sfi == self.log_sfi);
        match log.map(|file| (file.kind, file.length)) {
            Some((FileKind::Ring, 23)) => {}
            _ => return Err(format!("expected a ring of 23-byte records in log_sfi {}", self.log_sfi)),
        }
        match &self.certification_code {
            Some(code) if code.0.len() != 9 => {
                Err(format!("expected a certification_code of 9 bytes, found {}", code.0.len()))
            }
            _ => Ok(()),
        }
    }

    /// The certification code that MAC1 covers, where it does.
    pub(in crate::roles::card) fn code_in_mac1(&self) -> Option<[u8; 9]> {
        self.certification_code().filter(|_| self.mac1_covers_code)
    }

    /// The certification code, where there is one.
    pub(in crate::roles::card) fn certification_code(&self) -> Option<[u8; 9]> {
        self.certification_code.as_ref().and_then(|code| code.0.as_slice().try_into().ok())
    }
}

impl SamProfile {
    /// What is wrong with it, if anything.
    pub(in crate::roles::card) fn check(&self) -> Result<(), String> {
        check_files(&self.files)?;
        for sfi in [self.terminal_sfi, self.key_sfi] {
            if !self.files.iter().any(|file| file.sfi == sfi && file.kind == FileKind::Binary) {
                return Err(format!("expected a binary file with SFI {sfi}, found none"));
            }
        }
        Ok(())
    }
}

/// What is wrong with files, if anything.
pub(in crate::roles::card) fn check_files(files: &[FileProfile]) -> Result<(), String> {
    for (at, file) in files.iter().enumerate() {
        let sfi = file.sfi;
        if !(1..=30).contains(&sfi) || files[..at].iter().any(|other| other.sfi == sfi) {
            return Err(format!("expected files with SFI 1 to 30, each once, found SFI {sfi}"));
        }
        if file.kind == FileKind::Ring && (file.most == 0 || file.length == 0) {
            return Err(format!("file {sfi}: expected most and length of a ring above 0"));
        }
        if file.records.iter().any(|record| record.0.len() <= file.identifier_at) {
            return Err(format!("file {sfi}: expected records longer than identifier_at"));
        }
        if let Some(insert) =
            file.inserts.iter().find(|insert| insert.at + insert.what.bytes() > file.content.0.len())
        {
            return Err(format!("file {sfi}: insert at {} does not fit the content", insert.at));
        }
    }
    Ok(())
}

impl NumberForm {
    /// The number of a purse on the card of this number.
    pub(in crate::roles::card) fn of(self, card: &Pan) -> Pan {
        let digits = card.expose();
        let number = match (self, digits.len()) {
            (Self::Long, 16) => Pan::new(&format!("{digits}105")),
            // Without the check digit.
            (Self::Short, length @ 12..) => Pan::new(&format!("001{}", &digits[length - 10..length - 1])),
            _ => return card.clone(),
        };
        number.unwrap_or_else(|_| card.clone())
    }
}

impl Inserted {
    const fn bytes(self) -> usize {
        match self {
            Self::Number => 10,
            Self::Serial => 8,
            Self::Short => 5,
            Self::Start | Self::End | Self::Reversed => 4,
            Self::Terminal => 6,
        }
    }
}

const fn yes() -> bool {
    true
}

const fn one() -> u8 {
    1
}

const fn fifteen() -> u8 {
    15
}

const fn never() -> Access {
    Access::Never
}

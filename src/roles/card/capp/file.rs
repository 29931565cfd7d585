//! The files of the extended application, as a profile describes them and as a card keeps
//! them, and what else a card remembers of it.

use crate::base::bytes::Secret;
use crate::roles::card::memory::secret_hex;
use crate::roles::card::profile::Bytes;
use crate::words::pboc::{CAPP_FILES, record_id};
use serde::{Deserialize, Serialize};

/// Pre-authorisations that may be open at once (JR/T 0025.14).
pub(super) const MOST_OPEN: usize = 3;
/// The longest record: what APPEND RECORD has room for.
const LONGEST_RECORD: usize = 235;

/// A file of industries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::roles::card) struct CappFileProfile {
    /// Short file identifier, 21 to 30.
    pub sfi: u8,
    /// Whether a new record takes the eldest one's place; else each industry has its record.
    #[serde(default)]
    pub cyclic: bool,
    /// Records at most.
    pub records: u8,
    /// The longest record, bytes.
    pub length_bytes: u8,
    /// The key that opens a place in the file, 16 bytes.
    pub opening_key: Bytes,
    /// What is in it from the beginning.
    #[serde(default, rename = "record", skip_serializing_if = "Vec::is_empty")]
    pub initial: Vec<CappRecordProfile>,
}

/// A record of an industry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::roles::card) struct CappRecordProfile {
    /// The key that changes it, 16 bytes.
    pub key: Bytes,
    /// The record; it begins with its identifier.
    pub data: Bytes,
}

/// What a card remembers of the extended application.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::roles::card) struct CappMemory {
    pub files: Vec<CappFile>,
    /// Pre-authorisations that are open.
    pub open: Vec<Reserved>,
    /// The last transaction that was completed, and its certificate.
    pub last: Option<(u16, [u8; 8])>,
}

/// A file, the eldest record first.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::roles::card) struct CappFile {
    pub sfi: u8,
    pub cyclic: bool,
    pub most: u8,
    pub length_bytes: u8,
    #[serde(with = "secret_hex")]
    pub opening_key: Secret<[u8; 16]>,
    pub records: Vec<CappRow>,
}

/// A record and its key.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::roles::card) struct CappRow {
    #[serde(with = "secret_hex")]
    pub key: Secret<[u8; 16]>,
    pub data: Vec<u8>,
}

/// An open pre-authorisation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::roles::card) struct Reserved {
    pub place: Place,
    /// What it holds, minor units.
    pub amount_minor: u64,
}

/// Where a record is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::roles::card) struct Place {
    pub sfi: u8,
    pub id: [u8; 2],
    /// From 0; of a cyclic file, whose records move, 0.
    pub index: usize,
}

/// Checks the files of a profile.
pub(in crate::roles::card) fn check(files: &[CappFileProfile]) -> Result<(), String> {
    for file in files {
        let wrong = |what: &str| Err(format!("[[application.extended]] with sfi {}: {what}", file.sfi));
        if !CAPP_FILES.contains(&file.sfi) {
            return wrong("expected sfi 21 to 30");
        }
        if files.iter().filter(|other| other.sfi == file.sfi).count() > 1 {
            return wrong("expected each sfi once");
        }
        if file.records == 0 || usize::from(file.length_bytes) > LONGEST_RECORD || file.length_bytes < 2 {
            return wrong("expected at least one record, and a length of 2 to 235 bytes");
        }
        let keys = file.initial.iter().map(|record| &record.key).chain([&file.opening_key]);
        if keys.into_iter().any(|key| key.0.len() != 16) {
            return wrong("expected keys of 16 bytes");
        }
        let fits = |data: &Bytes| (2..=usize::from(file.length_bytes)).contains(&data.0.len());
        if file.initial.len() > usize::from(file.records) || !file.initial.iter().all(|row| fits(&row.data)) {
            return wrong(
                "expected no more and no longer records than the file takes, each with its identifier",
            );
        }
    }
    Ok(())
}

impl CappMemory {
    /// The memory of a new card; `None` where its profile has no such file.
    pub(in crate::roles::card) fn new(files: &[CappFileProfile]) -> Option<Box<Self>> {
        let key = |bytes: &Bytes| Secret::new(bytes.0.as_slice().try_into().unwrap_or_default());
        let file = |file: &CappFileProfile| CappFile {
            sfi: file.sfi,
            cyclic: file.cyclic,
            most: file.records,
            length_bytes: file.length_bytes,
            opening_key: key(&file.opening_key),
            records: file
                .initial
                .iter()
                .map(|record| CappRow { key: key(&record.key), data: record.data.0.clone() })
                .collect(),
        };
        let files: Vec<CappFile> = files.iter().map(file).collect();
        (!files.is_empty()).then(|| Box::new(Self { files, ..Self::default() }))
    }

    /// A file.
    pub(in crate::roles::card) fn file(&self, sfi: u8) -> Option<&CappFile> {
        self.files.iter().find(|file| file.sfi == sfi)
    }

    /// Writes a record in its place.
    pub(super) fn write(&mut self, place: Place, data: Vec<u8>) {
        let Some(file) = self.files.iter_mut().find(|file| file.sfi == place.sfi) else { return };
        if file.cyclic {
            file.push(file.opening_key.clone(), data);
        } else if let Some(row) = file.records.get_mut(place.index) {
            row.data = data;
        }
    }
}

impl CappFile {
    /// The place of the first record with an identifier, or of the next one after `last`.
    pub(super) fn find(&self, id: [u8; 2], after: Option<usize>) -> Option<usize> {
        let begin = after.map_or(0, |last| last + 1);
        let mut rows = self.records.iter().enumerate().skip(begin);
        rows.find(|(_, row)| record_id(&row.data) == Some(id)).map(|(index, _)| index)
    }

    /// Puts a record behind the others; of a cyclic file the eldest makes room.
    pub(super) fn push(&mut self, key: Secret<[u8; 16]>, data: Vec<u8>) {
        if self.cyclic && self.records.len() >= usize::from(self.most) {
            self.records.remove(0);
        }
        self.records.push(CappRow { key, data });
    }

    /// A record as READ RECORD numbers it: the newest of a cyclic file is 1.
    pub(in crate::roles::card) fn record(&self, number: u8) -> Option<&CappRow> {
        let index = usize::from(number).checked_sub(1)?;
        match self.cyclic {
            true => self.records.iter().rev().nth(index),
            false => self.records.get(index),
        }
    }
}

//! The deny list: a Bloom filter before a sorted list of keyed hashes, with what has changed
//! since beside it. Card numbers (PAN) and account references (PAR) are hashed with the list's key
//! and never stored.

use super::bloom::Bloom;
use super::deny_delta::DenyDelta;
use super::error::DenyListError;
use crate::base::bytes::Hex;
use crate::base::crypto::sha1;
use crate::base::store::{SealKey, Sealed};
use std::collections::BTreeSet;
use std::io::Write;
use std::path::Path;

const PURPOSE: &str = "gate.deny";
const MAGIC: &[u8; 8] = b"CWDENY01";
/// Version and number of entries.
const HEAD_BYTES: usize = MAGIC.len() + 16;
const CHECK_BYTES: usize = 20;
/// What has changed is merged into the sorted list once it is more than this part of it.
const MERGE_AT: usize = 64;
/// Changes that are kept beside even a short list.
const FEWEST_KEPT: usize = 4096;

/// Cards that are not let through.
#[derive(Debug, Clone)]
pub struct DenyList {
    key: SealKey,
    version: u64,
    bloom: Bloom,
    /// Ascending, each once.
    sorted: Vec<u64>,
    added: BTreeSet<u64>,
    removed: BTreeSet<u64>,
}

impl DenyList {
    /// A list that denies nobody.
    pub fn empty(key: SealKey) -> Self {
        Self::of(key, 0, Vec::new())
    }

    /// A list of these entries, in any order.
    pub fn of(key: SealKey, version: u64, mut entries: Vec<u64>) -> Self {
        entries.sort_unstable();
        entries.dedup();
        let mut bloom = Bloom::with_room_for(entries.len() + entries.len() / MERGE_AT + FEWEST_KEPT);
        entries.iter().for_each(|entry| bloom.add(*entry));
        Self { key, version, bloom, sorted: entries, added: BTreeSet::new(), removed: BTreeSet::new() }
    }

    /// The entry of a card number, or of the reference of the account behind it, which a token
    /// shares with its card: 64 bits of a keyed hash.
    pub fn entry(key: &SealKey, pan: &str) -> u64 {
        Sealed::lookup(key, PURPOSE, pan.as_bytes())
            .first_chunk()
            .map_or(0, |bytes| u64::from_be_bytes(*bytes))
    }

    /// The same under this list's key.
    pub fn entry_of(&self, pan: &str) -> u64 {
        Self::entry(&self.key, pan)
    }

    /// The change that makes the next version of this list.
    pub fn next(&self, add: Vec<u64>, remove: Vec<u64>) -> DenyDelta {
        DenyDelta { from: self.version, to: self.version.saturating_add(1), add, remove }
    }

    /// Whether a card is denied.
    pub fn denies(&self, pan: &str) -> bool {
        self.holds(self.entry_of(pan))
    }

    /// Whether an entry is on the list.
    pub fn holds(&self, entry: u64) -> bool {
        self.bloom.may_hold(entry)
            && !self.removed.contains(&entry)
            && (self.added.contains(&entry) || self.sorted.binary_search(&entry).is_ok())
    }

    /// Denies a card from now on, beside what the list's versions say.
    pub fn add(&mut self, pan: &str) {
        self.add_entry(self.entry_of(pan));
        self.merge_if_due();
    }

    /// Lets a card through again.
    pub fn remove(&mut self, pan: &str) {
        self.remove_entry(self.entry_of(pan));
        self.merge_if_due();
    }

    /// Makes the next version of the list. A change of another version than this one changes
    /// nothing.
    pub fn apply(&mut self, delta: &DenyDelta) -> Result<(), DenyListError> {
        if delta.from != self.version {
            return Err(DenyListError::Gap { have: self.version, from: delta.from });
        }
        delta.remove.iter().for_each(|entry| self.remove_entry(*entry));
        delta.add.iter().for_each(|entry| self.add_entry(*entry));
        self.version = delta.to;
        self.merge_if_due();
        Ok(())
    }

    /// The version.
    pub const fn version(&self) -> u64 {
        self.version
    }

    /// How many cards are denied.
    pub fn len(&self) -> usize {
        let in_sorted = |entry: &&u64| self.sorted.binary_search(entry).is_ok();
        self.sorted.len() - self.removed.iter().filter(in_sorted).count() + self.added.len()
    }

    /// Whether nobody is denied.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes of memory of filter and sorted list.
    pub fn bytes(&self) -> usize {
        self.bloom.bytes() + self.sorted.capacity() * size_of::<u64>()
    }

    /// Reads a file that [`Self::write`] wrote under the same key.
    pub fn read(path: &Path, key: SealKey) -> Result<Self, DenyListError> {
        let bytes = std::fs::read(path).map_err(|cause| file_error("read", path, &cause))?;
        let wrong = |expected, found: String| DenyListError::Format {
            path: path.display().to_string(),
            expected,
            found,
        };
        let Some((text, check)) = bytes.split_last_chunk::<CHECK_BYTES>() else {
            return Err(wrong("a head and a checksum", format!("{} bytes", bytes.len())));
        };
        if sha1(&[text]) != *check {
            return Err(wrong("the checksum of what is before it", Hex(check).to_string()));
        }
        let number =
            |at: usize| text.get(at..at + 8).and_then(|bytes| bytes.try_into().ok()).map(u64::from_le_bytes);
        let head = text.starts_with(MAGIC).then(|| number(8).zip(number(16))).flatten();
        let (version, count) = head.ok_or_else(|| wrong("a deny list", "something else".into()))?;
        let entries = &text[HEAD_BYTES..];
        if entries.len() as u64 != count.saturating_mul(8) {
            return Err(wrong("8 bytes for each entry", format!("{} bytes for {count}", entries.len())));
        }
        let entries =
            entries.chunks_exact(8).filter_map(|bytes| bytes.try_into().ok()).map(u64::from_le_bytes);
        Ok(Self::of(key, version, entries.collect()))
    }

    /// Writes the list whole: beside its place first, so that nobody ever finds half of it.
    pub fn write(&mut self, path: &Path) -> Result<(), DenyListError> {
        self.merge();
        let mut text = Vec::with_capacity(HEAD_BYTES + self.sorted.len() * 8 + CHECK_BYTES);
        text.extend_from_slice(MAGIC);
        text.extend(self.version.to_le_bytes());
        text.extend((self.sorted.len() as u64).to_le_bytes());
        self.sorted.iter().for_each(|entry| text.extend(entry.to_le_bytes()));
        let check = sha1(&[&text]);
        text.extend(check);
        let draft = path.with_added_extension("new");
        let written = std::fs::File::create(&draft)
            .and_then(|mut file| file.write_all(&text).and_then(|()| file.sync_all()))
            .and_then(|()| std::fs::rename(&draft, path));
        written.map_err(|cause| file_error("write", path, &cause))
    }

    fn add_entry(&mut self, entry: u64) {
        self.removed.remove(&entry);
        if self.sorted.binary_search(&entry).is_err() {
            self.added.insert(entry);
            self.bloom.add(entry);
        }
    }

    fn remove_entry(&mut self, entry: u64) {
        self.added.remove(&entry);
        if self.sorted.binary_search(&entry).is_ok() {
            self.removed.insert(entry);
        }
    }

    fn merge_if_due(&mut self) {
        if self.added.len() + self.removed.len() > FEWEST_KEPT + self.sorted.len() / MERGE_AT {
            self.merge();
        }
    }

    fn merge(&mut self) {
        if self.added.is_empty() && self.removed.is_empty() {
            return;
        }
        let mut entries = std::mem::take(&mut self.sorted);
        entries.retain(|entry| !self.removed.contains(entry));
        entries.extend(&self.added);
        *self = Self::of(self.key.clone(), self.version, entries);
    }
}

fn file_error(doing: &'static str, path: &Path, cause: &std::io::Error) -> DenyListError {
    DenyListError::File { doing, path: path.display().to_string(), cause: cause.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashSet;

    fn key() -> SealKey {
        SealKey::from_bytes([7; 32])
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn it_holds_what_a_set_holds(
            begins in prop::collection::vec(0..200u64, 0..100),
            changes in prop::collection::vec((prop::collection::vec(0..200u64, 0..20), prop::collection::vec(0..200u64, 0..20)), 0..8),
        ) {
            let mut set: HashSet<u64> = begins.iter().copied().collect();
            let mut list = DenyList::of(key(), 0, begins);
            for (version, (add, remove)) in (0..).zip(changes) {
                set.retain(|entry| !remove.contains(entry));
                set.extend(&add);
                list.apply(&DenyDelta { from: version, to: version + 1, add, remove }).unwrap();
                prop_assert_eq!(list.len(), set.len());
                prop_assert!((0..200).all(|entry| list.holds(entry) == set.contains(&entry)));
            }
            list.merge();
            prop_assert!((0..200).all(|entry| list.holds(entry) == set.contains(&entry)));
        }
    }

    #[test]
    fn a_change_of_another_version_changes_nothing() {
        let mut list = DenyList::of(key(), 4, vec![1]);
        let delta = DenyDelta { from: 3, to: 4, add: vec![2], remove: vec![1] };
        assert_eq!(list.apply(&delta), Err(DenyListError::Gap { have: 4, from: 3 }));
        assert!(list.holds(1) && !list.holds(2));
    }

    #[test]
    fn a_file_holds_hashes_and_no_number_and_is_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deny.list");
        let pans = ["6299991234567890", "6299990000000001"];
        let mut list = DenyList::empty(key());
        pans.iter().for_each(|pan| list.add(pan));
        list.write(&path).unwrap();
        let read = DenyList::read(&path, key()).unwrap();
        assert!(pans.iter().all(|pan| read.denies(pan)) && !read.denies("6299991234567891"));
        assert!(!DenyList::read(&path, SealKey::from_bytes([8; 32])).unwrap().denies(pans[0]));
        let mut bytes = std::fs::read(&path).unwrap();
        for pan in pans {
            assert!(!bytes.windows(8).any(|window| window == &pan.as_bytes()[..8]));
        }
        let last = bytes.len() - 30;
        bytes[last] ^= 1;
        std::fs::write(&path, &bytes).unwrap();
        assert!(DenyList::read(&path, key()).unwrap_err().to_string().contains("checksum"));
        std::fs::write(&path, b"short").unwrap();
        assert!(DenyList::read(&path, key()).is_err());
    }
}

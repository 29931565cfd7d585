//! Where a card's memory is kept: in this process, or sealed in a file. A commit
//! lands as a whole or not at all.

use super::{CardError, CardMemory};
use crate::base::context::Context;
use crate::base::store::{SealKey, Sealed};
use std::fs::{File, OpenOptions, TryLockError};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// First bytes of a card file; the version follows, two bytes.
const MAGIC: &[u8; 6] = b"CWCARD";
/// The version that this program writes.
const VERSION: u16 = 1;
/// A card file is some kilobytes; this is far above.
const LARGEST_BYTES: u64 = 1 << 20;
/// How often, and how long between, a card is asked for that another process has.
const LOCK_TRIES: u32 = 5;
const LOCK_WAIT: Duration = Duration::from_millis(20);
/// What the seal of a card file is for.
const PURPOSE: &str = "card.file";

/// Keeps a card's memory.
pub trait CardStorage: Send {
    /// For people: `memory`, or the file's name.
    fn place(&self) -> String;

    /// Writes the whole memory. After an error the memory of before is still there.
    fn commit(&mut self, memory: &CardMemory, context: &mut Context) -> Result<(), CardError>;
}

/// A card that ends with the process.
#[derive(Debug, Default, Clone, Copy)]
pub struct InMemory;

impl CardStorage for InMemory {
    fn place(&self) -> String {
        "memory".into()
    }

    fn commit(&mut self, _memory: &CardMemory, _context: &mut Context) -> Result<(), CardError> {
        Ok(())
    }
}

/// A card that is a file: `FILE.card`, sealed. One process at a time has it.
#[derive(Debug)]
pub struct CardFile {
    path: PathBuf,
    /// As the user named it.
    shown: PathBuf,
    key: SealKey,
    /// Held, not read: closing it gives the card free.
    _lock: File,
}

impl CardFile {
    /// Makes a file of a new card; one that is there already is not touched.
    pub fn create(
        path: &Path,
        key: SealKey,
        memory: &CardMemory,
        context: &mut Context,
    ) -> Result<Self, CardError> {
        let mut file = Self::reserve(path, key)?;
        file.commit(memory, context)?;
        Ok(file)
    }

    /// Takes the place of a card that is to be made, so that no issuer books a card for
    /// which there is no place. The card is there with the first commit.
    pub fn reserve(path: &Path, key: SealKey) -> Result<Self, CardError> {
        let file = Self { path: path.into(), shown: path.into(), key, _lock: lock(path)? };
        if path.exists() {
            let cause = "a file of this name is there already".into();
            return Err(CardError::File { doing: "make", path: path.display().to_string(), cause });
        }
        Ok(file)
    }

    /// Opens a card's file.
    pub fn open(path: &Path, key: SealKey) -> Result<(Self, CardMemory), CardError> {
        let name = || path.display().to_string();
        // A symbolic link is another name of the same card: were the link replaced at the
        // first commit, there would be two cards with one card's money.
        let real = std::fs::canonicalize(path).map_err(|cause| error("read", path, &cause))?;
        let bytes = read(&real).map_err(|cause| error("read", path, &cause))?;
        let no_card_file = || CardError::NoCardFile { path: name() };
        let (version, _) = split(&bytes).ok_or_else(no_card_file)?;
        if version > VERSION {
            return Err(CardError::Later { path: name(), found: version, known: VERSION });
        }
        // Only now is there something to lock; another process may have written meanwhile.
        let file = Self { shown: path.into(), _lock: lock(&real)?, path: real, key };
        must_have_one_name(&file.path, path)?;
        let bytes = read(&file.path).map_err(|cause| error("read", path, &cause))?;
        let (_, sealed) = split(&bytes).ok_or_else(no_card_file)?;
        let opened = Sealed(sealed.to_vec())
            .open(&file.key, PURPOSE)
            .map_err(|cause| CardError::Sealed { path: name(), cause })?;
        let memory = CardMemory::from_json(opened.expose())
            .map_err(|cause| CardError::Content { path: name(), cause })?;
        Ok((file, memory))
    }
}

impl CardStorage for CardFile {
    fn place(&self) -> String {
        self.shown.display().to_string()
    }

    fn commit(&mut self, memory: &CardMemory, context: &mut Context) -> Result<(), CardError> {
        let Sealed(sealed) = Sealed::seal(&self.key, PURPOSE, memory.to_json().expose(), context);
        let beside = beside(&self.path, "new");
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let write = || {
            let mut file = options.open(&beside)?;
            file.write_all(MAGIC)?;
            file.write_all(&VERSION.to_be_bytes())?;
            file.write_all(&sealed)?;
            file.sync_all()
        };
        write().map_err(|cause| error("write", &beside, &cause))?;
        std::fs::rename(&beside, &self.path).map_err(|cause| error("replace", &self.path, &cause))?;
        // The new memory is in place now, whatever the folder says: reporting an error here
        // would make the card forget what its file already holds.
        #[cfg(unix)]
        if let Ok(folder) = File::open(folder(&self.path)) {
            let _ = folder.sync_all();
        }
        Ok(())
    }
}

/// A whole file; what is no file, such as a device or pipe, and what is larger than
/// any card is refused before it is read without end.
fn read(path: &Path) -> std::io::Result<Vec<u8>> {
    let found = std::fs::metadata(path)?;
    let cause = match (found.is_file(), found.is_dir()) {
        (true, _) if found.len() <= LARGEST_BYTES => return std::fs::read(path),
        (true, _) => "it is larger than any card",
        (_, true) => return Err(std::io::ErrorKind::IsADirectory.into()),
        _ => "it is a device or pipe, no file",
    };
    Err(std::io::Error::other(cause))
}

/// A commit takes the place of one name: behind another, the memory of before would live on.
fn must_have_one_name(real: &Path, shown: &Path) -> Result<(), CardError> {
    #[cfg(unix)]
    {
        let found = std::fs::metadata(real).map_err(|cause| error("read", shown, &cause))?;
        let links = std::os::unix::fs::MetadataExt::nlink(&found);
        if links > 1 {
            return Err(CardError::HardLinked { path: shown.display().to_string(), links });
        }
    }
    Ok(())
}

/// Version and sealed bytes of a card file.
fn split(bytes: &[u8]) -> Option<(u16, &[u8])> {
    let (version, sealed) = bytes.strip_prefix(MAGIC)?.split_first_chunk::<2>()?;
    Some((u16::from_be_bytes(*version), sealed))
}

/// Locks a file beside the card's, since the card's own is replaced at each commit.
fn lock(path: &Path) -> Result<File, CardError> {
    let beside = beside(path, "lock");
    let file = OpenOptions::new().write(true).create(true).truncate(false).open(&beside);
    let file = file.map_err(|cause| error("lock", &beside, &cause))?;
    // Whoever has it may be about to end: a card that changes readers is not refused.
    for _ in 0..LOCK_TRIES {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) => std::thread::sleep(LOCK_WAIT),
            Err(TryLockError::Error(cause)) => return Err(error("lock", &beside, &cause)),
        }
    }
    Err(CardError::InUse { path: path.display().to_string() })
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(ending);
    name.into()
}

#[cfg(unix)]
fn folder(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn error(doing: &'static str, path: &Path, cause: &std::io::Error) -> CardError {
    CardError::File { doing, path: path.display().to_string(), cause: cause.to_string() }
}

//! The terminal's journal: one for each pair of terminal and host, since a message
//! is known by terminal and trace number, and must be settled with the host that
//! it went to. And the key by which a remote host knows the terminal.

use super::failure::Failure;
use super::switches::Switches;
use crate::air::host::TerminalKey;
use crate::base::bytes::Hex;
use crate::base::context::Context;
use crate::roles::terminal::TerminalConfig;
use crate::roles::terminal::journal::Journal;
use crate::world::{StoreAddress, WorldError, open_journal};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How often a journal that is in use is looked at again, and how long between.
const LOOKS: u32 = 60;
const PAUSE: Duration = Duration::from_millis(50);

/// Where a journal's folder keeps the name of its terminal (F41, tag 9F1C).
const TERMINAL: &str = "terminal";

/// The terminal's key in its folder, where no other is named.
const TERMINAL_KEY: &str = "terminal.key";

/// The key of a line to another host in the same folder, where no other is named.
const LINK_KEY: &str = "link.key";

/// Opens the journal of a terminal before a remote host, which knows it by its key.
pub(in crate::doors::cli) fn open_remote(
    switches: &Switches,
    address: &str,
    key: &TerminalKey,
    config: &mut TerminalConfig,
    context: &mut Context,
) -> Result<Journal, Failure> {
    let described = switches.terminal.is_some();
    let differs = |what: &str, own: &str, keys: &str| {
        Failure::Usage(format!(
            "--terminal describes {what} {own}, the terminal's key is of {what} {keys}: name the key that fits"
        ))
    };
    if described && config.terminal != key.terminal {
        return Err(differs("terminal", &config.terminal, &key.terminal));
    }
    if described && config.merchant != key.merchant {
        return Err(differs("merchant", &config.merchant, &key.merchant));
    }
    (config.terminal, config.merchant) = (key.terminal.clone(), key.merchant.clone());
    let base = match &switches.state {
        Some(named) => named.clone(),
        None => state_folder()?.join(format!("host-{:016x}", fnv_1a(address.as_bytes()))),
    };
    let folder = base.join(Hex(key.terminal.as_bytes()).to_string());
    open_patiently(&folder, context)
}

/// Opens a journal; one that another process holds is waited for a little, since most
/// commands end at once.
fn open_patiently(folder: &Path, context: &mut Context) -> Result<Journal, Failure> {
    let mut looks = 0;
    loop {
        match open_journal(Some(folder), context) {
            Err(WorldError::InUse { .. }) if looks < LOOKS => {
                if looks == 0 {
                    // Standard output is for the answer. Nobody may be listening here.
                    let told =
                        "cardwright: another cardwright is at work as this terminal: waiting for it ...";
                    let _ = writeln!(std::io::stderr(), "{told}");
                }
                looks += 1;
                std::thread::sleep(PAUSE);
            }
            opened => {
                return opened.map_err(|cause| Failure::Kept { path: folder.into(), cause: Box::new(cause) });
            }
        }
    }
}

/// Where the terminal's key is, or is to be.
pub(in crate::doors::cli) fn key_file(switches: &Switches) -> Result<PathBuf, Failure> {
    kept_key(switches.terminal_key.as_ref(), TERMINAL_KEY, switches)
}

/// Where the key of a line to another host is, or is to be.
pub(in crate::doors::cli) fn link_key_file(
    named: Option<&PathBuf>,
    switches: &Switches,
) -> Result<PathBuf, Failure> {
    kept_key(named, LINK_KEY, switches)
}

fn kept_key(named: Option<&PathBuf>, name: &str, switches: &Switches) -> Result<PathBuf, Failure> {
    Ok(match (named, &switches.state) {
        (Some(named), _) => named.clone(),
        (None, Some(state)) => state.join(name),
        (None, None) => state_folder()?.join(name),
    })
}

/// Makes room for a key file; one that is there is never written over. `switch` names
/// another place.
pub(in crate::doors::cli) fn room_for_key(file: &Path, switch: &str) -> Result<(), Failure> {
    if file.exists() {
        return Err(Failure::Usage(format!(
            "{} is there already, and a key is never written over: name another file with {switch}",
            file.display()
        )));
    }
    match file.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        Some(folder) => {
            std::fs::create_dir_all(folder).map_err(|cause| Failure::file("make the folder", folder, cause))
        }
        None => Ok(()),
    }
}

/// The terminal's key.
pub(in crate::doors::cli) fn key(switches: &Switches) -> Result<TerminalKey, Failure> {
    let path = key_file(switches)?;
    if !path.exists() {
        return Err(Failure::Usage(format!(
            "there is no terminal key {}: make one in the host's books with `cardwright host terminal add \
             TERMINAL MERCHANT --store ...`, and name its file with --terminal-key",
            path.display()
        )));
    }
    TerminalKey::read(&path).map_err(|cause| WorldError::from(cause).into())
}

/// Opens the journal, and gives a terminal that nobody described a name of its own.
/// With `kept` unset the journal ends with the process.
pub(in crate::doors::cli) fn open(
    switches: &Switches,
    store: &StoreAddress,
    kept: bool,
    config: &mut TerminalConfig,
    context: &mut Context,
) -> Result<Journal, Failure> {
    let described = switches.terminal.is_some();
    if !kept {
        if !described {
            config.terminal = fresh_name(context);
        }
        return Ok(open_journal(None, context)?);
    }
    let folder = folder(switches, store, described.then_some(config.terminal.as_str()))?;
    let journal = open_patiently(&folder, context)?;
    if !described {
        config.terminal = kept_name(&folder.join(TERMINAL), context)?;
    }
    Ok(journal)
}

fn folder(switches: &Switches, store: &StoreAddress, terminal: Option<&str>) -> Result<PathBuf, Failure> {
    let folder = match &switches.state {
        Some(named) => named.clone(),
        None => state_folder()?.join(books_name(store)),
    };
    Ok(match terminal {
        Some(name) => folder.join(Hex(name.as_bytes()).to_string()),
        None => folder,
    })
}

/// The phone, where `--wallet` names no other.
pub(in crate::doors::cli) fn wallet_folder(switches: &Switches) -> Result<PathBuf, Failure> {
    let base = switches.state.clone().map_or_else(state_folder, Ok)?;
    Ok(base.join("wallet"))
}

/// The phone that transfers, where `--state` names no other.
pub(in crate::doors::cli) fn phone_folder(switches: &Switches) -> Result<PathBuf, Failure> {
    match &switches.state {
        Some(named) => Ok(named.clone()),
        None => Ok(state_folder()?.join("phone")),
    }
}

/// The folder of a gate, by its terminal's name.
pub(in crate::doors::cli) fn gate_folder(switches: &Switches, terminal: &str) -> Result<PathBuf, Failure> {
    let base = switches.state.clone().map_or_else(state_folder, Ok)?;
    Ok(base.join("gate").join(Hex(terminal.as_bytes()).to_string()))
}

/// The file of what was typed in `cardwright shell`; `None` where no folder is known.
pub(in crate::doors::cli) fn history_file(switches: &Switches) -> Option<PathBuf> {
    let base = switches.state.clone().map_or_else(state_folder, Ok);
    base.ok().map(|base| base.join("shell_history"))
}

/// The user's state folder, by the XDG base directory specification.
fn state_folder() -> Result<PathBuf, Failure> {
    let named = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let base = named("XDG_STATE_HOME").or_else(|| Some(named("HOME")?.join(".local/state")));
    base.map(|base| base.join("cardwright")).ok_or_else(|| {
        Failure::Usage(
            "neither XDG_STATE_HOME nor HOME names a folder for the terminal's journal: add --state DIR"
                .into(),
        )
    })
}

/// A folder's name for books: the same for the same file, another for another one.
fn books_name(store: &StoreAddress) -> String {
    let path = match store {
        StoreAddress::Sqlite(path) => path,
        StoreAddress::Memory => return "memory".into(),
        StoreAddress::Postgres(address) => {
            // The same database is the same books, whoever asks and with what password.
            let place = address.expose().rsplit('@').next().unwrap_or_default();
            return format!("server-{:016x}", fnv_1a(place.as_bytes()));
        }
    };
    let whole = std::fs::canonicalize(path).or_else(|_| std::path::absolute(path));
    let whole = whole.unwrap_or_else(|_| path.clone());
    let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let stem: String = stem.chars().filter(|c| c.is_ascii_alphanumeric()).take(32).collect();
    format!("{stem}-{:016x}", fnv_1a(whole.as_os_str().as_encoded_bytes()))
}

/// The hash FNV-1a, 64 bits: only to tell folders apart.
fn fnv_1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xCBF2_9CE4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01B3)
    })
}

/// The name in the file, or a new one for good.
fn kept_name(path: &Path, context: &mut Context) -> Result<String, Failure> {
    let is_name = |name: &str| name.len() == 8 && name.bytes().all(|byte| byte.is_ascii_alphanumeric());
    match std::fs::read_to_string(path) {
        Ok(text) if is_name(text.trim()) => Ok(text.trim().to_owned()),
        Ok(text) => Err(Failure::Usage(format!(
            "{}: expected a terminal's name of 8 letters and digits, found {text:?}",
            path.display()
        ))),
        Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => {
            let name = fresh_name(context);
            std::fs::write(path, format!("{name}\n")).map_err(|cause| Failure::file("write", path, cause))?;
            Ok(name)
        }
        Err(cause) => Err(Failure::file("read", path, cause)),
    }
}

/// Two letters and six random letters or digits.
fn fresh_name(context: &mut Context) -> String {
    const LETTERS: &[u8; 32] = b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789";
    let random: [u8; 6] = context.random();
    let letters = random.iter().map(|byte| char::from(LETTERS[usize::from(byte % 32)]));
    format!("CW{}", letters.collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::event::Discard;

    #[test]
    fn other_books_have_another_folder() {
        let name = |path: &str| books_name(&StoreAddress::Sqlite(path.into()));
        assert_eq!(name("a/cardwright.db"), name("a/cardwright.db"));
        assert_ne!(name("a/cardwright.db"), name("b/cardwright.db"));
        assert!(name("a/cardwright.db").starts_with("cardwright-"));
        assert_eq!(fnv_1a(b""), 0xCBF2_9CE4_8422_2325);
        assert_eq!(fnv_1a(b"a"), 0xAF63_DC4C_8601_EC8C);
    }

    #[test]
    fn a_terminal_keeps_its_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(TERMINAL);
        let mut context = Context::simulated(1, Discard);
        let name = kept_name(&path, &mut context).unwrap();
        assert_eq!(kept_name(&path, &mut context).unwrap(), name);
        assert_ne!(fresh_name(&mut context), name);
        std::fs::write(&path, "nonsense and more").unwrap();
        assert!(kept_name(&path, &mut context).unwrap_err().to_string().contains("8 letters"));
    }
}

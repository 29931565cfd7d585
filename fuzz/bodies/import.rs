//! Any text is a log of some program or an error: the first byte says whose.

use cardwright::air::trace::{IMPORTERS, import};

/// One try.
pub fn run(data: &[u8]) {
    let [choice, text @ ..] = data else { return };
    let text = String::from_utf8_lossy(text);
    let from = IMPORTERS.get(usize::from(*choice)).map(|importer| importer.name);
    let _ = import(&text, from, "a log");
}

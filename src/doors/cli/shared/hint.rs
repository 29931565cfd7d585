//! Whether a real reader holds a card, asked so that no command waits for it.

use crate::air::link::{READERS, ReaderStatus};
use std::sync::mpsc;
use std::time::Duration;

/// The longest that a command waits for the answer: a daemon that hangs is passed over.
const PATIENCE: Duration = Duration::from_millis(250);

/// The command that reads the card in a real reader, if there is one.
pub(in crate::doors::cli) fn real_card(command: &str) -> Option<String> {
    let (answer, answers) = mpsc::channel();
    // The thread ends by itself, or with the process.
    std::thread::spawn(move || {
        let holding: Vec<(&str, ReaderStatus)> = READERS
            .iter()
            .flat_map(|driver| {
                let found = (driver.list)().unwrap_or_default();
                found.into_iter().map(|status| (driver.scheme, status))
            })
            .filter(|(_, status)| status.card.is_some())
            .collect();
        // Nobody listens any more once the patience is over.
        let _ = answer.send(holding);
    });
    let holding = answers.recv_timeout(PATIENCE).ok()?;
    let (scheme, status) = holding.first()?;
    let address = match holding.len() {
        1 => (*scheme).to_owned(),
        _ => format!("'{scheme}:{}'", status.name),
    };
    Some(format!("A card is in {}: cardwright {command} --reader {address}", status.name))
}

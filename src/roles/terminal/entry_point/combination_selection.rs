//! Combination selection, Start B: EMV Contactless Book B 3.3.2. The card's directory
//! (PPSE) and the reader's combinations make the Candidate List.

use super::final_selection;
use super::progress::{Candidate, Indicators};
use crate::base::context::Context;
use crate::base::event::Event;
use crate::roles::terminal::error::TerminalError;
use crate::roles::terminal::phase::{Next, Phase, Reply};
use crate::roles::terminal::session::Session;
use crate::words::emv::{DirectoryEntry, Fci};
use crate::words::iso7816::command::Select;
use crate::words::iso7816::{Aid, ApduCommand};

const STEP: &str = "Combination selection";
/// The proximity payment system environment.
const PPSE: &[u8] = b"2PAY.SYS.DDF01";

/// Table 3-6: the kernel of an application whose directory entry names none.
const DEFAULT_KERNELS: &[([u8; 5], u8)] = &[
    ([0xA0, 0x00, 0x00, 0x00, 0x04], 2),
    ([0xA0, 0x00, 0x00, 0x00, 0x03], 3),
    ([0xA0, 0x00, 0x00, 0x00, 0x25], 4),
    ([0xA0, 0x00, 0x00, 0x00, 0x65], 5),
    ([0xA0, 0x00, 0x00, 0x01, 0x52], 6),
    ([0xA0, 0x00, 0x00, 0x03, 0x33], 7),
];

/// Step 1: asks for the directory.
pub(super) fn begin(mut session: Session, context: &mut Context) -> Result<Next, TerminalError> {
    session.entry_point.candidates.clear();
    match Aid::new(PPSE) {
        Some(name) => {
            let ask = Select::first(name);
            Ok(Next::transmit(ask.to_apdu(), AskingDirectory { session, ask }))
        }
        None => final_selection::begin(session, context),
    }
}

struct AskingDirectory {
    session: Session,
    ask: Select,
}

impl Phase for AskingDirectory {
    fn name(&self) -> &'static str {
        STEP
    }

    fn take(self: Box<Self>, reply: Reply, context: &mut Context) -> Result<Next, TerminalError> {
        let response = reply.response(STEP)?;
        let mut session = self.session;
        // 3.3.2.3.
        let entries = response.status.is_ok().then(|| directory(&response.data, &self.ask.name, context));
        let mut candidates = match &entries {
            Some(entries) => common(&session, entries),
            None => without_directory(&session, &response.status.to_string(), context),
        };
        // 3.3.3.2: by priority, then by place in the directory; the best one last.
        candidates.sort_by_key(|candidate| (candidate.rank, candidate.order));
        candidates.reverse();
        session.entry_point.candidates = candidates;
        final_selection::begin(session, context)
    }

    fn release(self: Box<Self>) -> Option<Session> {
        Some(self.session)
    }
}

/// The entries of the directory; what cannot be read has none.
fn directory(fci: &[u8], name: &Aid, context: &mut Context) -> Vec<DirectoryEntry> {
    match Fci::parse(fci, name) {
        Ok(fci) => fci.entries,
        Err(error) => {
            let event = Event::new("terminal", "PPSE unreadable").clause("EMV Contactless Book B 3.3.2.4");
            context.emit(event.because(error.to_string()));
            Vec::new()
        }
    }
}

/// Step 2: the combinations that the directory's entries and the reader have in common.
fn common(session: &Session, entries: &[DirectoryEntry]) -> Vec<Candidate> {
    let mut candidates = Vec::new();
    for indicators in &session.entry_point.allowed {
        let Some(combination) = session.terms.config.combinations.get(indicators.place) else { continue };
        for (order, entry) in entries.iter().enumerate() {
            // 3.3.2.5 B: the whole name or its beginning.
            let matching = combination.aids.iter().find(|aid| entry.name.begins_with(aid.as_bytes()));
            let Some(aid) = matching else { continue };
            // 3.3.2.5 D: 0 lets the reader choose.
            if [Some(0), Some(combination.kernel)].contains(&requested_kernel(entry, aid)) {
                candidates.push(Candidate {
                    name: entry.name.clone(),
                    rank: rank(entry.priority),
                    order,
                    extended: entry.extended_selection.clone(),
                    indicators: *indicators,
                });
            }
        }
    }
    candidates
}

/// The kernel that a directory entry asks for, 3.3.2.5 C; none that this reader could have
/// where it is a domestic one with an extended identifier, or malformed.
fn requested_kernel(entry: &DirectoryEntry, aid: &Aid) -> Option<u8> {
    match entry.kernel.as_deref() {
        None | Some([]) => {
            let known = DEFAULT_KERNELS.iter().find(|(rid, _)| aid.begins_with(rid));
            Some(known.map_or(0, |(_, kernel)| *kernel))
        }
        Some([short, ..]) if short & 0x80 == 0 => Some(*short),
        Some(_) => None,
    }
}

/// A card without a directory: nothing in common, or, where the terminal file says so,
/// every name is tried in its order. Book B knows the first alone.
fn without_directory(session: &Session, status: &str, context: &mut Context) -> Vec<Candidate> {
    let tries = session.terms.config.names_without_ppse;
    let what = if tries { "the terminal's names are tried" } else { "there is no candidate" };
    context.emit(
        Event::new("terminal", "PPSE absent")
            .clause("EMV Contactless Book B 3.3.2.3")
            .because(format!("SELECT answered {status}: {what}")),
    );
    if !tries {
        return Vec::new();
    }
    let names = session.entry_point.allowed.iter().flat_map(|indicators| {
        let combination = session.terms.config.combinations.get(indicators.place);
        combination.into_iter().flat_map(|of| &of.aids).map(|aid| (aid.clone(), *indicators))
    });
    let candidate = |(order, (name, indicators)): (usize, (Aid, Indicators))| Candidate {
        name,
        rank: rank(None),
        order,
        extended: None,
        indicators,
    };
    names.enumerate().map(candidate).collect()
}

/// The low four bits of the priority indicator; none or 0 comes last.
pub(in crate::roles::terminal) fn rank(priority: Option<u8>) -> u8 {
    match priority.unwrap_or(0) & 0x0F {
        0 => 16,
        rank => rank,
    }
}

//! Building the candidate list over contacts: EMV Book 1 12.3, by the directory of the card's
//! payment system environment, else by the terminal's names. Records, partial names and
//! "next" are bounded.

use super::application_selection;
use crate::base::context::Context;
use crate::base::event::Event;
use crate::roles::terminal::cardholder::ApplicationName;
use crate::roles::terminal::entry_point::rank;
use crate::roles::terminal::error::TerminalError;
use crate::roles::terminal::phase::{Io, Next, Phase, Reply};
use crate::roles::terminal::session::Session;
use crate::words::emv::{DirectoryEntry, Fci, PreferredName, directory_entries};
use crate::words::iso7816::command::{ReadRecord, Select};
use crate::words::iso7816::{Aid, ApduCommand, ResponseApdu, StatusWord};

const STEP: &str = "Building the candidate list";
const CLAUSE: &str = "EMV Book 1 12.3";
/// The payment system environment.
const PSE: &[u8] = b"1PAY.SYS.DDF01";
/// Most applications that one name is followed to by "next".
const NEXT_LIMIT: usize = 16;
/// Priority indicator, bit 8: the cardholder must confirm the application.
const CONFIRMATION: u8 = 0x80;

/// An application that card and terminal have in common.
#[derive(Debug)]
pub(in crate::roles::terminal) struct Candidate {
    pub(in crate::roles::terminal) name: Aid,
    /// What people read.
    pub(in crate::roles::terminal) shown: ApplicationName,
    /// Card's priority, 1 is highest; 16 where it gives none.
    pub(in crate::roles::terminal) priority: u8,
    /// Place in the terminal's list.
    pub(in crate::roles::terminal) place: usize,
    /// Whether the cardholder must confirm it.
    pub(in crate::roles::terminal) wants_confirmation: bool,
}

impl Candidate {
    fn new(
        session: &Session,
        place: usize,
        name: Aid,
        (label, preferred): (Option<String>, Option<PreferredName>),
        priority: Option<u8>,
    ) -> Self {
        let config = &session.terms.config;
        let readable = preferred.filter(|name| config.has_code_table(name.code_table));
        let text = readable.and_then(|name| name.text()).or(label).unwrap_or_else(|| name.to_string());
        Self {
            shown: ApplicationName { aid: name.clone(), text },
            name,
            priority: rank(priority),
            place,
            wants_confirmation: priority.unwrap_or(0) & CONFIRMATION != 0,
        }
    }

    /// An application of a directory, where the terminal accepts it.
    fn of_entry(session: &Session, entry: DirectoryEntry) -> Option<Self> {
        let DirectoryEntry { name, label, preferred_name, priority, .. } = entry;
        let place = session.terms.config.place_of(name.as_bytes())?;
        Some(Self::new(session, place, name, (label, preferred_name), priority))
    }
}

/// Begins with the directory, where the terminal reads it.
pub(in crate::roles::terminal) fn begin(session: Session) -> Next {
    match Aid::new(PSE) {
        Some(name) if session.terms.config.pse => {
            let ask = Select::first(name);
            Next::transmit(ask.to_apdu(), AskingDirectory { session, ask })
        }
        _ => by_name(session),
    }
}

/// Waits for the PSE.
struct AskingDirectory {
    session: Session,
    ask: Select,
}

impl Phase for AskingDirectory {
    fn name(&self) -> &'static str {
        STEP
    }

    fn take(self: Box<Self>, reply: Reply, context: &mut Context) -> Result<Next, TerminalError> {
        let Self { session, ask } = *self;
        let response = reply.response(STEP)?;
        if response.status == StatusWord::NOT_SUPPORTED {
            return Err(TerminalError::CardBlocked { status: response.status });
        }
        if !response.status.is_ok() {
            instead("PSE absent", format!("SELECT answered {}", response.status), context);
            return Ok(by_name(session));
        }
        match Fci::parse(&response.data, &ask.name).map(|fci| fci.directory_sfi) {
            Ok(Some(sfi @ 1..=10)) => Ok(ReadingDirectory::next(session, Vec::new(), sfi, 1)),
            Ok(found) => {
                let reason = format!("expected the directory's file (88) to be 1 to 10, found {found:?}");
                instead("PSE not usable", reason, context);
                Ok(by_name(session))
            }
            Err(error) => {
                instead("PSE not usable", error.to_string(), context);
                Ok(by_name(session))
            }
        }
    }
}

/// Waits for a record of the directory.
struct ReadingDirectory {
    session: Session,
    candidates: Vec<Candidate>,
    ask: ReadRecord,
}

impl ReadingDirectory {
    fn next(session: Session, candidates: Vec<Candidate>, sfi: u8, record: u8) -> Next {
        let ask = ReadRecord { sfi, record };
        Next::transmit(ask.to_apdu(), Self { session, candidates, ask })
    }
}

impl Phase for ReadingDirectory {
    fn name(&self) -> &'static str {
        STEP
    }

    fn take(self: Box<Self>, reply: Reply, context: &mut Context) -> Result<Next, TerminalError> {
        let Self { session, mut candidates, ask } = *self;
        let response = reply.response(STEP)?;
        let ended = response.status == StatusWord::RECORD_NOT_FOUND;
        if ended && !candidates.is_empty() {
            return application_selection::choose(session, candidates, context);
        }
        if ended {
            let reason = "no application of the directory is one that the terminal accepts";
            instead("PSE without a match", reason, context);
            return Ok(by_name(session));
        }
        let read = ask.answer(&response).map_err(|error| error.to_string());
        match read.and_then(|record| directory_entries(&record).map_err(|error| error.to_string())) {
            // EMV Book 1 12.3.2: an error ends the reading, and what was found does not count.
            Err(reason) => {
                instead("PSE not usable", reason, context);
                Ok(by_name(session))
            }
            Ok(entries) => {
                candidates
                    .extend(entries.into_iter().filter_map(|entry| Candidate::of_entry(&session, entry)));
                match ask.record.checked_add(1) {
                    Some(record) => Ok(Self::next(session, candidates, ask.sfi, record)),
                    None => application_selection::choose(session, candidates, context),
                }
            }
        }
    }
}

/// Asks for the terminal's names, one after the other.
fn by_name(session: Session) -> Next {
    AskingByName::next(session, Vec::new(), 0, 0)
}

/// Waits for the answer to one name of the terminal's list.
struct AskingByName {
    session: Session,
    candidates: Vec<Candidate>,
    place: usize,
    repeats: usize,
    ask: Select,
}

impl AskingByName {
    fn next(session: Session, candidates: Vec<Candidate>, place: usize, repeats: usize) -> Next {
        let Some(name) = session.terms.config.aids().nth(place).cloned() else {
            return Next::wait(Io::Nothing, Asked { session, candidates });
        };
        let ask = if repeats == 0 { Select::first(name) } else { Select::next(name) };
        Next::transmit(ask.to_apdu(), Self { session, candidates, place, repeats, ask })
    }
}

impl Phase for AskingByName {
    fn name(&self) -> &'static str {
        STEP
    }

    fn take(self: Box<Self>, reply: Reply, context: &mut Context) -> Result<Next, TerminalError> {
        let Self { session, mut candidates, place, repeats, ask } = *self;
        let response = reply.response(STEP)?;
        let blocked = response.status == StatusWord::FILE_INVALIDATED;
        let fci = match usable(&response, &ask, context)? {
            Some(fci) => fci,
            // What is blocked may stand before others of the same name.
            None if blocked => match Fci::parse(&response.data, &ask.name) {
                Ok(fci) => fci,
                Err(_) => return Ok(Self::next(session, candidates, place + 1, 0)),
            },
            None => return Ok(Self::next(session, candidates, place + 1, 0)),
        };
        let exact = fci.df_name == ask.name;
        if candidates.iter().any(|known| known.name == fci.df_name) {
            // The card gives the same application again: it does not know "next".
            return Ok(Self::next(session, candidates, place + 1, 0));
        }
        let accepted = session.terms.config.applications.get(place);
        if !blocked && (exact || !accepted.is_some_and(|application| application.exact)) {
            let names = (fci.label, fci.preferred_name);
            candidates.push(Candidate::new(&session, place, fci.df_name, names, fci.priority));
        }
        if exact {
            return Ok(Self::next(session, candidates, place + 1, 0));
        }
        if repeats >= NEXT_LIMIT {
            return Err(TerminalError::Endless { what: "SELECT next", limit: NEXT_LIMIT });
        }
        Ok(Self::next(session, candidates, place, repeats + 1))
    }
}

/// All names have been asked.
struct Asked {
    session: Session,
    candidates: Vec<Candidate>,
}

impl Phase for Asked {
    fn name(&self) -> &'static str {
        STEP
    }

    fn take(self: Box<Self>, _reply: Reply, context: &mut Context) -> Result<Next, TerminalError> {
        application_selection::choose(self.session, self.candidates, context)
    }
}

/// The application of an answer to SELECT: `None` where it is not there or blocked.
pub(in crate::roles::terminal) fn usable(
    response: &ResponseApdu,
    ask: &Select,
    context: &mut Context,
) -> Result<Option<Fci>, TerminalError> {
    match response.status {
        StatusWord::OK => Ok(Some(Fci::parse(&response.data, &ask.name)?)),
        StatusWord::NOT_SUPPORTED => Err(TerminalError::CardBlocked { status: response.status }),
        status => {
            context.emit(
                Event::new("terminal", "application passed over")
                    .clause(CLAUSE)
                    .because(format!("SELECT answered {status}"))
                    .with_tag(0x84, ask.name.as_bytes()),
            );
            Ok(None)
        }
    }
}

fn instead(what: &'static str, reason: impl std::fmt::Display, context: &mut Context) {
    let reason = format!("{reason}: the list of names is asked instead");
    context.emit(Event::new("terminal", what).clause(CLAUSE).because(reason));
}

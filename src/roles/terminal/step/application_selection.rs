//! Application selection over contacts: EMV Book 1 12, by the terminal's list of names.
//! Partial names and "next" are bounded.

use crate::base::context::Context;
use crate::base::event::Event;
use crate::roles::terminal::entry_point::rank;
use crate::roles::terminal::error::TerminalError;
use crate::roles::terminal::kernel_row::Kernel;
use crate::roles::terminal::phase::{Io, Next, Phase, Reply};
use crate::roles::terminal::session::Session;
use crate::words::emv::Fci;
use crate::words::iso7816::command::Select;
use crate::words::iso7816::{Aid, ApduCommand, CommandError, ResponseApdu, StatusWord};

const STEP: &str = "Application selection";
const CLAUSE: &str = "EMV Book 1 12.3";
/// Most applications that one name is followed to by "next".
const NEXT_LIMIT: usize = 16;

/// An application has been selected.
pub(in crate::roles::terminal) struct Selected {
    pub(in crate::roles::terminal) session: Session,
    pub(in crate::roles::terminal) fci: Fci,
}

/// An application that card and terminal have in common.
struct Candidate {
    name: Aid,
    /// Card's priority, 1 is highest; 16 where it gives none.
    priority: u8,
    /// Place in the terminal's list.
    place: usize,
}

/// Begins a transaction by looking for an application.
pub(in crate::roles::terminal) fn begin(session: Session) -> Next {
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
            return finish_by_name(session, candidates);
        };
        let ask = if repeats == 0 { Select::first(name) } else { Select::next(name) };
        Next::transmit(ask.to_apdu(), Self { session, candidates, place, repeats, ask })
    }
}

impl Phase for AskingByName {
    fn name(&self) -> &'static str {
        STEP
    }

    fn take(mut self: Box<Self>, reply: Reply, context: &mut Context) -> Result<Next, TerminalError> {
        let response = reply.response(STEP)?;
        let exact = match accept(&response, &self.ask, context)? {
            None => return Ok(Self::next(self.session, self.candidates, self.place + 1, 0)),
            Some(fci) => {
                let exact = fci.df_name == self.ask.name;
                if self.candidates.iter().any(|known| known.name == fci.df_name) {
                    // The card gives the same application again: it does not know "next".
                    return Ok(Self::next(self.session, self.candidates, self.place + 1, 0));
                }
                let priority = rank(fci.priority);
                self.candidates.push(Candidate { name: fci.df_name, priority, place: self.place });
                exact
            }
        };
        if exact {
            return Ok(Self::next(self.session, self.candidates, self.place + 1, 0));
        }
        if self.repeats >= NEXT_LIMIT {
            return Err(TerminalError::Endless { what: "SELECT next", limit: NEXT_LIMIT });
        }
        Ok(Self::next(self.session, self.candidates, self.place, self.repeats + 1))
    }
}

/// Waits for the final SELECT.
struct Selecting {
    session: Session,
    ask: Select,
    others: Vec<Candidate>,
}

impl Phase for Selecting {
    fn name(&self) -> &'static str {
        STEP
    }

    fn take(self: Box<Self>, reply: Reply, context: &mut Context) -> Result<Next, TerminalError> {
        let response = reply.response(STEP)?;
        match accept(&response, &self.ask, context)? {
            Some(fci) => {
                let mut session = self.session;
                session.enter(fci.df_name.as_bytes());
                (Kernel::contact().begin)(Selected { session, fci }, context)
            }
            None if self.others.is_empty() => Err(TerminalError::Command(CommandError::Refused {
                command: Select::NAME,
                status: response.status,
            })),
            // EMV Book 1 12.4: an application that cannot be selected is taken off the list.
            None => finish(self.session, self.others, context),
        }
    }
}

/// Whether an application can be used: `None` where it is not there or blocked.
fn accept(
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

fn finish_by_name(session: Session, candidates: Vec<Candidate>) -> Next {
    Next::wait(Io::Nothing, Choosing { session, candidates })
}

/// All names have been asked; the best one is chosen without the card.
struct Choosing {
    session: Session,
    candidates: Vec<Candidate>,
}

impl Phase for Choosing {
    fn name(&self) -> &'static str {
        STEP
    }

    fn take(self: Box<Self>, _reply: Reply, context: &mut Context) -> Result<Next, TerminalError> {
        finish(self.session, self.candidates, context)
    }
}

/// Selects the candidate of highest priority; of equals, the terminal's preference.
fn finish(
    session: Session,
    mut candidates: Vec<Candidate>,
    context: &mut Context,
) -> Result<Next, TerminalError> {
    candidates.sort_by_key(|candidate| (candidate.priority, candidate.place));
    if candidates.is_empty() {
        let looked_for: Vec<_> = session.terms.config.aids().map(ToString::to_string).collect();
        return Err(TerminalError::NoApplication { looked_for: looked_for.join(", ") });
    }
    let chosen = candidates.remove(0);
    context.emit(
        Event::new("terminal", "application chosen")
            .clause("EMV Book 1 12.4")
            .because(format!("highest priority of {} in common", candidates.len() + 1))
            .with_tag(0x84, chosen.name.as_bytes()),
    );
    let ask = Select::first(chosen.name);
    Ok(Next::transmit(ask.to_apdu(), Selecting { session, ask, others: candidates }))
}

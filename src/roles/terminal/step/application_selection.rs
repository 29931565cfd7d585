//! Final application selection: EMV Book 1 12.4. The cardholder chooses and confirms by
//! contact, where the terminal lets them; else the card's priorities do.

use super::candidate_list::{self, Candidate, usable};
use super::initiate_application_processing::break_off;
use crate::base::context::Context;
use crate::base::event::Event;
use crate::roles::terminal::error::TerminalError;
use crate::roles::terminal::kernel_row::Kernel;
use crate::roles::terminal::message::Message;
use crate::roles::terminal::outcome::Verdict;
use crate::roles::terminal::phase::{Io, Next, Phase, Reply};
use crate::roles::terminal::session::Session;
use crate::words::dictionary::tag;
use crate::words::emv::Fci;
use crate::words::iso7816::command::Select;
use crate::words::iso7816::{ApduCommand, CommandError, StatusWord};

const STEP: &str = "Application selection";
const CLAUSE: &str = "EMV Book 1 12.4";

/// An application has been selected.
pub(in crate::roles::terminal) struct Selected {
    pub(in crate::roles::terminal) session: Session,
    pub(in crate::roles::terminal) fci: Fci,
    /// What could be selected instead.
    pub(in crate::roles::terminal) others: Vec<Candidate>,
}

/// Begins a transaction by looking for an application.
pub(in crate::roles::terminal) fn begin(session: Session) -> Next {
    candidate_list::begin(session)
}

/// Chooses from the list: of equal priorities the terminal's preference goes first.
pub(in crate::roles::terminal) fn choose(
    session: Session,
    mut candidates: Vec<Candidate>,
    context: &mut Context,
) -> Result<Next, TerminalError> {
    candidates.sort_by_key(|candidate| (candidate.priority, candidate.place));
    if candidates.is_empty() {
        let looked_for: Vec<_> = session.terms.config.aids().map(ToString::to_string).collect();
        return Err(TerminalError::NoApplication { looked_for: looked_for.join(", ") });
    }
    let several = candidates.len() > 1;
    let wants_confirmation = candidates[0].wants_confirmation;
    match (session.terms.config.cardholder_selection, several) {
        (true, true) => {
            let names = candidates.iter().map(|candidate| candidate.shown.clone()).collect();
            Ok(Next::wait(Io::Choose(names), Choosing { session, candidates }))
        }
        (true, false) if wants_confirmation => {
            let name = candidates[0].shown.clone();
            Ok(Next::wait(Io::Confirm(name), Confirming { session, candidates }))
        }
        (true, false) => Ok(select(session, candidates, 0, "the only one in common", context)),
        (false, _) => match candidates.iter().position(|candidate| !candidate.wants_confirmation) {
            Some(place) => {
                let reason = if several { "highest priority" } else { "the only one in common" };
                Ok(select(session, candidates, place, reason, context))
            }
            None => {
                let reason = "the application wants the cardholder's confirmation (87 bit 8), and this \
                              terminal does not ask for it";
                Ok(refused(session, reason, context))
            }
        },
    }
}

/// The card refuses GET PROCESSING OPTIONS: with 6985 the application leaves the list, where
/// there is another one (EMV Book 3 10.1).
pub(in crate::roles::terminal) fn refused_options(
    selected: Selected,
    status: StatusWord,
    context: &mut Context,
) -> Result<Next, TerminalError> {
    if status != StatusWord::CONDITIONS_NOT_SATISFIED || selected.others.is_empty() {
        return break_off(selected, status, context);
    }
    let reason = "GET PROCESSING OPTIONS answered 6985: the application is taken off the list";
    let event = Event::new("terminal", "application passed over").clause("EMV Book 3 10.1");
    context.emit(event.because(reason));
    let Selected { session, others, .. } = selected;
    again(session.afresh(context), others, context)
}

/// Chooses from what is left, and says so.
fn again(session: Session, others: Vec<Candidate>, context: &mut Context) -> Result<Next, TerminalError> {
    let language = session.language.clone();
    Ok(choose(session, others, context)?.showing(Message::TryAgain, &language))
}

/// Waits for the cardholder's choice.
struct Choosing {
    session: Session,
    candidates: Vec<Candidate>,
}

impl Phase for Choosing {
    fn name(&self) -> &'static str {
        STEP
    }

    fn take(self: Box<Self>, reply: Reply, context: &mut Context) -> Result<Next, TerminalError> {
        let Self { session, candidates } = *self;
        match reply.choice(STEP)?.filter(|place| *place < candidates.len()) {
            Some(place) => Ok(select(session, candidates, place, "the cardholder's choice", context)),
            None => Ok(refused(session, "the cardholder chose no application", context)),
        }
    }
}

/// Waits for the cardholder's confirmation of the only application.
struct Confirming {
    session: Session,
    candidates: Vec<Candidate>,
}

impl Phase for Confirming {
    fn name(&self) -> &'static str {
        STEP
    }

    fn take(self: Box<Self>, reply: Reply, context: &mut Context) -> Result<Next, TerminalError> {
        let Self { session, candidates } = *self;
        match reply.confirmed(STEP)? {
            true => Ok(select(session, candidates, 0, "the cardholder confirmed it (87 bit 8)", context)),
            false => Ok(refused(session, "the cardholder did not confirm the application", context)),
        }
    }
}

fn select(
    session: Session,
    mut candidates: Vec<Candidate>,
    place: usize,
    reason: &'static str,
    context: &mut Context,
) -> Next {
    let count = candidates.len();
    let chosen = candidates.remove(place);
    context.emit(
        Event::new("terminal", "application chosen")
            .clause(CLAUSE)
            .because(format!("{reason}, of {count}"))
            .with_tag(0x84, chosen.name.as_bytes()),
    );
    let ask = Select::first(chosen.name);
    Next::transmit(ask.to_apdu(), Selecting { session, ask, others: candidates })
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
        let Self { mut session, ask, others } = *self;
        let response = reply.response(STEP)?;
        let Some(fci) = usable(&response, &ask, context)? else {
            if others.is_empty() {
                let (command, status) = (Select::NAME, response.status);
                return Err(TerminalError::Command(CommandError::Refused { command, status }));
            }
            // An application that cannot be selected is taken off the list.
            return again(session, others, context);
        };
        session.enter(fci.df_name.as_bytes());
        language(&mut session, &fci, context);
        (Kernel::contact().begin)(Selected { session, fci, others }, context)
    }
}

/// EMV Book 4 11.1: the first of the card's languages that the terminal has.
fn language(session: &mut Session, fci: &Fci, context: &mut Context) {
    let own = &session.terms.config.languages;
    let Some(common) = fci.languages.iter().find(|language| own.contains(language)) else { return };
    let reason = format!("{common} is the first language of the card (5F2D) that the terminal has");
    session.language.clone_from(common);
    let event = Event::new("terminal", "language selected").clause("EMV Book 4 11.1").because(reason);
    context.emit(event.with_tag(tag::LANGUAGE_PREFERENCE.0, fci.languages.concat()));
}

/// Nothing has been selected, so nothing has moved.
fn refused(session: Session, reason: &'static str, context: &mut Context) -> Next {
    let before = session.balance_before_minor;
    Next::done(session.outcome(Verdict::Refused, reason, before, context))
}

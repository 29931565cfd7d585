//! Outcome processing: EMV Contactless Book B 3.5. Approved, declined and online request are
//! the kernel's own; what begins again, or ends without a decision, ends here.

use super::{AlternateInterface, Message, combination_selection, final_selection};
use crate::air::link::LinkError;
use crate::base::context::Context;
use crate::base::event::Event;
use crate::roles::terminal::error::TerminalError;
use crate::roles::terminal::outcome::Verdict;
use crate::roles::terminal::phase::{Io, Next, Phase, Reply};
use crate::roles::terminal::session::{Session, Terms};
use std::fmt::Display;

const STEP: &str = "Outcome processing";
const CLAUSE: &str = "EMV Contactless Book B 3.5.1";
/// How often a card may be presented again in one transaction.
const PRESENTMENTS: usize = 3;

/// What the person is told where the card is to come again.
#[derive(Debug, Clone, Copy)]
pub(in crate::roles::terminal) struct Again {
    /// UI Request on Outcome.
    pub(in crate::roles::terminal) message: Message,
    /// Field Off Request: how long, milliseconds.
    pub(in crate::roles::terminal) field_off_ms: u32,
}

impl Again {
    /// The device is to verify its holder: Book C-3 5.4.2; the hold time is 13 units of 100 ms.
    pub(in crate::roles::terminal) const SEE_PHONE: Self =
        Self { message: Message::SeePhone, field_off_ms: 1300 };
    /// The link to the card was lost: Book B 3.5.1.3.
    const LINK_LOST: Self = Self { message: Message::PresentAgain, field_off_ms: 0 };
}

/// Select Next: this combination leaves the list and the next one is tried (Start C).
pub(in crate::roles::terminal) fn select_next(
    session: Session,
    reason: impl Display,
    context: &mut Context,
) -> Result<Next, TerminalError> {
    tell("Select Next", &reason, context);
    final_selection::begin(session.afresh(context), context)
}

/// Try Again: the card is presented once more (Start B). Bounded; somebody has to be there.
pub(in crate::roles::terminal) fn try_again(
    mut session: Session,
    again: Again,
    reason: impl Display,
    context: &mut Context,
) -> Next {
    tell("Try Again", &format!("{reason}; the field is off for {} ms", again.field_off_ms), context);
    session.entry_point.expected = session.entry_point.expected.take().or_else(|| session.card_mark());
    session.entry_point.presentments += 1;
    if session.entry_point.presentments > PRESENTMENTS {
        let reason = format!("{reason}, after {PRESENTMENTS} times");
        return end_application(session, again.message, reason, context);
    }
    let reason = reason.to_string();
    Next::wait(Io::PresentAgain(again.message), Presenting { session, again, reason })
}

/// The link was lost where nothing has moved: the card is presented again.
pub(in crate::roles::terminal) fn link_lost(
    session: Session,
    error: &LinkError,
    context: &mut Context,
) -> Next {
    try_again(session, Again::LINK_LOST, error, context)
}

/// What the card said cannot be used, before anything was asked of it that counts.
pub(in crate::roles::terminal) fn unusable(
    terms: Terms,
    error: &TerminalError,
    context: &mut Context,
) -> Next {
    end_application(Session::new(terms, context), Message::TryAnotherCard, error, context)
}

struct Presenting {
    session: Session,
    again: Again,
    reason: String,
}

impl Phase for Presenting {
    fn name(&self) -> &'static str {
        STEP
    }

    fn take(self: Box<Self>, reply: Reply, context: &mut Context) -> Result<Next, TerminalError> {
        match reply.presented(STEP)? {
            true => combination_selection::begin(self.session.afresh(context), context),
            false => Ok(end_application(self.session, self.again.message, self.reason, context)),
        }
    }

    fn release(self: Box<Self>) -> Option<Session> {
        Some(self.session)
    }
}

/// Try Another Interface: the card is to be inserted or swiped.
pub(in crate::roles::terminal) fn try_another_interface(
    mut session: Session,
    reason: impl Display,
    context: &mut Context,
) -> Next {
    tell("Try Another Interface", &reason, context);
    session.alternate_interface = Some(AlternateInterface::ContactChip);
    let before = session.balance_before_minor;
    Next::done(session.outcome(Verdict::TryAnotherInterface, reason.to_string(), before, context))
}

/// End Application: nothing has been decided.
pub(in crate::roles::terminal) fn end_application(
    mut session: Session,
    message: Message,
    reason: impl Display,
    context: &mut Context,
) -> Next {
    tell("End Application", &reason, context);
    session.entry_point.message = Some(message);
    let before = session.balance_before_minor;
    Next::done(session.outcome(Verdict::EndApplication, reason.to_string(), before, context))
}

/// The same card is asked once more, and is to go online this time (Start B, without
/// another presentment).
pub(in crate::roles::terminal) fn online_instead(
    mut session: Session,
    reason: impl Display,
    context: &mut Context,
) -> Result<Next, TerminalError> {
    context.emit(Event::new("terminal", "begins again, online").clause(CLAUSE).because(reason.to_string()));
    session.entry_point.online = true;
    session.entry_point.expected = session.card_mark();
    combination_selection::begin(session.afresh(context), context)
}

fn tell(outcome: &'static str, reason: &impl Display, context: &mut Context) {
    context.emit(Event::new("terminal", outcome).clause(CLAUSE).because(reason.to_string()));
}

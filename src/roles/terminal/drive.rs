//! The one loop that does input and output for a transaction.

use super::cardholder::Cardholder;
use super::entry_point;
use super::error::TerminalError;
use super::journal::{Change, Journal, State};
use super::outcome::Outcome;
use super::phase::{Io, Next, Reply, step};
use super::selection;
use super::session::Terms;
use crate::air::host::{Entry, Host};
use crate::air::link::Card;
use crate::base::context::Context;
use crate::base::event::Event;

/// More steps than any transaction needs: 30 files of records, scripts, and the rest.
const STEP_LIMIT: usize = 1024;

/// Everyone a transaction talks to.
pub struct Seat<'a> {
    /// The card.
    pub card: &'a mut dyn Card,
    /// A second card, that pays for the load of the first one.
    pub payer: Option<&'a mut dyn Card>,
    /// The host.
    pub host: &'a mut dyn Host,
    /// The person.
    pub cardholder: &'a mut dyn Cardholder,
    /// The terminal's journal.
    pub journal: &'a mut Journal,
}

/// Runs a transaction to its outcome. On an error the journal says what is due,
/// and the next start settles it.
pub fn drive(terms: Terms, seat: &mut Seat<'_>, context: &mut Context) -> Result<Outcome, TerminalError> {
    let row = terms.trace;
    let journalled = terms.flow.moves_money();
    let contactless = terms.mode != Entry::Contact;
    let spare = terms.clone();
    let mut opened = false;
    context.emit(Event::new("terminal", "transaction begins").because(match terms.mode {
        Entry::Contact => "over contacts",
        Entry::ContactlessQuick | Entry::ContactlessFull => "over contactless",
    }));
    let mut next = selection::begin(terms, context)?;
    let mut turn = Turn::Card;
    let mut told = "";
    for _ in 0..STEP_LIMIT {
        let (ask, phase) = match next {
            Next::Wait(ask, phase) => (ask, phase),
            Next::Done(outcome) => {
                seat.cardholder.show(outcome.verdict.message(), &outcome.language);
                return Ok(*outcome);
            }
        };
        for change in ask.first.iter().filter(|_| journalled) {
            seat.journal.write(row, change, context)?;
            opened |= matches!(change, Change::Open(_));
        }
        if let Some((message, language)) = &ask.show {
            seat.cardholder.show(*message, language);
        }
        let title = phase.name();
        if title != told {
            step(title, context);
            told = title;
        }
        let reply = exchange(ask.io, &mut turn, seat, context);
        // Entry Point takes care of its own card alone.
        let entry_point = contactless && turn == Turn::Card;
        let taken = match reply {
            Err(TerminalError::Link(error)) if entry_point && error.is_lost_exchange() => phase
                .release()
                .map(|session| entry_point::link_lost(session, &error, context))
                .ok_or(error.into()),
            reply => reply.and_then(|reply| phase.take(reply, context)),
        };
        next = match taken {
            Ok(next) => next,
            Err(error) if entry_point && (!opened && error.is_of_card() || error.is_other_card()) => {
                entry_point::unusable(spare.clone(), &error, context)
            }
            Err(error) => {
                context.emit(Event::new("terminal", "broken off").because(format!("{title}: {error}")));
                note_doubt(row, seat.journal, context)?;
                return Err(error);
            }
        };
    }
    note_doubt(row, seat.journal, context)?;
    Err(TerminalError::Endless { what: "the transaction", limit: STEP_LIMIT })
}

/// Which card commands go to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Turn {
    Card,
    Payer,
}

fn exchange(
    io: Io,
    turn: &mut Turn,
    seat: &mut Seat<'_>,
    context: &mut Context,
) -> Result<Reply, TerminalError> {
    Ok(match io {
        Io::Transmit(command) => Reply::Response(match (*turn, &mut seat.payer) {
            (Turn::Card, _) => seat.card.transmit(&command, context)?,
            (Turn::Payer, Some(payer)) => payer.transmit(&command, context)?,
            (Turn::Payer, None) => return Err(TerminalError::NoPayer),
        }),
        Io::TryTransmit(command) => match seat.card.transmit(&command, context) {
            Ok(response) => Reply::Response(response),
            Err(error) => {
                context.emit(Event::new("terminal", "the card has left").because(error.to_string()));
                Reply::Gone
            }
        },
        Io::TurnToPayer => {
            *turn = Turn::Payer;
            Reply::Nothing
        }
        Io::TurnToCard => {
            *turn = Turn::Card;
            Reply::Nothing
        }
        Io::EnterPin(prompt) => Reply::Pin(seat.cardholder.enter_pin(&prompt)),
        Io::Choose(applications) => Reply::Choice(seat.cardholder.choose(&applications)),
        Io::Confirm(application) => Reply::Confirmed(seat.cardholder.confirm(&application)),
        Io::PresentAgain(message) => {
            let presented = seat.cardholder.present_again(message);
            if presented {
                seat.card.reset(context)?;
            }
            Reply::Presented(presented)
        }
        Io::Authorise(request) => Reply::Answer(seat.host.authorise(&request, context)),
        Io::Advise(request) => Reply::Answer(seat.host.advise(&request, context)),
        Io::Reverse(request) => Reply::Answer(seat.host.reverse(&request, context)),
        Io::FindTorn { card, amount, since, most } => {
            Reply::Torn(seat.journal.torn(&card, amount, since, most)?.map(Box::new))
        }
        Io::Nothing => Reply::Nothing,
    })
}

/// A row whose card was told to change and did not answer is in doubt from now on.
fn note_doubt(
    (batch, trace): (u32, u32),
    journal: &mut Journal,
    context: &mut Context,
) -> Result<(), TerminalError> {
    let open = journal.open_rows()?;
    let row = open.iter().find(|row| (row.batch, row.trace) == (batch, trace));
    if row.is_some_and(|row| row.sent && row.state.may_become(State::InDoubt)) {
        journal.write((batch, trace), &Change::InDoubt, context)?;
    }
    Ok(())
}

//! Final combination selection, Start C, and kernel activation, Start D: EMV Contactless
//! Book B 3.3.2.6 to 3.4.

use super::progress::{Candidate, Indicators};
use super::{Message, end_application};
use crate::base::context::Context;
use crate::base::event::Event;
use crate::roles::terminal::error::TerminalError;
use crate::roles::terminal::flow::Flow;
use crate::roles::terminal::kernel_row::Kernel;
use crate::roles::terminal::phase::{Next, Phase, Reply};
use crate::roles::terminal::session::Session;
use crate::roles::terminal::step::application_selection::Selected;
use crate::words::dictionary::tag;
use crate::words::emv::{Fci, Ttq};
use crate::words::iso7816::command::Select;
use crate::words::iso7816::{Aid, ApduCommand, StatusWord};

const STEP: &str = "Final combination selection";
/// The kernel that needs qualifiers, and the RID of its cards: 3.3.3.6.
const KERNEL_3: (u8, [u8; 5]) = (3, [0xA0, 0x00, 0x00, 0x00, 0x03]);

/// Step 3: selects the best candidate that is left.
pub(super) fn begin(mut session: Session, context: &mut Context) -> Result<Next, TerminalError> {
    let Some(chosen) = session.entry_point.candidates.pop() else {
        // 3.3.2.7.
        let names = session.terms.config.combinations.iter().flat_map(|of| &of.aids);
        let looked_for: Vec<_> = names.map(ToString::to_string).collect();
        let reason = format!("no candidate is left; the reader knows {}", looked_for.join(", "));
        return Ok(end_application(session, Message::TryAnotherCard, reason, context));
    };
    let combination = session.terms.config.combinations.get(chosen.indicators.place);
    let extends = combination.is_some_and(|of| of.extended_selection);
    context.emit(
        Event::new("terminal", "combination chosen")
            .clause("EMV Contactless Book B 3.3.3.2")
            .because(format!(
                "kernel {}, the highest priority of {} in common",
                combination.map_or(0, |of| of.kernel),
                session.entry_point.candidates.len() + 1
            ))
            .with_tag(tag::DF_NAME.0, chosen.name.as_bytes()),
    );
    // 3.3.3.3.
    let extended = chosen.extended.as_ref().filter(|_| extends);
    let longer = extended.and_then(|more| Aid::new([chosen.name.as_bytes(), more].concat()));
    let ask = Select::first(longer.unwrap_or_else(|| chosen.name.clone()));
    Ok(Next::transmit(ask.to_apdu(), Selecting { session, ask, chosen }))
}

struct Selecting {
    session: Session,
    ask: Select,
    chosen: Candidate,
}

impl Phase for Selecting {
    fn name(&self) -> &'static str {
        STEP
    }

    fn take(self: Box<Self>, reply: Reply, context: &mut Context) -> Result<Next, TerminalError> {
        let Self { session, ask, chosen } = *self;
        let response = reply.response(STEP)?;
        if response.status != StatusWord::OK {
            let reason = format!("SELECT answered {}", response.status);
            return pass_over(session, "EMV Contactless Book B 3.3.3.5", reason, context);
        }
        let fci = Fci::parse(&response.data, &ask.name)?;
        activate(session, fci, chosen.indicators, context)
    }

    fn release(self: Box<Self>) -> Option<Session> {
        Some(self.session)
    }
}

/// 3.4: the kernel of the combination gets the card and the pre-processing indicators.
fn activate(
    mut session: Session,
    fci: Fci,
    indicators: Indicators,
    context: &mut Context,
) -> Result<Next, TerminalError> {
    let config = std::sync::Arc::clone(&session.terms.config);
    let combination = config.combinations.get(indicators.place);
    let kernel = combination.and_then(|of| Kernel::of_combination(of.kernel, of.path));
    let (Some(combination), Some(kernel)) = (combination, kernel) else {
        let reason = "the reader has no kernel for it".to_owned();
        return pass_over(session, "EMV Contactless Book B 3.4.1.1", reason, context);
    };
    let qualified = fci.pdol.as_ref().is_some_and(|pdol| pdol.asks_for(tag::TTQ));
    if (combination.kernel, true) == (KERNEL_3.0, fci.df_name.begins_with(&KERNEL_3.1)) && !qualified {
        let reason = "it asks for no qualifiers (9F66), and the reader has no kernel 1".to_owned();
        return pass_over(session, "EMV Contactless Book B 3.3.3.6", reason, context);
    }
    context.emit(
        Event::new("terminal", "kernel activated")
            .clause("EMV Contactless Book B 3.4.1.1")
            .because(kernel.name)
            .with_tag(tag::DF_NAME.0, fci.df_name.as_bytes()),
    );
    session.enter(fci.df_name.as_bytes());
    session.terms.mode = kernel.mode;
    session.entry_point.selected = Some(indicators.place);
    if let Some(mut ttq) = indicators.ttq {
        if session.entry_point.online || session.terms.flow == Flow::Ride {
            ttq.set(Ttq::ONLINE_REQUIRED);
        }
        session.store.put(tag::TTQ, ttq.0);
    }
    for (tag, value) in &combination.data {
        session.store.put(*tag, value.0.as_slice());
    }
    (kernel.begin)(Selected { session, fci, others: Vec::new() }, context)
}

/// The combination leaves the Candidate List: Start C.
fn pass_over(
    session: Session,
    clause: &'static str,
    reason: String,
    context: &mut Context,
) -> Result<Next, TerminalError> {
    context.emit(Event::new("terminal", "application passed over").clause(clause).because(reason));
    begin(session, context)
}

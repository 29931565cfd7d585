//! Pre-processing, Start A: EMV Contactless Book B 3.1. What the amount means for each
//! combination, before a card is there.

use super::progress::Indicators;
use super::{Combination, combination_selection, try_another_interface};
use crate::base::context::Context;
use crate::base::event::Event;
use crate::roles::terminal::error::TerminalError;
use crate::roles::terminal::phase::Next;
use crate::roles::terminal::session::Session;
use crate::words::dictionary::tag;
use crate::words::emv::Ttq;
use crate::words::iso4217::Amount;

/// Looks at every combination; with one at least that is allowed the card is asked.
pub(in crate::roles::terminal) fn begin(
    mut session: Session,
    context: &mut Context,
) -> Result<Next, TerminalError> {
    let config = std::sync::Arc::clone(&session.terms.config);
    let mode = session.terms.mode;
    let ours = config.combinations.iter().enumerate().filter(|(_, of)| of.path.entry() == mode);
    for (place, combination) in ours {
        let application = combination.aids.first().and_then(|aid| config.application(aid.as_bytes()));
        let floor_limit = application.and_then(|of| of.risk).unwrap_or(config.risk).floor_limit_minor;
        match pre_process(place, combination, session.terms.amount, floor_limit) {
            Ok(indicators) => {
                tell(combination, indicators, context);
                session.entry_point.allowed.push(indicators);
            }
            Err((clause, reason)) => context.emit(
                Event::new("terminal", "contactless application not allowed")
                    .clause(clause)
                    .because(format!("kernel {}: {reason}", combination.kernel)),
            ),
        }
    }
    if session.entry_point.allowed.is_empty() {
        // 3.1.1.13.
        let reason = "no contactless application is allowed for this amount";
        return Ok(try_another_interface(session, reason, context));
    }
    combination_selection::begin(session, context)
}

/// The indicators of a combination, or why it is not allowed.
fn pre_process(
    place: usize,
    combination: &Combination,
    amount: Amount,
    floor_limit_minor: u64,
) -> Result<Indicators, (&'static str, &'static str)> {
    // 3.1.1.1 and 3.1.1.2: begins from nothing, and from the qualifiers of the file.
    let copy = combination.ttq.map(|ttq| {
        let mut ttq = Ttq(ttq.0);
        ttq.clear(Ttq::ONLINE_REQUIRED);
        ttq.clear(Ttq::CVM_REQUIRED);
        ttq
    });
    let mut indicators = Indicators { place, ttq: copy, ..Indicators::default() };
    // 3.1.1.3: one unit, such as 1.00.
    let unit = 10_u64.pow(u32::from(amount.currency.exponent()));
    indicators.status_check = combination.status_check && amount.minor == unit;
    // 3.1.1.4.
    indicators.zero_amount = amount.minor == 0;
    if indicators.zero_amount && !combination.zero_amount_allowed {
        return Err(("EMV Contactless Book B 3.1.1.4", "an amount of 0 is not allowed"));
    }
    // 3.1.1.5.
    if combination.transaction_limit_minor.is_some_and(|limit| amount.minor >= limit) {
        let reason = "the amount has reached the reader contactless transaction limit";
        return Err(("EMV Contactless Book B 3.1.1.5", reason));
    }
    // 3.1.1.6 and 3.1.1.7.
    indicators.above_floor_limit = amount.minor > combination.floor_limit_minor.unwrap_or(floor_limit_minor);
    // 3.1.1.8.
    indicators.cvm_required = combination.cvm_limit_minor.is_some_and(|limit| amount.minor >= limit);
    if let Some(ttq) = &mut indicators.ttq {
        // 3.1.1.11.
        if indicators.zero_amount && ttq.has(Ttq::OFFLINE_ONLY) {
            let reason = "an amount of 0 goes online, and the reader is offline only";
            return Err(("EMV Contactless Book B 3.1.1.11", reason));
        }
        // 3.1.1.9 to 3.1.1.12.
        if indicators.above_floor_limit || indicators.status_check || indicators.zero_amount {
            ttq.set(Ttq::ONLINE_REQUIRED);
        }
        if indicators.cvm_required {
            ttq.set(Ttq::CVM_REQUIRED);
        }
    }
    Ok(indicators)
}

fn tell(combination: &Combination, indicators: Indicators, context: &mut Context) {
    let found = [
        (indicators.status_check, "3.1.1.3", "status check requested"),
        (indicators.zero_amount, "3.1.1.4", "zero amount"),
        (indicators.above_floor_limit, "3.1.1.6", "reader contactless floor limit exceeded"),
        (indicators.cvm_required, "3.1.1.8", "reader CVM required limit exceeded"),
    ];
    for (_, clause, what) in found.into_iter().filter(|found| found.0) {
        let event = Event::new("terminal", "pre-processing")
            .clause("EMV Contactless Book B 3.1")
            .because(format!("kernel {}: {what} ({clause})", combination.kernel));
        context.emit(match indicators.ttq {
            Some(ttq) => event.with_tag(tag::TTQ.0, ttq.0),
            None => event,
        });
    }
}

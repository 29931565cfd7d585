//! Any bytes are a recording or an error; what is read is told, compared, replayed and
//! made into a capture without a panic.

use cardwright::air::link::{Endpoint, Interface};
use cardwright::air::trace::{Compared, Trace};
use cardwright::base::context::Context;
use cardwright::base::event::Discard;
use cardwright::observers::report::{explain_text, trace_listing_text, trace_page};
use cardwright::roles::card::Replay;

/// One try.
pub fn run(data: &[u8]) {
    let Ok(trace) = Trace::read(data) else { return };
    let trace = trace.masked();
    let _ = (explain_text(&trace), trace_listing_text(&trace), trace_page(&trace), trace.to_pcapng());
    let _ = trace.differences(&trace, Compared::Everything);
    let _ = cardwright::world::profile_of(&trace);
    if let Some(mut card) = Replay::of(&trace, "a recording") {
        let mut context = Context::simulated(1, Discard);
        card.power_on(Interface::Contact, &mut context);
        for exchange in trace.exchanges() {
            let _ = card.process(exchange.command, &mut context);
        }
    }
}

//! A terminal's messages to its host, as a planted fault makes them.

use super::fault::{Change, Fault, MessageChange};
use crate::air::host::{Answer, Attended, Host, Request, ResponseCode, send};
use crate::base::bytes::Secret;
use crate::words::iso4217::Amount;

/// The host as a terminal with a fault speaks to it. One whose fault is none of messages
/// speaks as ever.
pub(in crate::world) fn planted_host(host: Box<dyn Host>, fault: &'static Fault) -> Box<dyn Host> {
    let Change::Message(change) = fault.change else { return host };
    Box::new(Attended::by(host, move |host, verb, request, context| match change {
        MessageChange::Unsent(unsent) if unsent == verb => {
            Ok(Answer::new(ResponseCode::APPROVED, "nobody was asked"))
        }
        _ => send(verb, host, &changed(request, change), context),
    }))
}

fn changed(request: &Request, change: MessageChange) -> Request {
    let mut request = request.clone();
    match change {
        MessageChange::Unsent(_) => {}
        MessageChange::Amount => {
            request.amount = Amount::new(request.amount.minor + 1, request.amount.currency);
        }
        MessageChange::Without(tag) => {
            request.chip.remove(tag);
        }
        MessageChange::WithoutPin => request.pin = None,
        MessageChange::WithPin => request.pin = Some(Secret::new("123456".into())),
    }
    request
}

//! A terminal of another make: what it tells a host otherwise than ours does.

use crate::air::host::{Attended, Host, Kind, MessageClass, Original, ResponseCode, Settlement, Verb, send};
use crate::words::dictionary::tag;
use crate::words::emv::ScriptResult;

/// A terminal of another make: where ours reverses because the card refused the
/// script, it tells the refusal by a notice, and leaves the rest to the host.
pub(in crate::world) fn tells_refusal(inner: Box<dyn Host>) -> Box<dyn Host> {
    Box::new(Attended::by(inner, |host, verb, request, context| {
        let results = request.chip.value(tag::ISSUER_SCRIPT_RESULTS).unwrap_or_default();
        let refused = results
            .chunks(5)
            .any(|entry| matches!(ScriptResult::from_byte(entry[0]), Some(ScriptResult::Failed(_))));
        if !matches!(verb, Verb::Reverse) || !refused {
            return send(verb, host, request, context);
        }
        let mut notice = request.clone();
        notice.key.class = MessageClass::Notice;
        notice.kind = Kind::ScriptResult;
        notice.original = Some(Original { batch: request.key.batch, trace: request.key.trace });
        let mut answer = send(Verb::Advise, host, &notice, context)?;
        if answer.settlement == Some(Settlement::Open) {
            // The host took note; for this make that is the end.
            answer.code = ResponseCode::APPROVED;
            answer.settlement = None;
        }
        Ok(answer)
    }))
}

//! A host around a host: one function sees every message on its way.

use super::muted_host::send;
use crate::air::host::{
    Answer, Host, HostError, Kind, MessageClass, Original, Request, ResponseCode, Settlement, Verb,
};
use crate::base::context::Context;
use crate::words::dictionary::tag;
use crate::words::emv::ScriptResult;

/// The host around it.
pub struct Relay<H, F> {
    inner: H,
    way: F,
}

impl<H: Host, F> Relay<H, F>
where
    F: FnMut(&mut dyn Host, Verb, &Request, &mut Context) -> Result<Answer, HostError> + Send,
{
    /// Messages to `inner` go by `way`.
    pub fn new(inner: H, way: F) -> Self {
        Self { inner, way }
    }
}

impl<H: Host, F> Host for Relay<H, F>
where
    F: FnMut(&mut dyn Host, Verb, &Request, &mut Context) -> Result<Answer, HostError> + Send,
{
    fn authorise(&mut self, request: &Request, context: &mut Context) -> Result<Answer, HostError> {
        (self.way)(&mut self.inner, Verb::Authorise, request, context)
    }

    fn advise(&mut self, request: &Request, context: &mut Context) -> Result<Answer, HostError> {
        (self.way)(&mut self.inner, Verb::Advise, request, context)
    }

    fn reverse(&mut self, request: &Request, context: &mut Context) -> Result<Answer, HostError> {
        (self.way)(&mut self.inner, Verb::Reverse, request, context)
    }
}

/// A terminal of another make: where ours reverses because the card refused the
/// script, it tells the refusal by a notice, and leaves the rest to the host.
pub(in crate::world) fn tells_refusal(inner: Box<dyn Host>) -> Box<dyn Host> {
    Box::new(Relay::new(inner, |host, verb, request, context| {
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

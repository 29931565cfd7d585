//! An acquirer: it ends the lines of terminals, and asks the host behind it. It keeps no
//! books and decides nothing; the key under which a message acts once goes through it as
//! it is, so that a terminal's reversal finds its original whatever happens here.

use super::{Answer, BatchTotals, Host, HostError, MessageClass, Request, ResponseCode};
use crate::base::context::Context;
use crate::base::event::Event;

/// Forwards every message to `upstream`, which has keys of its own: a PIN leaves the
/// terminal's block and goes into the line's, and nowhere else.
pub struct Forwarder<H> {
    upstream: H,
}

impl<H: Host> Forwarder<H> {
    /// Forwards to a host.
    pub fn new(upstream: H) -> Self {
        Self { upstream }
    }
}

impl<H: Host> Host for Forwarder<H> {
    /// A request that certainly never left is declined with 91. One that may have reached
    /// the issuer gets no answer at all: a decline could be a lie, and silence makes the
    /// terminal reverse.
    fn authorise(&mut self, request: &Request, context: &mut Context) -> Result<Answer, HostError> {
        match self.upstream.authorise(request, context) {
            Err(HostError::Unreachable { cause }) if request.key.class == MessageClass::Request => {
                context.emit(Event::new("acquirer", "Issuer Unreachable").because(cause));
                let reason = "the issuer cannot be reached; nothing was sent to it";
                Ok(Answer::new(ResponseCode::ISSUER_UNREACHABLE, reason))
            }
            other => other,
        }
    }

    fn advise(&mut self, request: &Request, context: &mut Context) -> Result<Answer, HostError> {
        self.upstream.advise(request, context)
    }

    fn reverse(&mut self, request: &Request, context: &mut Context) -> Result<Answer, HostError> {
        self.upstream.reverse(request, context)
    }

    fn settle(&mut self, totals: &BatchTotals, context: &mut Context) -> Result<Answer, HostError> {
        self.upstream.settle(totals, context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::air::host::request_message::tests::load;
    use crate::base::event::Discard;

    /// Fails in one way.
    struct Failing(HostError);

    impl Host for Failing {
        fn authorise(&mut self, _: &Request, _: &mut Context) -> Result<Answer, HostError> {
            Err(self.0.clone())
        }

        fn advise(&mut self, _: &Request, _: &mut Context) -> Result<Answer, HostError> {
            Err(self.0.clone())
        }

        fn reverse(&mut self, _: &Request, _: &mut Context) -> Result<Answer, HostError> {
            Err(self.0.clone())
        }
    }

    #[test]
    fn only_what_was_certainly_not_sent_is_declined() {
        let mut context = Context::simulated(1, Discard);
        let cause = || "away".to_owned();
        let unreachable = HostError::Unreachable { cause: cause() };
        let answer = Forwarder::new(Failing(unreachable.clone())).authorise(&load(), &mut context).unwrap();
        assert_eq!(answer.code, ResponseCode::ISSUER_UNREACHABLE);
        let doubtful = [
            HostError::NoAnswer { timeout_ms: 1 },
            HostError::Unusable { cause: cause() },
            HostError::Failed { cause: cause() },
        ];
        for error in doubtful {
            let mut host = Forwarder::new(Failing(error.clone()));
            assert_eq!(host.authorise(&load(), &mut context), Err(error));
        }
        let mut host = Forwarder::new(Failing(unreachable.clone()));
        assert_eq!(host.reverse(&load(), &mut context), Err(unreachable.clone()), "it stays due");
        assert_eq!(host.advise(&load(), &mut context), Err(unreachable));
    }
}

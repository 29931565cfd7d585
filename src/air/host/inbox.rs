//! A host played by somebody who sees every message on its way: answers it, lets the host
//! behind answer, late, twice or never. What is decided, and why, stays with whoever plays.

use super::{Answer, BatchTotals, Delivery, Host, HostError, Request, Verb};
use crate::base::context::Context;

/// What takes messages in a host's place.
pub trait Inbox: Send {
    /// Takes a message by the verb that carries it, and gives its answer; `behind` is the
    /// host that would have answered.
    fn receive(
        &mut self,
        behind: &mut dyn Host,
        verb: Verb,
        request: &Request,
        context: &mut Context,
    ) -> Result<Answer, HostError>;

    /// How the answer just given is to be sent: never, once, twice, late.
    fn delivery(&mut self) -> Delivery {
        Delivery::default()
    }
}

/// Whoever only looks and answers is a function.
impl<F> Inbox for F
where
    F: FnMut(&mut dyn Host, Verb, &Request, &mut Context) -> Result<Answer, HostError> + Send,
{
    fn receive(
        &mut self,
        behind: &mut dyn Host,
        verb: Verb,
        request: &Request,
        context: &mut Context,
    ) -> Result<Answer, HostError> {
        self(behind, verb, request, context)
    }
}

/// Sends a message by the verb that carries it.
pub fn send(
    verb: Verb,
    host: &mut dyn Host,
    request: &Request,
    context: &mut Context,
) -> Result<Answer, HostError> {
    match verb {
        Verb::Authorise => host.authorise(request, context),
        Verb::Advise => host.advise(request, context),
        Verb::Reverse => host.reverse(request, context),
    }
}

/// A host in front of which somebody takes the messages. Sums of a batch go past.
pub struct Attended<H, I> {
    behind: H,
    inbox: I,
}

impl<H, I: Inbox> Attended<H, I> {
    /// Puts somebody in front of a host.
    pub fn new(behind: H, inbox: I) -> Self {
        Self { behind, inbox }
    }
}

impl<H: Host, F> Attended<H, F>
where
    F: FnMut(&mut dyn Host, Verb, &Request, &mut Context) -> Result<Answer, HostError> + Send,
{
    /// Puts a function in front of a host.
    pub fn by(behind: H, way: F) -> Self {
        Self::new(behind, way)
    }
}

impl<H: Host, I: Inbox> Host for Attended<H, I> {
    fn authorise(&mut self, request: &Request, context: &mut Context) -> Result<Answer, HostError> {
        self.inbox.receive(&mut self.behind, Verb::Authorise, request, context)
    }

    fn advise(&mut self, request: &Request, context: &mut Context) -> Result<Answer, HostError> {
        self.inbox.receive(&mut self.behind, Verb::Advise, request, context)
    }

    fn reverse(&mut self, request: &Request, context: &mut Context) -> Result<Answer, HostError> {
        self.inbox.receive(&mut self.behind, Verb::Reverse, request, context)
    }

    fn settle(&mut self, totals: &BatchTotals, context: &mut Context) -> Result<Answer, HostError> {
        self.behind.settle(totals, context)
    }

    fn delivery(&mut self) -> Delivery {
        self.inbox.delivery()
    }
}

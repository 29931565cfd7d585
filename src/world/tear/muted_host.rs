//! A host whose messages get lost or come twice.

use crate::air::host::{Answer, BatchTotals, Host, HostError, Request};
use crate::base::context::Context;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What happens to a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum HostPoint {
    /// It never reaches the host.
    RequestLost,
    /// The host acts; its answer never comes.
    AnswerLost,
    /// It reaches the host twice; the second answer comes.
    Twice,
    /// The host acts on it; no answer comes, and nothing gets through any more.
    Down,
    /// It reaches the host only after the message that follows it.
    Late,
}

impl HostPoint {
    /// Every point.
    pub const ALL: &'static [Self] =
        &[Self::RequestLost, Self::AnswerLost, Self::Twice, Self::Down, Self::Late];
}

/// Which message it happens to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct HostPlan {
    /// Which, counted from 0 since the plan was armed.
    pub message: usize,
    /// What happens to it.
    pub point: HostPoint,
}

/// The hand on the line; clones are the same hand.
#[derive(Debug, Clone, Default)]
pub struct HostControl(Arc<Mutex<Line>>);

#[derive(Debug, Default)]
struct Line {
    plan: Option<HostPlan>,
    messages: usize,
    /// A second answer that was not the first one.
    differed: bool,
}

impl HostControl {
    /// Does as the plan says, counting from now.
    pub fn arm(&self, plan: Option<HostPlan>) {
        *self.line() = Line { plan, messages: 0, differed: false };
    }

    /// Messages since it was armed.
    pub fn messages(&self) -> usize {
        self.line().messages
    }

    /// Whether a message that came twice was answered in two ways.
    pub fn differed(&self) -> bool {
        self.line().differed
    }

    fn line(&self) -> MutexGuard<'_, Line> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn next(&self) -> Option<HostPoint> {
        let mut line = self.line();
        let point = match line.plan {
            Some(plan) if plan.message == line.messages => Some(plan.point),
            Some(HostPlan { message, point: HostPoint::Down }) if message < line.messages => {
                Some(HostPoint::RequestLost)
            }
            _ => None,
        };
        line.messages += 1;
        point
    }
}

/// Which verb of the trait carries a message.
#[derive(Debug, Clone, Copy)]
enum Verb {
    Authorise,
    Advise,
    Reverse,
}

/// Wraps a host.
pub struct MutedHost<H> {
    inner: H,
    control: HostControl,
    /// A message that is still on its way.
    late: Option<(Verb, Request)>,
}

impl<H: Host> MutedHost<H> {
    /// Wraps a host.
    pub fn new(inner: H, control: HostControl) -> Self {
        Self { inner, control, late: None }
    }

    fn deliver(&mut self, verb: Verb, request: &Request, context: &mut Context) -> Result<Answer, HostError> {
        let late = self.late.take();
        let result = match self.control.next() {
            None => self.send(verb, request, context),
            Some(HostPoint::RequestLost) => Err(lost()),
            Some(HostPoint::AnswerLost | HostPoint::Down) => {
                self.send(verb, request, context)?;
                Err(lost())
            }
            Some(HostPoint::Twice) => {
                let first = self.send(verb, request, context)?;
                let second = self.send(verb, request, context)?;
                if first != second {
                    self.control.line().differed = true;
                }
                Ok(second)
            }
            Some(HostPoint::Late) => {
                self.late = Some((verb, request.clone()));
                Err(lost())
            }
        };
        if let Some((verb, request)) = late {
            // Its answer finds nobody who waits for it.
            let _ = self.send(verb, &request, context);
        }
        result
    }

    fn send(&mut self, verb: Verb, request: &Request, context: &mut Context) -> Result<Answer, HostError> {
        match verb {
            Verb::Authorise => self.inner.authorise(request, context),
            Verb::Advise => self.inner.advise(request, context),
            Verb::Reverse => self.inner.reverse(request, context),
        }
    }
}

impl<H: Host> Host for MutedHost<H> {
    fn authorise(&mut self, request: &Request, context: &mut Context) -> Result<Answer, HostError> {
        self.deliver(Verb::Authorise, request, context)
    }

    fn advise(&mut self, request: &Request, context: &mut Context) -> Result<Answer, HostError> {
        self.deliver(Verb::Advise, request, context)
    }

    fn reverse(&mut self, request: &Request, context: &mut Context) -> Result<Answer, HostError> {
        self.deliver(Verb::Reverse, request, context)
    }

    fn settle(&mut self, totals: &BatchTotals, context: &mut Context) -> Result<Answer, HostError> {
        match self.control.next() {
            None => self.inner.settle(totals, context),
            // Sums that come late are sent again before anything else.
            Some(HostPoint::RequestLost | HostPoint::Late) => Err(lost()),
            Some(HostPoint::AnswerLost | HostPoint::Down) => {
                self.inner.settle(totals, context)?;
                Err(lost())
            }
            Some(HostPoint::Twice) => {
                let first = self.inner.settle(totals, context)?;
                let second = self.inner.settle(totals, context)?;
                if first != second {
                    self.control.line().differed = true;
                }
                Ok(second)
            }
        }
    }
}

fn lost() -> HostError {
    HostError::NoAnswer { timeout_ms: 30_000 }
}

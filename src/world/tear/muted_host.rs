//! A host whose messages get lost, come twice, late, or in another order.

use crate::air::host::{Answer, BatchTotals, Host, HostError, Request, Verb, send};
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
    /// It reaches the host when everyone has long given it up.
    Delayed,
}

impl HostPoint {
    /// Every point.
    pub const ALL: &'static [Self] =
        &[Self::RequestLost, Self::AnswerLost, Self::Twice, Self::Down, Self::Late, Self::Delayed];

    /// For tables.
    pub const fn word(self) -> &'static str {
        match self {
            Self::RequestLost => "message to the host lost",
            Self::AnswerLost => "answer of the host lost",
            Self::Twice => "message delivered twice",
            Self::Down => "host silent from here on",
            Self::Late => "message overtaken by the next",
            Self::Delayed => "message delayed to the end",
        }
    }
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
    /// A message that the next one overtakes.
    late: Option<(Verb, Request)>,
    /// Messages that nobody waits for any more, in the order in which they were sent.
    delayed: Vec<(Verb, Request)>,
}

impl HostControl {
    /// Does as the plan says, counting from now. What is on its way stays so.
    pub fn arm(&self, plan: Option<HostPlan>) {
        let mut line = self.line();
        *line = Line { plan, messages: 0, differed: false, ..std::mem::take(&mut *line) };
    }

    /// What is delayed reaches the host now; nobody waits for its answers.
    pub fn deliver_delayed(&self, host: &mut dyn Host, context: &mut Context) {
        let delayed = std::mem::take(&mut self.line().delayed);
        for (verb, request) in delayed {
            let _ = send(verb, host, &request, context);
        }
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

/// Wraps a host.
pub struct MutedHost<H> {
    inner: H,
    control: HostControl,
}

impl<H: Host> MutedHost<H> {
    /// Wraps a host.
    pub fn new(inner: H, control: HostControl) -> Self {
        Self { inner, control }
    }

    fn deliver(&mut self, verb: Verb, request: &Request, context: &mut Context) -> Result<Answer, HostError> {
        let late = self.control.line().late.take();
        let result = match self.control.next() {
            None => send(verb, &mut self.inner, request, context),
            Some(HostPoint::RequestLost) => Err(lost()),
            Some(HostPoint::AnswerLost | HostPoint::Down) => {
                send(verb, &mut self.inner, request, context)?;
                Err(lost())
            }
            Some(HostPoint::Twice) => {
                let first = send(verb, &mut self.inner, request, context)?;
                let second = send(verb, &mut self.inner, request, context)?;
                if first != second {
                    self.control.line().differed = true;
                }
                Ok(second)
            }
            Some(HostPoint::Delayed) => {
                self.control.line().delayed.push((verb, request.clone()));
                Err(lost())
            }
            Some(HostPoint::Late) => {
                self.control.line().late = Some((verb, request.clone()));
                Err(lost())
            }
        };
        if let Some((verb, request)) = late {
            // Its answer finds nobody who waits for it.
            let _ = send(verb, &mut self.inner, &request, context);
        }
        result
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
            // Sums are sent again before anything else, so late ones are lost ones.
            Some(HostPoint::RequestLost | HostPoint::Late | HostPoint::Delayed) => Err(lost()),
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

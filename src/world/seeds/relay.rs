//! A host around a host: one function sees every message on its way.

use crate::air::host::{
    Answer, Host, HostError, Kind, MessageClass, Original, Request, ResponseCode, Settlement, Verb,
};
use crate::base::context::Context;
use crate::words::dictionary::tag;
use crate::words::emv::ScriptResult;
use crate::words::iso4217::Currency;
use crate::world::tear::send;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The host around it.
pub(super) struct Relay<H, F> {
    inner: H,
    way: F,
}

impl<H: Host, F> Relay<H, F>
where
    F: FnMut(&mut dyn Host, Verb, &Request, &mut Context) -> Result<Answer, HostError> + Send,
{
    /// Messages to `inner` go by `way`.
    pub(super) fn new(inner: H, way: F) -> Self {
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

/// What reached the issuer; clones are the same notes.
#[derive(Debug, Clone, Default)]
pub(super) struct Notes(Arc<Mutex<Noted>>);

#[derive(Debug, Default)]
pub(super) struct Noted {
    /// Loads by card, currency and counter: each shows the card's balance.
    pub(super) loads: BTreeSet<(String, Currency, u16)>,
    /// Uploaded sales by terminal, batch and trace; whether it is certain that they
    /// are booked, or the issuer stopped over them.
    pub(super) uploads: BTreeMap<(String, u32, u32), bool>,
}

impl Notes {
    /// What was noted so far.
    pub(super) fn read(&self) -> MutexGuard<'_, Noted> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A host that notes what is answered.
    pub(super) fn around(&self, inner: Box<dyn Host>) -> Box<dyn Host> {
        let notes = self.clone();
        Box::new(Relay::new(inner, move |host, verb, request, context| {
            let answer = send(verb, host, request, context);
            notes.read().note(verb, request, answer.as_ref().ok());
            answer
        }))
    }
}

impl Noted {
    fn note(&mut self, verb: Verb, request: &Request, answer: Option<&Answer>) {
        let key = &request.key;
        match (verb, request.kind) {
            (Verb::Advise, Kind::OfflineSale) => {
                let key = (key.terminal.clone(), key.batch, key.trace);
                match answer {
                    Some(answer) if answer.code.is_approved() => {
                        self.uploads.insert(key, true);
                    }
                    Some(_) => {}
                    None => {
                        self.uploads.entry(key).or_insert(false);
                    }
                }
            }
            (Verb::Authorise, Kind::LinkedLoad | Kind::CashLoad | Kind::PendingLoad | Kind::UnloadScript)
                if answer.is_some() =>
            {
                if let Some(atc) = request.chip.array(tag::ATC).map(u16::from_be_bytes) {
                    self.loads.insert((request.pan.expose().clone(), request.amount.currency, atc));
                }
            }
            _ => {}
        }
    }
}

/// A terminal of another make: where ours reverses because the card refused the
/// script, it tells the refusal by a notice, and leaves the rest to the host.
pub(super) fn tells_refusal(inner: Box<dyn Host>) -> Box<dyn Host> {
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

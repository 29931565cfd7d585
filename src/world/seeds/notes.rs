//! What reached the issuer, noted on the line before it.

use crate::air::host::{Answer, Attended, Host, Kind, Request, Settlement, Verb, send};
use crate::words::dictionary::tag;
use crate::words::iso4217::Currency;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What reached the issuer; clones are the same notes.
#[derive(Debug, Clone, Default)]
pub(super) struct Notes(Arc<Mutex<Noted>>);

#[derive(Debug, Default)]
pub(super) struct Noted {
    /// Approved loads by card, currency and counter: each has shown the card's balance.
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
        Box::new(Attended::by(inner, move |host, verb, request, context| {
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
            // A claim may be booked at any later message of its card.
            (Verb::Authorise, Kind::SaleClaim) => {
                let key = (key.terminal.clone(), key.batch, key.trace);
                match answer.and_then(|answer| answer.settlement) {
                    Some(Settlement::Landed) => self.uploads.insert(key, true),
                    Some(Settlement::Returned) => self.uploads.remove(&key),
                    Some(Settlement::Open) | None => self.uploads.insert(key, false),
                };
            }
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
                if answer.is_some_and(|answer| answer.code.is_approved()) =>
            {
                if let Some(atc) = request.chip.array(tag::ATC).map(u16::from_be_bytes) {
                    self.loads.insert((request.pan.expose().clone(), request.amount.currency, atc));
                }
            }
            _ => {}
        }
    }
}

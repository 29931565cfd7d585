//! Names that are looked up at the other device (NFC Forum LLCP 1.3, 5.9): which answer
//! belongs to which. What is sent, and when, is the link's.

use super::pdu::Sap;
use std::collections::BTreeMap;

/// What a look-up came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LookUp {
    Asked,
    Answered(Option<Sap>),
}

/// The names that were looked up, each with the number (TID) of its request.
#[derive(Default)]
pub(super) struct LookUps {
    names: BTreeMap<String, (u8, LookUp)>,
}

impl LookUps {
    /// What is known of a name; `None` where it was never asked for.
    pub fn known(&self, name: &str) -> Option<LookUp> {
        self.names.get(name).map(|(_, known)| *known)
    }

    /// Notes that a name is asked for: the number of the request. While an answer is due its
    /// number stands for nothing else; `None` where all of them are due.
    pub fn ask(&mut self, name: &str) -> Option<u8> {
        let waits = |tid: &u8| self.names.values().any(|row| *row == (*tid, LookUp::Asked));
        let tid = (0..=u8::MAX).find(|tid| !waits(tid))?;
        self.names.insert(name.to_owned(), (tid, LookUp::Asked));
        Some(tid)
    }

    /// Takes the answer to a request.
    pub fn answer(&mut self, tid: u8, sap: Option<Sap>) {
        if let Some((_, known)) = self.names.values_mut().find(|row| **row == (tid, LookUp::Asked)) {
            *known = LookUp::Answered(sap);
        }
    }
}

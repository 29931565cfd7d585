//! The messages that tell the host of a row of the journal.

use super::entry::Entry;
use crate::air::host::{Kind, MessageClass, MessageKey, Original, Request};
use crate::base::bytes::Secret;
use crate::words::dictionary::tag;
use crate::words::emv::ScriptResult;

impl Entry {
    /// The message that tells the row as a detail of its batch.
    pub fn detail(&self, merchant: &str, terminal: &str) -> Request {
        let mut request =
            self.request(MessageClass::Batch, Kind::BatchUpload, self.trace, merchant, terminal);
        request.original = Some(Original { batch: self.batch, trace: self.trace });
        request
    }

    /// The message that undoes the row.
    pub fn reversal(&self, merchant: &str, terminal: &str) -> Request {
        self.request(MessageClass::Reversal, self.kind.request_kind(), self.trace, merchant, terminal)
    }

    /// The message that tells the issuer that its card declined.
    pub fn advice(&self, merchant: &str, terminal: &str) -> Request {
        self.request(MessageClass::Notice, Kind::DeclineAdvice, self.trace, merchant, terminal)
    }

    /// The message that uploads an offline sale, or a purchase with a purse.
    pub fn upload(&self, merchant: &str, terminal: &str) -> Request {
        self.request(MessageClass::Notice, self.kind.request_kind(), self.trace, merchant, terminal)
    }

    /// The message that asks the host for a purse's load, unload or change.
    pub fn purse_request(&self, merchant: &str, terminal: &str) -> Request {
        self.request(MessageClass::Request, self.kind.request_kind(), self.trace, merchant, terminal)
    }

    /// The message that tells what a purse has proved of it; without a proof, it asks.
    pub fn purse_result(&self, merchant: &str, terminal: &str) -> Request {
        let mut request =
            self.request(MessageClass::Notice, Kind::PurseResult, self.trace, merchant, terminal);
        request.original = Some(Original { batch: self.batch, trace: self.trace });
        request
    }

    /// The message that claims an offline sale whose certificate was lost. It is a request
    /// under the row's trace, so that the sale itself could still be uploaded under it.
    pub fn claim(&self, merchant: &str, terminal: &str) -> Request {
        let mut request =
            self.request(MessageClass::Request, Kind::SaleClaim, self.trace, merchant, terminal);
        if let Some(atc) = self.atc {
            request.chip.put(tag::ATC, atc.to_be_bytes());
        }
        request
    }

    /// The message that tells of a refund.
    pub fn refund(&self, merchant: &str, terminal: &str) -> Request {
        let mut request =
            self.request(MessageClass::Notice, Kind::EcashRefund, self.trace, merchant, terminal);
        request.original = self.original;
        request
    }

    /// The message that tells that the script has landed. It has the trace of its
    /// request, so that telling it again is the same message.
    pub fn notice(&self, merchant: &str, terminal: &str) -> Request {
        let mut request =
            self.request(MessageClass::Notice, Kind::ScriptResult, self.trace, merchant, terminal);
        request.original = Some(Original { batch: self.batch, trace: self.trace });
        request
    }

    /// The message that tells that the script of an unload has landed, so that the
    /// account may be credited. It is a request, so it has a trace of its own; the
    /// host knows it by its original.
    pub fn confirmation(&self, trace: (u32, u32), merchant: &str, terminal: &str) -> Request {
        let mut request = self.request(MessageClass::Request, Kind::Unload, trace.1, merchant, terminal);
        request.key.batch = trace.0;
        request.original = Some(Original { batch: self.batch, trace: self.trace });
        request
    }

    /// The message that asks how the host's row of a load stands: a script result
    /// "not performed" under a trace number of its own.
    pub fn inquiry(&self, trace: (u32, u32), merchant: &str, terminal: &str) -> Request {
        let mut request = self.notice(merchant, terminal);
        request.key.batch = trace.0;
        request.key.trace = trace.1;
        let result = ScriptResult::NotPerformed.to_bytes([0; 4]);
        request.chip.put(tag::ISSUER_SCRIPT_RESULTS, result);
        request
    }

    fn request(
        &self,
        class: MessageClass,
        kind: Kind,
        trace: u32,
        merchant: &str,
        terminal: &str,
    ) -> Request {
        Request {
            key: MessageKey {
                class,
                merchant: merchant.into(),
                terminal: terminal.into(),
                batch: self.batch,
                trace,
            },
            kind,
            amount: self.amount,
            pan: Secret::new(self.card.pan.expose().to_owned()),
            psn: self.card.psn,
            entry: self.mode,
            at: self.at,
            chip: self.chip.clone(),
            pin: None,
            original: None,
            payer: None,
        }
    }
}

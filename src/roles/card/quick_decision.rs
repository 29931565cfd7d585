//! What the card decides on the quick path, from what the reader offers and from what it knows of
//! itself (JR/T 0025.12; .14): a tree without a side effect.

use super::Device;
use super::capp::{self, Extended, Left};
use super::memory::ApplicationMemory;
use super::simulator::Refusal;
use crate::words::dictionary::tag;
use crate::words::emv::CryptogramType::{self, Aac, Arqc, Tc};
use crate::words::emv::{Ctq, Ttq};
use crate::words::iso7816::StatusWord;
use crate::words::pboc::{CappTransaction, CardAdditionalProcessing as Cap, EcashSet};
use crate::words::tlv::Tag;

/// What the card makes of an offer.
pub(super) struct Verdict {
    pub(super) kind: CryptogramType,
    pub(super) reason: &'static str,
    pub(super) ctq: Ctq,
    /// The balance that results.
    pub(super) balance: Option<(Tag, u64)>,
    /// The cumulative total that results.
    pub(super) cumulative_minor: u64,
    /// The count of transactions in another currency that results.
    pub(super) international: u8,
    /// What a transaction of the extended application leaves.
    pub(super) left: Option<Left>,
}

/// What the reader offers, and what the card knows of itself.
pub(super) struct Offer<'a> {
    pub(super) application: &'a ApplicationMemory,
    pub(super) cap: Cap,
    pub(super) ttq: Ttq,
    pub(super) amount_minor: u64,
    pub(super) set: Option<EcashSet>,
    pub(super) device: Option<Device>,
    pub(super) extended: Option<Extended>,
}

impl Offer<'_> {
    /// The decision tree, from the top.
    pub(super) fn decide(&self) -> Result<Verdict, Refusal> {
        let mut ctq = self.application.data.array(tag::CTQ).map(Ctq).unwrap_or_default();
        let (kind, reason) = match self.before_money(&mut ctq)? {
            Some(decided) => decided,
            None => return self.money(ctq),
        };
        self.verdict(kind, reason, ctq)
    }

    /// What decides before the amount is looked at.
    fn before_money(&self, ctq: &mut Ctq) -> Result<Option<(CryptogramType, &'static str)>, Refusal> {
        let (cap, ttq) = (self.cap, self.ttq);
        let offline_only = ttq.has(Ttq::OFFLINE_ONLY);
        let new = self.application.state.last_online_atc == 0;
        let exceeded = self.application.state.pin_tries_left == 0;
        let mismatch = self.set.is_none();
        if self.application.state.blocked {
            return Ok(Some((Aac, "the application is blocked")));
        }
        if mismatch && cap.has(Cap::DECLINE_MISMATCH) {
            return Ok(Some((Aac, "the currency is not the card's (9F68 bit 2.7)")));
        }
        if offline_only && new && cap.has(Cap::DECLINE_NEW_IF_OFFLINE_ONLY) {
            return Ok(Some((Aac, "the card is new and the reader offline only (9F68 bit 2.6)")));
        }
        if offline_only && exceeded && cap.has(Cap::PIN_TRIES_CHECK) {
            return Ok(Some((
                Aac,
                "the PIN try limit is exceeded and the reader offline only (9F68 bit 1.4)",
            )));
        }
        let verified = self.device.is_some_and(Device::is_verified);
        if verified {
            ctq.set(Ctq::CDCVM_PERFORMED);
        }
        let wanted = ttq.has(Ttq::CVM_REQUIRED) || mismatch && cap.has(Cap::CVM_FOR_MISMATCH);
        if wanted && self.device == Some(Device::Express) {
            // The reader shows its holder to the device, and the card is presented again.
            let reason = "a CVM is required, and the device has not verified its holder";
            return Err(Refusal::because(StatusWord::NOT_ALLOWED, reason));
        }
        if wanted && !(verified && ttq.has(Ttq::CDCVM)) {
            let pin = if mismatch { Cap::ONLINE_PIN_MISMATCH } else { Cap::ONLINE_PIN_MATCHING };
            if !offline_only && ttq.has(Ttq::ONLINE_PIN) && cap.has(pin) {
                ctq.set(Ctq::ONLINE_PIN_REQUIRED);
                return Ok(Some((Arqc, "a CVM is required, and card and reader support online PIN")));
            }
            if !(ttq.has(Ttq::SIGNATURE) && cap.has(Cap::SIGNATURE)) {
                return Err(Refusal::state("a CVM is required, and card and reader have none in common"));
            }
            ctq.set(Ctq::SIGNATURE_REQUIRED);
        }
        let elsewhere = mismatch && !cap.has(Cap::OFFLINE_FOR_MISMATCH);
        if offline_only {
            return Ok(
                elsewhere.then_some((Aac, "the currency is not the card's and the reader is offline only"))
            );
        }
        Ok(if ttq.has(Ttq::ONLINE_REQUIRED) {
            Some((Arqc, "the reader requires an online cryptogram (9F66 bit 2.8)"))
        } else if elsewhere {
            Some((Arqc, "the currency is not the card's (9F68 bit 1.3 is clear)"))
        } else if new && cap.has(Cap::NEW_CARD_CHECK) {
            Some((Arqc, "the card is new (9F68 bit 1.5)"))
        } else if exceeded && cap.has(Cap::PIN_TRIES_CHECK) {
            Some((Arqc, "the PIN try limit is exceeded (9F68 bit 1.4)"))
        } else {
            None
        })
    }

    fn money(&self, ctq: Ctq) -> Result<Verdict, Refusal> {
        let state = &self.application.state;
        let short = self.short();
        // Who enters a metro pays nothing yet: the card keeps where.
        let enters = self.extended.is_some_and(|extended| extended.kind == CappTransaction::SegmentBilling);
        if self.amount_minor == 0 && !enters {
            let kind = if self.cap.has(Cap::PREPAID) { Aac } else { short };
            return self.verdict(kind, "the amount is 0", ctq);
        }
        let Some(set) = self.set else {
            let limit = self.application.limit(tag::CONSECUTIVE_LIMIT_INTERNATIONAL).unwrap_or(0);
            if state.international >= limit {
                return self.verdict(short, "too many transactions in another currency (9F53)", ctq);
            }
            let mut verdict = self.verdict(Tc, "another currency is allowed offline (9F68 bit 1.3)", ctq)?;
            verdict.international += 1;
            return Ok(verdict);
        };
        let balance = self.application.amount(set.balance).unwrap_or(0);
        if let Some(extended) = &self.extended {
            return self.extended_money(extended, set, balance, ctq);
        }
        let total = state.cumulative_minor.saturating_add(self.amount_minor);
        let total_allows = total <= total_limit(self.application);
        let pays = |reason, balance: Option<u64>, total| {
            let mut verdict = self.verdict(Tc, reason, ctq)?;
            verdict.balance = balance.map(|minor| (set.balance, minor));
            verdict.cumulative_minor = total;
            Ok(verdict)
        };
        let left = balance.checked_sub(self.amount_minor);
        match self.ecash_hindrance(set, balance) {
            None if self.cap.has(Cap::EC_AND_CTTA) && !total_allows => {
                self.verdict(short, "too much in total without the issuer (9F5C, 9F54)", ctq)
            }
            None if self.cap.has(Cap::EC_AND_CTTA) => {
                pays("electronic cash and cumulative total allow it", left, total)
            }
            None => pays("electronic cash allows it", left, state.cumulative_minor),
            Some(_) if self.cap.has(Cap::EC_OR_CTTA) && total_allows => {
                pays("the cumulative total allows it where electronic cash does not", None, total)
            }
            Some(reason) => self.verdict(short, reason, ctq),
        }
    }

    /// What the card answers where it does not pay.
    fn short(&self) -> CryptogramType {
        if self.ttq.has(Ttq::OFFLINE_ONLY) { Aac } else { Arqc }
    }

    /// The same of the extended application: what is held, or may be offset, counts beside the
    /// balance (JR/T 0025.14).
    fn extended_money(
        &self,
        extended: &Extended,
        set: EcashSet,
        balance: u64,
        ctq: Ctq,
    ) -> Result<Verdict, Refusal> {
        let reach = balance.saturating_add(extended.beside_minor(self.application));
        if let Some(reason) = self.ecash_hindrance(set, reach) {
            return self.verdict(self.short(), reason, ctq);
        }
        if let Some(memory) = &self.application.capp {
            capp::may_begin(memory, extended)?;
        }
        let left = extended.left(self.application, set, self.amount_minor);
        let mut verdict = self.verdict(Tc, left.reason, ctq)?;
        verdict.balance = Some((set.balance, left.balance_minor));
        verdict.left = Some(left);
        Ok(verdict)
    }

    /// Why electronic cash does not pay; `None` when it does.
    fn ecash_hindrance(&self, set: EcashSet, balance: u64) -> Option<&'static str> {
        let checks = [Cap::EC_CHECK, Cap::EC_AND_CTTA, Cap::EC_OR_CTTA];
        let single = self.application.amount(set.single_limit).unwrap_or(0);
        let threshold = self.application.amount(set.reset_threshold).unwrap_or(0);
        let needed = match self.ttq.has(Ttq::OFFLINE_ONLY) {
            true => self.amount_minor,
            false => self.amount_minor.saturating_add(threshold),
        };
        if !checks.into_iter().any(|bit| self.cap.has(bit)) {
            Some("the card supports no offline check (9F68 bits 1.8 to 1.6)")
        } else if self.amount_minor > single {
            Some("the amount is above the single-transaction limit")
        } else if self.amount_minor > balance {
            Some("the amount is above the balance")
        } else if needed > balance {
            Some("the balance would fall below the reset threshold")
        } else {
            None
        }
    }

    /// A verdict that moves nothing, but for a prepaid card's ARQC.
    fn verdict(&self, kind: CryptogramType, reason: &'static str, ctq: Ctq) -> Result<Verdict, Refusal> {
        let state = &self.application.state;
        let mut verdict = Verdict {
            kind,
            reason,
            ctq,
            balance: None,
            cumulative_minor: state.cumulative_minor,
            international: state.international,
            left: None,
        };
        if kind != Arqc {
            return Ok(verdict);
        }
        if self.cap.has(Cap::PREFERS_FULL_PATH) && self.ttq.has(Ttq::CONTACT) {
            return Err(Refusal::state("the card goes online over contacts only (9F68 bit 1.2)"));
        }
        if self.cap.has(Cap::PREPAID) {
            let left = self.set.and_then(|set| {
                let balance = self.application.amount(set.balance)?;
                Some((set.balance, balance.checked_sub(self.amount_minor)?))
            });
            match left {
                Some(left) if self.amount_minor > 0 => verdict.balance = Some(left),
                _ => {
                    verdict.kind = Aac;
                    verdict.reason = "a prepaid card does not ask for what it does not hold";
                }
            }
        }
        Ok(verdict)
    }
}

/// Tag 9F5D, in minor units: what can be spent offline in this currency.
pub(super) fn available_minor(application: &ApplicationMemory, set: Option<EcashSet>) -> u64 {
    let cap = processing(application);
    let balance = application.amount(set.unwrap_or(EcashSet::FIRST).balance).unwrap_or(0);
    let left = total_limit(application).saturating_sub(application.state.cumulative_minor);
    if cap.has(Cap::EC_AND_CTTA) {
        balance.min(left)
    } else if cap.has(Cap::EC_OR_CTTA) {
        balance.max(left)
    } else if cap.has(Cap::EC_CHECK) {
        balance
    } else {
        0
    }
}

/// Tag 9F68; a card without it supports no offline check.
pub(super) fn processing(application: &ApplicationMemory) -> Cap {
    application.data.array(tag::CARD_ADDITIONAL_PROCESSING).map(Cap).unwrap_or_default()
}

fn total_limit(application: &ApplicationMemory) -> u64 {
    let upper = application.amount(tag::CUMULATIVE_UPPER_LIMIT);
    upper.or(application.amount(tag::CUMULATIVE_LIMIT)).unwrap_or(0)
}

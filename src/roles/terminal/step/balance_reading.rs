//! Reading the balance before a transaction: JR/T 0025.13. GET DATA spends no
//! transaction counter. What a card refuses is absent; limits that would be broken
//! are refused here, before any money moves.

use super::application_selection::Selected;
use crate::base::bytes::bcd_to_u64;
use crate::base::context::Context;
use crate::base::event::Event;
use crate::roles::terminal::error::TerminalError;
use crate::roles::terminal::flow::Flow;
use crate::roles::terminal::outcome::Verdict;
use crate::roles::terminal::phase::{Next, Phase, Reply};
use crate::roles::terminal::session::{Role, Session};
use crate::words::dictionary::tag;
use crate::words::emv::command::GetData;
use crate::words::iso4217::{Amount, Currency};
use crate::words::iso7816::ApduCommand;
use crate::words::pboc::EcashSet;
use crate::words::tlv::Tag;

const STEP: &str = "Balance reading";

/// The application that holds nothing but electronic cash.
const PURE_ECASH: [u8; 8] = [0xA0, 0x00, 0x00, 0x03, 0x33, 0x01, 0x01, 0x06];

/// Additional terminal capabilities, byte 1: what the terminal sells (EMV Book 4 A3).
const CASH: u8 = 0x80;
const CASHBACK: u8 = 0x10;

/// What follows.
type Then = fn(Selected, &mut Context) -> Result<Next, TerminalError>;

/// Reads the transaction counter and the currency codes, then the balance and limits of the
/// set that fits. Of a card that pays for the load of another one, or for a ride behind a
/// gate that counts milliseconds, they are of no interest.
pub(in crate::roles::terminal) fn begin(
    selected: Selected,
    then: Then,
    context: &mut Context,
) -> Result<Next, TerminalError> {
    if matches!(selected.session.role, Role::Paying(_)) || selected.session.terms.flow == Flow::Ride {
        return then(selected, context);
    }
    let reading = Reading {
        selected,
        then,
        wanted: vec![tag::ATC, EcashSet::FIRST.currency, EcashSet::SECOND.currency],
        found: Vec::new(),
    };
    Ok(reading.next())
}

struct Reading {
    selected: Selected,
    then: Then,
    wanted: Vec<Tag>,
    found: Vec<(Tag, Vec<u8>)>,
}

impl Reading {
    fn next(self) -> Next {
        let tag = self.wanted[0];
        Next::transmit(GetData { tag }.to_apdu(), self)
    }

    fn value(&self, tag: Tag) -> Option<&[u8]> {
        self.found.iter().find(|(found, _)| *found == tag).map(|(_, value)| value.as_slice())
    }

    fn amount(&self, tag: Tag) -> Option<u64> {
        self.value(tag).and_then(|value| bcd_to_u64(value).ok())
    }
}

impl Phase for Reading {
    fn name(&self) -> &'static str {
        STEP
    }

    fn take(mut self: Box<Self>, reply: Reply, context: &mut Context) -> Result<Next, TerminalError> {
        let asked = GetData { tag: self.wanted.remove(0) };
        match asked.answer(&reply.response(STEP)?) {
            Ok(found) => self.found.push(found),
            Err(error) => context
                .emit(Event::new("terminal", "absent").clause("JR/T 0025.13").because(error.to_string())),
        }
        if !self.wanted.is_empty() {
            return Ok(self.next());
        }
        let currency = self.selected.session.terms.amount.currency;
        if self.selected.session.set.is_none() {
            let set = EcashSet::ALL
                .into_iter()
                .find(|set| self.value(set.currency).and_then(Currency::from_bcd) == Some(currency));
            if let Some(set) = set {
                self.selected.session.set = Some(set);
                self.wanted = vec![set.balance, set.balance_limit, set.single_limit];
                return Ok(self.next());
            }
        }
        let last = self.value(tag::ATC).and_then(|value| <[u8; 2]>::try_from(value).ok());
        self.selected.session.expected_atc = last.and_then(|last| u16::from_be_bytes(last).checked_add(1));
        if let Some(set) = self.selected.session.set {
            // Bank cards have an application currency too; electronic cash tells of itself.
            if self.value(set.balance).is_none() && self.value(set.balance_limit).is_none() {
                self.selected.session.set = None;
            }
            self.selected.session.balance_before_minor = self.amount(set.balance);
        }
        match self.broken_rule() {
            Some(rule) => {
                let outcome = self.selected.session.outcome(
                    Verdict::Refused,
                    rule,
                    self.selected.session.balance_before_minor,
                    context,
                );
                Ok(Next::done(outcome))
            }
            None => (self.then)(self.selected, context),
        }
    }

    fn release(self: Box<Self>) -> Option<Session> {
        Some(self.selected.session)
    }
}

impl Reading {
    /// The rule of the card that this amount would break, if any.
    fn broken_rule(&self) -> Option<String> {
        let session = &self.selected.session;
        let amount = session.terms.amount;
        let show = |minor| Amount::new(minor, amount.currency).to_string();
        let services = session.terms.config.additional_capabilities.0[0];
        match session.terms.flow {
            Flow::Cash if services & CASH == 0 => return Some("the terminal gives no cash (9F40)".into()),
            Flow::Cashback if services & CASHBACK == 0 => {
                return Some("the terminal gives no cashback (9F40)".into());
            }
            Flow::Cashback if session.terms.cashback_minor > amount.minor => {
                return Some(format!(
                    "the cashback {} is above the whole amount {amount}",
                    show(session.terms.cashback_minor)
                ));
            }
            _ => {}
        }
        let Some(set) = session.set else {
            let pure = self.selected.fci.df_name.begins_with(&PURE_ECASH);
            let wanted = session.terms.flow.writes_card() || pure && session.terms.flow == Flow::Pay;
            return wanted.then(|| format!("the card has no electronic cash in {}", amount.currency));
        };
        let balance = session.balance_before_minor;
        match session.terms.flow {
            Flow::Cash
            | Flow::Cashback
            | Flow::Inquire
            | Flow::Ride
            | Flow::PreAuthorise
            | Flow::CompletePreAuthorisation
            | Flow::CancelPreAuthorisation => None,
            Flow::Unload | Flow::CashLoadVoid => {
                let balance = balance.filter(|balance| amount.minor > *balance)?;
                Some(format!("{amount} is above the balance {} ({})", show(balance), set.balance))
            }
            Flow::Load | Flow::CashLoad | Flow::PendingLoad | Flow::NonLinkedLoad => {
                let limit = self.amount(set.balance_limit)?;
                let total = balance?.saturating_add(amount.minor);
                (total > limit).then(|| {
                    format!(
                        "the balance would be {}, above the card's limit {} ({})",
                        show(total),
                        show(limit),
                        set.balance_limit
                    )
                })
            }
            Flow::Pay => {
                // A card with an account behind it may go online instead; a pure one may not.
                if !self.selected.fci.df_name.begins_with(&PURE_ECASH) {
                    return None;
                }
                let single = self.amount(set.single_limit);
                if let Some(single) = single.filter(|single| amount.minor > *single) {
                    return Some(format!(
                        "{amount} is above the card's limit for one payment, {} ({})",
                        show(single),
                        set.single_limit
                    ));
                }
                let balance = balance.filter(|balance| amount.minor > *balance)?;
                Some(format!("{amount} is above the balance {} ({})", show(balance), set.balance))
            }
        }
    }
}

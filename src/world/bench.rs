//! A terminal under test, our own, with a card in somebody's hand and somebody in front of
//! its host. What they do there is theirs; this seats them and says what came of it.

use super::StoreAddress;
use super::books::{open_books, open_journal};
use super::error::WorldError;
use super::planted::{Fault, Planted, planted_host};
use super::seat::{FreshCard, FreshCards, terminal_elements};
use super::stage::{Sale, Stage};
use crate::air::host::{Answer, Attended, BatchTotals, Host, HostError, Inbox, Request};
use crate::air::link::{Activation, Card, InProcess, Interface, Record, T0};
use crate::base::bytes::Secret;
use crate::base::context::Context;
use crate::roles::card::{CardHand, HeldCard};
use crate::roles::terminal::{
    ApplicationName, Cardholder, Depth, Flow, Message, Outcome, PinPrompt, TerminalConfig, Verdict,
};
use crate::words::iso4217::Amount;
use crate::words::tlv::TlvStore;
use std::time::Duration;

/// How long a terminal waits for its host, milliseconds.
const HOST_TIMEOUT_MS: u64 = 30_000;

/// What a terminal is asked to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Deed {
    /// A payment.
    Pay,
    /// A load from the linked account.
    Load,
    /// Electronic cash goes back to the account.
    Unload,
    /// An amount is held.
    Preauth,
    /// What the account may spend.
    Inquire,
    /// What the card is.
    Read,
    /// What is open is settled.
    Recover,
}

/// A deed and all that is said of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// What.
    pub deed: Deed,
    /// How much, minor units of the terminal's currency.
    pub amount_minor: u64,
    /// What of it is paid out in cash, minor units.
    pub cashback_minor: u64,
    /// Whether all of it is cash.
    pub is_cash: bool,
    /// Whether the merchant wants the issuer asked.
    pub forced_online: bool,
    /// What the holder enters each time a PIN is asked for; `None` gives up, and so does the holder
    /// after the last one.
    pub pins: Vec<Option<Secret<String>>>,
    /// Which application the holder takes, from 1.
    pub choice: usize,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// The end of a transaction; none of a deed that is no transaction, or that broke off.
    pub verdict: Option<Verdict>,
    /// Whether it broke off.
    pub is_broken: bool,
    /// Which rule led there, or what broke.
    pub reason: String,
    /// The card's balance after it, where that is known.
    pub balance: Option<Amount>,
    /// What the holder was shown, in order.
    pub shown: Vec<&'static str>,
}

/// A terminal of another make, which takes the place of ours on a bench.
pub trait TerminalUnderTest: Send {
    /// Does what it is asked, before a card that was just put into its reader. `config` is
    /// our terminal's file as the case has changed it.
    fn order(
        &mut self,
        order: &Order,
        config: &TerminalConfig,
        card: &mut dyn Card,
        context: &mut Context,
    ) -> Ended;
}

/// A terminal under test and all around it.
pub struct Bench {
    stage: Stage,
    /// Who takes the place of our terminal.
    other: Option<Box<dyn TerminalUnderTest>>,
}

impl Deed {
    /// The deeds by name, and whether they have an amount.
    pub const ALL: &'static [(&'static str, Self, bool)] = &[
        ("pay", Self::Pay, true),
        ("load", Self::Load, true),
        ("unload", Self::Unload, true),
        ("preauth", Self::Preauth, true),
        ("inquire", Self::Inquire, false),
        ("read", Self::Read, false),
        ("recover", Self::Recover, false),
    ];
}

impl Bench {
    /// Seats the terminal before a fresh card in `hand`; messages to the host, which is our
    /// issuer and knows the card, go by `inbox`.
    pub fn set(
        cards: &FreshCards,
        card: &FreshCard,
        interface: Interface,
        config: TerminalConfig,
        hand: impl CardHand + 'static,
        inbox: impl Inbox + 'static,
        context: &mut Context,
    ) -> Result<Self, WorldError> {
        let mut issuer = open_books(&StoreAddress::Memory, None, context)?;
        let held = HeldCard::new(cards.issued(card, &mut issuer, context)?, hand);
        let card = Box::new(Record(T0(InProcess::connect(held, interface, context))));
        let journal = open_journal(None, context)?;
        let mut stage = Stage::new(card, issuer, journal, config)?;
        stage.host = Box::new(Line(Attended::new(stage.issuer.handle()?, inbox)));
        Ok(Self { stage, other: None })
    }

    /// The same terminal with a planted fault: in what it sends to the card, or to its host.
    #[must_use]
    pub fn planted(self, fault: &'static Fault) -> Self {
        let Self { stage, other } = self;
        let card = Box::new(Planted::new(stage.card, fault));
        Self { stage: Stage { card, host: planted_host(stage.host, fault), ..stage }, other }
    }

    /// The same bench with another terminal in the place of ours.
    #[must_use]
    pub fn with(self, other: Option<Box<dyn TerminalUnderTest>>) -> Self {
        Self { other, ..self }
    }

    /// The card, as the terminal's link knows it.
    pub fn activation(&self) -> &Activation {
        self.stage.card.activation()
    }

    /// The terminal's own data elements.
    pub fn data(&self, context: &mut Context) -> TlvStore {
        terminal_elements(&self.stage.config, self.stage.card.activation().interface, context)
    }

    /// Asks the terminal to do something. The card is put back before.
    pub fn order(&mut self, order: &Order, context: &mut Context) -> Ended {
        if let Some(other) = &mut self.other {
            return match self.stage.card.reset(context) {
                Ok(()) => other.order(order, &self.stage.config, self.stage.card.as_mut(), context),
                Err(error) => Ended {
                    verdict: None,
                    is_broken: true,
                    reason: error.to_string(),
                    balance: None,
                    shown: Vec::new(),
                },
            };
        }
        let mut holder = Holder { order, entered: 0, shown: Vec::new() };
        let done = self.stage.card.reset(context).map_err(WorldError::from);
        let done = done.and_then(|()| self.done(order, &mut holder, context));
        let shown = holder.shown;
        match done {
            Ok(Some(Outcome { verdict, reason, balance_after: balance, .. })) => {
                Ended { verdict: Some(verdict), is_broken: false, reason, balance, shown }
            }
            Ok(None) => {
                Ended { verdict: None, is_broken: false, reason: "done".into(), balance: None, shown }
            }
            Err(error) => {
                Ended { verdict: None, is_broken: true, reason: error.to_string(), balance: None, shown }
            }
        }
    }

    fn done(
        &mut self,
        order: &Order,
        holder: &mut Holder<'_>,
        context: &mut Context,
    ) -> Result<Option<Outcome>, WorldError> {
        let stage = &mut self.stage;
        let amount = Amount::new(order.amount_minor, stage.config.currency);
        let flow = match order.deed {
            Deed::Pay => {
                let Order { cashback_minor, is_cash, forced_online, .. } = *order;
                let sale = Sale { amount, cashback_minor, is_cash, forced_online };
                return Ok(Some(stage.sell(sale, holder, context)?.1));
            }
            Deed::Read => {
                stage.read(Depth::Quick, context)?;
                return Ok(None);
            }
            Deed::Recover => {
                stage.recover(context)?;
                return Ok(None);
            }
            Deed::Load => Flow::Load,
            Deed::Unload => Flow::Unload,
            Deed::Preauth => Flow::PreAuthorise,
            Deed::Inquire => Flow::Inquire,
        };
        Ok(Some(stage.transact(flow, amount, holder, context)?.1))
    }
}

/// The person at the terminal.
struct Holder<'a> {
    order: &'a Order,
    entered: usize,
    shown: Vec<&'static str>,
}

impl Cardholder for Holder<'_> {
    fn enter_pin(&mut self, _: &PinPrompt) -> Option<Secret<String>> {
        // Who has one PIN to say gives up when it was wrong, as people do.
        let pin = self.order.pins.get(self.entered).cloned().flatten();
        self.entered += 1;
        pin
    }

    fn choose(&mut self, applications: &[ApplicationName]) -> Option<usize> {
        self.order.choice.checked_sub(1).filter(|choice| *choice < applications.len())
    }

    fn confirm(&mut self, _: &ApplicationName) -> bool {
        self.order.choice > 0
    }

    fn show(&mut self, message: Message, _: &str) {
        self.shown.push(message.words());
    }

    fn present_again(&mut self, _: Message) -> bool {
        true
    }
}

/// The line to a host in this process: an answer that is too late, or never sent, is none.
struct Line<H>(H);

impl<H: Host> Line<H> {
    fn carried(
        &mut self,
        ask: impl FnOnce(&mut H, &mut Context) -> Result<Answer, HostError>,
        context: &mut Context,
    ) -> Result<Answer, HostError> {
        let answer = ask(&mut self.0, context)?;
        let delivery = self.0.delivery();
        let is_late = delivery.copies == 0 || delivery.after_ms > HOST_TIMEOUT_MS;
        context.elapse(Duration::from_millis(if is_late { HOST_TIMEOUT_MS } else { delivery.after_ms }));
        match is_late {
            true => Err(HostError::NoAnswer { timeout_ms: HOST_TIMEOUT_MS }),
            false => Ok(answer),
        }
    }
}

impl<H: Host> Host for Line<H> {
    fn authorise(&mut self, request: &Request, context: &mut Context) -> Result<Answer, HostError> {
        self.carried(|host, context| host.authorise(request, context), context)
    }

    fn advise(&mut self, request: &Request, context: &mut Context) -> Result<Answer, HostError> {
        self.carried(|host, context| host.advise(request, context), context)
    }

    fn reverse(&mut self, request: &Request, context: &mut Context) -> Result<Answer, HostError> {
        self.carried(|host, context| host.reverse(request, context), context)
    }

    fn settle(&mut self, totals: &BatchTotals, context: &mut Context) -> Result<Answer, HostError> {
        self.0.settle(totals, context)
    }
}

//! One terminal, one card, one host.

use super::error::WorldError;
use super::position::{Position, PositionError, card_balance, card_worth};
use crate::air::host::{Host, Original};
use crate::air::link::Card;
use crate::base::context::Context;
use crate::roles::issuer::Issuer;
use crate::roles::terminal::journal::{Entry, EntryKind, Journal, State};
use crate::roles::terminal::purse::{
    CappRecord, Counter, Desk, Purchase, PurchaseKind, PurseChange, PurseChoice, PurseOrder, Sam,
    SelectedPurse, change, expect, purchase, read_record, select,
};
use crate::roles::terminal::{
    CardFacts, Cardholder, Depth, EndOfDay, Flow, Outcome, Recovered, RecoveryRules, Seat, TerminalConfig,
    TerminalError, Terms, drive, end_day, read, refund, settle,
};
use crate::words::iso4217::{Amount, Currency};
use crate::words::pboc::purse::PurseId;
use std::sync::Arc;

/// Everyone at one counter. `B` is the issuer's books: `Issuer` where they are in this
/// process, `Option<Issuer>` where they may be behind a remote host.
pub struct Stage<B = Issuer> {
    /// The card.
    pub card: Box<dyn Card>,
    /// The terminal's security module, which purses are paid with.
    pub sam: Option<Box<dyn Card>>,
    /// Which purse is meant where the card has several.
    pub purse: PurseChoice,
    /// The host, as the terminal sees it.
    pub host: Box<dyn Host>,
    /// The issuer's books; where they are here, the host is another handle on them.
    pub issuer: B,
    /// The terminal's journal.
    pub journal: Journal,
    /// The terminal.
    pub config: Arc<TerminalConfig>,
    /// Which rules of recovery are in force.
    pub rules: RecoveryRules,
}

/// What else a transaction is about.
#[derive(Default)]
struct Call<'a> {
    /// The transaction that it speaks of.
    original: Option<Original>,
    /// The card that pays for the load of another one.
    payer: Option<&'a mut dyn Card>,
    /// What a purchase pays out in cash, minor units.
    cashback_minor: u64,
    /// Whether the merchant wants the issuer asked.
    forced_online: bool,
}

/// What is sold at a counter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sale {
    /// The whole amount.
    pub amount: Amount,
    /// What of it is paid out in cash, minor units.
    pub cashback_minor: u64,
    /// Whether all of it is cash.
    pub is_cash: bool,
    /// Whether the merchant wants the issuer asked.
    pub forced_online: bool,
}

impl Stage {
    /// Seats everyone.
    pub fn new(
        card: Box<dyn Card>,
        issuer: Issuer,
        journal: Journal,
        config: TerminalConfig,
    ) -> Result<Self, WorldError> {
        let host = Box::new(issuer.handle()?);
        let config = Arc::new(config);
        let (sam, purse, rules) = (None, PurseChoice::First, RecoveryRules::ALL);
        Ok(Self { card, sam, purse, host, issuer, journal, config, rules })
    }

    /// Where the money of a currency is.
    pub fn position(&mut self, currency: Currency, context: &mut Context) -> Result<Position, WorldError> {
        let facts = self.read(Depth::Quick, context)?;
        let card = card_worth(&facts, currency);
        Position::of(currency, &mut self.issuer, &mut self.journal, &self.config.terminal, card, context)
            .map_err(|error| match error {
                PositionError::Issuer(error) => error.into(),
                PositionError::Journal(error) => error.into(),
            })
    }

    /// Every invariant of the books; what is broken, is an error.
    pub fn check(&mut self, context: &mut Context) -> Result<(), WorldError> {
        match self.issuer.check(context)?.first() {
            None => Ok(()),
            Some(violation) => Err(WorldError::Invariant { what: violation.to_string() }),
        }
    }

    /// The same counter for those who do not ask where its books are.
    pub fn with_books(self) -> Stage<Option<Issuer>> {
        let Self { card, sam, purse, host, issuer, journal, config, rules } = self;
        Stage { card, sam, purse, host, issuer: Some(issuer), journal, config, rules }
    }
}

impl Stage<Option<Issuer>> {
    /// Seats a terminal and a card before a host that is elsewhere, as its books are.
    pub fn remote(
        card: Box<dyn Card>,
        host: Box<dyn Host>,
        journal: Journal,
        config: TerminalConfig,
    ) -> Self {
        let config = Arc::new(config);
        let (sam, purse, rules) = (None, PurseChoice::First, RecoveryRules::ALL);
        Self { card, sam, purse, host, issuer: None, journal, config, rules }
    }

    /// Every invariant of the books, where they are here; a remote host checks its own.
    pub fn check(&mut self, context: &mut Context) -> Result<(), WorldError> {
        let violations = self.issuer.as_mut().map_or(Ok(Vec::new()), |issuer| issuer.check(context))?;
        match violations.first() {
            None => Ok(()),
            Some(violation) => Err(WorldError::Invariant { what: violation.to_string() }),
        }
    }
}

impl<B> Stage<B> {
    /// What the card is.
    pub fn read(&mut self, depth: Depth, context: &mut Context) -> Result<CardFacts, WorldError> {
        Ok(read(&mut self.card, &self.config, depth, context)?)
    }

    /// Loads, unloads or pays. What was open is settled first.
    pub fn transact(
        &mut self,
        flow: Flow,
        amount: Amount,
        cardholder: &mut dyn Cardholder,
        context: &mut Context,
    ) -> Result<(Recovered, Outcome), WorldError> {
        let recovered = self.recover(context)?;
        Ok((recovered, self.play(flow, amount, Call::default(), cardholder, context)?))
    }

    /// Sells something, or gives cash. What was open is settled first.
    pub fn sell(
        &mut self,
        sale: Sale,
        cardholder: &mut dyn Cardholder,
        context: &mut Context,
    ) -> Result<(Recovered, Outcome), WorldError> {
        let recovered = self.recover(context)?;
        let Sale { amount, cashback_minor, is_cash, forced_online } = sale;
        let flow = match (is_cash, cashback_minor) {
            (true, _) => Flow::Cash,
            (false, 0) => Flow::Pay,
            (false, _) => Flow::Cashback,
        };
        let call = Call { cashback_minor, forced_online, ..Call::default() };
        Ok((recovered, self.play(flow, amount, call, cardholder, context)?))
    }

    /// Pays with a purse of the card that is there, before the terminal's security module. What
    /// was open is settled first.
    pub fn pay_with_purse(
        &mut self,
        purse: PurseId,
        kind: PurchaseKind,
        amount: Amount,
        cardholder: &mut dyn Cardholder,
        context: &mut Context,
    ) -> Result<(Recovered, Outcome), WorldError> {
        let recovered = self.recover(context)?;
        let selected = self.expect_purse(context)?;
        let sam = self.sam.as_deref_mut().ok_or(TerminalError::NoSam)?;
        let order = Purchase { purse, kind, amount, trace: self.journal.next_trace()?, at: context.now() };
        let sam = Sam::open(sam, selected.layout, context)?;
        let mut counter = Counter { card: &mut self.card, sam, journal: &mut self.journal, cardholder };
        Ok((recovered, purchase(&selected, &order, &mut counter, context)?))
    }

    /// Loads a purse of the card that is there from its account, unloads it, or changes its
    /// overdraft limit, which is the amount then. What was open is settled first.
    pub fn change_purse(
        &mut self,
        purse: PurseId,
        what: PurseChange,
        amount: Amount,
        cardholder: &mut dyn Cardholder,
        context: &mut Context,
    ) -> Result<(Recovered, Outcome), WorldError> {
        let recovered = self.recover(context)?;
        let selected = self.expect_purse(context)?;
        let order =
            PurseOrder { purse, change: what, amount, trace: self.journal.next_trace()?, at: context.now() };
        let (card, host, journal, config) =
            (&mut self.card, &mut self.host, &mut self.journal, &*self.config);
        let mut desk = Desk { card, host, journal, cardholder, config };
        Ok((recovered, change(&selected, &order, &mut desk, context)?))
    }

    /// The records that a compound purchase wrote, as the card has them now; one that it does not
    /// show is left out.
    pub fn written_records(
        &mut self,
        written: &[CappRecord],
        context: &mut Context,
    ) -> Result<Vec<CappRecord>, WorldError> {
        let mut found = Vec::new();
        for (at, record) in written.iter().enumerate() {
            let later = written[at + 1..].iter().filter(|later| later.sfi == record.sfi && later.id == 0);
            let data = read_record(&mut self.card, record, later.count(), context)?;
            found.extend(data.map(|data| CappRecord { data, ..*record }));
        }
        Ok(found)
    }

    /// The purse that is meant of the card that is there, selected.
    pub fn select_purse(&mut self, context: &mut Context) -> Result<Option<SelectedPurse>, WorldError> {
        Ok(select(&mut self.card, &self.purse, context)?)
    }

    /// The same, where a card without it is an error that lists the purses that it has.
    pub fn expect_purse(&mut self, context: &mut Context) -> Result<SelectedPurse, WorldError> {
        Ok(expect(&mut self.card, &self.purse, context)?)
    }

    /// Loads the card from the account of another one, whose holder enters its PIN. What
    /// was open is settled first.
    pub fn load_from(
        &mut self,
        payer: &mut dyn Card,
        amount: Amount,
        cardholder: &mut dyn Cardholder,
        context: &mut Context,
    ) -> Result<(Recovered, Outcome), WorldError> {
        let recovered = self.recover(context)?;
        let call = Call { payer: Some(payer), ..Call::default() };
        Ok((recovered, self.play(Flow::NonLinkedLoad, amount, call, cardholder, context)?))
    }

    /// Gives an uploaded offline payment of this terminal back, or a part of it; the card
    /// that is there must be the one that paid. What was open is settled first, the
    /// payment itself too.
    pub fn refund(
        &mut self,
        sale: Original,
        amount: Amount,
        context: &mut Context,
    ) -> Result<(Recovered, Outcome), WorldError> {
        let recovered = self.recover(context)?;
        let card: Option<&mut dyn Card> = Some(&mut *self.card);
        let outcome =
            refund_sale(sale, amount, card, &mut self.journal, &mut self.host, &self.config, context)?;
        Ok((recovered, outcome))
    }

    /// Voids a cash load of this terminal, by its batch and trace number. What was
    /// open is settled first, the load itself too.
    pub fn void(
        &mut self,
        load: Original,
        cardholder: &mut dyn Cardholder,
        context: &mut Context,
    ) -> Result<(Recovered, Outcome), WorldError> {
        let recovered = self.recover(context)?;
        let amount = self.original(load, EntryKind::CashLoad, "a confirmed cash load")?;
        let call = Call { original: Some(load), ..Call::default() };
        let outcome = self.play(Flow::CashLoadVoid, amount, call, cardholder, context)?;
        Ok((recovered, outcome))
    }

    /// Completes a hold of this terminal, up to its amount, or cancels it where no
    /// amount is to be taken. What was open is settled first.
    pub fn end_hold(
        &mut self,
        hold: Original,
        take: Option<Amount>,
        cardholder: &mut dyn Cardholder,
        context: &mut Context,
    ) -> Result<(Recovered, Outcome), WorldError> {
        let recovered = self.recover(context)?;
        let held = self.original(hold, EntryKind::PreAuthorisation, "a confirmed pre-authorisation")?;
        let (flow, amount) = match take {
            Some(amount) => (Flow::CompletePreAuthorisation, amount),
            None => (Flow::CancelPreAuthorisation, held),
        };
        let call = Call { original: Some(hold), ..Call::default() };
        Ok((recovered, self.play(flow, amount, call, cardholder, context)?))
    }

    /// The amount of a confirmed row of the journal.
    fn original(
        &mut self,
        named: Original,
        kind: EntryKind,
        expected: &'static str,
    ) -> Result<Amount, WorldError> {
        Ok(confirmed(&mut self.journal, named, kind, expected)?.amount)
    }

    /// What the card's electronic cash comes to.
    pub fn card_balance(&mut self, currency: Currency, context: &mut Context) -> Result<Amount, WorldError> {
        let facts = self.read(Depth::Quick, context)?;
        Ok(Amount::new(card_balance(&facts, currency), currency))
    }

    fn play(
        &mut self,
        flow: Flow,
        amount: Amount,
        call: Call<'_>,
        cardholder: &mut dyn Cardholder,
        context: &mut Context,
    ) -> Result<Outcome, WorldError> {
        let Call { original, payer, cashback_minor, forced_online } = call;
        let config = &self.config;
        let trace = self.journal.next_trace()?;
        let terms = Terms {
            confirmation: if flow == Flow::Unload { self.journal.next_trace()? } else { trace },
            original,
            payer: payer.as_ref().map(|card| config.entry(flow, card.activation().interface)),
            config: Arc::clone(config),
            flow,
            mode: config.entry(flow, self.card.activation().interface),
            amount,
            cashback_minor,
            trace,
            at: context.now(),
            forced_online,
        };
        let mut seat = Seat {
            card: &mut self.card,
            payer: payer.map(|card| card as &mut dyn Card),
            host: &mut self.host,
            cardholder,
            journal: &mut self.journal,
        };
        Ok(drive(terms, &mut seat, context)?)
    }

    /// Settles what is open, with the card that is there.
    pub fn recover(&mut self, context: &mut Context) -> Result<Recovered, WorldError> {
        let card = Some(&mut *self.card);
        Ok(settle(&mut self.journal, card, &mut self.host, &self.config, self.rules, context)?)
    }

    /// Ends the day, with the card that is there.
    pub fn end_day(&mut self, context: &mut Context) -> Result<EndOfDay, WorldError> {
        let card = Some(&mut *self.card);
        Ok(end_day(&mut self.journal, card, &mut self.host, &self.config, self.rules, context)?)
    }

    /// Settles what can be settled while the card is away.
    pub fn recover_without_card(&mut self, context: &mut Context) -> Result<Recovered, WorldError> {
        Ok(settle(&mut self.journal, None, &mut self.host, &self.config, self.rules, context)?)
    }
}

/// Gives an uploaded offline payment back, or a part of it; without a card, to the one that
/// the journal names. What is open must be settled before.
pub fn refund_sale(
    sale: Original,
    amount: Amount,
    card: Option<&mut (dyn Card + '_)>,
    journal: &mut Journal,
    host: &mut dyn Host,
    config: &TerminalConfig,
    context: &mut Context,
) -> Result<Outcome, WorldError> {
    let row = confirmed(journal, sale, EntryKind::OfflineSale, "an uploaded offline payment")?;
    Ok(refund(&row, amount, card, journal, host, config, context)?)
}

/// The confirmed row of a journal that is named.
fn confirmed(
    journal: &mut Journal,
    named: Original,
    kind: EntryKind,
    expected: &'static str,
) -> Result<Entry, WorldError> {
    let row = journal.row(named.batch, named.trace)?;
    if row.kind == kind && row.state == State::Confirmed {
        return Ok(row);
    }
    let found = format!("{} of {}, {}", row.kind.word(), row.amount, row.state);
    Err(WorldError::Original { expected, found })
}

//! The fixture and how it is made.

use super::TestingError;
use crate::air::link::{Card, Fault, FaultControl, FaultPlan, FaultPoint, InProcess, Interface, Record, T0};
use crate::base::bytes::{Secret, parse_hex};
use crate::base::context::Context;
use crate::base::event::{Collector, Event};
use crate::roles::card::{Profile, Simulator};
use crate::roles::issuer::Issuer;
use crate::roles::terminal::{Flow, Outcome, Recovered, TerminalConfig};
use crate::words::decode::{Explainer, Line};
use crate::words::iso4217::{Amount, Currency};
use crate::words::iso7816::{CommandApdu, ResponseApdu};
use crate::world::{
    DEFAULT_PIN, NewCard, Stage, StoreAddress, WorldError, issue_card, open_books, open_journal,
};

/// What a card begins with, where a test does not say: 100.00, and 500.00 behind it.
const BALANCE_MINOR: u64 = 10_000;
const ACCOUNT_MINOR: u64 = 50_000;

/// A card that is still to be made, and what surrounds it.
#[derive(Debug, Clone)]
pub struct NewFixture {
    profile: String,
    interface: Interface,
    seed: u64,
    pin: Secret<String>,
    balance_minor: u64,
    account_minor: u64,
}

/// A card in a test, with a terminal in front of it and its issuer behind.
///
/// ```
/// use cardwright::doors::testing::{FaultPoint, Fixture};
/// # fn test() -> Result<(), cardwright::doors::testing::TestingError> {
/// let mut test = Fixture::card("ecash").balance_minor(10_000).start()?;
/// test.pull(0, FaultPoint::AnswerLost);
/// assert!(test.send("00A4040008A00000033301010600").unwrap_err().is_pulled());
/// # Ok(())
/// # }
/// # test().unwrap();
/// ```
pub struct Fixture {
    stage: Stage,
    context: Context,
    events: Collector,
    hand: FaultControl,
    pin: Secret<String>,
    currency: Currency,
}

impl NewFixture {
    /// Over which interface the card is reached; contactless where nobody says.
    #[must_use]
    pub fn interface(self, interface: Interface) -> Self {
        Self { interface, ..self }
    }

    /// The seed of clock and randomness: the same seed, the same bytes.
    #[must_use]
    pub fn seed(self, seed: u64) -> Self {
        Self { seed, ..self }
    }

    /// The PIN of the card, 4 to 12 digits, which the cardholder here enters.
    #[must_use]
    pub fn pin(self, pin: &str) -> Self {
        Self { pin: Secret::new(pin.into()), ..self }
    }

    /// The electronic cash that the card begins with, in minor units.
    #[must_use]
    pub fn balance_minor(self, balance_minor: u64) -> Self {
        Self { balance_minor, ..self }
    }

    /// What is on the account behind the card, in minor units.
    #[must_use]
    pub fn account_minor(self, account_minor: u64) -> Self {
        Self { account_minor, ..self }
    }

    /// Makes the card, switches it on, and seats terminal and issuer.
    ///
    /// # Errors
    /// No such profile, or a card that cannot be made so.
    pub fn start(self) -> Result<Fixture, TestingError> {
        let events = Collector::default();
        let mut context = Context::simulated(self.seed, events.clone());
        let mut issuer = open_books(&StoreAddress::Memory, None, &mut context)?;
        let profile = Profile::named(&self.profile)?;
        let currency = profile.currencies().first().copied().unwrap_or(Currency::CNY);
        let (account, balance) = (self.account_minor, self.balance_minor);
        let mut new = NewCard::with_accounts(&mut issuer, profile, account, balance, &mut context)?;
        new.pin = self.pin.clone();
        let card = Simulator::in_memory(issue_card(&mut issuer, &new, &mut context)?);
        let hand = FaultControl::default();
        let link = InProcess::connect(card, self.interface, &mut context);
        let card = Record(T0(Fault::new(link, hand.clone())));
        let journal = open_journal(None, &mut context)?;
        let stage = Stage::new(Box::new(card), issuer, journal, TerminalConfig::default())?;
        Ok(Fixture { stage, context, events, hand, pin: self.pin, currency })
    }
}

impl Fixture {
    /// A fresh card of a built-in profile: `ecash`, `ecash-dual`, `debit`.
    pub fn card(profile: &str) -> NewFixture {
        NewFixture {
            profile: profile.into(),
            interface: Interface::Contactless,
            seed: 1,
            pin: Secret::new(DEFAULT_PIN.into()),
            balance_minor: BALANCE_MINOR,
            account_minor: ACCOUNT_MINOR,
        }
    }

    /// Sends a command APDU, in hexadecimal text, as a terminal under test would.
    ///
    /// # Errors
    /// It is no APDU, or the card was pulled.
    pub fn send(&mut self, command: &str) -> Result<ResponseApdu, TestingError> {
        self.transmit(&parse_hex(command)?)
    }

    /// Sends a command APDU.
    ///
    /// # Errors
    /// It is no APDU, or the card was pulled.
    pub fn transmit(&mut self, command: &[u8]) -> Result<ResponseApdu, TestingError> {
        let command = CommandApdu::parse(command)?;
        Ok(self.stage.card.transmit(&command, &mut self.context)?)
    }

    /// Pulls the card at an exchange, counted from the next one, which is 0.
    pub fn pull(&mut self, exchange: usize, point: FaultPoint) {
        self.hand.arm(Some(FaultPlan { exchange, point }));
    }

    /// Puts the card back; it is active again and has forgotten what was selected.
    ///
    /// # Errors
    /// It does not answer to reset.
    pub fn put_back(&mut self) -> Result<(), TestingError> {
        Ok(self.stage.card.reset(&mut self.context)?)
    }

    /// Loads from the account, by the terminal here.
    ///
    /// # Errors
    /// The transaction broke off; the journal holds what is due.
    pub fn load(&mut self, amount_minor: u64) -> Result<Outcome, TestingError> {
        self.transact(Flow::Load, amount_minor)
    }

    /// Pays, by the terminal here.
    ///
    /// # Errors
    /// The transaction broke off; the journal holds what is due.
    pub fn pay(&mut self, amount_minor: u64) -> Result<Outcome, TestingError> {
        self.transact(Flow::Pay, amount_minor)
    }

    /// Settles what was left open, with the card that is there.
    ///
    /// # Errors
    /// It cannot be settled now.
    pub fn recover(&mut self) -> Result<Recovered, TestingError> {
        Ok(self.stage.recover(&mut self.context)?)
    }

    /// The electronic cash on the card, in minor units, as a terminal reads it.
    ///
    /// # Errors
    /// The card cannot be read.
    pub fn balance_minor(&mut self) -> Result<u64, TestingError> {
        Ok(self.stage.card_balance(self.currency, &mut self.context)?.minor)
    }

    /// What is on the accounts behind the card, in minor units of its first currency.
    ///
    /// # Errors
    /// The books cannot be read.
    pub fn account_minor(&mut self) -> Result<i64, TestingError> {
        let accounts = self.stage.issuer.accounts(&mut self.context).map_err(WorldError::from)?;
        let of_it = accounts.iter().filter(|row| row.balance.currency == self.currency);
        Ok(of_it.map(|row| row.balance.minor as i64).sum())
    }

    /// The value of the element with this tag, in hexadecimal text, that was in a command
    /// or an answer last: `9F79`, `9F26`, also within templates and DOL data.
    pub fn element(&self, tag: &str) -> Option<Vec<u8>> {
        let mut explainer = Explainer::unmasked();
        let mut last = None;
        for event in self.events.events() {
            let lines = if let Some(bytes) = event.named_value("C-APDU") {
                CommandApdu::parse(bytes).map(|command| explainer.command(&command)).unwrap_or_default()
            } else if let Some(bytes) = event.named_value("R-APDU") {
                ResponseApdu::parse(bytes).map(|response| explainer.response(&response)).unwrap_or_default()
            } else {
                continue;
            };
            let named =
                |line: &Line| line.tag.is_some_and(|found| found.to_string().eq_ignore_ascii_case(tag));
            if let Some(line) = lines.into_iter().rfind(named) {
                last = Some(line.value);
            }
        }
        last
    }

    /// Everything that happened, decisions with their reasons among it.
    pub fn events(&self) -> Vec<Event> {
        self.events.events()
    }

    /// Whether an event of this name happened, as `card pulled`.
    pub fn happened(&self, name: &str) -> bool {
        self.events.events().iter().any(|event| event.name == name)
    }

    /// Card, host, books and journal, and the context that they act in: for what has no
    /// shorter way.
    pub fn stage(&mut self) -> (&mut Stage<Issuer>, &mut Context) {
        (&mut self.stage, &mut self.context)
    }

    fn transact(&mut self, flow: Flow, amount_minor: u64) -> Result<Outcome, TestingError> {
        let amount = Amount::new(amount_minor, self.currency);
        let mut pin = self.pin.clone();
        let (_, outcome) = self.stage.transact(flow, amount, &mut pin, &mut self.context)?;
        Ok(outcome)
    }
}

//! Every kind of transaction that is neither a plain load nor a payment, from the
//! terminal's chair: what moves, what is refused, and that all money stays there.

use cardwright::air::host::Original;
use cardwright::air::link::{Card, InProcess, Interface, T0};
use cardwright::base::bytes::Secret;
use cardwright::base::context::Context;
use cardwright::base::event::Discard;
use cardwright::roles::card::{Profile, Simulator};
use cardwright::roles::terminal::journal::{EntryKind, State};
use cardwright::roles::terminal::{Flow, NoCardholder, Outcome, TerminalConfig, Verdict};
use cardwright::words::emv::Pan;
use cardwright::words::iso4217::{Amount, Currency};
use cardwright::world::{
    DEFAULT_PIN, NewCard, Position, Stage, StoreAddress, issue_card, open_books, open_journal,
};

const CNY: Currency = Currency::CNY;

/// A card of 100.00 with 500.00 behind it at a terminal.
struct Counter {
    stage: Stage,
    context: Context,
    pan: Pan,
    total: i64,
}

impl Counter {
    fn new(interface: Interface) -> Self {
        Self::with("ecash", interface)
    }

    fn with(profile: &str, interface: Interface) -> Self {
        let mut context = Context::simulated(3, Discard);
        let mut issuer = open_books(&StoreAddress::Memory, None, &mut context).unwrap();
        let profile = Profile::named(profile).unwrap();
        let new = NewCard::with_accounts(&mut issuer, profile, 50_000, 10_000, &mut context).unwrap();
        let memory = issue_card(&mut issuer, &new, &mut context).unwrap();
        let pan = memory.pan().unwrap();
        let card = InProcess::connect(Simulator::in_memory(memory), interface, &mut context);
        let journal = open_journal(None, &mut context).unwrap();
        let stage = Stage::new(Box::new(T0(card)), issuer, journal, TerminalConfig::default()).unwrap();
        let mut counter = Self { stage, context, pan, total: 0 };
        counter.total = counter.position().total_minor();
        counter
    }

    /// Another card of the issuer, with 500.00 behind it and nothing on it, at a reader beside.
    fn another(&mut self, profile: &str) -> Box<dyn Card> {
        let profile = Profile::named(profile).unwrap();
        let (issuer, context) = (&mut self.stage.issuer, &mut self.context);
        let new = NewCard::with_accounts(issuer, profile, 50_000, 0, context).unwrap();
        let memory = issue_card(issuer, &new, context).unwrap();
        self.total += 50_000;
        Box::new(T0(InProcess::connect(Simulator::in_memory(memory), Interface::Contact, context)))
    }

    fn position(&mut self) -> Position {
        self.stage.position(CNY, &mut self.context).unwrap()
    }

    fn play(&mut self, flow: Flow, minor: u64) -> Outcome {
        let mut pin = Secret::new(DEFAULT_PIN.to_owned());
        let amount = Amount::new(minor, CNY);
        let (_, outcome) = self.stage.transact(flow, amount, &mut pin, &mut self.context).unwrap();
        self.assert_sound();
        outcome
    }

    fn void(&mut self, load: &Outcome) -> Outcome {
        let (batch, trace) = load.trace;
        let load = Original { batch, trace };
        let (_, outcome) = self.stage.void(load, &mut NoCardholder, &mut self.context).unwrap();
        self.assert_sound();
        outcome
    }

    /// Nothing is broken, nothing is open, and no money came or went.
    fn assert_sound(&mut self) {
        self.stage.check(&mut self.context).unwrap();
        assert_eq!(self.position().total_minor(), self.total);
        assert_eq!(self.stage.issuer.open_loads(&mut self.context).unwrap(), []);
    }

    /// Card, accounts and merchants, minor units.
    fn parts(&mut self) -> (i64, i64, i64) {
        let position = self.position();
        (position.card_minor, position.accounts_minor, position.merchants_minor)
    }
}

#[test]
fn cash_pays_for_a_load_without_a_pin_and_a_void_takes_it_off_again() {
    for interface in [Interface::Contact, Interface::Contactless] {
        let mut counter = Counter::new(interface);
        let (stage, context) = (&mut counter.stage, &mut counter.context);
        let amount = Amount::new(5_000, CNY);
        let (_, load) = stage.transact(Flow::CashLoad, amount, &mut NoCardholder, context).unwrap();
        assert_eq!(load.verdict, Verdict::Loaded, "{}", load.reason);
        counter.assert_sound();
        assert_eq!(counter.parts(), (15_000, 50_000, -5_000), "the merchant owes the cash");

        let void = counter.void(&load);
        assert_eq!(void.verdict, Verdict::Unloaded, "{}", void.reason);
        assert_eq!(void.balance_after, Some(Amount::new(10_000, CNY)));
        assert_eq!(counter.parts(), (10_000, 50_000, 0));

        let again = counter.void(&load);
        assert_eq!(again.verdict, Verdict::Declined);
        assert!(again.reason.contains("voided already"), "{}", again.reason);
        assert_eq!(counter.parts(), (10_000, 50_000, 0));
    }
}

#[test]
fn a_void_wants_a_cash_load_and_a_card_that_still_has_it() {
    let mut counter = Counter::new(Interface::Contact);
    let load = counter.play(Flow::Load, 5_000);
    let original = Original { batch: load.trace.0, trace: load.trace.1 };
    let error = counter.stage.void(original, &mut NoCardholder, &mut counter.context).unwrap_err();
    assert!(error.to_string().contains("expected a confirmed cash load, found load of"), "{error}");

    let load = counter.play(Flow::CashLoad, 5_000);
    assert_eq!(counter.play(Flow::Unload, 19_000).verdict, Verdict::Unloaded);
    let void = counter.void(&load);
    assert_eq!(void.verdict, Verdict::Refused, "{}", void.reason);
    assert_eq!(counter.parts(), (1_000, 64_000, -5_000));
}

#[test]
fn an_unload_credits_the_account_once_the_card_has_fallen() {
    for interface in [Interface::Contact, Interface::Contactless] {
        let mut counter = Counter::new(interface);
        let outcome = counter.play(Flow::Unload, 4_000);
        assert_eq!(outcome.verdict, Verdict::Unloaded, "{}", outcome.reason);
        assert_eq!(counter.parts(), (6_000, 54_000, 0));
        let all = counter.stage.card_balance(CNY, &mut counter.context).unwrap();
        assert_eq!(counter.play(Flow::Unload, all.minor).verdict, Verdict::Unloaded);
        assert_eq!(counter.parts(), (0, 60_000, 0));
        let more = counter.play(Flow::Unload, 1);
        assert_eq!(more.verdict, Verdict::Refused);
        assert!(more.reason.contains("above the balance"), "{}", more.reason);
        let rows = counter.stage.journal.rows().unwrap();
        assert!(rows.iter().all(|row| row.state == State::Confirmed), "{rows:?}");
    }
}

#[test]
fn an_unload_wants_the_pin_and_a_cash_load_keeps_to_the_limits() {
    let mut counter = Counter::new(Interface::Contact);
    let amount = Amount::new(1_000, CNY);
    let (stage, context) = (&mut counter.stage, &mut counter.context);
    let (_, none) = stage.transact(Flow::Unload, amount, &mut NoCardholder, context).unwrap();
    assert_eq!(none.verdict, Verdict::Refused);
    let mut wrong = Secret::new("000000".to_owned());
    let (_, outcome) = stage.transact(Flow::Unload, amount, &mut wrong, context).unwrap();
    assert_eq!(outcome.verdict, Verdict::Declined);
    let over = counter.play(Flow::CashLoad, 95_000);
    assert_eq!(over.verdict, Verdict::Refused, "{}", over.reason);
    assert_eq!(counter.parts(), (10_000, 50_000, 0));
}

#[test]
fn what_is_pending_is_loaded_and_no_more() {
    let mut counter = Counter::new(Interface::Contact);
    let none = counter.play(Flow::PendingLoad, 100);
    assert_eq!(none.verdict, Verdict::Declined, "{}", none.reason);
    let from = counter.stage.issuer.accounts(&mut counter.context).unwrap()[0].id.clone();
    let wages = Amount::new(3_000, CNY);
    let (issuer, context, pan) = (&mut counter.stage.issuer, &mut counter.context, &counter.pan);
    issuer.credit_pending(pan, 1, wages, Some(&from), context).unwrap();
    assert_eq!(issuer.pending_of(pan, 1, CNY, context).unwrap(), wages);
    let too_much = Amount::new(90_000, CNY);
    assert!(issuer.credit_pending(pan, 1, too_much, Some(&from), context).is_err());
    counter.assert_sound();

    assert_eq!(counter.play(Flow::PendingLoad, 3_001).verdict, Verdict::Declined);
    let outcome = counter.play(Flow::PendingLoad, 2_000);
    assert_eq!(outcome.verdict, Verdict::Loaded, "{}", outcome.reason);
    assert_eq!(counter.parts(), (12_000, 48_000, 0));
    let (issuer, context, pan) = (&mut counter.stage.issuer, &mut counter.context, &counter.pan);
    assert_eq!(issuer.pending_of(pan, 1, CNY, context).unwrap().minor, 1_000);
}

#[test]
fn an_inquiry_tells_what_the_account_may_spend_and_leaves_no_row() {
    for (profile, interface) in [("ecash", Interface::Contact), ("debit", Interface::Contact)] {
        let mut counter = Counter::with(profile, interface);
        let outcome = counter.play(Flow::Inquire, 0);
        assert_eq!(outcome.verdict, Verdict::ApprovedOnline, "{profile}: {}", outcome.reason);
        assert_eq!(outcome.account_balance, Some(Amount::new(50_000, CNY)));
        assert!(counter.stage.journal.rows().unwrap().is_empty());
        let (stage, context) = (&mut counter.stage, &mut counter.context);
        let mut wrong = Secret::new("000000".to_owned());
        let (_, refused) = stage.transact(Flow::Inquire, Amount::new(0, CNY), &mut wrong, context).unwrap();
        assert_eq!((refused.verdict, refused.account_balance), (Verdict::Declined, None));
    }
}

#[test]
fn what_is_held_cannot_be_spent_until_it_is_taken_or_let_go() {
    let mut counter = Counter::with("debit", Interface::Contact);
    let hold = counter.play(Flow::PreAuthorise, 30_000);
    assert_eq!(hold.verdict, Verdict::ApprovedOnline, "{}", hold.reason);
    let available = |counter: &mut Counter| counter.play(Flow::Inquire, 0).account_balance.unwrap().minor;
    assert_eq!(available(&mut counter), 20_000);
    assert_eq!(counter.play(Flow::PreAuthorise, 20_001).verdict, Verdict::Declined);
    assert_eq!(counter.parts().1, 50_000, "nothing is taken yet");

    let end = |counter: &mut Counter, hold: &Outcome, take: Option<u64>| {
        let named = Original { batch: hold.trace.0, trace: hold.trace.1 };
        let take = take.map(|minor| Amount::new(minor, CNY));
        let mut pin = Secret::new(DEFAULT_PIN.to_owned());
        let (stage, context) = (&mut counter.stage, &mut counter.context);
        let (_, outcome) = stage.end_hold(named, take, &mut pin, context).unwrap();
        counter.assert_sound();
        outcome
    };
    assert_eq!(end(&mut counter, &hold, Some(30_001)).verdict, Verdict::Declined, "above what is held");
    assert_eq!(end(&mut counter, &hold, Some(25_000)).verdict, Verdict::ApprovedOnline);
    assert_eq!((available(&mut counter), counter.parts()), (25_000, (0, 25_000, 25_000)));
    for take in [Some(1), None] {
        let again = end(&mut counter, &hold, take);
        assert_eq!(again.verdict, Verdict::Declined, "{}", again.reason);
        assert!(again.reason.contains("already"), "{}", again.reason);
    }

    let second = counter.play(Flow::PreAuthorise, 10_000);
    assert_eq!(available(&mut counter), 15_000);
    assert_eq!(end(&mut counter, &second, None).verdict, Verdict::ApprovedOnline);
    assert_eq!((available(&mut counter), counter.parts()), (25_000, (0, 25_000, 25_000)));
}

#[test]
fn a_refund_gives_a_payment_back_to_the_account_and_no_more_than_it() {
    for interface in [Interface::Contact, Interface::Contactless] {
        let mut counter = Counter::new(interface);
        let paid = counter.play(Flow::Pay, 3_000);
        assert_eq!(paid.verdict, Verdict::ApprovedOffline, "{}", paid.reason);
        let sale = Original { batch: paid.trace.0, trace: paid.trace.1 };
        let refund = |counter: &mut Counter, minor| {
            let amount = Amount::new(minor, CNY);
            let done = counter.stage.refund(sale, amount, &mut counter.context).unwrap();
            counter.assert_sound();
            done
        };
        // The payment is uploaded first.
        let (settled, first) = refund(&mut counter, 1_000);
        assert_eq!((settled.rows.len(), first.verdict), (1, Verdict::Refunded), "{}", first.reason);
        assert_eq!(counter.parts(), (7_000, 51_000, 2_000));
        let (_, over) = refund(&mut counter, 2_001);
        assert_eq!(over.verdict, Verdict::Declined);
        assert!(over.reason.contains("more than the sale"), "{}", over.reason);
        assert_eq!(refund(&mut counter, 2_000).1.verdict, Verdict::Refunded);
        assert_eq!(counter.parts(), (7_000, 53_000, 0));
        let rows = counter.stage.journal.rows().unwrap();
        let refunds: Vec<_> = rows.iter().filter(|row| row.kind == EntryKind::Refund).collect();
        assert_eq!(
            refunds.iter().map(|row| (row.state, row.original)).collect::<Vec<_>>(),
            [(State::Confirmed, Some(sale)), (State::Declined, Some(sale)), (State::Confirmed, Some(sale))]
        );
        let nothing = Original { trace: 999, ..sale };
        assert!(counter.stage.refund(nothing, Amount::new(1, CNY), &mut counter.context).is_err());
    }
}

#[test]
fn a_refund_wants_the_card_that_paid() {
    let mut counter = Counter::new(Interface::Contact);
    let paid = counter.play(Flow::Pay, 3_000);
    let sale = Original { batch: paid.trace.0, trace: paid.trace.1 };
    let mut other = counter.another("ecash");
    std::mem::swap(&mut counter.stage.card, &mut other);
    let amount = Amount::new(1_000, CNY);
    let (_, outcome) = counter.stage.refund(sale, amount, &mut counter.context).unwrap();
    assert_eq!(outcome.verdict, Verdict::Refused, "{}", outcome.reason);
    std::mem::swap(&mut counter.stage.card, &mut other);
    assert_eq!(counter.parts(), (7_000, 100_000, 3_000));
}

#[test]
fn another_card_pays_for_a_load_with_its_pin() {
    for (interface, profile) in [(Interface::Contact, "debit"), (Interface::Contactless, "ecash")] {
        let mut counter = Counter::new(interface);
        let mut payer = counter.another(profile);
        let amount = Amount::new(4_000, CNY);
        let mut pin = Secret::new(DEFAULT_PIN.to_owned());
        let (stage, context) = (&mut counter.stage, &mut counter.context);
        let (_, loaded) = stage.load_from(payer.as_mut(), amount, &mut pin, context).unwrap();
        assert_eq!(loaded.verdict, Verdict::Loaded, "{}", loaded.reason);
        assert_eq!(loaded.pan, Some(counter.pan.clone()), "the outcome is the loaded card's");
        assert_eq!(counter.parts(), (14_000, 96_000, 0));
        let accounts = counter.stage.issuer.accounts(&mut counter.context).unwrap();
        let mut balances: Vec<_> = accounts.iter().map(|account| account.balance.minor).collect();
        balances.sort_unstable();
        assert_eq!(balances, [46_000, 50_000]);

        let (stage, context) = (&mut counter.stage, &mut counter.context);
        let (_, none) = stage.load_from(payer.as_mut(), amount, &mut NoCardholder, context).unwrap();
        assert_eq!(none.verdict, Verdict::Refused, "{}", none.reason);
        let mut wrong = Secret::new("000000".to_owned());
        let (_, declined) = stage.load_from(payer.as_mut(), amount, &mut wrong, context).unwrap();
        assert_eq!(declined.verdict, Verdict::Declined, "{}", declined.reason);
        assert_eq!(counter.parts(), (14_000, 96_000, 0));
        counter.stage.check(&mut counter.context).unwrap();
        let rows = counter.stage.journal.rows().unwrap();
        assert_eq!(
            rows.last().map(|row| (row.kind, row.state)),
            Some((EntryKind::NonLinkedLoad, State::Declined))
        );
    }
}

#[test]
fn a_load_that_another_card_pays_wants_that_card() {
    let mut counter = Counter::new(Interface::Contact);
    let mut pin = Secret::new(DEFAULT_PIN.to_owned());
    let amount = Amount::new(4_000, CNY);
    let (stage, context) = (&mut counter.stage, &mut counter.context);
    let (_, none) = stage.transact(Flow::NonLinkedLoad, amount, &mut pin, context).unwrap();
    assert_eq!(none.verdict, Verdict::Refused, "{}", none.reason);
    assert!(none.reason.contains("no card that pays"), "{}", none.reason);
    counter.assert_sound();
}

/// A card of kernel 3 approves by its certificate alone: the account behind it is debited
/// when that is uploaded, once.
#[test]
fn kernel_3_pays_on_account_and_is_debited_at_the_upload() {
    let mut counter = Counter::with("visa-like", Interface::Contactless);
    let before = counter.position().accounts_minor;
    let paid = counter.play(Flow::Pay, 2_000);
    assert_eq!(paid.verdict, Verdict::ApprovedOffline, "{}", paid.reason);
    assert_eq!(counter.position().accounts_minor, before);
    for _ in 0..2 {
        counter.stage.recover(&mut counter.context).unwrap();
        assert_eq!(counter.position().accounts_minor, before - 2_000);
    }
    let over = counter.play(Flow::Pay, 60_000);
    assert_eq!(over.verdict, Verdict::Declined, "{}", over.reason);
}

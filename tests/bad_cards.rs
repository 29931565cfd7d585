//! Cards that do not behave: whatever they answer, the terminal ends with an
//! outcome or an error, in a bounded number of exchanges, and the books balance.

use cardwright::air::link::{Card, Endpoint, InProcess, Interface, LinkError, Record, T0};
use cardwright::base::bytes::{Secret, parse_hex};
use cardwright::base::context::Context;
use cardwright::base::event::{Collector, Discard};
use cardwright::roles::card::{Profile, Simulator};
use cardwright::roles::terminal::journal::State;
use cardwright::roles::terminal::{Depth, Flow, Outcome, TerminalConfig, Verdict, quick_balance};
use cardwright::words::iso4217::{Amount, Currency};
use cardwright::words::pboc::EcashSet;
use cardwright::world::{
    DEFAULT_PIN, NewCard, Stage, StoreAddress, WorldError, issue_card, open_books, open_journal,
};
use proptest::prelude::*;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// More exchanges than any well-behaved card needs: selection, 64 records, logs.
const EXCHANGE_LIMIT: usize = 6_000;

/// A card that answers as a function says.
struct Odd<F>(F);

impl<F: FnMut(&[u8], usize) -> Vec<u8> + Send> Endpoint for Odd<F> {
    fn place(&self) -> String {
        "an odd card".into()
    }

    fn power_on(&mut self, _: Interface, _: &mut Context) -> Vec<u8> {
        vec![0x3B, 0x80, 0x80, 0x01, 0x01]
    }

    fn power_off(&mut self) {}

    fn process(&mut self, command: &[u8], _: &mut Context) -> Result<Vec<u8>, LinkError> {
        Ok((self.0)(command, command.len()))
    }
}

fn stage(card: Box<dyn Card>, context: &mut Context) -> Stage {
    let mut issuer = open_books(&StoreAddress::Memory, None, context).unwrap();
    issuer.open_account(None, Amount::new(50_000, Currency::CNY), "Test Holder", context).unwrap();
    let journal = open_journal(None, context).unwrap();
    Stage::new(card, issuer, journal, TerminalConfig::default()).unwrap()
}

/// Reads, loads and pays; every error has words, the accounts are untouched, and the
/// number of exchanges is bounded.
fn try_everything(
    mut answer: impl FnMut(&[u8]) -> Vec<u8> + Send + Clone + 'static,
    interface: Interface,
) -> Vec<Result<Outcome, WorldError>> {
    let events = Collector::default();
    let mut context = Context::simulated(3, events.clone());
    let card = InProcess::connect(Odd(move |command: &[u8], _| answer(command)), interface, &mut context);
    let mut stage = stage(Box::new(Record(T0(card))), &mut context);
    let mut results = Vec::new();
    for depth in [Depth::Quick, Depth::Full] {
        if let Err(error) = stage.read(depth, &mut context) {
            assert!(!error.to_string().is_empty());
        }
    }
    for flow in [Flow::Load, Flow::Pay] {
        let mut pin = Secret::new(DEFAULT_PIN.to_owned());
        let amount = Amount::new(1_000, Currency::CNY);
        let result = stage.transact(flow, amount, &mut pin, &mut context).map(|(_, outcome)| outcome);
        if let Ok(outcome) = &result {
            assert!(!outcome.verdict.is_success(), "{outcome:?}");
        }
        results.push(result);
    }
    stage.check(&mut context).unwrap();
    let books = stage.issuer.books(&mut context).unwrap().of(Currency::CNY);
    assert_eq!((books.accounts_minor, books.in_flight_minor), (50_000, 0));
    let exchanges = events.events().iter().filter(|event| event.name == "command").count();
    assert!(exchanges < EXCHANGE_LIMIT, "{exchanges} exchanges");
    results
}

#[test]
fn a_card_that_answers_9000_to_everything() {
    for interface in [Interface::Contact, Interface::Contactless] {
        for result in try_everything(|_| vec![0x90, 0x00], interface) {
            match (interface, result) {
                (Interface::Contact, result) => {
                    let error = result.unwrap_err().to_string();
                    assert!(error.contains("6F"), "{error}");
                }
                // A directory that cannot be read has no candidate.
                (Interface::Contactless, result) => {
                    assert_eq!(result.unwrap().verdict, Verdict::EndApplication);
                }
            }
        }
    }
}

#[test]
fn a_card_that_announces_data_without_end() {
    for answer in [vec![0x61, 0x10], vec![0x6C, 0x10], vec![0xAA, 0x61, 0x01]] {
        let answer = move |_: &[u8]| answer.clone();
        for result in try_everything(answer, Interface::Contact) {
            assert!(result.unwrap_err().to_string().contains("giving up"));
        }
    }
}

#[test]
fn a_card_that_knows_a_next_application_without_end() {
    let mut count = 0u8;
    let answer = move |command: &[u8]| {
        if command[1] != 0xA4 {
            return vec![0x6D, 0x00];
        }
        count = count.wrapping_add(1);
        let name = [&command[5..command.len() - 1], &[count]].concat();
        let name = &name[..name.len().min(16)];
        let inner = [&[0x84, name.len() as u8], name].concat();
        [&[0x6F, inner.len() as u8], inner.as_slice(), &[0x90, 0x00]].concat()
    };
    for result in try_everything(answer, Interface::Contact) {
        assert!(result.unwrap_err().to_string().contains("did not end"));
    }
}

#[test]
fn a_card_that_selects_something_else() {
    let fci = parse_hex("6F098407A0000000031010 9000").unwrap();
    for result in try_everything(move |_| fci.clone(), Interface::Contact) {
        assert!(result.unwrap_err().to_string().contains("the card selected"));
    }
}

#[test]
fn every_status_word_to_everything() {
    for status in (0x6000..=0x9FFFu16).step_by(37) {
        try_everything(move |_| status.to_be_bytes().to_vec(), Interface::Contactless);
    }
}

#[test]
fn the_quick_balance_is_two_apdus() {
    let events = Collector::default();
    let mut context = Context::simulated(3, events.clone());
    let mut issuer = open_books(&StoreAddress::Memory, None, &mut context).unwrap();
    let profile = Profile::named("ecash").unwrap();
    let new = NewCard::with_accounts(&mut issuer, profile, 0, 4_321, &mut context).unwrap();
    let simulator = Simulator::in_memory(issue_card(&mut issuer, &new, &mut context).unwrap());
    let mut card = Record(InProcess::connect(simulator, Interface::Contact, &mut context));
    let config = TerminalConfig::default();
    let balance = quick_balance(&mut card, &config, EcashSet::FIRST, Currency::CNY, &mut context).unwrap();
    assert_eq!(balance.known().map(|amount| amount.minor), Some(4_321));
    assert_eq!(events.events().iter().filter(|event| event.name == "command").count(), 2);
}

/// What a line may do to an answer.
#[derive(Debug, Clone)]
enum Damage {
    Cut(usize),
    Flip(usize, u8),
    Replace(Vec<u8>),
}

fn damage() -> impl Strategy<Value = Damage> {
    prop_oneof![
        (0usize..300).prop_map(Damage::Cut),
        (any::<usize>(), any::<u8>()).prop_map(|(place, bits)| Damage::Flip(place, bits)),
        prop::collection::vec(any::<u8>(), 0..80).prop_map(Damage::Replace),
    ]
}

/// A real simulated card behind a line that damages some of its answers.
struct Damaged {
    card: Simulator,
    plan: Vec<(usize, Damage)>,
    exchange: usize,
}

impl Endpoint for Damaged {
    fn place(&self) -> String {
        self.card.place()
    }

    fn power_on(&mut self, interface: Interface, context: &mut Context) -> Vec<u8> {
        self.card.power_on(interface, context)
    }

    fn power_off(&mut self) {
        self.card.power_off();
    }

    fn process(&mut self, command: &[u8], context: &mut Context) -> Result<Vec<u8>, LinkError> {
        let mut answer = self.card.process(command, context)?;
        if let Some((_, damage)) = self.plan.iter().find(|(exchange, _)| *exchange == self.exchange) {
            match damage {
                Damage::Cut(length) => answer.truncate(*length),
                Damage::Flip(place, bits) => {
                    let place = place % answer.len();
                    answer[place] ^= bits;
                }
                Damage::Replace(bytes) => answer.clone_from(bytes),
            }
        }
        self.exchange += 1;
        Ok(answer)
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn damaged_answers_never_panic_and_the_books_balance(
        plan in prop::collection::vec((0usize..45, damage()), 1..4),
        contact in any::<bool>(),
        load in any::<bool>(),
    ) {
        let mut context = Context::simulated(5, Discard);
        let mut issuer = open_books(&StoreAddress::Memory, None, &mut context).unwrap();
        let profile = Profile::named("ecash").unwrap();
        let new = NewCard::with_accounts(&mut issuer, profile, 50_000, 10_000, &mut context).unwrap();
        let card = Simulator::in_memory(issue_card(&mut issuer, &new, &mut context).unwrap());
        let interface = if contact { Interface::Contact } else { Interface::Contactless };
        let card = InProcess::connect(Damaged { card, plan, exchange: 0 }, interface, &mut context);
        let journal = open_journal(None, &mut context).unwrap();
        let mut stage =
            Stage::new(Box::new(T0(card)), issuer, journal, TerminalConfig::default()).unwrap();
        let total = stage.issuer.books(&mut context).unwrap().of(Currency::CNY).total_minor();
        let flow = if load { Flow::Load } else { Flow::Pay };
        let mut pin = Secret::new(DEFAULT_PIN.to_owned());
        let _ = stage.transact(flow, Amount::new(1_000, Currency::CNY), &mut pin, &mut context);
        stage.card.reset(&mut context).unwrap();
        let _ = stage.recover(&mut context);
        stage.check(&mut context).unwrap();
        let after = stage.issuer.books(&mut context).unwrap().of(Currency::CNY).total_minor();
        prop_assert_eq!(total, after);
    }
}

/// One exchange is answered with `answer` instead of the card's own; `reaches` says
/// whether the card got the command at all. Everything is settled afterwards with the
/// card in the reader. Gives the sum before and after, by the card's own word.
fn one_wrong_answer(
    flow: Flow,
    interface: Interface,
    exchange: usize,
    (reaches, answer): (bool, [u8; 2]),
) -> (i64, i64, Vec<State>) {
    let mut context = Context::simulated(5, Discard);
    let mut issuer = open_books(&StoreAddress::Memory, None, &mut context).unwrap();
    let profile = Profile::named("ecash").unwrap();
    let new = NewCard::with_accounts(&mut issuer, profile, 50_000, 10_000, &mut context).unwrap();
    let card = Simulator::in_memory(issue_card(&mut issuer, &new, &mut context).unwrap());
    let over = Arc::new(AtomicBool::new(false));
    let wrong = Wrong { card, at: exchange, reaches, answer, exchange: 0, over: Arc::clone(&over) };
    let card = InProcess::connect(wrong, interface, &mut context);
    let journal = open_journal(None, &mut context).unwrap();
    let mut stage = Stage::new(Box::new(T0(card)), issuer, journal, TerminalConfig::default()).unwrap();
    let mut pin = Secret::new(DEFAULT_PIN.to_owned());
    let _ = stage.transact(flow, Amount::new(1_000, Currency::CNY), &mut pin, &mut context);
    over.store(true, Ordering::Relaxed);
    stage.card.reset(&mut context).unwrap();
    stage.recover(&mut context).unwrap();
    stage.check(&mut context).unwrap();
    let after = stage.position(Currency::CNY, &mut context).unwrap().total_minor();
    let open = stage.journal.open_rows().unwrap().iter().map(|row| row.state).collect();
    (60_000, after, open)
}

/// A real simulated card behind a line that changes one answer.
struct Wrong {
    card: Simulator,
    at: usize,
    reaches: bool,
    answer: [u8; 2],
    exchange: usize,
    /// The transaction has ended, and the line is sound again.
    over: Arc<AtomicBool>,
}

impl Endpoint for Wrong {
    fn place(&self) -> String {
        self.card.place()
    }

    fn power_on(&mut self, interface: Interface, context: &mut Context) -> Vec<u8> {
        self.card.power_on(interface, context)
    }

    fn power_off(&mut self) {
        self.card.power_off();
    }

    fn process(&mut self, command: &[u8], context: &mut Context) -> Result<Vec<u8>, LinkError> {
        let now = self.exchange;
        self.exchange += 1;
        match (now == self.at && !self.over.load(Ordering::Relaxed), self.reaches) {
            (false, _) => self.card.process(command, context),
            (true, true) => self.card.process(command, context).map(|_| self.answer.to_vec()),
            (true, false) => Ok(self.answer.to_vec()),
        }
    }
}

#[test]
fn a_wrong_status_word_moves_no_money() {
    let flows = [
        (Flow::Load, Interface::Contact),
        (Flow::Load, Interface::Contactless),
        (Flow::Pay, Interface::Contact),
        (Flow::Pay, Interface::Contactless),
    ];
    let mut wrong = Vec::new();
    for (flow, interface) in flows {
        for exchange in 0..45 {
            for status in [0x6F00u16, 0x6985, 0x6581, 0x6A80] {
                for reaches in [true, false] {
                    let how = (reaches, status.to_be_bytes());
                    let (before, after, open) = one_wrong_answer(flow, interface, exchange, how);
                    // A certificate that was lost stays due; nothing else does.
                    let settled = open.iter().all(|state| *state == State::CardUpdated);
                    if before != after || !settled {
                        wrong.push(format!(
                            "{flow:?} {interface} exchange {exchange}, {status:04X}, reached the card: {reaches}: \
                             {before} became {after}, open {open:?}"
                        ));
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_script_that_is_answered_and_never_run_moves_no_money() {
    for interface in [Interface::Contact, Interface::Contactless] {
        for exchange in 0..45 {
            let (before, after, open) =
                one_wrong_answer(Flow::Load, interface, exchange, (false, [0x90, 0x00]));
            assert_eq!((before, open), (after, vec![]), "exchange {exchange}, {interface}");
        }
    }
}

//! A card, a terminal and an issuer in memory, and one transaction between them, as
//! benchmarks play it. What is measured, and beside what, may not enter.

use cardwright::air::link::{InProcess, Interface, T0};
use cardwright::base::bytes::Secret;
use cardwright::base::context::Context;
use cardwright::base::event::Discard;
use cardwright::roles::card::{Profile, Simulator};
use cardwright::roles::terminal::{Flow, Outcome, Seat, TerminalConfig, Terms, drive};
use cardwright::words::iso4217::{Amount, Currency};
use cardwright::world::{DEFAULT_PIN, NewCard, Stage, StoreAddress, issue_card, open_books, open_journal};
use std::sync::Arc;

/// A new card of `profile`, with money on its accounts: linked and pending, minor units.
pub(crate) fn stage(
    profile: Profile,
    (linked, pending): (u64, u64),
    config: TerminalConfig,
    interface: Interface,
) -> (Stage, Context) {
    let mut context = Context::simulated(1, Discard);
    let mut issuer = open_books(&StoreAddress::Memory, None, &mut context).expect("books in memory");
    let new = NewCard::with_accounts(&mut issuer, profile, linked, pending, &mut context);
    let memory = issue_card(&mut issuer, &new.expect("a card order"), &mut context).expect("a card");
    let card = InProcess::connect(Simulator::in_memory(memory), interface, &mut context);
    let journal = open_journal(None, &mut context).expect("a journal in memory");
    let stage = Stage::new(Box::new(T0(card)), issuer, journal, config).expect("a stage");
    (stage, context)
}

/// One transaction over 0.01.
pub(crate) fn play(stage: &mut Stage, flow: Flow, context: &mut Context) -> Outcome {
    let terms = Terms {
        mode: stage.config.entry(flow, stage.card.activation().interface),
        flow,
        config: Arc::clone(&stage.config),
        amount: Amount::new(1, Currency::CNY),
        trace: stage.journal.next_trace().expect("a trace number"),
        confirmation: (1, 1),
        original: None,
        payer: None,
        at: context.now(),
        cashback_minor: 0,
        forced_online: false,
    };
    let mut pin = Secret::new(DEFAULT_PIN.to_owned());
    let mut seat = Seat {
        card: &mut stage.card,
        payer: None,
        host: &mut stage.host,
        cardholder: &mut pin,
        journal: &mut stage.journal,
    };
    drive(terms, &mut seat, context).expect("an outcome")
}

//! Transactions with the card in the reader, from the command line.

use super::command::Call;
use super::failure::{Exit, Failure};
use super::person::{Hand, Holding, Person};
use super::purse;
use super::scene::{Scene, Want};
use crate::air::host::Original;
use crate::air::link::Interface;
use crate::observers::report::{outcome_json, outcome_text, recovery_json, recovery_text};
use crate::roles::terminal::journal::{Entry, EntryKind, State};
use crate::roles::terminal::{Flow, Message, Outcome, Recovered, TerminalError, Verdict};
use crate::words::iso4217::{Amount, Currency};
use crate::words::iso7816::Aid;
use crate::world::{DEFAULT_PIN, Sale, WorldError};
use clap::Arg;
use std::sync::Arc;

/// What is done with the card.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::doors::cli) enum Deal {
    /// A flow over the amount on the line.
    Amount(Flow),
    /// A sale of the amount on the line, or cash.
    Sell {
        /// What is paid out in cash besides, as it stands on the line.
        cashback: Option<String>,
        /// Whether the amount on the line is cash.
        is_cash: bool,
        /// Whether the issuer is asked in any case.
        forced_online: bool,
    },
    /// A flow over all that the card holds.
    All(Flow),
    /// A load that the account of another card pays for, whose address is on the line.
    OtherPays,
    /// The void of a cash load; without one named, of the last that is confirmed.
    Void(Option<Original>),
    /// A question, over no amount.
    Ask(Flow),
    /// The completion of a hold by the amount on the line, or its cancellation.
    EndHold {
        /// The hold.
        hold: Original,
        /// Whether the merchant takes the amount on the line.
        take: bool,
    },
}

/// The arguments of what moves an amount.
pub(in crate::doors::cli) fn arguments(line: clap::Command) -> clap::Command {
    currency_argument(line.arg(amount_argument().required(true)))
}

/// The amount.
pub(in crate::doors::cli) fn amount_argument() -> Arg {
    Arg::new("AMOUNT")
        // So that -5 is refused by the rule for amounts, not as an unknown switch.
        .allow_negative_numbers(true)
        .help("Such as 50.00: above 0, no finer than the currency")
}

/// The currency.
pub(in crate::doors::cli) fn currency_argument(line: clap::Command) -> clap::Command {
    line.arg(
        Arg::new("currency")
            .long("currency")
            .value_name("CODE")
            .help("ISO 4217 number or letters, such as 344 or HKD; else the terminal's"),
    )
}

/// Runs it. What was open is settled first.
pub(in crate::doors::cli) fn run(call: &mut Call<'_>, deal: Deal) -> Result<Exit, Failure> {
    run_with(call, deal, None)
}

/// Runs it with a hand that does as the reader says before the card comes again.
pub(in crate::doors::cli) fn run_with(
    call: &mut Call<'_>,
    deal: Deal,
    hand: Option<Hand>,
) -> Result<Exit, Failure> {
    let currency = currency(call, call.switches.config()?.currency)?;
    let flow = match deal {
        Deal::Amount(flow) | Deal::All(flow) | Deal::Ask(flow) => flow,
        Deal::Sell { is_cash: true, .. } => Flow::Cash,
        Deal::Sell { cashback: Some(_), .. } => Flow::Cashback,
        Deal::Sell { .. } => Flow::Pay,
        Deal::OtherPays => Flow::NonLinkedLoad,
        Deal::Void(_) => Flow::CashLoadVoid,
        Deal::EndHold { take: true, .. } => Flow::CompletePreAuthorisation,
        Deal::EndHold { take: false, .. } => Flow::CancelPreAuthorisation,
    };
    let named = match deal {
        Deal::Amount(_) | Deal::Sell { .. } | Deal::OtherPays | Deal::EndHold { take: true, .. } => {
            Some(Amount::parse(call.text("AMOUNT").unwrap_or_default(), currency)?)
        }
        Deal::Ask(_) => Some(Amount::new(0, currency)),
        Deal::All(_) | Deal::Void(_) | Deal::EndHold { take: false, .. } => None,
    };
    let (command, interface) = match flow {
        // The quick path has no way to ask the issuer that the merchant wants.
        Flow::Pay if matches!(deal, Deal::Sell { forced_online: true, .. }) => ("pay", Interface::Contact),
        Flow::Pay => ("pay", Interface::Contactless),
        Flow::Cash | Flow::Cashback => ("pay", Interface::Contact),
        Flow::Unload => ("unload", Interface::Contact),
        Flow::CashLoadVoid => ("void", Interface::Contact),
        Flow::Load | Flow::CashLoad | Flow::PendingLoad | Flow::NonLinkedLoad => ("load", Interface::Contact),
        Flow::Inquire => ("inquire", Interface::Contact),
        Flow::PreAuthorise | Flow::CompletePreAuthorisation | Flow::CancelPreAuthorisation => {
            ("preauth", Interface::Contact)
        }
    };
    let want = Want { command, interface, effect: call.effect, money: true };
    let mut scene = Scene::open(call, want)?;
    if purse::named(call).is_some() {
        return purse::run(call, &mut scene, flow, named.unwrap_or(Amount::new(0, currency)));
    }
    choose_application(call, &mut scene)?;
    let mut person = scene.person();
    if flow.wants_pin() && matches!(person, Person::Away { .. }) {
        return Err(Person::away());
    }
    let mut holding = Holding { person: &mut person, hand };
    let result = match (deal, named) {
        (Deal::Void(load), _) => {
            let load = match load {
                Some(load) => load,
                None => last_cash_load(&mut scene)?,
            };
            scene.stage.void(load, &mut holding, &mut scene.context)
        }
        (Deal::EndHold { hold, .. }, take) => {
            scene.stage.end_hold(hold, take, &mut holding, &mut scene.context)
        }
        (Deal::Sell { cashback, is_cash, forced_online }, Some(amount)) => {
            let cashback = cashback.map(|text| Amount::parse(&text, currency)).transpose()?;
            let cashback_minor = cashback.map_or(0, |cashback| cashback.minor);
            let total = amount.minor.saturating_add(cashback_minor);
            let amount = Amount::new(total.min(Amount::MAX_MINOR), currency);
            let sale = Sale { amount, cashback_minor, is_cash, forced_online };
            scene.stage.sell(sale, &mut person, &mut scene.context)
        }
        (Deal::OtherPays, Some(amount)) => {
            let mut payer = scene.open_payer(call)?;
            scene.stage.load_from(payer.as_mut(), amount, &mut holding, &mut scene.context)
        }
        (_, Some(amount)) => scene.stage.transact(flow, amount, &mut holding, &mut scene.context),
        (_, None) => {
            let all = scene.stage.card_balance(currency, &mut scene.context)?;
            if all.minor == 0 && scene.stage.select_purse(&mut scene.context)?.is_some() {
                return purse::run(call, &mut scene, flow, all);
            }
            if all.minor == 0 {
                call.output.say(&format!("The card holds no {currency}.\n"));
                return Ok(Exit::Declined);
            }
            scene.stage.transact(flow, all, &mut holding, &mut scene.context)
        }
    };
    if is_for_purses(&result) && scene.stage.select_purse(&mut scene.context)?.is_some() {
        let amount = named.unwrap_or(Amount::new(0, currency));
        return purse::run(call, &mut scene, flow, amount);
    }
    let done = result.map_err(|cause| broken_off(cause, &mut scene))?;
    end(call, &mut scene, done, &person)
}

/// Whether the card has nothing of a bank card's, and was asked for nothing that moves money.
fn is_for_purses(result: &Result<(Recovered, Outcome), WorldError>) -> bool {
    match result {
        Ok((_, outcome)) => {
            outcome.pan.is_none() && outcome.atc.is_none() && outcome.verdict == Verdict::EndApplication
        }
        Err(error) => matches!(error, WorldError::Terminal(TerminalError::NoApplication { .. })),
    }
}

/// Tells how a transaction ended, and checks the books.
pub(in crate::doors::cli) fn end(
    call: &mut Call<'_>,
    scene: &mut Scene,
    (recovered, outcome): (Recovered, Outcome),
    person: &Person,
) -> Result<Exit, Failure> {
    if scene.pin.is_none() && person.entered_a_pin() {
        call.output.note(format!("The fresh card's PIN, {DEFAULT_PIN}, was entered for you."));
    }
    tell(call, &recovered, &outcome, scene.is_fresh());
    scene.recording.check()?;
    scene.stage.check(&mut scene.context)?;
    if matches!(person, Person::Away { wanted: true }) && !outcome.verdict.is_success() {
        return Err(Person::away());
    }
    if outcome.verdict == Verdict::HostUnreachable {
        return Err(Failure::NoHost { address: call.switches.host.clone() });
    }
    Ok(exit(&outcome))
}

/// Where the line names an application, the terminal looks for no other one.
fn choose_application(call: &Call<'_>, scene: &mut Scene) -> Result<(), Failure> {
    let Ok(Some(text)) = call.arguments.try_get_one::<String>("application") else { return Ok(()) };
    let wrong = |why: &str| Failure::Usage(format!("--application {text}: {why}"));
    let aid = Aid::try_from(text.clone()).map_err(|cause| wrong(&cause))?;
    match Arc::make_mut(&mut scene.stage.config).accept_only(&aid) {
        true => Ok(()),
        false => Err(wrong("the terminal accepts no application of this name (see [[application]])")),
    }
}

/// How a command ends with an outcome.
pub(in crate::doors::cli) fn exit(outcome: &Outcome) -> Exit {
    // The card was pulled before anything moved (EMV Contactless Book B 3.5.1.3).
    let is_lost = outcome.parameters.is_some_and(|told| told.message == Message::PresentAgain);
    match outcome.verdict {
        verdict if verdict.is_unconfirmed() => Exit::RecoveryDue,
        verdict if verdict.is_success() => Exit::Done,
        _ if is_lost => Exit::Transport,
        _ => Exit::Declined,
    }
}

/// The currency on the line, else the terminal's.
pub(in crate::doors::cli) fn currency(call: &Call<'_>, default: Currency) -> Result<Currency, Failure> {
    match call.arguments.try_get_one::<String>("currency") {
        Ok(Some(text)) => parse_currency(text),
        // A void has its load's, a cancellation its hold's.
        Ok(None) | Err(_) => Ok(default),
    }
}

/// The last confirmed cash load in the terminal's journal.
fn last_cash_load(scene: &mut Scene) -> Result<Original, Failure> {
    let rows = scene.stage.journal.rows().map_err(WorldError::from)?;
    let is_load = |row: &&Entry| row.kind == EntryKind::CashLoad && row.state == State::Confirmed;
    let load = rows.iter().rev().find(is_load).ok_or_else(|| {
        Failure::Usage("the terminal's journal holds no confirmed cash load that could be voided".into())
    })?;
    Ok(Original { batch: load.batch, trace: load.trace })
}

/// Batch and trace as a receipt has them, `000001/000007`, or a trace of batch 1.
pub(in crate::doors::cli) fn parse_trace(text: &str) -> Result<Original, Failure> {
    let number = |part: &str| {
        let digits = (1..=6).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
        digits.then(|| part.parse().ok()).flatten()
    };
    let (batch, trace) = text.split_once('/').unwrap_or(("1", text));
    match (number(batch), number(trace)) {
        (Some(batch), Some(trace)) => Ok(Original { batch, trace }),
        _ => Err(Failure::Usage(format!(
            "expected batch and trace as a receipt has them, such as 000001/000007, found {text:?}"
        ))),
    }
}

/// A currency as a person writes it.
pub(in crate::doors::cli) fn parse_currency(text: &str) -> Result<Currency, Failure> {
    Currency::parse(text).ok_or_else(|| {
        Failure::Usage(format!(
            "expected a currency by its ISO 4217 number (344) or letters (HKD), found {text:?}"
        ))
    })
}

/// Says what was settled first and what the transaction came to.
pub(in crate::doors::cli) fn tell(
    call: &mut Call<'_>,
    recovered: &Recovered,
    outcome: &Outcome,
    fresh: bool,
) {
    if !recovered.rows.is_empty() {
        call.output.say(&format!("Settled first:\n{}", recovery_text(recovered)));
        call.output.tell("settled_first", recovery_json(recovered));
    }
    call.output.say(&outcome_text(outcome, call.switches.unmask));
    if outcome.verdict == Verdict::ApprovedOffline {
        call.output.say(match fresh {
            true => "  Card, issuer and sale were in memory: they end here.\n",
            false => "  The sale waits for its upload: `cardwright upload`, or the next load or pay.\n",
        });
    }
    call.output.tell("outcome", outcome_json(outcome, call.switches.unmask));
}

/// The error of a transaction that broke off, with what the journal says is due.
pub(in crate::doors::cli) fn broken_off(cause: WorldError, scene: &mut Scene) -> Failure {
    let rows = scene.stage.journal.open_rows().unwrap_or_default();
    let mut lines: Vec<String> = rows
        .iter()
        .map(|row| {
            let sent = if row.sent { ", the card was told to change" } else { "" };
            format!("the journal holds: {} of {}, {}{sent}", row.kind.word(), row.amount, row.state)
        })
        .collect();
    match (lines.is_empty(), scene.is_fresh()) {
        (true, _) => return cause.into(),
        (false, true) => lines.push("the card was in memory: it ends here, with all of it".into()),
        (false, false) => lines.push(format!(
            "`cardwright recover --reader {}` settles it, and so does the next load or pay",
            scene.place
        )),
    }
    Failure::BrokenOff { cause: Box::new(cause), journal: lines.join("\n") }
}

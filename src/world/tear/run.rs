//! Plays the cases, and judges what is left of each.

use super::case::{Afterwards, TearCard, TearCase};
use super::fault::{TearFault, TearSize};
use super::kind::TearKind;
use super::other_make::tells_refusal;
use super::report::{TearReport, TearRow};
use super::scene::{CNY, ELSEWHERE_LOAD, ELSEWHERE_PAYMENT, Scene};
use super::settings::TearSettings;
use crate::air::host::Host;
use crate::roles::terminal::journal::{Entry, EntryKind, State};
use crate::roles::terminal::{Flow, Settled};
use crate::words::dictionary::tag;
use crate::world::error::WorldError;
use crate::world::parallel::in_order;
use crate::world::seeds::Shelf;
use crate::world::witness::Transitions;
use std::ops::ControlFlow;

/// How often the terminal starts again at the most; the longest way takes two.
const RESTARTS: usize = 3;
/// How far apart the cases are that follow each other where one violation is enough.
const STRIDE: usize = 17;

/// Plays every case of the settings. `progress` is told how many are done, and of
/// how many.
pub fn tear(
    settings: &TearSettings,
    progress: &mut dyn FnMut(usize, usize),
) -> Result<TearReport, WorldError> {
    let cases = cases(settings)?;
    let mut report = TearReport::of(settings);
    let each = |case: &TearCase, shelf: &mut Shelf| play(settings, *case, shelf);
    let played = in_order(settings.jobs, &cases, each, |(row, transitions), done| {
        report.count(row.case.kind, &std::mem::take(transitions));
        progress(done, cases.len());
        let enough = settings.until_violation && row.violation.is_some();
        if enough { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })?;
    report.is_whole = played.len() == cases.len();
    report.rows = played.into_iter().map(|(row, _)| row).collect();
    Ok(report)
}

/// The cases that are played, in order, from transactions that nothing disturbs.
fn cases(settings: &TearSettings) -> Result<Vec<TearCase>, WorldError> {
    let mut cases = Vec::new();
    let mut shelf = Shelf::default();
    for kind in &settings.kinds {
        for card in TearCard::of(*kind) {
            let mut scene = Scene::set(settings, *kind, *card, &mut shelf)?;
            scene.transact()?;
            let size = TearSize {
                exchanges: if settings.bytes.is_some() { 0 } else { scene.card.exchanges() },
                wire: scene.wire.exchanges(),
                every: settings.bytes.unwrap_or(1).max(1),
                messages: scene.host.messages(),
                writes: scene.crash.writes(),
                has_script: kind.has_script(),
            };
            for fault in TearFault::all(&size) {
                let (kind, card) = (*kind, *card);
                cases.extend(card.afterwards(kind).map(|afterwards| TearCase {
                    kind,
                    card,
                    fault,
                    afterwards,
                }));
            }
        }
    }
    let cases: Vec<_> = cases.into_iter().step_by(settings.every.max(1)).collect();
    if !settings.until_violation {
        return Ok(cases);
    }
    let starts = 0..STRIDE;
    Ok(starts.flat_map(|start| cases.iter().skip(start).step_by(STRIDE).copied()).collect())
}

fn play(
    settings: &TearSettings,
    case: TearCase,
    shelf: &mut Shelf,
) -> Result<(TearRow, Transitions), WorldError> {
    let mut scene = Scene::set(settings, case.kind, case.card, shelf)?;
    let total = scene.stage.position(CNY, &mut scene.context)?.total_minor();
    match case.fault {
        TearFault::Card(plan) => scene.card.arm(Some(plan)),
        TearFault::Wire(plan, _) => scene.wire.arm(Some(plan)),
        TearFault::Host(plan) => scene.host.arm(Some(plan)),
        TearFault::Crash(plan) => scene.crash.arm(Some(plan)),
        TearFault::Script { by_notice } => {
            scene.script.arm(true);
            if by_notice {
                let ours: Box<dyn Host> = Box::new(scene.stage.issuer.handle()?);
                let host = std::mem::replace(&mut scene.stage.host, ours);
                scene.stage.host = tells_refusal(host);
            }
        }
    }
    let broke = scene.transact().err().map(|error| error.to_string());
    let happened = match case.fault {
        TearFault::Card(plan) => scene.card.exchanges() > plan.exchange,
        TearFault::Wire(..) => scene.wire.has_cut(),
        TearFault::Host(plan) => scene.host.messages() > plan.message,
        TearFault::Crash(plan) => scene.crash.writes() > plan.write,
        TearFault::Script { .. } => scene.script.has_changed(),
    };
    let differed = scene.host.differed();
    scene.restart()?;
    let torn = scene.rows()?.last().map(|row| row.state);
    let mut settled = Vec::new();
    match case.afterwards {
        Afterwards::Back => {}
        Afterwards::TappedAgain => {
            settled.extend(scene.stage.recover(&mut scene.context)?.rows);
            scene.transact()?;
        }
        Afterwards::SpentElsewhere => scene.elsewhere(Flow::Pay, ELSEWHERE_PAYMENT)?,
        Afterwards::LoadedElsewhere | Afterwards::NeverBack => {
            scene.elsewhere(Flow::Load, ELSEWHERE_LOAD)?;
            settled.extend(scene.recover_without_card()?);
        }
    }
    for start in 0..RESTARTS {
        scene.restart()?;
        settled.extend(match case.afterwards {
            Afterwards::NeverBack => scene.recover_without_card()?,
            _ => scene.stage.recover(&mut scene.context)?.rows,
        });
        if start == 0 {
            scene.host.deliver_delayed(&mut scene.stage.issuer, &mut scene.context);
        }
    }
    // A payment whose certificate was lost with the card's answer is claimed, and settled by
    // what the card proves when it is next used.
    let is_claimed = |row: &Entry| {
        matches!(row.kind, EntryKind::OfflineSale | EntryKind::PursePurchase)
            && row.state == State::CardUpdated
    };
    if scene.rows()?.iter().any(is_claimed) {
        scene.elsewhere(Flow::Load, ELSEWHERE_LOAD)?;
        scene.restart()?;
        settled.extend(scene.recover_without_card()?);
    }
    let rows = scene.rows()?;
    let last = rows.last().map(|row| row.state);
    let mut violation = differed.then(|| "a message that came twice was answered in two ways".to_owned());
    if !happened {
        violation = Some("the fault was planned and never happened".into());
    }
    let found = scene.stage.position(CNY, &mut scene.context)?.total_minor();
    if found != total {
        violation = Some(format!("the sum was {total} and is {found}"));
    }
    if let Err(error) = scene.stage.check(&mut scene.context) {
        violation = Some(error.to_string());
    }
    if let Some(open) = rows.iter().find(|row| !row.state.is_final()) {
        violation = Some(format!("a row is left {}", open.state));
    }
    if case.kind == TearKind::PayKernel2 && case.afterwards == Afterwards::TappedAgain {
        let paid = rows.iter().filter(|row| row.state == State::Confirmed).count();
        let made = scene.witness.certificates();
        if made != paid {
            violation = Some(format!("the card made {made} certificates for {paid} payments"));
        }
    }
    if let Some(twice) = same_cryptogram(&rows) {
        violation = Some(format!("rows {} and {} were paid by one cryptogram", twice.0, twice.1));
    }
    if let Some(load) = scene.stage.issuer.open_loads(&mut scene.context)?.first() {
        violation = Some(format!("the issuer's load of {} is still open", load.amount));
    }
    let way = settled.iter().map(describe).collect();
    Ok((TearRow { case, broke, torn, last, way, violation }, scene.witness.transitions()))
}

/// Two rows that were paid by the same cryptogram.
fn same_cryptogram(rows: &[Entry]) -> Option<(u32, u32)> {
    let paid: Vec<_> = rows.iter().filter(|row| row.state == State::Confirmed).collect();
    let of = |row: &Entry| row.chip.value(tag::APPLICATION_CRYPTOGRAM).map(<[u8]>::to_vec);
    paid.iter().enumerate().find_map(|(at, row)| {
        let twin = paid[..at].iter().find(|other| of(other).is_some() && of(other) == of(row))?;
        Some((twin.trace, row.trace))
    })
}

fn describe(row: &Settled) -> String {
    format!("{} -> {}: {}", row.from, row.to, row.why)
}

//! Plays taps of every kind at a gate, and compares what became of each with what must.

use super::pool::{Flaw, Pool, PoolCard, security_module};
use super::report::{Fate, GateReport, Progress};
use super::rider::{Expected, RIDERS};
use crate::air::link::{Card, FaultPlan, FaultPoint};
use crate::base::context::Context;
use crate::base::env::{Clock, SystemClock};
use crate::base::event::Discard;
use crate::base::store::{SealKey, Sqlite};
use crate::devices::gate::{Book, DenyList, Gate, Line, Passage, TapState, Why};
use crate::roles::issuer::Issuer;
use crate::roles::terminal::purse::PurseBalance;
use crate::roles::terminal::{Depth, TerminalConfig, read};
use crate::words::pboc::purse::PurseId;
use crate::world::{StoreAddress, WorldError, in_parallel, open_books};
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::time::Duration;

/// What is simulated.
#[derive(Debug, Clone)]
pub struct GateSettings {
    /// Taps.
    pub taps: u64,
    /// The seed of cards and of who comes when.
    pub seed: u64,
    /// Gates that are tapped at once, each with riders, book and issuer of its own.
    pub gates: usize,
    /// The line.
    pub line: Line,
    /// The folder in which each gate keeps its taps; in memory where there is none.
    pub folder: Option<PathBuf>,
    /// Strangers on the deny list beside the riders that are on it.
    pub denied: usize,
}

/// What passes between two taps.
const BETWEEN: Duration = Duration::from_secs(3);
/// How soon somebody taps again.
const AGAIN: Duration = Duration::from_secs(2);
/// Taps between uploads.
const UPLOAD_EVERY: u64 = 200;
/// Every so many taps the gate has recovered no certificate before.
const COLD_EVERY: u64 = 16;
/// Taps that went wrong, of each gate, that are told.
const TOLD: usize = 10;
/// Points of progress.
const POINTS: u64 = 100;

/// Plays so many taps. Each gate's thread tells `more` now and then of the taps since it last did.
pub fn simulate(settings: &GateSettings, more: &(dyn Fn(u64) + Sync)) -> Result<GateReport, WorldError> {
    let gates = settings.gates.max(1);
    let of_gate = |gate: usize| {
        let (gate, gates) = (gate as u64, gates as u64);
        settings.taps / gates + u64::from(gate < settings.taps % gates)
    };
    let mut whole = GateReport::default();
    let play = |gate: usize, (): &mut ()| {
        (gate < gates).then(|| Lane::open(settings, gate)?.play(of_gate(gate), more))
    };
    in_parallel(gates, play, |report| {
        whole.add(report?);
        Ok(ControlFlow::Continue(()))
    })?;
    whole.progress.sort_by_key(|progress| progress.micros);
    Ok(whole)
}

/// A gate with its riders.
struct Lane {
    context: Context,
    issuer: Issuer,
    gate: Gate,
    pool: Pool,
    config: TerminalConfig,
    /// Which card of each kind came last.
    turn: Vec<usize>,
    report: GateReport,
}

impl Lane {
    fn open(settings: &GateSettings, gate: usize) -> Result<Self, WorldError> {
        let mut context = Context::simulated(settings.seed.wrapping_add(gate as u64), Discard);
        let mut issuer = open_books(&StoreAddress::Memory, None, &mut context)?;
        let seal = SealKey::random(&mut context);
        let db = match &settings.folder {
            Some(folder) => Sqlite::open(&folder.join(format!("gate-{gate}.db")))?,
            None => Sqlite::in_memory()?,
        };
        let book = Book::open(Box::new(db), seal.clone())?;
        let strangers = (0..settings.denied).map(|_| u64::from_be_bytes(context.random())).collect();
        let deny_list = DenyList::of(seal, 1, strangers);
        let config = TerminalConfig::default();
        let mut gate =
            Gate::new(settings.line.clone(), config.clone(), deny_list, book, Box::new(SystemClock))?;
        gate = gate.with_sam(security_module(&mut context)?);
        let pool = Pool::issue(&mut issuer, &mut gate, &mut context)?;
        let report = GateReport { fates: vec![Fate::default(); RIDERS.len()], ..GateReport::default() };
        Ok(Self { context, issuer, gate, pool, config, turn: vec![0; RIDERS.len()], report })
    }

    fn play(mut self, taps: u64, more: &dyn Fn(u64)) -> Result<GateReport, WorldError> {
        let (begun, mut told) = (SystemClock.now(), 0);
        for number in 1..=taps {
            let is_cold = number % COLD_EVERY == 0;
            if is_cold {
                self.gate.forget_certificates();
            }
            let kind = self.choose();
            self.rider(kind, is_cold)?;
            if number % UPLOAD_EVERY == 0 {
                self.upload()?;
            }
            if number % taps.div_ceil(POINTS) == 0 || number == taps {
                let micros = SystemClock.now().micros().saturating_sub(begun.micros());
                let micros = u64::try_from(micros).unwrap_or(0);
                self.report.progress.push(Progress { taps: number, micros });
                more(number - told);
                told = number;
            }
        }
        // What is gathered ends with its period, and is asked for.
        if let Some(rules) = self.gate.line().aggregation {
            self.context.elapse(Duration::from_secs(rules.hours.unwrap_or(24) * 3600));
        }
        self.upload()?;
        self.report.taps = taps;
        let purses = self.gate.book().standing_of_purses()?;
        let mut paid_minor = 0;
        for (state, standing) in self.gate.book().standing()? {
            if matches!(state, TapState::Approved | TapState::Recovered) {
                paid_minor += standing.minor;
            }
            match state {
                TapState::Approved | TapState::Recovered => self.report.approved += standing.taps,
                TapState::Owed | TapState::Lost => self.report.declined += standing.taps,
                TapState::Free => self.report.free += standing.taps,
                TapState::Waiting | TapState::Held => self.report.waiting += standing.taps,
                TapState::InDoubt | TapState::Claimed => self.report.in_doubt += standing.taps,
                TapState::Doubtful => self.report.doubtful += standing.taps,
                TapState::Void => {}
            }
        }
        // The gate stayed shut at those of them whose proof is not the purse's.
        let disputed = purses.get(&TapState::Lost).map_or(0, |lost| lost.taps);
        self.report.declined -= disputed;
        self.report.doubtful += disputed;
        let violations = self.issuer.check(&mut self.context)?;
        self.report.violations.extend(violations.iter().map(ToString::to_string));
        let of = |state| purses.get(&state).map_or(0, |standing| standing.minor);
        let kept = of(TapState::Waiting) + of(TapState::Approved);
        let left = self.left_purses()?;
        if left != kept || self.report.in_doubt > 0 {
            let doubt = self.report.in_doubt;
            self.report.violations.push(format!(
                "{left} left the purses, {kept} stands in the gate's book, {doubt} rides are in doubt"
            ));
        }
        let books = self.issuer.books(&mut self.context)?.of(self.gate.line().currency);
        let (merchants, held) = (books.merchants_minor, books.held_minor);
        if i128::from(merchants) != i128::from(paid_minor) || held != 0 {
            self.report.violations.push(format!(
                "{paid_minor} is paid by the gate's book, {merchants} by its issuers' books, which hold {held} \
                 beside"
            ));
        }
        Ok(self.report)
    }

    /// Who comes next.
    fn choose(&mut self) -> usize {
        let mut drawn = u32::from_be_bytes(self.context.random()) % 100;
        let fits = |row: &super::rider::RiderRow| match drawn.checked_sub(row.share) {
            Some(rest) => {
                drawn = rest;
                false
            }
            None => true,
        };
        RIDERS.iter().position(fits).unwrap_or(0)
    }

    /// One rider, with one tap or two.
    fn rider(&mut self, kind: usize, is_cold: bool) -> Result<(), WorldError> {
        let row = &RIDERS[kind];
        self.context.elapse(BETWEEN);
        let good = row.unflawed();
        match row.flaw {
            Flaw::Again => {
                // A good rider passes, and taps again.
                let card = self.next_card(good);
                let first = self.tap(good, card, None)?;
                self.judge(good, card, &first, is_cold);
                self.context.elapse(AGAIN);
                let again = self.tap(good, card, None)?;
                self.judge(kind, card, &again, false);
            }
            Flaw::Torn => {
                let card = self.next_card(kind);
                if let Some(exchanges) = self.pool.kinds[kind][card].exchanges {
                    let torn = self.tap(kind, card, Some(exchanges))?;
                    self.judge(kind, card, &torn, false);
                    self.context.elapse(AGAIN);
                }
                // Held to the reader again, the card passes: nothing was taken before, or it
                // proves that it was.
                let whole = self.tap(kind, card, None)?;
                self.judge(good, card, &whole, is_cold);
                let held = &mut self.pool.kinds[kind][card];
                held.exchanges.get_or_insert(held.hand.exchanges());
            }
            Flaw::Forged => {
                let card = self.next_card(kind);
                let mut passage = self.tap(kind, card, None)?;
                if passage.why == Why::Gone {
                    self.judge(kind, card, &passage, false);
                    self.context.elapse(AGAIN);
                    passage = self.tap(kind, card, None)?;
                }
                self.judge(kind, card, &passage, is_cold);
            }
            _ => {
                let card = self.next_card(kind);
                let passage = self.tap(kind, card, None)?;
                self.judge(kind, card, &passage, is_cold);
            }
        }
        Ok(())
    }

    fn next_card(&mut self, kind: usize) -> usize {
        let cards = self.pool.kinds[kind].len().max(1);
        self.turn[kind] = (self.turn[kind] + 1) % cards;
        self.turn[kind]
    }

    /// A tap; of a card that is torn, at one of so many exchanges.
    fn tap(&mut self, kind: usize, card: usize, torn_of: Option<usize>) -> Result<Passage, WorldError> {
        let plan = torn_of.map(|exchanges| {
            let drawn = u64::from_be_bytes(self.context.random());
            let point =
                if drawn.is_multiple_of(2) { FaultPoint::BeforeCommand } else { FaultPoint::AnswerLost };
            FaultPlan { exchange: (drawn / 2 % exchanges.max(1) as u64) as usize, point }
        });
        let held = &mut self.pool.kinds[kind][card];
        held.card.reset(&mut self.context)?;
        held.hand.arm(plan);
        Ok(self.gate.tap(held.card.as_mut(), &mut self.context)?)
    }

    /// Compares a tap with what must become of it.
    fn judge(&mut self, kind: usize, card: usize, passage: &Passage, is_cold: bool) {
        let row = &RIDERS[kind];
        let opens = match row.expected {
            Expected::Open => true,
            Expected::Shut => false,
            Expected::OpenUntilDeclined => !self.pool.kinds[kind][card].declined,
        };
        let fate = &mut self.report.fates[kind];
        fate.taps += 1;
        fate.opened += u64::from(passage.is_open());
        *fate.why.entry(passage.why).or_default() += 1;
        if passage.is_open() != opens {
            fate.wrong += 1;
            if self.report.wrong.len() < TOLD {
                let told = format!("{}: {}: {}", row.name, passage.why.word(), passage.reason);
                self.report.wrong.push(told);
            }
        }
        let timing = &passage.timing;
        if !matches!(passage.why, Why::Gone | Why::Unreadable) {
            let samples = if is_cold { &mut self.report.cold } else { &mut self.report.warm };
            samples.add(timing.decision);
        }
        if passage.is_open() {
            self.report.store.add(timing.store);
            self.report.total.add(timing.total());
            self.report.over_budget += u64::from(timing.is_over(self.gate.line().budget_ms));
        }
    }

    /// What has left the purses whose debits count, minor units.
    fn left_purses(&mut self) -> Result<u64, WorldError> {
        let mut left = 0;
        for PoolCard { card, hand, purse_minor, .. } in self.pool.kinds.iter_mut().flatten() {
            let Some(first) = *purse_minor else { continue };
            card.reset(&mut self.context)?;
            hand.arm(None);
            let facts = read(card.as_mut(), &self.config, Depth::Quick, &mut self.context)?;
            let balances = facts.purses.iter().flat_map(|purse| &purse.balances);
            let own = balances.filter(|balance| PurseId(balance.purse) == PurseId::PURSE);
            let now = own.filter_map(PurseBalance::own_minor).next().unwrap_or(0);
            left += first.saturating_sub(u64::try_from(now).unwrap_or(0));
        }
        Ok(left)
    }

    /// Asks the issuer about what has gone by. What it has declined stands in its own books.
    fn upload(&mut self) -> Result<(), WorldError> {
        self.gate.upload_all(&mut self.issuer, &mut self.context)?;
        let poor = RIDERS.iter().zip(&mut self.pool.kinds);
        let poor = poor.filter(|(row, _)| row.expected == Expected::OpenUntilDeclined);
        for card in poor.flat_map(|(_, cards)| cards).filter(|card| !card.declined) {
            let Some(number) = &card.number else { continue };
            let rows = self.issuer.history(number.expose(), &mut self.context)?.unwrap_or_default();
            card.declined = rows.iter().any(|row| row.state == "declined");
        }
        Ok(())
    }
}

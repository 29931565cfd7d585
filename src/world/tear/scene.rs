//! The scene of a case: one terminal with one card and one host, a hand on each, and what is done
//! there.

use super::case::TearCard;
use super::crash::{CrashControl, CrashingDb};
use super::kind::TearKind;
use super::muted_host::{HostControl, HostPlan, HostPoint, MutedHost};
use super::script::{ChangedScript, ScriptControl};
use super::settings::TearSettings;
use crate::air::host::Original;
use crate::air::link::{ByteLink, Card, Fault, FaultControl, InProcess, Record, T0, WireControl};
use crate::base::bytes::Secret;
use crate::base::context::Context;
use crate::base::store::{Db, SealKey, Sqlite};
use crate::roles::bureau::KeySet;
use crate::roles::card::Simulator;
use crate::roles::issuer::{Issuer, KeyTable, Rules};
use crate::roles::terminal::journal::{Entry, Journal};
use crate::roles::terminal::purse::{CappRecord, PurchaseKind, PurseChange};
use crate::roles::terminal::{Flow, RecoveryRules, Settled, TerminalConfig};
use crate::words::dictionary::tag;
use crate::words::emv::Pan;
use crate::words::iso4217::{Amount, Currency};
use crate::words::iso7816::Effect;
use crate::words::pboc::purse::PurseId;
use crate::world::address::{CardName, ReaderAddress};
use crate::world::card::open_sam;
use crate::world::error::WorldError;
use crate::world::issue::{DEFAULT_PIN, NewCard, issue_card};
use crate::world::rule::Rule;
use crate::world::seeds::Shelf;
use crate::world::stage::Stage;
use crate::world::witness::Witness;
use std::sync::Arc;

pub(super) const CNY: Currency = Currency::CNY;
const ACCOUNT_MINOR: u64 = 50_000;
const CARD_MINOR: u64 = 10_000;
const LOAD: Amount = Amount::new(5_000, CNY);
const PAYMENT: Amount = Amount::new(1_250, CNY);
/// Above the floor limit of kernel 2.
const ONLINE_PAYMENT: Amount = Amount::new(25_000, CNY);
const REFUND: Amount = Amount::new(750, CNY);
const LIMIT: Amount = Amount::new(20_000, CNY);
const CUT_LIMIT: Amount = Amount::new(5_000, CNY);
pub(super) const ELSEWHERE_LOAD: Amount = Amount::new(1_000, CNY);
pub(super) const ELSEWHERE_PAYMENT: Amount = Amount::new(100, CNY);

/// One terminal with one card and one host, and a hand on each.
pub(super) struct Scene {
    pub(super) stage: Stage,
    pub(super) card: FaultControl,
    pub(super) wire: WireControl,
    pub(super) host: HostControl,
    /// Loses the answer that a reversal begins with.
    unanswered: HostControl,
    pub(super) crash: CrashControl,
    pub(super) script: ScriptControl,
    pub(super) witness: Witness,
    store: Box<dyn Db>,
    seal: SealKey,
    kind: TearKind,
    /// What a void or refund is of.
    prepared: Option<Original>,
    /// The card that pays for a load of another one.
    payer: Option<Box<dyn Card>>,
    /// Other terminals so far: each begins with a journal, and so with a name, of its own.
    others: u32,
    pub(super) context: Context,
}

impl Scene {
    pub(super) fn set(
        settings: &TearSettings,
        kind: TearKind,
        card: TearCard,
        shelf: &mut Shelf,
    ) -> Result<Self, WorldError> {
        let witness = Witness::default();
        let mut context = Context::simulated(settings.seed, witness.clone());
        let keys = KeySet::test();
        let table =
            KeyTable::of(Pan::TEST_BIN, keys.dki(), keys.master().clone()).with_purses(KeySet::test_purses());
        let rules = Rules { recovery: Rule::issuer_without(settings.without), ..Rules::default() };
        let seal = SealKey::random(&mut context);
        let mut issuer = Issuer::open(shelf.store(0)?, seal.clone(), table, rules)?;
        let profile = shelf.profile(kind.profile(), card == TearCard::WithLogs)?;
        let new = NewCard::with_accounts(&mut issuer, profile, ACCOUNT_MINOR, CARD_MINOR, &mut context)?;
        let memory = issue_card(&mut issuer, &new, &mut context)?;
        let mark =
            memory.pan().zip(memory.value(tag::PAN_SEQUENCE_NUMBER).and_then(|psn| psn.first().copied()));
        let simulator = Simulator::in_memory(memory);
        let (card, host, crash) = (FaultControl::default(), HostControl::default(), CrashControl::default());
        let (wire, script) = (WireControl::default(), ScriptControl::default());
        let simulator = ChangedScript::new(simulator, script.clone());
        let link = joined(settings, simulator, kind, (&card, &wire), &mut context);
        let payer: Option<Box<dyn Card>> = match kind {
            TearKind::NonLinkedLoad => {
                let profile = shelf.profile("debit", true)?;
                let new = NewCard::with_accounts(&mut issuer, profile, ACCOUNT_MINOR, 0, &mut context)?;
                let simulator = Simulator::in_memory(issue_card(&mut issuer, &new, &mut context)?);
                // Nobody changes a script of the card that pays: it gets none.
                let simulator = ChangedScript::new(simulator, ScriptControl::default());
                Some(joined(settings, simulator, kind, (&card, &wire), &mut context))
            }
            _ => None,
        };
        let sam = match kind.is_purse() {
            true => Some(security_module(&mut context)?),
            false => None,
        };
        let store = shelf.store(1)?;
        let journal = journal(store.as_ref(), &seal, &crash)?;
        let mut stage = Stage::new(link, issuer, journal, shelf.config())?;
        stage.sam = sam;
        let unanswered = HostControl::default();
        let line = MutedHost::new(stage.host, host.clone());
        stage.host = Box::new(MutedHost::new(line, unanswered.clone()));
        stage.rules = Rule::terminal_without(settings.without);
        let mut scene = Self {
            stage,
            card,
            wire,
            host,
            unanswered,
            crash,
            script,
            witness,
            store,
            seal,
            kind,
            prepared: None,
            payer,
            others: 0,
            context,
        };
        scene.arm_nothing();
        scene.witness.look_away(true);
        scene.prepare(mark)?;
        scene.witness.look_away(false);
        scene.arm_nothing();
        Ok(scene)
    }

    /// The rows of the journal but for what was prepared.
    pub(super) fn rows(&mut self) -> Result<Vec<Entry>, WorldError> {
        let prepared = self.prepared.map(|load| (load.batch, load.trace));
        let rows = self.stage.journal.rows()?.into_iter();
        Ok(rows.filter(|row| Some((row.batch, row.trace)) != prepared).collect())
    }

    /// What a transaction needs to have happened before it.
    fn prepare(&mut self, mark: Option<(Pan, u8)>) -> Result<(), WorldError> {
        match (self.kind, mark) {
            (TearKind::PendingLoad, Some((pan, psn))) => {
                self.stage.issuer.credit_pending(&pan, psn, LOAD, None, &mut self.context)?;
            }
            (TearKind::CashLoadVoid, _) => {
                let mut pin = Secret::new(DEFAULT_PIN.to_owned());
                let (_, loaded) = self.stage.transact(Flow::CashLoad, LOAD, &mut pin, &mut self.context)?;
                self.prepared = Some(Original { batch: loaded.trace.0, trace: loaded.trace.1 });
            }
            (TearKind::Refund, _) => {
                let mut pin = Secret::new(DEFAULT_PIN.to_owned());
                let (_, paid) = self.stage.transact(Flow::Pay, PAYMENT, &mut pin, &mut self.context)?;
                self.stage.recover(&mut self.context)?;
                self.prepared = Some(Original { batch: paid.trace.0, trace: paid.trace.1 });
            }
            (TearKind::OverdraftCut, _) => {
                let mut pin = Secret::new(DEFAULT_PIN.to_owned());
                let (purse, change) = (PurseId::DEPOSIT, PurseChange::Overdraft);
                let (_, raised) =
                    self.stage.change_purse(purse, change, LIMIT, &mut pin, &mut self.context)?;
                self.prepared = Some(Original { batch: raised.trace.0, trace: raised.trace.1 });
            }
            _ => {}
        }
        Ok(())
    }

    fn arm_nothing(&mut self) {
        self.card.arm(None);
        self.wire.arm(None);
        self.host.arm(None);
        self.unanswered.arm(None);
        self.crash.arm(None);
        self.script.arm(false);
    }

    /// The transaction, and what its terminal sends at the end of the day.
    pub(super) fn transact(&mut self) -> Result<(), WorldError> {
        if self.kind == TearKind::Reversal {
            self.unanswered.arm(Some(HostPlan { message: 0, point: HostPoint::AnswerLost }));
        }
        let (stage, context) = (&mut self.stage, &mut self.context);
        let mut pin = Secret::new(DEFAULT_PIN.to_owned());
        match self.kind {
            TearKind::PursePurchase | TearKind::PurseCompound => {
                let kind = match self.kind {
                    TearKind::PurseCompound => PurchaseKind::Compound(vec![ride()]),
                    _ => PurchaseKind::Simple,
                };
                stage.pay_with_purse(PurseId::PURSE, kind, PAYMENT, &mut pin, context)?;
                stage.recover(context)?;
                return Ok(());
            }
            TearKind::PurseLoad => {
                stage.change_purse(PurseId::PURSE, PurseChange::Load, LOAD, &mut pin, context)?;
                stage.recover(context)?;
                return Ok(());
            }
            TearKind::PurseUnload => {
                stage.change_purse(PurseId::DEPOSIT, PurseChange::Unload, LOAD, &mut pin, context)?;
                stage.recover(context)?;
                return Ok(());
            }
            TearKind::OverdraftRaise | TearKind::OverdraftCut => {
                let limit = if self.kind == TearKind::OverdraftCut { CUT_LIMIT } else { LIMIT };
                stage.change_purse(PurseId::DEPOSIT, PurseChange::Overdraft, limit, &mut pin, context)?;
                stage.recover(context)?;
                return Ok(());
            }
            _ => {}
        }
        match (self.kind.flow(), self.prepared, &mut self.payer) {
            (None, Some(sale), _) => stage.refund(sale, REFUND, context)?,
            (Some(Flow::CashLoadVoid), Some(load), _) => stage.void(load, &mut pin, context)?,
            (Some(Flow::NonLinkedLoad), _, Some(payer)) => {
                stage.load_from(payer.as_mut(), LOAD, &mut pin, context)?
            }
            (Some(Flow::Pay), ..) => {
                let amount = if self.kind == TearKind::PayKernel2Online { ONLINE_PAYMENT } else { PAYMENT };
                stage.transact(Flow::Pay, amount, &mut pin, context)?
            }
            (flow, ..) => stage.transact(flow.unwrap_or(Flow::Load), LOAD, &mut pin, context)?,
        };
        self.stage.recover(&mut self.context)?;
        Ok(())
    }

    /// The terminal starts again and the card is put back.
    pub(super) fn restart(&mut self) -> Result<(), WorldError> {
        self.arm_nothing();
        self.stage.journal = journal(self.store.as_ref(), &self.seal, &self.crash)?;
        self.stage.card.reset(&mut self.context)?;
        if let Some(payer) = &mut self.payer {
            payer.reset(&mut self.context)?;
        }
        Ok(())
    }

    /// The first terminal settles what it can while the card is away.
    pub(super) fn recover_without_card(&mut self) -> Result<Vec<Settled>, WorldError> {
        Ok(self.stage.recover_without_card(&mut self.context)?.rows)
    }

    /// The card does something at another terminal, which settles its own rows.
    pub(super) fn elsewhere(&mut self, flow: Flow, amount: Amount) -> Result<(), WorldError> {
        self.others += 1;
        let terminal = format!("CW{:06}", self.others + 1);
        let config = TerminalConfig { terminal, ..(*self.stage.config).clone() };
        let config = Arc::new(config);
        let store: Box<dyn Db> = Box::new(Sqlite::in_memory()?);
        let mut other = journal(store.as_ref(), &self.seal, &CrashControl::default())?;
        std::mem::swap(&mut self.stage.journal, &mut other);
        let own = std::mem::replace(&mut self.stage.config, config);
        // The other terminal works as it should: only the first one's rules are on trial.
        let rules = std::mem::replace(&mut self.stage.rules, RecoveryRules::ALL);
        let mut pin = Secret::new(DEFAULT_PIN.to_owned());
        self.witness.look_away(true);
        if self.kind.is_purse() {
            let purse = if self.kind == TearKind::PurseLoad || self.kind.is_purse_purchase() {
                PurseId::PURSE
            } else {
                PurseId::DEPOSIT
            };
            let (stage, context) = (&mut self.stage, &mut self.context);
            match (flow, self.kind) {
                // A card forgets the TAC of a purchase with the next one of its kind.
                (Flow::Pay, TearKind::PurseCompound) => {
                    let kind = PurchaseKind::Compound(vec![ride()]);
                    stage.pay_with_purse(purse, kind, amount, &mut pin, context)?
                }
                (Flow::Pay, _) => {
                    stage.pay_with_purse(purse, PurchaseKind::Simple, amount, &mut pin, context)?
                }
                _ => stage.change_purse(purse, PurseChange::Load, amount, &mut pin, context)?,
            };
        } else {
            self.stage.transact(flow, amount, &mut pin, &mut self.context)?;
        }
        self.stage.recover(&mut self.context)?;
        self.witness.look_away(false);
        self.stage.rules = rules;
        self.stage.config = own;
        std::mem::swap(&mut self.stage.journal, &mut other);
        self.stage.card.reset(&mut self.context)?;
        Ok(())
    }
}

/// A card at the reader, with a hand on it.
fn joined(
    settings: &TearSettings,
    simulator: ChangedScript<Simulator>,
    kind: TearKind,
    (card, wire): (&FaultControl, &WireControl),
    context: &mut Context,
) -> Box<dyn Card> {
    match settings.bytes {
        Some(_) => {
            let link = ByteLink::connect(simulator, kind.interface(), wire.clone(), context);
            Box::new(Record(T0(link)))
        }
        None => {
            let link = InProcess::connect(simulator, kind.interface(), context);
            Box::new(Record(T0(Fault::new(link, card.clone()))))
        }
    }
}

/// A travel record for the ring 001E.
fn ride() -> CappRecord {
    CappRecord { sfi: 0x1E, id: 0, data: vec![0x06; 48] }
}

fn security_module(context: &mut Context) -> Result<Box<dyn Card>, WorldError> {
    let address = ReaderAddress::Simulated(CardName::Profile("psam".into()));
    let seal = |context: &mut Context| Ok(SealKey::random(context));
    open_sam(&address, Effect::Reads, seal, &TerminalConfig::default(), context)
}

fn journal(store: &dyn Db, seal: &SealKey, crash: &CrashControl) -> Result<Journal, WorldError> {
    let db = CrashingDb::new(store.handle()?, crash.clone());
    Ok(Journal::open(Box::new(db), seal.clone())?)
}

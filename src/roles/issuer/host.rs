//! The issuer as a host: a handle over its store. Everything that a message does
//! is one transaction.

use super::answer::Acted;
use super::hold::HoldStep;
use super::load_kind::LoadKind;
use super::message::{Earlier, is_final, key_fits};
use super::purchase;
use super::purse_load::changes_purse;
use super::schema::{MIGRATIONS, OWNER};
use super::work::Work;
use super::{
    AccountClass, AccountId, AccountSummary, BatchSummary, Books, CardOrder, Counts, Credentials, Flag,
    HistoryRow, IssuerError, KeyTable, Limits, NewAccount, NewPhone, OpenLoad, OrderedScript, PhoneTransfer,
    Rules, ScriptOrder, Violation,
};
use crate::air::host::{Answer, BatchTotals, Host, HostError, Kind, MessageClass, Request, ResponseCode};
use crate::base::bytes::Secret;
use crate::base::context::Context;
use crate::base::store::{Db, SealKey, migrate, transact};
use crate::words::emv::Pan;
use crate::words::iso4217::{Amount, Currency};

/// How often a message whose key is taken just then is looked at again.
const KEY_GOES: u32 = 3;

/// A handle on the issuer's books. Several may work on one store.
pub struct Issuer {
    db: Box<dyn Db>,
    pub(super) seal: SealKey,
    keys: KeyTable,
    rules: Rules,
}

impl Issuer {
    /// Opens the books and brings their tables to the newest version.
    pub fn open(
        mut db: Box<dyn Db>,
        seal: SealKey,
        keys: KeyTable,
        rules: Rules,
    ) -> Result<Self, IssuerError> {
        migrate(db.as_mut(), OWNER, MIGRATIONS)?;
        Ok(Self { db, seal, keys, rules })
    }

    /// Another handle on the same books.
    pub fn handle(&self) -> Result<Self, IssuerError> {
        let (seal, keys, rules) = (self.seal.clone(), self.keys.clone(), self.rules.clone());
        Ok(Self { db: self.db.handle()?, seal, keys, rules })
    }

    /// Opens a funding account of class I; without an id it gets a random one.
    pub fn open_account(
        &mut self,
        id: Option<&str>,
        balance: Amount,
        holder: &str,
        context: &mut Context,
    ) -> Result<AccountId, IssuerError> {
        let account = NewAccount {
            id: id.map(str::to_owned),
            balance,
            holder: Secret::new(holder.to_owned()),
            class: AccountClass::I,
            bound: None,
        };
        self.open_account_of(&account, context)
    }

    /// Opens an account of any class.
    pub fn open_account_of(
        &mut self,
        account: &NewAccount,
        context: &mut Context,
    ) -> Result<AccountId, IssuerError> {
        self.work(context, |work| work.open_account(account))
    }

    /// Moves money from one account to another, as the classes of both allow.
    pub fn transfer(
        &mut self,
        from: &AccountId,
        to: &AccountId,
        amount: Amount,
        context: &mut Context,
    ) -> Result<(), IssuerError> {
        self.work(context, |work| work.transfer_between(from, to, amount))
    }

    /// Opens a phone for an account: from now on what its key signs moves the account's money.
    pub fn open_phone(
        &mut self,
        phone: &NewPhone,
        context: &mut Context,
    ) -> Result<Credentials, IssuerError> {
        self.work(context, |work| work.open_phone(phone))
    }

    /// What became of every transfer that phones have told of, oldest first.
    pub fn phone_transfers(&mut self, context: &mut Context) -> Result<Vec<PhoneTransfer>, IssuerError> {
        self.work(context, |work| work.phone_transfers())
    }

    /// The limits that these books keep.
    pub const fn limits(&self) -> &Limits {
        &self.rules.limits
    }

    /// All funding accounts by id.
    pub fn accounts(&mut self, context: &mut Context) -> Result<Vec<AccountSummary>, IssuerError> {
        self.work(context, |work| work.accounts())
    }

    /// Puts a card on file, with the accounts it is linked to.
    pub fn order_card(&mut self, order: &CardOrder, context: &mut Context) -> Result<(), IssuerError> {
        self.work(context, |work| work.order_card(order))
    }

    /// Blocks a card for online requests, or lifts the block; `false` where there is
    /// no such card. Offline sales of a blocked card are still taken.
    pub fn set_card_active(
        &mut self,
        pan: &Pan,
        psn: u8,
        active: bool,
        context: &mut Context,
    ) -> Result<bool, IssuerError> {
        self.work(context, |work| work.set_card_active(pan, psn, active))
    }

    /// What the issuer wants done to a card goes out with the answer to its next online
    /// transaction; `false` where there is no such card.
    pub fn order_script(
        &mut self,
        pan: &Pan,
        psn: u8,
        order: &ScriptOrder,
        context: &mut Context,
    ) -> Result<bool, IssuerError> {
        self.work(context, |work| work.order_script(pan, psn, order))
    }

    /// What was ordered of a card, oldest first; `None` where there is no such card.
    pub fn scripts(
        &mut self,
        pan: &Pan,
        psn: u8,
        context: &mut Context,
    ) -> Result<Option<Vec<OrderedScript>>, IssuerError> {
        self.work(context, |work| work.scripts_of(pan, psn))
    }

    /// The sums of the books, from the postings.
    pub fn books(&mut self, context: &mut Context) -> Result<Books, IssuerError> {
        self.work(context, |work| work.books())
    }

    /// Credits the pending account of a card, which a load from pending empties: from
    /// an account, or from outside the books.
    pub fn credit_pending(
        &mut self,
        pan: &Pan,
        psn: u8,
        amount: Amount,
        from: Option<&AccountId>,
        context: &mut Context,
    ) -> Result<(), IssuerError> {
        self.work(context, |work| work.credit_pending(pan, psn, amount, from))
    }

    /// What waits on the pending account of a card.
    pub fn pending_of(
        &mut self,
        pan: &Pan,
        psn: u8,
        currency: Currency,
        context: &mut Context,
    ) -> Result<Amount, IssuerError> {
        self.work(context, |work| work.pending_of(pan, psn, currency))
    }

    /// Loads and unloads that are neither landed nor returned, oldest first.
    pub fn open_loads(&mut self, context: &mut Context) -> Result<Vec<OpenLoad>, IssuerError> {
        self.work(context, |work| work.all_open_loads())
    }

    /// Every flag that stands, oldest first.
    pub fn flags(&mut self, context: &mut Context) -> Result<Vec<Flag>, IssuerError> {
        self.work(context, |work| work.flags())
    }

    /// How much there is of everything.
    pub fn counts(&mut self, context: &mut Context) -> Result<Counts, IssuerError> {
        self.work(context, |work| work.counts())
    }

    /// The transactions of every card whose PAN is this or ends with it, oldest first;
    /// `None` where there is no such card.
    pub fn history(
        &mut self,
        pan: &str,
        context: &mut Context,
    ) -> Result<Option<Vec<HistoryRow>>, IssuerError> {
        self.work(context, |work| work.history(pan))
    }

    /// The batches of terminals that are not settled, then those that were, newest first;
    /// at most `limit` of each.
    pub fn batches(&mut self, limit: u32, context: &mut Context) -> Result<Vec<BatchSummary>, IssuerError> {
        self.work(context, |work| work.batches(limit))
    }

    /// Recomputes every invariant of the books; what is broken, is listed.
    pub fn check(&mut self, context: &mut Context) -> Result<Vec<Violation>, IssuerError> {
        self.work(context, |work| work.check())
    }

    /// Runs a piece of work in one transaction; events go out once it is kept.
    pub(super) fn work<T>(
        &mut self,
        context: &mut Context,
        mut job: impl FnMut(&mut Work<'_>) -> Result<T, IssuerError>,
    ) -> Result<T, IssuerError> {
        let Self { db, seal, keys, rules } = self;
        let (value, events) = transact(db.as_mut(), |tx| {
            let mut work = Work {
                tx,
                context: &mut *context,
                seal,
                keys,
                rules,
                token: None,
                events: Vec::new(),
                held: None,
            };
            let value = job(&mut work)?;
            Ok::<_, IssuerError>((value, work.events))
        })?;
        events.into_iter().for_each(|event| context.emit(event));
        Ok(value)
    }

    /// A message: it acts, and its key is kept with its answer, all or nothing. Nearly
    /// every message is new, so it acts first; where its key turns out to be taken, all
    /// of that is undone and what took the key is looked at.
    pub(super) fn message(
        &mut self,
        request: &Request,
        context: &mut Context,
        mut act: impl FnMut(&mut Work<'_>, &Request) -> Result<Acted, IssuerError>,
    ) -> Result<Answer, HostError> {
        if !key_fits(&request.key) {
            return Ok(key_misfit());
        }
        for go in 0..KEY_GOES {
            let done = self.work(context, |work| {
                work.hold_card(request.pan.expose(), request.psn)?;
                let earlier = if go == 0 { Earlier::None } else { work.earlier(request)? };
                match earlier {
                    Earlier::None => {}
                    Earlier::Refuses(answer) => {
                        work.say("Message Refused", answer.reason.clone());
                        return Ok(answer);
                    }
                    Earlier::Same(acted) => {
                        work.say("Message Repeated", "it has acted before: the same answer again");
                        let Acted { mut answer, on } = *acted;
                        if let (false, Some(row)) = (is_final(answer.settlement), on) {
                            answer.settlement = Some(work.settlement(&row)?);
                        }
                        return Ok(answer);
                    }
                }
                let acted = act(work, request)?;
                work.store_held_card()?;
                if work.keep(request, &acted)? { Ok(acted.answer) } else { Err(IssuerError::KeyTaken) }
            });
            if done != Err(IssuerError::KeyTaken) {
                return Ok(done?);
            }
        }
        Ok(being_worked_on())
    }
}

impl Host for Issuer {
    fn authorise(&mut self, request: &Request, context: &mut Context) -> Result<Answer, HostError> {
        if let (MessageClass::Request, Some(kind)) = (request.key.class, LoadKind::of(request.kind)) {
            return self.message(request, context, |work, request| work.authorise_load(request, kind));
        }
        if let (MessageClass::Request, Some(step)) = (request.key.class, HoldStep::of(request.kind)) {
            return self.message(request, context, |work, request| work.authorise_hold(request, step));
        }
        match (request.key.class, request.kind) {
            (MessageClass::Request, Kind::BalanceInquiry) => {
                self.message(request, context, |work, request| work.authorise_inquiry(request))
            }
            (MessageClass::Request, kind) if changes_purse(kind) => {
                self.message(request, context, |work, request| work.authorise_purse(request))
            }
            (MessageClass::Request, Kind::Unload) => {
                self.message(request, context, |work, request| work.confirm_unload(request))
            }
            (MessageClass::Request, kind) if purchase::is_one(kind) => {
                self.message(request, context, |work, request| work.authorise_purchase(request))
            }
            (MessageClass::Request, Kind::SaleClaim) => {
                self.message(request, context, |work, request| work.take_claim(request))
            }
            (MessageClass::Request, Kind::PhoneTransfer) => {
                self.message(request, context, |work, request| work.take_transfer(request))
            }
            (MessageClass::Request, Kind::PhoneTransferWithdrawal) => {
                self.message(request, context, |work, request| work.take_withdrawal(request))
            }
            _ => Ok(wrong_kind(
                "a load, unload, void, purchase, claim, inquiry, hold or transfer of class request",
            )),
        }
    }

    fn advise(&mut self, request: &Request, context: &mut Context) -> Result<Answer, HostError> {
        match (request.key.class, request.kind) {
            (MessageClass::Notice | MessageClass::Request, Kind::ScriptResult) => {
                self.message(request, context, |work, request| work.advise_script(request))
            }
            (MessageClass::Notice | MessageClass::Request, Kind::OfflineSale) => {
                self.message(request, context, |work, request| work.advise_sale(request))
            }
            (MessageClass::Notice, Kind::PurseSale) => {
                self.message(request, context, |work, request| work.advise_purse_sale(request))
            }
            (MessageClass::Notice, Kind::PurseResult) => {
                self.message(request, context, |work, request| work.advise_purse_result(request))
            }
            (MessageClass::Notice, Kind::DeclineAdvice) => {
                self.message(request, context, |work, request| work.note_decline(request))
            }
            (MessageClass::Batch, Kind::BatchUpload) => {
                self.message(request, context, |work, request| work.note_detail(request))
            }
            (MessageClass::Notice, Kind::PreAuthorisationCompletion) => {
                self.message(request, context, |work, request| work.advise_completion(request))
            }
            (MessageClass::Notice, Kind::EcashRefund) => {
                self.message(request, context, |work, request| work.advise_refund(request))
            }
            _ => Ok(wrong_kind(
                "a script result, advice, offline sale, completion or refund of class notice, or a detail of \
                 a batch",
            )),
        }
    }

    fn reverse(&mut self, request: &Request, context: &mut Context) -> Result<Answer, HostError> {
        match (request.key.class, request.kind) {
            (MessageClass::Reversal, kind)
                if purchase::is_one(kind)
                    || LoadKind::of(kind).is_some()
                    || changes_purse(kind)
                    || HoldStep::of(kind).is_some() =>
            {
                self.message(request, context, |work, request| work.undo(request))
            }
            _ => Ok(wrong_kind("a load, unload, void, purchase or hold, of class reversal")),
        }
    }

    fn settle(&mut self, totals: &BatchTotals, context: &mut Context) -> Result<Answer, HostError> {
        if totals.key.class != MessageClass::Batch {
            return Ok(wrong_kind("sums of class batch"));
        }
        if !key_fits(&totals.key) {
            return Ok(key_misfit());
        }
        for _ in 0..KEY_GOES {
            let done = self.work(context, |work| match work.earlier_totals(totals)? {
                Earlier::None => {
                    let acted = Acted::nothing(work.settle_batch(totals)?);
                    match work.keep_totals(totals, &acted)? {
                        true => Ok(acted.answer),
                        false => Err(IssuerError::KeyTaken),
                    }
                }
                Earlier::Refuses(answer) => Ok(answer),
                Earlier::Same(acted) => Ok(acted.answer),
            });
            if done != Err(IssuerError::KeyTaken) {
                return Ok(done?);
            }
        }
        Ok(being_worked_on())
    }
}

fn being_worked_on() -> Answer {
    Answer::new(ResponseCode::MALFUNCTION, "the message is being worked on")
}

fn key_misfit() -> Answer {
    let reason = "merchant (15), terminal (8), batch or trace (six digits) do not fit their fields";
    Answer::new(ResponseCode::FORMAT_ERROR, reason)
}

fn wrong_kind(expected: &str) -> Answer {
    Answer::new(ResponseCode::INVALID_TRANSACTION, format!("expected {expected}"))
}

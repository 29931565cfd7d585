//! Funding accounts: opening and listing. Who holds one is sealed.

use super::answer::Stop;
use super::decision::Refusal;
use super::ledger::{self, Book};
use super::limits::{Party, Way};
use super::usage::{self, Movement};
use super::work::Work;
use super::{AccountClass, IssuerError, Used};
use crate::air::host::ResponseCode;
use crate::base::bytes::Secret;
use crate::base::store::{Sealed, Value};
use crate::words::iso4217::{Amount, Currency};
use std::fmt;

/// What the name of a holder is sealed for.
pub(super) const HOLDER: &str = "account.holder";

/// The id of a funding account.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountId(pub String);

impl fmt::Display for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A funding account as a list shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountSummary {
    /// Its id.
    pub id: AccountId,
    /// What it may spend.
    pub balance: Amount,
    /// What pre-authorisations hold of it besides.
    pub held: Amount,
    /// Who holds it.
    pub holder: Secret<String>,
    /// Its class.
    pub class: AccountClass,
    /// The account of class I that it is bound to.
    pub bound: Option<AccountId>,
    /// What has left it and come in, where limits make the books keep sums.
    pub used: Option<(Used, Used)>,
}

/// An account that is to be opened.
#[derive(Debug, Clone)]
pub struct NewAccount {
    /// Its id; else a random one.
    pub id: Option<String>,
    /// What it begins with.
    pub balance: Amount,
    /// Who holds it.
    pub holder: Secret<String>,
    /// Its class.
    pub class: AccountClass,
    /// The holder's account of class I, to which one of class II or III may be bound.
    pub bound: Option<AccountId>,
}

impl Work<'_> {
    /// Opens an account; without an id it gets a random one.
    pub(super) fn open_account(&mut self, account: &NewAccount) -> Result<AccountId, IssuerError> {
        self.check_new(account)?;
        let balance = account.balance;
        let id = match &account.id {
            Some(id) => id.clone(),
            None => {
                let number = u64::from_be_bytes(self.context.random()) % 10_000_000_000;
                format!("{number:010}")
            }
        };
        let sealed = Sealed::seal(self.seal, HOLDER, account.holder.expose().as_bytes(), self.context);
        let opened_at = self.now().micros();
        let changed = self.tx.execute(
            "INSERT INTO account (id, currency, holder, opened_at, class, bound) \
             VALUES ($1, $2, $3, $4, $5, $6) \
             ON CONFLICT DO NOTHING",
            &[
                id.as_str().into(),
                i64::from(balance.currency.0).into(),
                Value::Bytes(sealed.0),
                opened_at.into(),
                account.class.word().into(),
                account.bound.as_ref().map(|bound| bound.0.as_str()).into(),
            ],
        )?;
        if changed == 0 {
            return Err(IssuerError::AccountExists { id });
        }
        self.open_book(Book::Account(&id), balance.currency)?;
        if balance.minor > 0 {
            self.transfer("account opened", &id, Book::Opening, Book::Account(&id), balance)?;
        }
        self.say_amount("Account Opened", balance, "opening balance booked");
        Ok(AccountId(id))
    }

    /// The currency of an account.
    pub(super) fn account_currency(&mut self, id: &str) -> Result<Currency, IssuerError> {
        let rows = self.tx.query("SELECT currency FROM account WHERE id = $1", &[id.into()])?;
        let row = rows.first().ok_or_else(|| IssuerError::NoSuchAccount { id: id.to_owned() })?;
        ledger::currency(row, 0)
    }

    /// Whether an account may begin so: what is limited has figures, is bound to class I
    /// if to any, and begins within its balance.
    fn check_new(&mut self, account: &NewAccount) -> Result<(), IssuerError> {
        let NewAccount { balance, class, bound, .. } = account;
        let refused = |reason: String| Err(IssuerError::Refused { reason });
        let figures = self.rules.limits.class(*class).figures(balance.currency).copied();
        if *class != AccountClass::I && figures.is_none() {
            let reason = format!("limit figures: class {class} has none in {}", balance.currency);
            return refused(reason);
        }
        let most = figures.and_then(|figures| figures.balance_minor);
        if let Some(most) = most.filter(|most| balance.minor > *most) {
            let most = Amount::new(most, balance.currency);
            return refused(format!("limit balance of class {class}: the account may hold at most {most}"));
        }
        let Some(bound) = bound else { return Ok(()) };
        if *class == AccountClass::I || self.class_of(&bound.0)?.0 != AccountClass::I {
            return refused("an account of class II or III is bound to one of class I".into());
        }
        let found = self.account_currency(&bound.0)?;
        if found != balance.currency {
            let (id, expected) = (bound.0.clone(), balance.currency);
            return Err(IssuerError::AccountCurrency { id, expected, found });
        }
        Ok(())
    }

    /// Moves money from one account to another, as the classes of both allow.
    pub(super) fn transfer_between(
        &mut self,
        from: &AccountId,
        to: &AccountId,
        amount: Amount,
    ) -> Result<(), IssuerError> {
        if from == to {
            return Err(IssuerError::Order { expected: "two accounts", found: format!("{from} twice") });
        }
        for id in [from, to] {
            let found = self.account_currency(&id.0)?;
            if found != amount.currency {
                let (id, expected) = (id.0.clone(), amount.currency);
                return Err(IssuerError::AccountCurrency { id, expected, found });
            }
        }
        self.hold_both(&from.0, &to.0, amount.currency)?;
        let subject = self.new_id();
        match self.move_between("account transfer", &subject, &from.0, &to.0, amount) {
            Ok(()) => Ok(()),
            Err(Stop::Refuse(Refusal { reason, .. })) => Err(IssuerError::Refused { reason }),
            Err(Stop::Fail(error)) => Err(error),
        }
    }

    /// Holds two accounts, always in the order of their ids, so that no two transfers wait
    /// for each other.
    pub(super) fn hold_both(
        &mut self,
        one: &str,
        other: &str,
        currency: Currency,
    ) -> Result<(), IssuerError> {
        for id in [one.min(other), one.max(other)] {
            self.hold_account(id, currency)?;
        }
        Ok(())
    }

    /// Moves money between two accounts that are held, as the classes of both allow. `what`
    /// names the entry, unless one of them is bound to the other.
    pub(super) fn move_between(
        &mut self,
        what: &'static str,
        subject: &str,
        from: &str,
        to: &str,
        amount: Amount,
    ) -> Result<(), Stop> {
        let ((out_class, out_bound), (in_class, in_bound)) = (self.class_of(from)?, self.class_of(to)?);
        let bound = out_bound.as_deref() == Some(to) || in_bound.as_deref() == Some(from);
        let (what, party) = match bound {
            true => ("bound transfer", Party::BoundAccount),
            false => (what, Party::OtherAccount),
        };
        let at = self.now();
        let leaves = Movement { account: from, class: out_class, way: Way::Out, party, amount, at };
        let comes = Movement { account: to, class: in_class, way: Way::In, party, amount, at };
        self.allow(&leaves)?;
        self.allow(&comes)?;
        if !self.transfer(what, subject, Book::Account(from), Book::Account(to), amount)? {
            let reason = format!("account {from} holds less than {amount}");
            return Err(Refusal::new(ResponseCode::INSUFFICIENT_FUNDS, reason).into());
        }
        self.count(&leaves)?;
        self.count(&comes)?;
        self.say_amount("Account Transfer", amount, party.word());
        Ok(())
    }

    /// All accounts by id.
    pub(super) fn accounts(&mut self) -> Result<Vec<AccountSummary>, IssuerError> {
        let rows = self.tx.query(
            "SELECT account.id, account.currency, account.holder, balance.minor, \
             COALESCE(held.minor, 0), account.class, account.bound FROM account \
             JOIN balance ON balance.kind = 'account' AND balance.holder = account.id \
             AND balance.currency = account.currency \
             LEFT JOIN balance AS held ON held.kind = 'held' AND held.holder = account.id \
             AND held.currency = account.currency ORDER BY account.id",
            &[],
        )?;
        let mut accounts = Vec::with_capacity(rows.len());
        for row in rows {
            let holder = Sealed(row.bytes(2)?.to_vec()).open(self.seal, HOLDER)?;
            let (id, currency) = (row.text(0)?.to_owned(), ledger::currency(&row, 1)?);
            let class = usage::class(row.text(5)?)?;
            let used = match self.rules.limits.class(class).figures(currency) {
                Some(_) => {
                    let now = self.now();
                    let out = self.used(&id, currency, Way::Out, now)?;
                    Some((out, self.used(&id, currency, Way::In, now)?))
                }
                None => None,
            };
            accounts.push(AccountSummary {
                id: AccountId(id),
                class,
                bound: if row.is_null(6) { None } else { Some(AccountId(row.text(6)?.to_owned())) },
                used,
                balance: Amount::new(super::work::minor("balance", row.int(3)?)?, currency),
                held: Amount::new(super::work::minor("balance", row.int(4)?)?, currency),
                holder: Secret::new(String::from_utf8_lossy(holder.expose()).into_owned()),
            });
        }
        Ok(accounts)
    }
}

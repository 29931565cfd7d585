//! Funding accounts: opening and listing. Who holds one is sealed.

use super::IssuerError;
use super::ledger::{self, Book};
use super::work::Work;
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
}

impl Work<'_> {
    /// Opens an account; without an id it gets a random one.
    pub(super) fn open_account(
        &mut self,
        id: Option<&str>,
        balance: Amount,
        holder: &str,
    ) -> Result<AccountId, IssuerError> {
        let id = match id {
            Some(id) => id.to_owned(),
            None => {
                let number = u64::from_be_bytes(self.context.random()) % 10_000_000_000;
                format!("{number:010}")
            }
        };
        let sealed = Sealed::seal(self.seal, HOLDER, holder.as_bytes(), self.context);
        let opened_at = self.now().micros();
        let changed = self.tx.execute(
            "INSERT INTO account (id, currency, holder, opened_at) VALUES ($1, $2, $3, $4) \
             ON CONFLICT DO NOTHING",
            &[
                id.as_str().into(),
                i64::from(balance.currency.0).into(),
                Value::Bytes(sealed.0),
                opened_at.into(),
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

    /// All accounts by id.
    pub(super) fn accounts(&mut self) -> Result<Vec<AccountSummary>, IssuerError> {
        let rows = self.tx.query(
            "SELECT account.id, account.currency, account.holder, balance.minor, \
             COALESCE(held.minor, 0) FROM account \
             JOIN balance ON balance.kind = 'account' AND balance.holder = account.id \
             AND balance.currency = account.currency \
             LEFT JOIN balance AS held ON held.kind = 'held' AND held.holder = account.id \
             AND held.currency = account.currency ORDER BY account.id",
            &[],
        )?;
        let mut accounts = Vec::with_capacity(rows.len());
        for row in rows {
            let holder = Sealed(row.bytes(2)?.to_vec()).open(self.seal, HOLDER)?;
            accounts.push(AccountSummary {
                id: AccountId(row.text(0)?.to_owned()),
                balance: Amount::new(super::work::minor("balance", row.int(3)?)?, ledger::currency(&row, 1)?),
                held: Amount::new(super::work::minor("balance", row.int(4)?)?, ledger::currency(&row, 1)?),
                holder: Secret::new(String::from_utf8_lossy(holder.expose()).into_owned()),
            });
        }
        Ok(accounts)
    }
}

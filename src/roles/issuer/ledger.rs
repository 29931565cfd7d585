//! The ledger in double entry. Every entry's postings sum to zero; a book's
//! balance is the sum of its postings. Books whose balance decides something
//! (accounts and what is held of them, card shadows,
//! pending accounts) have that sum repeated in `balance`, which the check
//! recomputes; merchants and money in flight have not, so that no row is hot.

use super::IssuerError;
use super::work::{Work, column};
use crate::base::store::Row;
use crate::words::iso4217::{Amount, Currency};

/// One side of a posting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Book<'a> {
    /// Where opening balances come from.
    Opening,
    /// A funding account.
    Account(&'a str),
    /// Loads that are neither landed nor returned.
    InFlight,
    /// What the ledger says that a card holds: its shadow.
    Card(&'a str),
    /// A merchant.
    Merchant(&'a str),
    /// A merchant's cash counter: below zero by the cash that it took for loads.
    Cash(&'a str),
    /// A card's pending account: what waits to be loaded.
    Pending(&'a str),
    /// What is held of a funding account: it cannot be spent, and is not taken yet.
    Held(&'a str),
    /// What the bank lends a card by its overdraft limit: below zero by that limit.
    Credit(&'a str),
}

impl<'a> Book<'a> {
    /// A book that a load comes from or an unload goes to, as columns hold it.
    pub(super) fn of(kind: &str, holder: &'a str) -> Option<Self> {
        [Self::Account(holder), Self::Cash(holder), Self::Pending(holder), Self::Credit(holder)]
            .into_iter()
            .find(|book| book.kind() == kind)
    }

    /// The kind as columns hold it.
    pub(super) const fn kind(&self) -> &'static str {
        match self {
            Self::Opening => "opening",
            Self::Account(_) => "account",
            Self::InFlight => "in_flight",
            Self::Card(_) => "card",
            Self::Merchant(_) => "merchant",
            Self::Cash(_) => "cash",
            Self::Pending(_) => "pending",
            Self::Held(_) => "held",
            Self::Credit(_) => "credit",
        }
    }

    /// Who holds it; empty where there is one for all.
    pub(super) const fn holder(&self) -> &'a str {
        match self {
            Self::Opening | Self::InFlight => "",
            Self::Account(holder)
            | Self::Card(holder)
            | Self::Merchant(holder)
            | Self::Cash(holder)
            | Self::Pending(holder)
            | Self::Held(holder)
            | Self::Credit(holder) => holder,
        }
    }

    /// Whether `balance` repeats its sum and keeps it from going below zero.
    const fn is_guarded(&self) -> bool {
        matches!(self, Self::Account(_) | Self::Card(_) | Self::Pending(_) | Self::Held(_))
    }
}

/// The sums of one currency, minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CurrencyBooks {
    /// The currency.
    pub currency: Currency,
    /// All funding accounts.
    pub accounts_minor: i64,
    /// Loads and unloads that are neither landed nor returned.
    pub in_flight_minor: i64,
    /// What the ledger says that the cards hold; a card holds less while its
    /// offline payments are not uploaded.
    pub shadows_minor: i64,
    /// All merchants.
    pub merchants_minor: i64,
    /// All cash counters: zero or below, by the cash that merchants took for loads.
    pub cash_minor: i64,
    /// All pending accounts.
    pub pending_minor: i64,
    /// What is held of all funding accounts.
    pub held_minor: i64,
    /// All overdraft limits: zero or below, by what cards are lent.
    pub credit_minor: i64,
}

impl CurrencyBooks {
    /// All of them together: constant.
    pub const fn total_minor(&self) -> i64 {
        self.accounts_minor
            + self.in_flight_minor
            + self.shadows_minor
            + self.merchants_minor
            + self.cash_minor
            + self.pending_minor
            + self.held_minor
            + self.credit_minor
    }
}

/// The issuer's books, a row per currency.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Books(pub Vec<CurrencyBooks>);

impl Books {
    /// The sums of a currency; zeros where nothing was booked.
    pub fn of(&self, currency: Currency) -> CurrencyBooks {
        self.0.iter().find(|books| books.currency == currency).copied().unwrap_or(CurrencyBooks {
            currency,
            accounts_minor: 0,
            in_flight_minor: 0,
            shadows_minor: 0,
            merchants_minor: 0,
            cash_minor: 0,
            pending_minor: 0,
            held_minor: 0,
            credit_minor: 0,
        })
    }
}

impl Work<'_> {
    /// Makes the row that guards an account or a card's shadow.
    pub(super) fn open_book(&mut self, book: Book<'_>, currency: Currency) -> Result<(), IssuerError> {
        self.tx.execute(
            "INSERT INTO balance (kind, holder, currency, minor) VALUES ($1, $2, $3, 0)",
            &[book.kind().into(), book.holder().into(), i64::from(currency.0).into()],
        )?;
        Ok(())
    }

    /// Makes a guarding row where there is none yet.
    pub(super) fn open_book_once(&mut self, book: Book<'_>, currency: Currency) -> Result<(), IssuerError> {
        self.tx.execute(
            "INSERT INTO balance (kind, holder, currency, minor) VALUES ($1, $2, $3, 0) \
             ON CONFLICT DO NOTHING",
            &[book.kind().into(), book.holder().into(), i64::from(currency.0).into()],
        )?;
        Ok(())
    }

    /// Moves money between two books in one entry. `false`, and nothing moved,
    /// where a guarded book would go below zero or does not exist.
    pub(super) fn transfer(
        &mut self,
        what: &'static str,
        subject: &str,
        from: Book<'_>,
        to: Book<'_>,
        amount: Amount,
    ) -> Result<bool, IssuerError> {
        let minor = column(amount.minor)?;
        if !self.guard(from, amount.currency, -minor)? {
            return Ok(false);
        }
        if !self.guard(to, amount.currency, minor)? {
            return Err(IssuerError::Corrupt {
                table: "balance",
                expected: "a row for every account, card and pending account",
                found: format!("none of kind {}", to.kind()),
            });
        }
        let id = self.new_id();
        let at = self.now().micros();
        self.tx.execute(
            "INSERT INTO entry (id, what, subject, at) VALUES ($1, $2, $3, $4)",
            &[id.as_str().into(), what.into(), subject.into(), at.into()],
        )?;
        self.tx.execute(
            "INSERT INTO posting (entry, line, kind, holder, currency, minor) \
             VALUES ($1, 1, $2, $3, $4, $5), ($1, 2, $6, $7, $4, $8)",
            &[
                id.as_str().into(),
                from.kind().into(),
                from.holder().into(),
                i64::from(amount.currency.0).into(),
                (-minor).into(),
                to.kind().into(),
                to.holder().into(),
                minor.into(),
            ],
        )?;
        Ok(true)
    }

    /// The guarded balance of a book, minor units; 0 where it has none.
    pub(super) fn balance_minor(&mut self, book: Book<'_>, currency: Currency) -> Result<i64, IssuerError> {
        let rows = self.tx.query(
            "SELECT minor FROM balance WHERE kind = $1 AND holder = $2 AND currency = $3",
            &[book.kind().into(), book.holder().into(), i64::from(currency.0).into()],
        )?;
        Ok(rows.first().map_or(Ok(0), |row| row.int(0))?)
    }

    /// The sums by currency.
    pub(super) fn books(&mut self) -> Result<Books, IssuerError> {
        let rows = self.tx.query(
            "SELECT currency, kind, CAST(SUM(minor) AS BIGINT) FROM posting GROUP BY currency, kind \
             ORDER BY currency, kind",
            &[],
        )?;
        let mut books = Books::default();
        for row in rows {
            let (currency, sum) = (currency(&row, 0)?, row.int(2)?);
            if books.0.last().is_none_or(|last| last.currency != currency) {
                let fresh = books.of(currency);
                books.0.push(fresh);
            }
            let Some(last) = books.0.last_mut() else { continue };
            match row.text(1)? {
                "account" => last.accounts_minor = sum,
                "in_flight" => last.in_flight_minor = sum,
                "card" => last.shadows_minor = sum,
                "merchant" => last.merchants_minor = sum,
                "cash" => last.cash_minor = sum,
                "pending" => last.pending_minor = sum,
                "held" => last.held_minor = sum,
                "credit" => last.credit_minor = sum,
                _ => {}
            }
        }
        Ok(books)
    }

    fn guard(&mut self, book: Book<'_>, currency: Currency, minor: i64) -> Result<bool, IssuerError> {
        if !book.is_guarded() {
            return Ok(true);
        }
        let changed = self.tx.execute(
            "UPDATE balance SET minor = minor + $1 \
             WHERE kind = $2 AND holder = $3 AND currency = $4 AND minor + $1 >= 0",
            &[minor.into(), book.kind().into(), book.holder().into(), i64::from(currency.0).into()],
        )?;
        Ok(changed == 1)
    }
}

/// A currency out of a column.
pub(super) fn currency(row: &Row, column: usize) -> Result<Currency, IssuerError> {
    let number = row.int(column)?;
    u16::try_from(number).map(Currency).map_err(|_| IssuerError::Corrupt {
        table: "currency columns",
        expected: "an ISO 4217 number",
        found: number.to_string(),
    })
}

//! What accounts have moved on a day, and whether a limit lets them move more. Sums are
//! rows; whoever reads or changes them holds the account's balance, so that none passes
//! a limit beside another.

use super::IssuerError;
use super::answer::Stop;
use super::decision::Refusal;
use super::ledger::Book;
use super::limits::{AccountClass, Figures, Party, Way};
use super::work::{Work, column};
use crate::air::host::ResponseCode;
use crate::base::env::Timestamp;
use crate::words::iso4217::{Amount, Currency};

const DAY_MICROS: i64 = 86_400_000_000;

/// A movement of an account's money, as limits see it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Movement<'a> {
    pub(super) account: &'a str,
    pub(super) class: AccountClass,
    pub(super) way: Way,
    pub(super) party: Party,
    pub(super) amount: Amount,
    /// When it was first asked for: its day.
    pub(super) at: Timestamp,
}

/// What an account has moved one way, minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Used {
    /// On the business date.
    pub day_minor: u64,
    /// In its year.
    pub year_minor: u64,
}

impl Work<'_> {
    /// Refuses what the account's class does not allow, and holds the account's balance
    /// where there is a sum to keep.
    pub(super) fn allow(&mut self, movement: &Movement<'_>) -> Result<(), Stop> {
        let Movement { account, class, way, party, amount, at } = *movement;
        let limits = self.rules.limits.class(class);
        if !limits.parties(way).contains(&party) {
            let verb = if way == Way::Out { "pays no" } else { "receives from no" };
            let reason = format!("limit {}: an account of class {class} {verb} {}", key(way), party.word());
            return Err(Refusal::new(ResponseCode::NOT_PERMITTED, reason).into());
        }
        let Some(figures) = limits.figures(amount.currency) else {
            return match class {
                AccountClass::I => Ok(()),
                AccountClass::II | AccountClass::III => {
                    let reason = format!("limit figures: class {class} has none in {}", amount.currency);
                    Err(Refusal::new(ResponseCode::NOT_PERMITTED, reason).into())
                }
            };
        };
        self.hold_account(account, amount.currency)?;
        if way == Way::In {
            self.check_balance(movement, figures)?;
        }
        if party == Party::BoundAccount {
            return Ok(());
        }
        let used = self.used(account, amount.currency, way, at)?;
        let (day, year) = figures.sums(way);
        for (limit, used, span) in [(day, used.day_minor, "day"), (year, used.year_minor, "year")] {
            if limit.is_some_and(|limit| used.saturating_add(amount.minor) > limit) {
                let most = Amount::new(limit.unwrap_or_default(), amount.currency);
                let name = format!("{}_{span}", way.word());
                let reason = format!("limit {name} of class {class}: at most {most} a {span}");
                return Err(Refusal::new(ResponseCode::LIMIT_EXCEEDED, reason).into());
            }
        }
        Ok(())
    }

    /// The same for what no terminal asks for: a refusal is an error.
    pub(super) fn must_allow(&mut self, movement: &Movement<'_>) -> Result<(), IssuerError> {
        self.allow(movement).map_err(|stop| match stop {
            Stop::Refuse(Refusal { reason, .. }) => IssuerError::Refused { reason },
            Stop::Fail(error) => error,
        })
    }

    /// The same as a question.
    pub(super) fn is_allowed(&mut self, movement: &Movement<'_>) -> Result<bool, IssuerError> {
        match self.allow(movement) {
            Ok(()) => Ok(true),
            Err(Stop::Refuse(_)) => Ok(false),
            Err(Stop::Fail(error)) => Err(error),
        }
    }

    /// Adds a movement that was allowed and made to its day.
    pub(super) fn count(&mut self, movement: &Movement<'_>) -> Result<(), IssuerError> {
        let Movement { account, class, way, party, amount, at } = *movement;
        if party == Party::BoundAccount || self.rules.limits.class(class).figures(amount.currency).is_none() {
            return Ok(());
        }
        self.tx.execute(
            "INSERT INTO used (account, currency, way, day, minor) VALUES ($1, $2, $3, $4, $5) \
             ON CONFLICT (account, currency, way, day) DO UPDATE SET minor = used.minor + excluded.minor",
            &[
                account.into(),
                i64::from(amount.currency.0).into(),
                way.word().into(),
                day(at).into(),
                column(amount.minor)?.into(),
            ],
        )?;
        Ok(())
    }

    /// Takes what was given back off its day. An account of which no sum was kept that
    /// day has none to lower.
    pub(super) fn uncount(
        &mut self,
        account: &str,
        way: Way,
        amount: Amount,
        at: Timestamp,
    ) -> Result<(), IssuerError> {
        self.tx.execute(
            "UPDATE used SET minor = minor - $1 \
             WHERE account = $2 AND currency = $3 AND way = $4 AND day = $5 AND minor >= $1",
            &[
                column(amount.minor)?.into(),
                account.into(),
                i64::from(amount.currency.0).into(),
                way.word().into(),
                day(at).into(),
            ],
        )?;
        Ok(())
    }

    /// What an account has moved one way on the day of `at` and in its year.
    pub(super) fn used(
        &mut self,
        account: &str,
        currency: Currency,
        way: Way,
        at: Timestamp,
    ) -> Result<Used, IssuerError> {
        let year = (at.date_number() / 10_000) as i32;
        let first_day = Timestamp::from_civil(year, 1, 1, 0, 0, 0).map_or(i64::MIN, day);
        let rows = self.tx.query(
            "SELECT CAST(COALESCE(SUM(CASE WHEN day = $1 THEN minor ELSE 0 END), 0) AS BIGINT), \
             CAST(COALESCE(SUM(minor), 0) AS BIGINT) FROM used \
             WHERE account = $2 AND currency = $3 AND way = $4 AND day >= $5",
            &[
                day(at).into(),
                account.into(),
                i64::from(currency.0).into(),
                way.word().into(),
                first_day.into(),
            ],
        )?;
        let minor = |column| match rows.first() {
            Some(row) => super::work::minor("used", row.int(column)?),
            None => Ok(0),
        };
        Ok(Used { day_minor: minor(0)?, year_minor: minor(1)? })
    }

    /// The class of an account and the account of class I that it is bound to.
    pub(super) fn class_of(&mut self, account: &str) -> Result<(AccountClass, Option<String>), IssuerError> {
        let rows = self.tx.query("SELECT class, bound FROM account WHERE id = $1", &[account.into()])?;
        let row = rows.first().ok_or_else(|| IssuerError::NoSuchAccount { id: account.to_owned() })?;
        let bound = if row.is_null(1) { None } else { Some(row.text(1)?.to_owned()) };
        Ok((class(row.text(0)?)?, bound))
    }

    /// What a card's loads of the day come to, without those that came back or were
    /// voided. The card's row is held, so nothing comes between.
    pub(super) fn loaded_on(
        &mut self,
        card: &str,
        currency: Currency,
        at: Timestamp,
    ) -> Result<u64, IssuerError> {
        let begins = day(at) * DAY_MICROS;
        let rows = self.tx.query(
            "SELECT CAST(COALESCE(SUM(load.amount), 0) AS BIGINT) FROM load \
             LEFT JOIN load AS void ON void.id = load.voided_by AND void.state = 'landed' \
             WHERE load.card = $1 AND load.currency = $2 AND load.kind IN ('linked', 'cash', 'pending', 'non-linked') \
             AND load.state <> 'returned' AND void.id IS NULL AND load.opened_at >= $3 AND load.opened_at < $4",
            &[card.into(), i64::from(currency.0).into(), begins.into(), (begins + DAY_MICROS).into()],
        )?;
        rows.first().map_or(Ok(0), |row| super::work::minor("load", row.int(0)?))
    }

    /// Keeps every other movement of an account's money waiting.
    pub(super) fn hold_account(&mut self, account: &str, currency: Currency) -> Result<(), IssuerError> {
        self.tx.query_locked(
            "SELECT minor FROM balance WHERE kind = 'account' AND holder = $1 AND currency = $2",
            &[account.into(), i64::from(currency.0).into()],
        )?;
        Ok(())
    }

    /// What comes in must fit beside what is there and what may still come back: holds,
    /// and loads and unloads in flight.
    fn check_balance(&mut self, movement: &Movement<'_>, figures: &Figures) -> Result<(), Stop> {
        let Movement { account, class, amount, .. } = *movement;
        let Some(limit) = figures.balance_minor else { return Ok(()) };
        let spendable = self.balance_minor(Book::Account(account), amount.currency)?;
        let held = self.balance_minor(Book::Held(account), amount.currency)?;
        let rows = self
            .tx
            .query(
                "SELECT CAST(COALESCE(SUM(load.amount), 0) AS BIGINT) FROM card \
                 JOIN load ON load.card = card.id AND load.state = 'open' WHERE card.open_loads > 0 \
                 AND load.counter = 'account' AND load.counter_holder = $1 AND load.currency = $2",
                &[account.into(), i64::from(amount.currency.0).into()],
            )
            .map_err(IssuerError::from)?;
        let open = rows.first().map_or(Ok(0), |row| row.int(0)).map_err(IssuerError::from)?;
        let sum: i128 = [spendable, held, open].map(i128::from).iter().sum();
        if sum + i128::from(amount.minor) > i128::from(limit) {
            let most = Amount::new(limit, amount.currency);
            let reason = format!("limit balance of class {class}: the account may hold at most {most}");
            return Err(Refusal::new(ResponseCode::LIMIT_EXCEEDED, reason).into());
        }
        Ok(())
    }
}

/// A class out of its column.
pub(super) fn class(word: &str) -> Result<AccountClass, IssuerError> {
    AccountClass::parse(word).ok_or_else(|| IssuerError::Corrupt {
        table: "account",
        expected: "class I, II or III",
        found: word.to_owned(),
    })
}

/// The day of a time, counted from 1970: the business date.
fn day(at: Timestamp) -> i64 {
    at.micros().div_euclid(DAY_MICROS)
}

/// The key of the file that names the other sides.
const fn key(way: Way) -> &'static str {
    match way {
        Way::Out => "pays",
        Way::In => "receives",
    }
}

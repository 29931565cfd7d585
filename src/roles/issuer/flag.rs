//! Flags: what uploads and cryptograms show that the books cannot explain. They move no
//! money; a late upload that explains one clears it.

use super::IssuerError;
use super::cards::CardOnFile;
use super::ledger;
use super::work::{Work, column, minor};
use crate::base::env::Timestamp;
use crate::words::emv::Pan;
use crate::words::iso4217::{Amount, Currency};

/// Why something is flagged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FlagKind {
    /// Transaction counters of which nothing came: a payment that is not uploaded may
    /// hide there, up to the amount.
    CounterGap,
    /// The card told a balance above what the ledger explains, by the amount.
    AboveShadow,
    /// A sale above what the ledger says that the card or its account holds: it is not paid.
    SaleHeld,
    /// An uploaded sale whose certificate is wrong: nothing is booked for it.
    SaleDisputed,
    /// A booked sale above a limit: of one offline sale, or of the account that pays it.
    SaleAboveLimit,
    /// Two sales of one card with the same counter: both with a right certificate, or two of a
    /// purse that are claimed without.
    CounterTwice,
    /// A purchase with a purse whose TAC was lost: nothing has proven yet that it was paid.
    SaleDoubtful,
}

impl FlagKind {
    /// Every kind.
    pub const ALL: [Self; 7] = [
        Self::CounterGap,
        Self::AboveShadow,
        Self::SaleHeld,
        Self::SaleDisputed,
        Self::SaleAboveLimit,
        Self::CounterTwice,
        Self::SaleDoubtful,
    ];

    /// Its word in columns and for people.
    pub const fn word(self) -> &'static str {
        match self {
            Self::CounterGap => "counter gap",
            Self::AboveShadow => "balance above shadow",
            Self::SaleHeld => "sale above shadow",
            Self::SaleDisputed => "sale disputed",
            Self::SaleAboveLimit => "sale above limit",
            Self::CounterTwice => "counter used twice",
            Self::SaleDoubtful => "sale doubtful, its TAC lost",
        }
    }

    fn parse(word: &str) -> Result<Self, IssuerError> {
        Self::ALL.into_iter().find(|kind| kind.word() == word).ok_or_else(|| IssuerError::Corrupt {
            table: "flag",
            expected: "a kind of flag",
            found: word.to_owned(),
        })
    }
}

/// A flag that stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flag {
    /// Why.
    pub kind: FlagKind,
    /// The card; printed, it is masked.
    pub pan: Pan,
    /// PAN sequence number.
    pub psn: u8,
    /// The amount that it is about; of a gap, the most that may hide there.
    pub amount: Amount,
    /// First and last counter that it is about.
    pub atcs: (u16, u16),
    /// Since when.
    pub at: Timestamp,
}

/// What a card tells with a counter.
pub(super) struct Told {
    pub(super) currency: Currency,
    pub(super) atc: u16,
    /// Its balance before what it does under this counter, where that is proven.
    pub(super) balance_minor: Option<u64>,
}

impl Work<'_> {
    /// Notes a counter beside the last one seen before it: what lies between is a gap; one
    /// that comes late fills its place.
    pub(super) fn note_counter(
        &mut self,
        card: &CardOnFile,
        told: &Told,
        sale: Option<Amount>,
    ) -> Result<(), IssuerError> {
        let (atc, last) = (i64::from(told.atc), card.last_atc);
        if atc > last + 1 {
            let most = self.hidden_minor(&card.id, told)?;
            let amount = Amount::new(most, told.currency);
            return self.flag(&card.id, FlagKind::CounterGap, amount, (last + 1, atc - 1));
        }
        if atc <= last {
            self.fill_gap(&card.id, atc, sale)?;
        }
        Ok(())
    }

    /// Raises a flag.
    pub(super) fn flag(
        &mut self,
        card: &str,
        kind: FlagKind,
        amount: Amount,
        atcs: (i64, i64),
    ) -> Result<(), IssuerError> {
        let (id, at) = (self.new_id(), self.now().micros());
        self.tx.execute(
            "INSERT INTO flag (id, card, kind, currency, amount, first_atc, last_atc, at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
            &[
                id.into(),
                card.into(),
                kind.word().into(),
                i64::from(amount.currency.0).into(),
                column(amount.minor.min(Amount::MAX_MINOR))?.into(),
                atcs.0.into(),
                atcs.1.into(),
                at.into(),
            ],
        )?;
        self.say_amount("Flag Raised", amount, format!("{}, ATC {} to {}", kind.word(), atcs.0, atcs.1));
        Ok(())
    }

    /// Flags a balance above the shadow; a card that goes on telling one has one flag.
    pub(super) fn flag_above_shadow(
        &mut self,
        card: &str,
        amount: Amount,
        atc: i64,
    ) -> Result<(), IssuerError> {
        let changed = self.tx.execute(
            "UPDATE flag SET amount = $1, last_atc = CASE WHEN last_atc < $2 THEN $2 ELSE last_atc END \
             WHERE card = $3 AND kind = 'balance above shadow' AND currency = $4 AND cleared_at IS NULL",
            &[
                column(amount.minor.min(Amount::MAX_MINOR))?.into(),
                atc.into(),
                card.into(),
                i64::from(amount.currency.0).into(),
            ],
        )?;
        match changed {
            0 => self.flag(card, FlagKind::AboveShadow, amount, (atc, atc)),
            _ => Ok(()),
        }
    }

    /// Clears the flag of a doubtful sale: something has proven it either way.
    pub(super) fn clear_doubt(&mut self, card: &str, atc: u16) -> Result<(), IssuerError> {
        let now = self.now().micros();
        self.tx.execute(
            "UPDATE flag SET cleared_at = $1 WHERE card = $2 AND kind = $3 AND first_atc = $4 \
             AND cleared_at IS NULL",
            &[now.into(), card.into(), FlagKind::SaleDoubtful.word().into(), i64::from(atc).into()],
        )?;
        Ok(())
    }

    /// Every flag that stands, oldest first.
    pub(super) fn flags(&mut self) -> Result<Vec<Flag>, IssuerError> {
        let rows = self.tx.query(
            "SELECT flag.kind, flag.currency, flag.amount, flag.first_atc, flag.last_atc, flag.at, \
             flag.card, card.psn FROM flag JOIN card ON card.id = flag.card \
             WHERE flag.cleared_at IS NULL ORDER BY flag.at, flag.id",
            &[],
        )?;
        let mut flags = Vec::with_capacity(rows.len());
        for row in rows {
            flags.push(Flag {
                kind: FlagKind::parse(row.text(0)?)?,
                pan: self.card_pan(row.text(6)?)?,
                psn: row.int(7)? as u8,
                amount: Amount::new(minor("flag", row.int(2)?)?, ledger::currency(&row, 1)?),
                atcs: (row.int(3)? as u16, row.int(4)? as u16),
                at: Timestamp::from_micros(row.int(5)?),
            });
        }
        Ok(flags)
    }

    /// The most that a card can have paid under counters nobody told: what its shadow
    /// holds more than the card, less what other gaps account for.
    fn hidden_minor(&mut self, card: &str, told: &Told) -> Result<u64, IssuerError> {
        let Some(balance) = told.balance_minor else { return Ok(0) };
        let shadow = self.balance_minor(ledger::Book::Card(card), told.currency)?;
        let rows = self.tx.query(
            "SELECT CAST(COALESCE(SUM(amount), 0) AS BIGINT) FROM flag \
             WHERE card = $1 AND currency = $2 AND kind = 'counter gap' AND cleared_at IS NULL",
            &[card.into(), i64::from(told.currency.0).into()],
        )?;
        let known = rows.first().map_or(Ok(0), |row| row.int(0))?;
        let hidden = i128::from(shadow) - i128::from(balance) - i128::from(known);
        Ok(u64::try_from(hidden).unwrap_or(0))
    }

    /// Takes a counter out of the gap that it lies in: the gap is cleared, narrower, or two.
    fn fill_gap(&mut self, card: &str, atc: i64, sale: Option<Amount>) -> Result<(), IssuerError> {
        let rows = self.tx.query(
            "SELECT id, first_atc, last_atc, amount, currency FROM flag WHERE card = $1 \
             AND kind = 'counter gap' AND cleared_at IS NULL AND first_atc <= $2 AND last_atc >= $2",
            &[card.into(), atc.into()],
        )?;
        let Some(row) = rows.first() else { return Ok(()) };
        let (id, first, last) = (row.text(0)?.to_owned(), row.int(1)?, row.int(2)?);
        let currency = ledger::currency(row, 4)?;
        let sale_minor = sale.filter(|sale| sale.currency == currency).map_or(0, |sale| sale.minor);
        let left = minor("flag", row.int(3)?)?.saturating_sub(sale_minor);
        if (first, last) == (atc, atc) {
            let now = self.now().micros();
            self.tx.execute("UPDATE flag SET cleared_at = $1 WHERE id = $2", &[now.into(), id.into()])?;
            self.say("Flag Cleared", format!("counter gap: ATC {atc} came late and fills it"));
            return Ok(());
        }
        // What is left may hide on either side; it is counted once.
        let (first, last, other) = match atc {
            _ if atc == first => (first + 1, last, None),
            _ if atc == last => (first, last - 1, None),
            _ => (first, atc - 1, Some((atc + 1, last))),
        };
        self.tx.execute(
            "UPDATE flag SET first_atc = $1, last_atc = $2, amount = $3 WHERE id = $4",
            &[first.into(), last.into(), column(left)?.into(), id.into()],
        )?;
        self.say("Flag Narrowed", format!("counter gap: ATC {atc} came late"));
        match other {
            Some(atcs) => self.flag(card, FlagKind::CounterGap, Amount::new(0, currency), atcs),
            None => Ok(()),
        }
    }
}

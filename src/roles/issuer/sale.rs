//! An offline sale is uploaded (JR/T 0025.13; F60.1 36). The TC is verified again;
//! the sale is known by card, counter and TC, so two ways of uploading never book
//! it twice.

use super::IssuerError;
use super::answer::{Acted, Stop};
use super::cards::CardOnFile;
use super::claim::Proven;
use super::decision::{self, Refusal, ToldBalance, Verified};
use super::flag::{FlagKind, Told};
use super::ledger::Book;
use super::limits::{Party, Way};
use super::usage::Movement;
use super::work::{Work, column};
use crate::air::host::{Answer, Request, ResponseCode};
use crate::words::dictionary::tag;
use crate::words::iso4217::Amount;
use crate::words::pboc::WantedCryptogram;

impl Work<'_> {
    /// Books a sale once.
    pub(super) fn advise_sale(&mut self, request: &Request) -> Result<Acted, IssuerError> {
        match self.take_sale(request) {
            Ok(acted) => Ok(acted),
            Err(Stop::Refuse(refusal)) => Ok(Acted::nothing(self.declined(refusal, None)?)),
            Err(Stop::Fail(error)) => Err(error),
        }
    }

    fn take_sale(&mut self, request: &Request) -> Result<Acted, Stop> {
        decision::check_amount(request)?;
        let card = self
            .held_card()
            .ok_or_else(|| Refusal::new(ResponseCode::NO_SUCH_CARD, "no card on file with this number"))?;
        let verified = match decision::verify(request, &card, self.keys, self.rules, WantedCryptogram::Tc) {
            Err(refusal) if refusal.code == ResponseCode::DO_NOT_HONOUR => {
                return Ok(self.dispute_sale(request, &card.id, &refusal)?);
            }
            verified => verified?,
        };
        let linked = self.find_linked(&card.id, request.amount.currency)?;
        let neither = "the card has neither electronic cash nor an account in this currency";
        let neither = || Refusal::new(ResponseCode::INVALID_TRANSACTION, neither);
        let linked = linked.ok_or_else(neither)?;
        // Electronic cash is paid out of the card's shadow, any other card's out of its account.
        let account = match linked.ecash {
            Some(_) => None,
            None => Some(linked.account.ok_or_else(neither)?),
        };
        let id = match self.prove_claim(request, &card.id, &verified)? {
            Proven::Booked => None,
            Proven::Claim(id) => Some(id),
            Proven::Nothing => {
                self.insert_sale(request, &card.id, verified.proof.atc, &verified.proof.cryptogram, "booked")?
            }
        };
        let Some(id) = id else {
            self.say("Sale Known", "card, counter and TC were uploaded before: nothing is booked again");
            return Ok(Acted::nothing(Answer::new(ResponseCode::APPROVED, "the sale was booked before")));
        };
        self.note_sale(request, &card, &verified)?;
        if let ToldBalance::Proven(balance) = verified.balance {
            let (currency, shadow) = (request.amount.currency, linked.shadow_minor);
            self.check_shadow(&card.id, currency, shadow, verified.proof.atc, balance)?;
        }
        // The sale itself may prove that an open load has landed, which then pays for it.
        self.settle_by_evidence(&card.id)?;
        let payer = account.as_deref().map_or(Book::Card(&card.id), Book::Account);
        let movement = account.as_deref().map(|account| Movement {
            account,
            class: linked.class,
            way: Way::Out,
            party: Party::Merchant,
            amount: request.amount,
            at: self.now(),
        });
        let atc = i64::from(verified.proof.atc);
        // It has happened, so no limit refuses it.
        if let Some(movement) = &movement
            && !self.is_allowed(movement)?
        {
            self.flag(&card.id, FlagKind::SaleAboveLimit, request.amount, (atc, atc))?;
        }
        let reason = match self.book_sale(&id, payer, &request.key.merchant, request.amount)? {
            None => {
                if let Some(movement) = &movement {
                    self.count(movement)?;
                }
                "the sale is booked".to_owned()
            }
            Some(why) => {
                self.flag(&card.id, FlagKind::SaleHeld, request.amount, (atc, atc))?;
                why
            }
        };
        Ok(Acted { answer: Answer::new(ResponseCode::APPROVED, reason), on: Some(id) })
    }

    /// Pays the merchant of a sale; else says why not. The merchant's claim stands in the
    /// row then, and the ledger has nothing to pay it from yet.
    pub(super) fn book_sale(
        &mut self,
        id: &str,
        payer: Book<'_>,
        merchant: &str,
        amount: Amount,
    ) -> Result<Option<String>, IssuerError> {
        if self.transfer("offline sale", id, payer, Book::Merchant(merchant), amount)? {
            self.say_amount("Sale Booked", amount, "the card is proven to have paid; the merchant is paid");
            return Ok(None);
        }
        let (state, why) = match payer {
            Book::Account(_) => ("unfunded", "the account holds less than the card has paid"),
            _ => ("held", "the card has paid more than its shadow holds"),
        };
        self.tx.execute("UPDATE offline_sale SET state = $1 WHERE id = $2", &[state.into(), id.into()])?;
        self.say("Alarm", format!("{why}; the sale is {state}"));
        Ok(Some(format!("the sale is {state}: {why}")))
    }

    /// What a sale with a right certificate tells besides: its counter, and its size.
    fn note_sale(
        &mut self,
        request: &Request,
        card: &CardOnFile,
        verified: &Verified,
    ) -> Result<(), IssuerError> {
        let (amount, atc) = (request.amount, verified.proof.atc);
        let balance_minor = verified.balance.before(request.entry, amount.minor);
        let told = Told { currency: amount.currency, atc, balance_minor };
        self.note_counter(card, &told, Some(amount))?;
        self.advance_atc(atc);
        let atcs = (i64::from(atc), i64::from(atc));
        let limit = self.rules.limits.ecash(amount.currency).sale_minor;
        if limit.is_some_and(|limit| amount.minor > limit) {
            self.flag(&card.id, FlagKind::SaleAboveLimit, amount, atcs)?;
        }
        let rows = self.tx.query(
            "SELECT COUNT(*) FROM offline_sale WHERE card = $1 AND atc = $2 AND state NOT IN ('disputed', 'refused')",
            &[card.id.as_str().into(), atcs.0.into()],
        )?;
        if rows.first().map_or(Ok(0), |row| row.int(0))? > 1 {
            self.say("Alarm", "two sales of one card have the same counter");
            self.flag(&card.id, FlagKind::CounterTwice, amount, atcs)?;
        }
        Ok(())
    }

    /// A sale whose certificate is wrong: it is kept as the merchant's claim, flagged, and
    /// nothing is booked. The answer is an approval all the same, since the upload is
    /// taken (reference: the host answers 00 even when it later disputes).
    fn dispute_sale(
        &mut self,
        request: &Request,
        card: &str,
        refusal: &Refusal,
    ) -> Result<Acted, IssuerError> {
        let atc = request.chip.array(tag::ATC).map_or(0, u16::from_be_bytes);
        let cryptogram = request.chip.value(tag::APPLICATION_CRYPTOGRAM).unwrap_or_default();
        if self.insert_sale(request, card, atc, cryptogram, "disputed")?.is_some() {
            let atcs = (i64::from(atc), i64::from(atc));
            self.flag(card, FlagKind::SaleDisputed, request.amount, atcs)?;
            self.say("Alarm", format!("an uploaded sale is disputed: {}", refusal.reason));
        }
        let reason = format!("the upload is taken and disputed, nothing is booked: {}", refusal.reason);
        Ok(Acted::nothing(Answer::new(ResponseCode::APPROVED, reason)))
    }

    pub(super) fn insert_sale(
        &mut self,
        request: &Request,
        card: &str,
        atc: u16,
        cryptogram: &[u8],
        state: &'static str,
    ) -> Result<Option<String>, IssuerError> {
        let id = self.new_id();
        Ok(self.insert_sale_row(&id, request, card, atc, cryptogram, state)?.then_some(id))
    }

    /// `false` where card, counter and certificate have a row.
    pub(super) fn insert_sale_row(
        &mut self,
        id: &str,
        request: &Request,
        card: &str,
        atc: u16,
        tc: &[u8],
        state: &'static str,
    ) -> Result<bool, IssuerError> {
        let (key, at) = (&request.key, self.now().micros());
        let changed = self.tx.execute(
            "INSERT INTO offline_sale (id, card, atc, tc, currency, amount, merchant, terminal, batch, trace, \
             state, at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) ON CONFLICT DO NOTHING",
            &[
                id.into(),
                card.into(),
                i64::from(atc).into(),
                tc.into(),
                i64::from(request.amount.currency.0).into(),
                column(request.amount.minor)?.into(),
                key.merchant.as_str().into(),
                key.terminal.as_str().into(),
                i64::from(key.batch).into(),
                i64::from(key.trace).into(),
                state.into(),
                at.into(),
            ],
        )?;
        Ok(changed == 1)
    }
}

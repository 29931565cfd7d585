//! A card is presented: what every online request goes through before its own
//! rules. A sighting is kept even where the request is declined later, since it
//! proves what became of an earlier load.

use super::IssuerError;
use super::answer::Stop;
use super::cards::{CardOnFile, Linked};
use super::decision::{self, Refusal, ToldBalance, Verified};
use super::flag::Told;
use super::late::{Counter, may_be_late};
use super::load_kind::LoadKind;
use super::purchase;
use super::work::{Work, column};
use crate::air::host::{Entry, Request, ResponseCode};
use crate::words::iso4217::{Amount, Currency};
use crate::words::pboc::WantedCryptogram;

/// A card whose ARQC is right and new.
#[derive(Debug)]
pub(super) struct Presented {
    pub(super) card: CardOnFile,
    pub(super) verified: Verified,
}

impl Work<'_> {
    /// Amount, card, ARQC, counter; then the sighting and what it proves.
    pub(super) fn present(&mut self, request: &Request) -> Result<Presented, Stop> {
        decision::check_amount(request)?;
        let card = self
            .held_card()
            .ok_or_else(|| Refusal::new(ResponseCode::NO_SUCH_CARD, "no card on file with this number"))?;
        // The counter of a token's card is the token service's to watch, and its
        // cryptogram tells nothing of this card.
        if let Some(proof) = self.token.clone() {
            self.say("Token Presented", "the token service vouches for the cryptogram");
            return Ok(Presented { card, verified: Verified { proof, balance: ToldBalance::Absent } });
        }
        let verified = decision::verify(request, &card, self.keys, self.rules, WantedCryptogram::Arqc)?;
        match self.judge_counter(request, &card, &verified)? {
            Counter::New => {}
            Counter::Late => self.say("Late Request", "its counter was never seen, and later ones were"),
            Counter::Again => {
                // What it says of the card was noted when it came first.
                self.say("Presented Again", "it names a request that was declined under its counter");
                return Ok(Presented { card, verified });
            }
            Counter::Seen => {
                let reason = match may_be_late(request.kind) {
                    true => "the transaction counter (9F36) was seen before",
                    false => "the transaction counter (9F36) is not above the last one seen",
                };
                return Err(Refusal::new(ResponseCode::DO_NOT_HONOUR, reason).into());
            }
        }
        let balance = match verified.balance {
            ToldBalance::Proven(balance) => Some(column(balance)?),
            ToldBalance::Absent | ToldBalance::Unproven => None,
        };
        // What else the counter may have done: see `evidence`.
        let path = match (LoadKind::of(request.kind), request.entry) {
            (Some(_), _) => "load",
            (_, Entry::ContactlessQuick) => "quick",
            (_, _) if purchase::is_one(request.kind) => "full",
            _ => "asked",
        };
        let currency = request.amount.currency;
        let told = Told {
            currency,
            atc: verified.proof.atc,
            balance_minor: verified.balance.before(request.entry, 0),
        };
        self.note_counter(&card, &told, None)?;
        let at = self.now().micros();
        self.tx
            .execute(
                "INSERT INTO sighting (card, atc, currency, balance, path, at) VALUES ($1, $2, $3, $4, $5, $6)",
                &[
                    card.id.as_str().into(),
                    i64::from(verified.proof.atc).into(),
                    i64::from(request.amount.currency.0).into(),
                    balance.into(),
                    path.into(),
                    at.into(),
                ],
            )
            .map_err(IssuerError::from)?;
        self.say("Card Seen", "the ARQC and its counter are right");
        self.settle_by_evidence(&card.id)?;
        Ok(Presented { card, verified })
    }

    /// Status, expiry and PIN of a card that was presented, and its currency.
    pub(super) fn admit(
        &mut self,
        request: &Request,
        card: &CardOnFile,
        pin_needed: bool,
    ) -> Result<Linked, Stop> {
        self.check_status(card)?;
        self.check_pin(request, card, pin_needed)?;
        self.linked_in(card, request.amount.currency)
    }

    /// The same of a card whose own PIN is not asked for.
    pub(super) fn admit_without_pin(
        &mut self,
        card: &CardOnFile,
        currency: Currency,
    ) -> Result<Linked, Stop> {
        self.check_status(card)?;
        self.linked_in(card, currency)
    }

    /// The account that pays for the load of another card (F102). Nothing but its online PIN
    /// proves that its holder agrees, since the paying card makes no cryptogram.
    pub(super) fn payers_account(&mut self, request: &Request, loaded: &CardOnFile) -> Result<String, Stop> {
        let invalid = |reason: &str| Refusal::new(ResponseCode::INVALID_TRANSACTION, reason);
        let pan = request.payer.as_ref().ok_or_else(|| invalid("the paying card is not named (F102)"))?;
        let payer = self.find_payer(pan.expose())?.ok_or_else(|| {
            Refusal::new(ResponseCode::NO_SUCH_CARD, "no card on file with the paying card's number")
        })?;
        if payer.id == loaded.id {
            return Err(invalid("the paying card is the card to load: load it from its own account").into());
        }
        self.check_status(&payer)?;
        if payer.pin.is_none() {
            return Err(
                invalid("the paying card has no online PIN, and nothing else proves its holder").into()
            );
        }
        self.check_pin(request, &payer, true)?;
        let linked = self.linked_in(&payer, request.amount.currency)?;
        Ok(linked.account.ok_or_else(|| invalid("the paying card has no linked account"))?)
    }

    fn check_status(&self, card: &CardOnFile) -> Result<(), Refusal> {
        if !card.active {
            return Err(Refusal::new(ResponseCode::RESTRICTED, "the card is blocked on file"));
        }
        if self.now().date_number() > card.expiry {
            return Err(Refusal::new(ResponseCode::EXPIRED, "the card has expired"));
        }
        Ok(())
    }

    fn linked_in(&mut self, card: &CardOnFile, currency: Currency) -> Result<Linked, Stop> {
        self.find_linked(&card.id, currency)?.ok_or_else(|| {
            Refusal::new(ResponseCode::INVALID_TRANSACTION, "the card has nothing in this currency").into()
        })
    }

    /// Says so where a card claims more at a counter than the ledger can explain:
    /// its shadow, every load that may still have landed, and what it paid after
    /// that counter, since payments are uploaded in any order.
    pub(super) fn check_shadow(
        &mut self,
        card: &str,
        currency: Currency,
        shadow_minor: i64,
        atc: u16,
        balance_minor: u64,
    ) -> Result<bool, IssuerError> {
        // Usually the shadow alone explains it, and nothing else need be summed.
        let mut unexplained = i128::from(balance_minor) - i128::from(shadow_minor);
        if unexplained > 0 && self.has_open_loads() {
            unexplained -= i128::from(self.open_minor(card, currency)?);
        }
        if unexplained > 0 {
            let rows = self.tx.query(
                "SELECT CAST(COALESCE(SUM(amount), 0) AS BIGINT) FROM offline_sale \
                 WHERE card = $1 AND currency = $2 AND atc > $3 AND state = 'booked'",
                &[card.into(), i64::from(currency.0).into(), i64::from(atc).into()],
            )?;
            unexplained -= i128::from(rows.first().map_or(Ok(0), |row| row.int(0))?);
        }
        if unexplained > 0 {
            self.say("Alarm", "the card's balance is above its shadow in the ledger");
            let amount = Amount::new(u64::try_from(unexplained).unwrap_or(Amount::MAX_MINOR), currency);
            self.flag_above_shadow(card, amount, i64::from(atc))?;
        }
        Ok(unexplained <= 0)
    }

    /// The online PIN. A wrong one costs a try, which the store keeps with the answer.
    fn check_pin(&mut self, request: &Request, card: &CardOnFile, needed: bool) -> Result<(), Stop> {
        let Some(reference) = &card.pin else { return Ok(()) };
        let Some(pin) = &request.pin else {
            if needed {
                return Err(Refusal::new(ResponseCode::WRONG_PIN, "the online PIN is required").into());
            }
            return Ok(());
        };
        let exceeded = || Refusal::new(ResponseCode::PIN_TRIES_EXCEEDED, "no online PIN try is left");
        if card.pin_tries == 0 {
            return Err(exceeded().into());
        }
        if self.pin_fits(reference, pin.expose())? {
            self.restore_pin_tries(card)?;
            return Ok(());
        }
        // Spent by the store's own count, which a concurrent try cannot pass.
        if !self.spend_pin_try(&card.id)? || card.pin_tries <= 1 {
            return Err(exceeded().into());
        }
        Err(Refusal::new(ResponseCode::WRONG_PIN, "the online PIN is wrong").into())
    }
}

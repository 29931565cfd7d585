//! Transfers that two phones agreed to: one row for both, whoever tells of it, and how often.
//! What it says once, booked or refused, it says for ever, under the issuer's signature.

use super::answer::{Acted, Stop};
use super::decision::Refusal;
use super::phone::{Phone, corrupt, phone_id};
use super::work::{Work, column, minor};
use super::{IssuerError, ledger};
use crate::air::host::{Answer, Request, ResponseCode};
use crate::base::crypto::Sm2PrivateKey;
use crate::base::env::Timestamp;
use crate::base::store::Value;
use crate::words::dictionary::tag;
use crate::words::iso4217::Amount;
use crate::words::tlv::Tag;
use crate::words::transfer::{
    Agreement, Contents, HostId, HostOutcome, HostReceipt, Offer, PhoneId, Signed, TransferId, Withdrawal,
};

/// What the ledger calls it.
const ENTRY: &str = "phone transfer";
const BOOKED: &str = "booked";
const REFUSED: &str = "refused";

/// What became of a transfer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PhoneTransfer {
    /// Its identifier, 64 hexadecimal digits; that of the offer.
    pub id: String,
    /// The phone that pays.
    pub payer: PhoneId,
    /// The phone that is paid.
    pub payee: PhoneId,
    /// How much.
    pub amount: Amount,
    /// Whether the money has moved; else it never will.
    pub is_booked: bool,
    /// By which rule.
    pub reason: String,
    /// When it was decided.
    pub at: Timestamp,
}

/// An offer, and the phones that it names.
struct Told {
    offer: Offer,
    id: TransferId,
    payer: Phone,
    payee: Phone,
    /// The key under the receipt.
    authority: Sm2PrivateKey,
}

impl Work<'_> {
    /// Books a transfer that both sides have signed, or refuses it for good.
    pub(super) fn take_transfer(&mut self, request: &Request) -> Result<Acted, IssuerError> {
        self.take(request, |work, told| {
            let agreement: Signed<Agreement> =
                signed(request, tag::TRANSFER_AGREEMENT, "an agreement (DF8A05)")?;
            let agreement = *agreement.verify(&told.id.0, &told.payer.key).map_err(not_signed)?;
            work.decide_transfer(told, agreement)
        })
    }

    /// Keeps a transfer from being booked that was not booked yet.
    pub(super) fn take_withdrawal(&mut self, request: &Request) -> Result<Acted, IssuerError> {
        self.take(request, |work, told| {
            let withdrawal: Signed<Withdrawal> =
                signed(request, tag::TRANSFER_WITHDRAWAL, "a withdrawal (DF8A06)")?;
            withdrawal.verify(&told.id.0, &told.payee.key).map_err(not_signed)?;
            let refusal = Refusal::new(ResponseCode::INVALID_TRANSACTION, "withdrawn by the payee");
            work.keep_transfer(told, None, Err(refusal))
        })
    }

    /// Every transfer.
    pub(super) fn phone_transfers(&mut self) -> Result<Vec<PhoneTransfer>, IssuerError> {
        let rows = self.tx.query(
            "SELECT id, payer, payee, amount, currency, state, reason, at FROM phone_transfer ORDER BY at, id",
            &[],
        )?;
        let mut transfers = Vec::with_capacity(rows.len());
        for row in rows {
            transfers.push(PhoneTransfer {
                id: row.text(0)?.to_owned(),
                payer: phone_id(row.text(1)?)?,
                payee: phone_id(row.text(2)?)?,
                amount: Amount::new(minor("phone_transfer", row.int(3)?)?, ledger::currency(&row, 4)?),
                is_booked: row.text(5)? == BOOKED,
                reason: row.text(6)?.to_owned(),
                at: Timestamp::from_micros(row.int(7)?),
            });
        }
        Ok(transfers)
    }

    /// Answers as before what has a row; what has none, and is signed by the payee, is decided.
    fn take(
        &mut self,
        request: &Request,
        decide: impl FnOnce(&mut Self, &Told) -> Result<Answer, Stop>,
    ) -> Result<Acted, IssuerError> {
        let result = self.tell(request).and_then(|(told, offer)| {
            // Whoever holds both accounts sees the row of whoever held them before.
            self.hold_both(&told.payer.account, &told.payee.account, told.offer.amount.currency)?;
            if let Some(answer) = self.earlier_transfer(&told.id)? {
                return Ok(answer);
            }
            offer.verify(&[], &told.payee.key).map_err(not_signed)?;
            decide(self, &told)
        });
        match result {
            Ok(answer) => Ok(Acted::nothing(answer)),
            Err(Stop::Refuse(refusal)) => Ok(Acted::nothing(self.declined(refusal, None)?)),
            Err(Stop::Fail(error)) => Err(error),
        }
    }

    /// What a request tells of an offer, whose signature nobody has looked at yet.
    fn tell(&mut self, request: &Request) -> Result<(Told, Signed<Offer>), Stop> {
        let signed: Signed<Offer> = signed(request, tag::TRANSFER_OFFER, "an offer (DF8A04)")?;
        let offer = signed.contents.clone();
        let refuse = |code, reason: &str| Stop::from(Refusal::new(code, reason));
        let authority = self.transfer_authority()?;
        if offer.host != HostId::of(authority.public()) {
            return Err(refuse(ResponseCode::INVALID_TRANSACTION, "the offer is for another host"));
        }
        if offer.amount != request.amount || offer.amount.minor == 0 {
            return Err(refuse(ResponseCode::INVALID_AMOUNT, "the offer names another amount (F4), or none"));
        }
        let unknown = || refuse(ResponseCode::NO_SUCH_CARD, "a phone that was never opened here");
        let payer = self.find_phone(offer.payer)?.ok_or_else(unknown)?;
        let payee = self.find_phone(offer.payee)?.ok_or_else(unknown)?;
        Ok((Told { id: offer.id(), offer, payer, payee, authority }, signed))
    }

    fn decide_transfer(&mut self, told: &Told, agreement: Agreement) -> Result<Answer, Stop> {
        let (payer, sequence) = (told.offer.payer.to_string(), i64::from(agreement.sequence));
        let find = "SELECT id FROM phone_transfer WHERE payer = $1 AND sequence = $2";
        let used = self.tx.query(find, &[payer.into(), sequence.into()]).map_err(IssuerError::from)?;
        if !used.is_empty() {
            let reason = "the payer's phone has used this number for another transfer";
            return self.keep_transfer(told, None, Err(Refusal::new(ResponseCode::DUPLICATE, reason)));
        }
        let moved = self.move_for_phones(told, agreement);
        let moved = match moved {
            Ok(()) => Ok(()),
            Err(Stop::Refuse(refusal)) => Err(refusal),
            Err(Stop::Fail(error)) => return Err(error.into()),
        };
        self.keep_transfer(told, Some(sequence), moved)
    }

    fn move_for_phones(&mut self, told: &Told, agreement: Agreement) -> Result<(), Stop> {
        let Told { offer, payer, payee, .. } = told;
        let refuse = |code, reason: &str| Err(Stop::from(Refusal::new(code, reason)));
        if agreement.made > offer.expires {
            return refuse(ResponseCode::EXPIRED, "the offer had run out when it was agreed to");
        }
        if payer.account == payee.account {
            return refuse(ResponseCode::INVALID_TRANSACTION, "both phones are of one account");
        }
        if [payer.currency, payee.currency] != [offer.amount.currency; 2] {
            return refuse(ResponseCode::INVALID_TRANSACTION, "an account is in another currency");
        }
        self.move_between(ENTRY, &told.id.to_string(), &payer.account, &payee.account, offer.amount)
    }

    /// Keeps what becomes of a transfer, and signs it.
    fn keep_transfer(
        &mut self,
        told: &Told,
        sequence: Option<i64>,
        moved: Result<(), Refusal>,
    ) -> Result<Answer, Stop> {
        let (state, outcome, code, reason) = match moved {
            Ok(()) => (BOOKED, HostOutcome::Booked, ResponseCode::APPROVED, "booked, once".to_owned()),
            Err(Refusal { code, reason }) => (REFUSED, HostOutcome::Refused, code, reason),
        };
        let receipt = HostReceipt { outcome, code: code.0, made: self.now() };
        let receipt = Signed::sign(receipt, &told.id.0, &told.authority).map_err(IssuerError::from)?;
        let offer = &told.offer;
        let mut id = told.id.to_string();
        if !self.rules.recovery.one_transfer_row {
            id.push_str(&self.new_id());
        }
        let values = [
            id.into(),
            offer.payer.to_string().into(),
            sequence.filter(|_| self.rules.recovery.one_transfer_row).into(),
            offer.payee.to_string().into(),
            told.payer.account.as_str().into(),
            told.payee.account.as_str().into(),
            i64::from(offer.amount.currency.0).into(),
            column(offer.amount.minor)?.into(),
            state.into(),
            reason.as_str().into(),
            Value::Bytes(receipt.to_bytes()),
            self.now().micros().into(),
        ];
        self.tx
            .execute(
                "INSERT INTO phone_transfer (id, payer, sequence, payee, payer_account, payee_account, currency, \
                 amount, state, reason, receipt, at) \
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
                &values,
            )
            .map_err(IssuerError::from)?;
        self.say_amount("Transfer Decided", offer.amount, reason.clone());
        Ok(answer(code, reason, receipt.to_bytes()))
    }

    /// The answer that a transfer has had before.
    fn earlier_transfer(&mut self, id: &TransferId) -> Result<Option<Answer>, IssuerError> {
        let rows = self
            .tx
            .query("SELECT receipt, reason FROM phone_transfer WHERE id = $1", &[id.to_string().into()])?;
        let Some(row) = rows.first() else { return Ok(None) };
        let receipt = Signed::<HostReceipt>::parse(row.bytes(0)?)
            .map_err(|_| corrupt("phone_transfer", "a receipt"))?;
        let code = ResponseCode(receipt.contents.code);
        Ok(Some(answer(code, row.text(1)?.to_owned(), receipt.to_bytes())))
    }
}

fn answer(code: ResponseCode, reason: String, receipt: Vec<u8>) -> Answer {
    let mut answer = Answer::new(code, reason);
    answer.chip.put(tag::TRANSFER_RECEIPT, receipt);
    answer
}

fn signed<T: Contents>(request: &Request, tag: Tag, expected: &str) -> Result<Signed<T>, Stop> {
    let refuse = |found: &str| {
        Refusal::new(ResponseCode::FORMAT_ERROR, format!("expected {expected} in field 55, found {found}"))
    };
    let bytes = request.chip.value(tag).ok_or_else(|| refuse("none"))?;
    Signed::parse(bytes).map_err(|error| refuse(&error.to_string()).into())
}

fn not_signed(error: impl std::fmt::Display) -> Stop {
    Refusal::new(ResponseCode::DO_NOT_HONOUR, error.to_string()).into()
}

//! A tap: a request whose number is a token. What it costs an attacker to be told why
//! it fails is the token's key: cryptogram first, then everything else.

use super::VaultError;
use super::limited_use::{KeyRow, under_limited_use};
use super::record::{TokenRow, last_four};
use super::states::BindingState;
use super::work::Work;
use crate::air::host::{Answer, Entry, FundingCard, KeyKind, Request, ResponseCode, TokenState};
use crate::words::dictionary::tag;
use crate::words::pboc::{CryptogramCheck, CryptogramRefusal, VerifiedCryptogram, WantedCryptogram};

/// What becomes of a tap.
#[derive(Debug)]
pub(super) enum Tapped {
    /// The issuer decides.
    Pass(Box<Pass>),
    /// The service declines.
    Refuse(Answer),
}

/// A tap that the issuer decides on.
#[derive(Debug)]
pub(super) struct Pass {
    /// The card to book on.
    pub(super) card: FundingCard,
    pub(super) verified: VerifiedCryptogram,
    pub(super) binding: String,
    pub(super) on_trial: bool,
    /// What the answer tells of the account.
    pub(super) account: Account,
}

/// What an answer tells of the account behind a token.
#[derive(Debug, Clone)]
pub(super) struct Account {
    par: String,
    last_four: String,
}

/// Why a tap is declined.
type Refusal = (ResponseCode, String);

impl Work<'_> {
    /// Looks at a tap, and remembers it: the same message again finds what was said.
    pub(super) fn tap(&mut self, request: &Request) -> Result<Tapped, VaultError> {
        let Some(token) = self.token_of_pan(request.pan.expose())? else {
            return Ok(refuse(ResponseCode::NO_SUCH_CARD, "there is no such token".into()));
        };
        let keys = match token.keys {
            KeyKind::SecureElement => Vec::new(),
            KeyKind::LimitedUse => self.key_rows(&token.id)?,
        };
        let (verified, key) = match self.verify(request, &token, &keys) {
            Ok(verified) => verified,
            Err(refusal) => {
                self.say("Tap Declined", refusal.to_string());
                return Ok(refuse(code_of(&refusal), refusal.to_string()));
            }
        };
        let fingerprint = self.fingerprint(request);
        let refusal = match self.known(&token, &verified, &fingerprint)? {
            Known::Refused(refusal) => Some(refusal),
            Known::Passed(card) => return self.pass(&token, card, verified),
            Known::New => {
                let device = self.device_mark(&token.requestor, &token.device);
                let refusal = self.refusal(
                    request,
                    &token,
                    &device,
                    &verified,
                    key.as_ref().map(|key| (key, &keys[..])),
                );
                let card = self.card_for(request, &token)?;
                self.remember(request, &token, &card, &verified, &fingerprint, refusal.as_ref())?;
                match refusal {
                    None => {
                        if let Some(key) = &key {
                            self.spend_key(&token.id, key, request.amount.minor)?;
                        }
                        return self.pass(&token, card, verified);
                    }
                    refused => refused,
                }
            }
        };
        let (code, reason) = refusal.unwrap_or((ResponseCode::DO_NOT_HONOUR, String::new()));
        self.say("Tap Declined", reason.clone());
        let mut answer = Answer::new(code, reason);
        answer.chip.put(tag::ISSUER_AUTHENTICATION_DATA, verified.issuer_authentication_data(code.0, false)?);
        Ok(Tapped::Refuse(answer))
    }

    /// The card that a message of a token is about: the one that its tap was booked on,
    /// or that of the tap that it names, else the one that the account has now.
    pub(super) fn card_for(&mut self, request: &Request, token: &TokenRow) -> Result<String, VaultError> {
        let key = &request.key;
        let named =
            request.original.map_or((key.batch, key.trace), |original| (original.batch, original.trace));
        let rows = self.tx.query(
            "SELECT card FROM token_tap WHERE terminal = $1 AND trace = $2 AND batch = $3 AND merchant = $4 \
             AND token = $5 ORDER BY at DESC LIMIT 1",
            &[
                key.terminal.as_str().into(),
                i64::from(named.1).into(),
                i64::from(named.0).into(),
                key.merchant.as_str().into(),
                token.id.as_str().into(),
            ],
        )?;
        match rows.first() {
            Some(row) => Ok(row.text(0)?.to_owned()),
            None => Ok(self.funding(&token.funding)?.card),
        }
    }

    /// The cryptogram, under the token's key or under one of its limited-use keys.
    fn verify(
        &self,
        request: &Request,
        token: &TokenRow,
        keys: &[KeyRow],
    ) -> Result<(VerifiedCryptogram, Option<KeyRow>), CryptogramRefusal> {
        let check = CryptogramCheck {
            version: self.keys.version,
            dki: self.keys.dki,
            is_quick: request.entry == Entry::ContactlessQuick,
            wanted: WantedCryptogram::Arqc,
        };
        if token.keys == KeyKind::SecureElement {
            let verified = check.verify(&request.chip, |version| self.keys.card_keys(version, &token.pan))?;
            return Ok((verified, None));
        }
        let mut last = CryptogramRefusal::NoCardKey;
        for key in keys {
            let made = |version| under_limited_use(self.keys.card_keys(version, &token.pan)?, key.sequence);
            match check.verify(&request.chip, made) {
                Ok(verified) => return Ok((verified, Some(*key))),
                Err(refusal) => last = refusal,
            }
        }
        Err(last)
    }

    /// Why a tap with a right cryptogram is declined, if it is.
    fn refusal(
        &self,
        request: &Request,
        token: &TokenRow,
        device: &[u8],
        verified: &VerifiedCryptogram,
        key: Option<(&KeyRow, &[KeyRow])>,
    ) -> Option<Refusal> {
        let no = |code, reason: &str| Some((code, reason.to_owned()));
        if i64::from(verified.atc) <= token.last_atc {
            return no(ResponseCode::DO_NOT_HONOUR, "the counter (9F36) is not above the last one seen");
        }
        match token.state {
            TokenState::Active => {}
            TokenState::Requested => return no(ResponseCode::RESTRICTED, "the token is not activated"),
            TokenState::Suspended => {
                return no(ResponseCode::RESTRICTED, "the token is suspended by its holder");
            }
            TokenState::Held => return no(ResponseCode::RESTRICTED, "the token is suspended by its issuer"),
            TokenState::Terminated => return no(ResponseCode::RESTRICTED, "the token is terminated"),
        }
        if self.now().date_number() > token.expiry {
            return no(ResponseCode::EXPIRED, "the token has expired");
        }
        if let Some(reason) = token.domain.refuses(request, device) {
            return no(ResponseCode::RESTRICTED, reason);
        }
        let stale = key.and_then(|(key, all)| self.stale(key, all, request.amount.minor));
        stale.and_then(|reason| no(ResponseCode::DO_NOT_HONOUR, reason))
    }

    fn pass(
        &mut self,
        token: &TokenRow,
        card: String,
        verified: VerifiedCryptogram,
    ) -> Result<Tapped, VaultError> {
        let (card, funding) = (self.card(&card)?, self.funding(&token.funding)?);
        let current = self.card(&funding.card)?;
        let binding = self.binding(&token.binding)?;
        self.say("Tap Passed", "the cryptogram is the token's and the domain is right");
        Ok(Tapped::Pass(Box::new(Pass {
            card,
            verified,
            binding: binding.id,
            on_trial: binding.state == BindingState::OnTrial,
            account: Account { par: funding.par, last_four: last_four(&current.pan) },
        })))
    }

    fn known(
        &mut self,
        token: &TokenRow,
        verified: &VerifiedCryptogram,
        fingerprint: &[u8],
    ) -> Result<Known, VaultError> {
        let rows = self.tx.query(
            "SELECT fingerprint, card, refusal FROM token_tap WHERE token = $1 AND atc = $2",
            &[token.id.as_str().into(), i64::from(verified.atc).into()],
        )?;
        let Some(row) = rows.first() else { return Ok(Known::New) };
        if row.bytes(0)? != fingerprint {
            let reason = "the counter (9F36) was used in another message";
            return Ok(Known::Refused((ResponseCode::DO_NOT_HONOUR, reason.into())));
        }
        if row.is_null(2) {
            return Ok(Known::Passed(row.text(1)?.to_owned()));
        }
        let text = row.text(2)?;
        let code = text.get(..2).and_then(|code| code.as_bytes().try_into().ok()).map(ResponseCode);
        let reason = text.get(2..).unwrap_or_default().to_owned();
        Ok(Known::Refused((code.unwrap_or(ResponseCode::DO_NOT_HONOUR), reason)))
    }

    fn remember(
        &mut self,
        request: &Request,
        token: &TokenRow,
        card: &str,
        verified: &VerifiedCryptogram,
        fingerprint: &[u8],
        refusal: Option<&Refusal>,
    ) -> Result<(), VaultError> {
        let refusal = refusal.map(|(code, reason)| format!("{}{reason}", String::from_utf8_lossy(&code.0)));
        let (key, atc, at) = (&request.key, i64::from(verified.atc), self.now().micros());
        self.tx.execute(
            "INSERT INTO token_tap (token, atc, fingerprint, card, merchant, terminal, batch, trace, refusal, at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
            &[
                token.id.as_str().into(),
                atc.into(),
                fingerprint.into(),
                card.into(),
                key.merchant.as_str().into(),
                key.terminal.as_str().into(),
                i64::from(key.batch).into(),
                i64::from(key.trace).into(),
                refusal.into(),
                at.into(),
            ],
        )?;
        self.tx.execute(
            "UPDATE token SET last_atc = $1 WHERE id = $2 AND last_atc < $1",
            &[atc.into(), token.id.as_str().into()],
        )?;
        Ok(())
    }

    /// What makes a message the same: its key and all that it says, but for the time and
    /// the PIN, which a repeat may not carry.
    fn fingerprint(&self, request: &Request) -> Vec<u8> {
        let Request { key, kind, amount, entry, original, .. } = request;
        let mut text = format!("{key:?}|{kind:?}|{amount:?}|{entry:?}|{original:?}|").into_bytes();
        text.extend(request.chip.to_bytes());
        self.seals.mark("token_tap.fingerprint", &text)
    }
}

/// What is known of a tap.
enum Known {
    New,
    Passed(String),
    Refused(Refusal),
}

impl Account {
    /// Tells it in an answer's chip data: 9F24 and 9F25.
    pub(super) fn tell(&self, answer: &mut Answer) {
        answer.chip.put(tag::PAYMENT_ACCOUNT_REFERENCE, self.par.as_bytes());
        if let Ok(digits) = crate::base::bytes::digits_to_bcd(&self.last_four, 2) {
            answer.chip.put(tag::LAST_4_DIGITS_OF_PAN, digits);
        }
    }
}

fn code_of(refusal: &CryptogramRefusal) -> ResponseCode {
    match refusal.is_format() {
        true => ResponseCode::FORMAT_ERROR,
        false => ResponseCode::DO_NOT_HONOUR,
    }
}

fn refuse(code: ResponseCode, reason: String) -> Tapped {
    Tapped::Refuse(Answer::new(code, reason))
}

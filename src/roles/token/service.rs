//! The service that wallets and the issuer's people speak to. Each step is a
//! transaction of the vault, and between them the issuer or the bureau is asked: a
//! break there leaves a row that the same step takes up again.

use super::VaultError;
use super::decision::Signal;
use super::notice::Notice;
use super::record::PersonalData;
use super::states::{BindingEvent, ProvisioningEvent};
use super::vault::Vault;
use super::work::{refused, unknown};
use crate::air::host::{
    CodeCheck, CodeSent, Decision, ElementCheck, Eligibility, EligibilityRequest, FundingCard, Holder,
    Identity, KeyKind, LimitedUseKey, Party, Personalisation, Preparation, PreparationOrder, ProvisioningId,
    ProvisioningState, RequestorId, Standing, TokenError, TokenReference, TokenService, TokenState,
    TokenVerb, TokenView,
};
use crate::base::bytes::{Secret, digits_to_bcd};
use crate::base::context::Context;
use crate::base::event::Event;
use crate::words::dictionary::tag;
use crate::words::emv::Pan;
use crate::words::tlv::TlvStore;

/// The service: the vault, the issuer that knows holders, the bureau.
pub struct Tokens {
    vault: Vault,
    identity: Box<dyn Identity>,
    bureau: Box<dyn Preparation>,
}

impl Tokens {
    /// A service.
    pub fn new(vault: Vault, identity: Box<dyn Identity>, bureau: Box<dyn Preparation>) -> Self {
        Self { vault, identity, bureau }
    }

    /// The vault, to check it or to read its history.
    pub fn vault(&mut self) -> &mut Vault {
        &mut self.vault
    }

    /// A token that a party may see.
    pub fn token(
        &mut self,
        token: &TokenReference,
        by: &Party,
        context: &mut Context,
    ) -> Result<TokenView, TokenError> {
        Ok(self.vault.work(context, |work| {
            let token = work.seen_by(token, by)?;
            work.view(&token.id)
        })?)
    }

    /// Tells the issuer what it has not been told of bindings yet. What it does not
    /// take, stays for the next call; every other step calls this too.
    pub fn tell_issuer(&mut self, context: &mut Context) -> Result<(), TokenError> {
        let notices = self.vault.work(context, |work| work.notices())?;
        self.tell(notices, context)
    }

    fn tell(&mut self, notices: Vec<Notice>, context: &mut Context) -> Result<(), TokenError> {
        for notice in notices {
            let told =
                self.identity.binding_changed(&notice.card.pan, &notice.binding, notice.change, context);
            if let Err(error) = told {
                context.emit(Event::new("token", "Issuer Not Told").because(error.to_string()));
                return Ok(());
            }
            self.vault.work(context, |work| work.notice_told(&notice.id))?;
        }
        Ok(())
    }

    /// The card, where it is good today.
    fn good(
        &mut self,
        pan: &Pan,
        context: &mut Context,
    ) -> Result<Result<FundingCard, &'static str>, VaultError> {
        let standing = self.identity.standing(pan, context)?;
        Ok(match standing {
            None => Err("card-not-good: the issuer has no such card"),
            Some(Standing::Blocked(_)) => Err("card-not-good: the card is blocked"),
            Some(Standing::Cancelled) => Err("card-not-good: the card is cancelled"),
            Some(Standing::ReplacedBy(_)) => Err("card-not-good: another card has taken its place"),
            Some(Standing::Good(card)) if card.expiry < context.now().date_number() => {
                Err("card-not-good: the card has expired")
            }
            Some(Standing::Good(card)) => Ok(card),
        })
    }

    /// Has the bureau prepare what the device of a token stores.
    fn prepare(&mut self, data: PersonalData, context: &mut Context) -> Result<Personalisation, VaultError> {
        let years = self.vault.rules().years;
        let PersonalData { token, view, device, key } = data;
        let mut data = TlvStore::new();
        let digits = |digits: &str, bytes| digits_to_bcd(digits, bytes).unwrap_or_default();
        data.put(tag::TOKEN_REQUESTOR_ID, digits(&format!("0{}", token.requestor), 6));
        data.put(tag::PAYMENT_ACCOUNT_REFERENCE, view.par.as_bytes());
        data.put(tag::LAST_4_DIGITS_OF_PAN, digits(&view.last_four, 2));
        data.put(tag::PRODUCT_IDENTIFICATION, device);
        let order = PreparationOrder {
            pan: token.pan.clone(),
            psn: super::record::PSN,
            expiry: date_bytes(token.expiry),
            // The first day of the month in which the token was made or renewed.
            effective: date_bytes((token.expiry / 100 - years * 100) * 100 + 1),
            data,
            limited_use_key: key.as_ref().map(|key| key.key.clone()),
        };
        let card = self.bureau.prepare(&order, context)?;
        Ok(Personalisation { token: view, card, limited_use_key: key })
    }
}

impl TokenService for Tokens {
    fn check_eligibility(
        &mut self,
        request: &EligibilityRequest,
        context: &mut Context,
    ) -> Result<Eligibility, TokenError> {
        check_request(request)?;
        let card = self.good(&request.pan, context)?.map_err(refused)?;
        self.vault.work(context, |work| work.begin(request, &card))?;
        Ok(Eligibility {
            terms: self.vault.rules().terms.clone(),
            last_four: super::record::last_four(&card.pan),
        })
    }

    fn accept_terms(
        &mut self,
        provisioning: &ProvisioningId,
        terms: &str,
        holder: &Holder,
        context: &mut Context,
    ) -> Result<Decision, TokenError> {
        check_holder(holder)?;
        if terms != self.vault.rules().terms {
            return Err(field("the name of the terms that were told", terms));
        }
        let (decided, card) = self.vault.work(context, |work| {
            let row = work.glance(provisioning)?;
            Ok((row.decision.is_some(), work.card_of(&row)?))
        })?;
        let mut signals = Vec::new();
        if !decided {
            if self.good(&card.pan, context)?.is_err() {
                signals.push((Signal::CardNotGood, 1));
            }
            let check = self.identity.check(&card.pan, holder, context).map_err(VaultError::from)?;
            if check == ElementCheck::Mismatch {
                signals.push((Signal::ElementsDiffer, 1));
            }
        }
        // One transaction: nobody has accepted and does not know what came of it.
        let decision = self.vault.work(context, |work| {
            let mut row = work.provisioning(provisioning)?;
            work.accept(&mut row, holder)?;
            work.decide(&mut row, holder, signals.clone())
        })?;
        Ok(decision)
    }

    fn send_code(
        &mut self,
        provisioning: &ProvisioningId,
        context: &mut Context,
    ) -> Result<CodeSent, TokenError> {
        let card = self.vault.work(context, |work| {
            let mut row = work.provisioning(provisioning)?;
            work.provisioning_event(&mut row, ProvisioningEvent::SendCode, "send a code")?;
            work.card_of(&row)
        })?;
        let sent =
            self.identity.send_code(&code_key(provisioning), &card.pan, context).map_err(VaultError::from)?;
        sent.ok_or_else(|| TokenError::Refused {
            reason: "code-sends: the code may not be sent again".into(),
        })
    }

    fn confirm_code(
        &mut self,
        provisioning: &ProvisioningId,
        code: &Secret<String>,
        context: &mut Context,
    ) -> Result<CodeCheck, TokenError> {
        let row = self.vault.work(context, |work| work.glance(provisioning))?;
        // A state in which no code is open is told by the table, without asking the issuer.
        let check = match row.state {
            ProvisioningState::Identifying => self
                .identity
                .confirm_code(&code_key(provisioning), code, context)
                .map_err(VaultError::from)?,
            _ => CodeCheck::Confirmed,
        };
        let (event, name) = match check {
            CodeCheck::Confirmed => (ProvisioningEvent::ConfirmCode, "confirm the code"),
            CodeCheck::Exhausted => (ProvisioningEvent::ExhaustCode, "refuse the code"),
            CodeCheck::Wrong { .. } | CodeCheck::Expired => return Ok(check),
        };
        self.vault.work(context, |work| {
            let mut row = work.provisioning(provisioning)?;
            if !work.provisioning_event(&mut row, event, name)? {
                return Ok(());
            }
            let binding = row.binding.as_deref().unwrap_or_default();
            let (event, reason) = match check {
                CodeCheck::Confirmed => (BindingEvent::Identify, "the code is confirmed"),
                _ => (BindingEvent::Fail, "no try of the code is left"),
            };
            work.binding_event(binding, event, reason).map(|_| ())
        })?;
        Ok(check)
    }

    fn make_token(
        &mut self,
        provisioning: &ProvisioningId,
        context: &mut Context,
    ) -> Result<Personalisation, TokenError> {
        let made = self.vault.work(context, |work| {
            let mut row = work.provisioning(provisioning)?;
            let token = work.make_token(&mut row)?;
            work.personal_data(token)
        })?;
        Ok(self.prepare(made, context)?)
    }

    fn personalised(
        &mut self,
        provisioning: &ProvisioningId,
        context: &mut Context,
    ) -> Result<(), TokenError> {
        self.vault.work(context, |work| {
            let mut row = work.provisioning(provisioning)?;
            work.provisioning_event(&mut row, ProvisioningEvent::Personalise, "personalise the device")
        })?;
        Ok(())
    }

    fn activate(
        &mut self,
        provisioning: &ProvisioningId,
        context: &mut Context,
    ) -> Result<TokenView, TokenError> {
        let (view, notices) = self.vault.work(context, |work| {
            let mut row = work.provisioning(provisioning)?;
            let token = work.activate(&mut row)?;
            Ok((work.view(&token.id)?, work.notices()?))
        })?;
        self.tell(notices, context)?;
        Ok(view)
    }

    fn abandon(&mut self, provisioning: &ProvisioningId, context: &mut Context) -> Result<(), TokenError> {
        self.vault.work(context, |work| {
            let row = work.provisioning(provisioning)?;
            work.roll_back(&row, "told by the wallet")
        })?;
        Ok(())
    }

    fn progress(
        &mut self,
        provisioning: &ProvisioningId,
        context: &mut Context,
    ) -> Result<ProvisioningState, TokenError> {
        Ok(self.vault.work(context, |work| work.glance(provisioning))?.state)
    }

    fn change(
        &mut self,
        token: &TokenReference,
        verb: TokenVerb,
        by: &Party,
        context: &mut Context,
    ) -> Result<TokenView, TokenError> {
        let (view, notices) =
            self.vault.work(context, |work| Ok((work.change(token, verb, by)?, work.notices()?)))?;
        self.tell(notices, context)?;
        Ok(view)
    }

    fn lost_device(
        &mut self,
        requestor: &RequestorId,
        device: &str,
        by: &Party,
        context: &mut Context,
    ) -> Result<Vec<TokenView>, TokenError> {
        Ok(self.vault.work(context, |work| work.lose_device(requestor, device, by))?)
    }

    fn renew(
        &mut self,
        token: &TokenReference,
        by: &Party,
        context: &mut Context,
    ) -> Result<Personalisation, TokenError> {
        let renewed = self.vault.work(context, |work| {
            let token = work.renew(token, by)?;
            work.personal_data(token)
        })?;
        Ok(self.prepare(renewed, context)?)
    }

    fn card_changed(
        &mut self,
        pan: &Pan,
        by: &Party,
        context: &mut Context,
    ) -> Result<Vec<TokenView>, TokenError> {
        let funding = self.vault.work(context, |work| work.funding_of_pan(pan))?;
        let funding = funding.ok_or_else(|| unknown("token"))?;
        // Never on the asker's word: the issuer says what has become of the card.
        let standing = self.identity.standing(pan, context).map_err(VaultError::from)?;
        let views = self.vault.work(context, |work| {
            match &standing {
                Some(Standing::ReplacedBy(card) | Standing::Good(card)) => work.move_card(&funding, card)?,
                Some(Standing::Cancelled) | None => work.cancel_card(&funding)?,
                Some(Standing::Blocked(_)) => {}
            }
            work.tokens_of_funding(&funding, by)
        })?;
        self.tell_issuer(context)?;
        Ok(views)
    }

    fn replenish(
        &mut self,
        token: &TokenReference,
        after: u32,
        by: &Party,
        context: &mut Context,
    ) -> Result<LimitedUseKey, TokenError> {
        let key = self.vault.work(context, |work| {
            let token = work.seen_by(token, by)?;
            if token.keys != KeyKind::LimitedUse {
                return Err(refused("key-kind: the token's key lies in a secure element"));
            }
            if token.state != TokenState::Active {
                return Err(TokenError::State {
                    step: "replenish",
                    reason: "the token is not active: activate or resume it first",
                }
                .into());
            }
            work.next_key(&token, after)
        })?;
        Ok(key)
    }

    fn tokens(&mut self, by: &Party, context: &mut Context) -> Result<Vec<TokenView>, TokenError> {
        Ok(self.vault.work(context, |work| work.seen_tokens(by))?)
    }
}

/// What the issuer knows the code of a provisioning by.
fn code_key(id: &ProvisioningId) -> String {
    format!("{}:{}", id.requestor, id.id)
}

fn field(expected: &'static str, found: impl Into<String>) -> TokenError {
    TokenError::Field { expected, found: found.into() }
}

fn check_request(request: &EligibilityRequest) -> Result<(), TokenError> {
    let length = |text: &str, expected| match text.chars().count() {
        1..=64 => Ok(()),
        found => Err(field(expected, format!("{found}"))),
    };
    length(&request.provisioning.id, "a provisioning's id of 1 to 64 characters")?;
    length(&request.device, "a device's name of 1 to 64 characters")?;
    if !(1..=5).contains(&request.device_score) {
        return Err(field("a device score of 1 to 5", request.device_score.to_string()));
    }
    if request.pan.is_token() {
        return Err(field("the number of a physical card", "a token"));
    }
    Ok(())
}

fn check_holder(holder: &Holder) -> Result<(), TokenError> {
    let phone = holder.phone.expose();
    if !(5..=15).contains(&phone.len()) || !phone.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(field(
            "a phone number of 5 to 15 digits",
            format!("{} characters", phone.chars().count()),
        ));
    }
    let length = |text: &str, most, expected| match text.chars().count() {
        found if (1..=most).contains(&found) => Ok(()),
        found => Err(field(expected, format!("{found}"))),
    };
    length(holder.name.expose(), 64, "a name of 1 to 64 characters")?;
    length(holder.identity_number.expose(), 40, "an identity number of 1 to 40 characters")
}

/// YYYYMMDD as YYMMDD in BCD.
fn date_bytes(date: i64) -> [u8; 3] {
    let digits = format!("{:06}", date.rem_euclid(1_000_000));
    digits_to_bcd(&digits, 3).ok().and_then(|bytes| bytes.try_into().ok()).unwrap_or_default()
}

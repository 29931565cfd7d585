//! A card is added to the phone: the phone asks the token service how far the
//! provisioning has come, and does the next step. A break at any step is gone on from, or
//! rolled back; what the phone keeps is written before it asks.

use super::token::{Kept, KeptKey, Wire};
use super::{CardKind, CardState, TokenCard, Wallet, WalletCard, WalletError};
use crate::air::host::{
    CodeCheck, CodeSent, Colour, Eligibility, EligibilityRequest, Holder, KeyKind, Party, Personalisation,
    ProvisioningId, ProvisioningState, TokenError, TokenService, TokenVerb,
};
use crate::base::bytes::{Hex, Secret};
use crate::base::context::Context;
use crate::base::event::Event;
use crate::words::emv::Pan;

/// How far the phone trusts itself: it is simulated, and behaves.
const DEVICE_SCORE: u8 = 4;

/// More steps than any provisioning takes: wrong codes and codes that are sent again too.
const STEP_LIMIT: usize = 32;

/// A card that is to be added.
#[derive(Debug, Clone)]
pub struct NewToken {
    /// Its name in the phone; else the first free one.
    pub name: Option<String>,
    /// The physical card.
    pub pan: Pan,
    /// Where the token's keys live.
    pub keys: KeyKind,
}

/// The person who adds a card.
pub trait Applicant {
    /// Whether the terms are accepted.
    fn accepts(&mut self, eligibility: &Eligibility) -> bool;

    /// Who they are; `None` when they give up.
    fn holder(&mut self) -> Option<Holder>;

    /// The one-time code; `None` when they do not have it now. `sent` tells of a code that
    /// has just been sent.
    fn code(&mut self, sent: Option<&CodeSent>) -> Option<Secret<String>>;

    /// Hears what became of a code.
    fn hears(&mut self, check: CodeCheck);
}

/// What came of adding a card.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Added {
    /// It pays from now on.
    Active(TokenCard),
    /// It waits for the person; asked again, it goes on.
    Waits {
        /// The card's name in the phone.
        name: String,
        /// For what.
        what: &'static str,
    },
    /// It was refused; nothing is left of it.
    Refused {
        /// Why.
        reason: String,
    },
}

/// Everyone who adds a card.
pub struct Provisioning<'a> {
    /// The phone.
    pub wallet: &'a mut Wallet,
    /// The token service.
    pub service: &'a mut dyn TokenService,
    /// The person.
    pub applicant: &'a mut dyn Applicant,
    /// The wire to the secure element.
    pub wire: &'a mut dyn Wire,
}

/// What a step came to.
enum Done {
    GoOn,
    Ended(Added),
}

impl Provisioning<'_> {
    /// Adds a card. One that was begun with the same number and broke off is gone on with.
    pub fn add(&mut self, new: &NewToken, context: &mut Context) -> Result<Added, WalletError> {
        let name = match self.begun(new)? {
            Some(card) => card.name,
            None => self.begin(new, context)?,
        };
        for _ in 0..STEP_LIMIT {
            match self.step(&name, context) {
                Ok(Done::GoOn) => {}
                Ok(Done::Ended(added)) => return Ok(added),
                Err(WalletError::Token(TokenError::Refused { reason })) => {
                    roll_back(self.wallet, self.service, &name, context)?;
                    return Ok(Added::Refused { reason });
                }
                Err(error) => return Err(error),
            }
        }
        Ok(Added::Waits { name, what: "a code that is right" })
    }

    fn begin(&mut self, new: &NewToken, context: &mut Context) -> Result<String, WalletError> {
        let kept = Kept {
            provisioning: Hex(&context.random::<16>()).to_string(),
            limited_use: new.keys == KeyKind::LimitedUse,
            pan: Some(new.pan.expose().to_owned()),
            channel: [context.random(), context.random(), context.random()],
            code_sent: false,
            reference: None,
            par: String::new(),
            funding_last_four: new.pan.last_four().to_owned(),
            expiry: 0,
            key: None,
        };
        self.wallet.begin(CardKind::Token, new.name.as_deref(), "", &kept, context)
    }

    /// One step from where the service says that the provisioning is.
    fn step(&mut self, name: &str, context: &mut Context) -> Result<Done, WalletError> {
        let card = self.wallet.card(Some(name))?;
        let kept = Kept::of(&card)?;
        let id = id_of(&kept);
        let state = match self.service.progress(&id, context) {
            Err(TokenError::Unknown { .. }) => None,
            known => Some(known?),
        };
        let word = state.map_or_else(|| "nothing asked yet".into(), |state| format!("{state:?}"));
        context.emit(Event::new("wallet", "provisioning").because(format!("{name}: {word}")));
        match state {
            None => {
                self.eligibility(&kept, context)?;
                Ok(Done::GoOn)
            }
            Some(ProvisioningState::Eligible | ProvisioningState::Accepted) => {
                self.accept(name, &kept, context)
            }
            Some(ProvisioningState::Identifying) => self.identify(name, kept, context),
            Some(ProvisioningState::Approved | ProvisioningState::TokenMade) => {
                self.personalise(name, kept, context)
            }
            Some(ProvisioningState::Personalised) => {
                self.service.activate(&id, context)?;
                Ok(Done::GoOn)
            }
            Some(ProvisioningState::Activated) => self.finish(name, kept, context),
            Some(ProvisioningState::Refused | ProvisioningState::Abandoned) => {
                self.wallet.remove(name, context)?;
                let reason = "by the issuer's rules, or no try of the code is left".into();
                Ok(Done::Ended(Added::Refused { reason }))
            }
        }
    }

    fn eligibility(&mut self, kept: &Kept, context: &mut Context) -> Result<Eligibility, WalletError> {
        let pan = kept.pan.clone().unwrap_or_default();
        let request = EligibilityRequest {
            provisioning: id_of(kept),
            device: self.wallet.phone()?.device,
            device_score: DEVICE_SCORE,
            keys: kept.keys(),
            pan: Pan::new(&pan)?,
        };
        Ok(self.service.check_eligibility(&request, context)?)
    }

    fn accept(&mut self, name: &str, kept: &Kept, context: &mut Context) -> Result<Done, WalletError> {
        let eligibility = self.eligibility(kept, context)?;
        if !self.applicant.accepts(&eligibility) {
            roll_back(self.wallet, self.service, name, context)?;
            return Ok(Done::Ended(Added::Refused { reason: "the terms are not accepted".into() }));
        }
        let Some(holder) = self.applicant.holder() else {
            return Ok(Done::Ended(Added::Waits { name: name.into(), what: "who the holder is" }));
        };
        let decision = self.service.accept_terms(&id_of(kept), &eligibility.terms, &holder, context)?;
        let told = format!("{:?}: {}", decision.colour, decision.reasons.join(", "));
        context.emit(Event::new("wallet", "decision").because(told.clone()));
        if decision.colour == Colour::Red {
            self.wallet.remove(name, context)?;
            return Ok(Done::Ended(Added::Refused { reason: told }));
        }
        Ok(Done::GoOn)
    }

    fn identify(&mut self, name: &str, mut kept: Kept, context: &mut Context) -> Result<Done, WalletError> {
        let id = id_of(&kept);
        let mut sent = None;
        if !kept.code_sent {
            sent = Some(self.service.send_code(&id, context)?);
            kept.code_sent = true;
            self.wallet.keep(name, None, &kept, context)?;
        }
        let Some(code) = self.applicant.code(sent.as_ref()) else {
            return Ok(Done::Ended(Added::Waits { name: name.into(), what: "the one-time code" }));
        };
        let check = self.service.confirm_code(&id, &code, context)?;
        if check == CodeCheck::Expired {
            kept.code_sent = false;
            self.wallet.keep(name, None, &kept, context)?;
        }
        self.applicant.hears(check);
        Ok(Done::GoOn)
    }

    fn personalise(
        &mut self,
        name: &str,
        mut kept: Kept,
        context: &mut Context,
    ) -> Result<Done, WalletError> {
        let id = id_of(&kept);
        let Personalisation { token, card, limited_use_key } = self.service.make_token(&id, context)?;
        kept.take(&token);
        self.wallet.install(name, &kept, &card, self.wire, context)?;
        let now = context.now();
        kept.key = limited_use_key.as_ref().map(|key| KeptKey::new(key, 0, now));
        self.wallet.keep(name, Some(&token.token_last_four), &kept, context)?;
        self.service.personalised(&id, context)?;
        Ok(Done::GoOn)
    }

    fn finish(&mut self, name: &str, mut kept: Kept, context: &mut Context) -> Result<Done, WalletError> {
        let view = self.service.activate(&id_of(&kept), context)?;
        kept.take(&view);
        zeroize::Zeroize::zeroize(&mut kept.pan);
        kept.pan = None;
        self.wallet.activate(name, &kept, context)?;
        // A newer token of a card ends the older one on the same phone.
        super::life::follow(self.wallet, self.service, context)?;
        Ok(Done::Ended(Added::Active(self.wallet.token(Some(name))?)))
    }

    /// The card that was begun with this number, under this name or any.
    fn begun(&mut self, new: &NewToken) -> Result<Option<WalletCard>, WalletError> {
        for card in self.wallet.cards()? {
            let named = new.name.as_ref().is_none_or(|name| *name == card.name);
            if named && card.kind == CardKind::Token && card.state == CardState::Making {
                let kept = Kept::of(&card)?;
                let same = kept.pan.as_deref() == Some(new.pan.expose()) && kept.keys() == new.keys;
                if same {
                    return Ok(Some(card));
                }
            }
        }
        Ok(None)
    }
}

/// Has the code sent again when the card is next added.
pub fn resend_code(wallet: &mut Wallet, name: &str, context: &mut Context) -> Result<(), WalletError> {
    let mut kept = Kept::of(&wallet.card(Some(name))?)?;
    kept.code_sent = false;
    wallet.keep(name, None, &kept, context)
}

/// Rolls a card back that is not active, at the service and here.
pub(super) fn roll_back(
    wallet: &mut Wallet,
    service: &mut dyn TokenService,
    name: &str,
    context: &mut Context,
) -> Result<(), WalletError> {
    let kept = Kept::of(&wallet.card(Some(name))?)?;
    match service.abandon(&id_of(&kept), context) {
        Ok(()) | Err(TokenError::Unknown { .. }) => {}
        // It was activated, and the phone never heard of that: there is a token to remove.
        Err(TokenError::State { .. }) if kept.reference.is_some() => {
            let by = Party::Wallet(Wallet::requestor());
            service.change(&kept.reference(name)?, TokenVerb::Remove, &by, context)?;
        }
        Err(error) => return Err(error.into()),
    }
    wallet.remove(name, context)
}

/// What the service knows a provisioning by.
pub(super) fn id_of(kept: &Kept) -> ProvisioningId {
    ProvisioningId { requestor: Wallet::requestor(), id: kept.provisioning.clone() }
}

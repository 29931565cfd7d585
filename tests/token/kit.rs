//! An issuer, a token service and phones, made of the roles' public faces.

use crate::issuer::kit::{Card, World};
use crate::store::fresh_store;
use cardwright::air::host::{
    Answer, Colour, EligibilityRequest, Entry, Holder, Host, KeyKind, Kind, Party, Personalisation,
    ProvisioningId, Request, RequestorId, TokenReference, TokenService, TokenView,
};
use cardwright::base::bytes::Secret;
use cardwright::base::context::Context;
use cardwright::base::event::{Collector, Discard};
use cardwright::base::store::{Db, SealKey};
use cardwright::roles::bureau::{KeySet, TokenBureau, identifier};
use cardwright::roles::card::Profile;
use cardwright::roles::issuer::{AccountId, Rules};
use cardwright::roles::token::{TokenHost, TokenKeys, TokenRules, Tokens, Vault};
use cardwright::words::dictionary::tag;
use cardwright::words::emv::Pan;
use cardwright::words::emv::cryptogram::{CardKeys, CryptogramVersion};
use cardwright::words::tlv::TlvStore;

pub(crate) const REQUESTOR: &str = "62900000001";
pub(crate) const OTHER_REQUESTOR: &str = "62900000002";
pub(crate) const PHONE: &str = "13800138000";
pub(crate) const OTHER_PHONE: &str = "13911139111";

/// Who holds the first account, with this phone.
pub(crate) fn holder(phone: &str) -> Holder {
    Holder {
        name: Secret::new("Zhang San".into()),
        identity_number: Secret::new("11010519491231002X".into()),
        phone: Secret::new(phone.into()),
    }
}

/// A phone's card, and the token that it shows.
pub(crate) struct Phone {
    pub(crate) card: Card,
    pub(crate) token: TokenReference,
    pub(crate) mark: Vec<u8>,
    pub(crate) entry: Entry,
}

/// The stage.
pub(crate) struct Stage {
    pub(crate) world: World,
    pub(crate) service: Tokens,
    pub(crate) host: TokenHost,
    pub(crate) context: Context,
    pub(crate) events: Collector,
    attempts: u32,
}

impl Stage {
    pub(crate) fn new() -> Self {
        Self::ruled(TokenRules::default())
    }

    /// Rules under which nobody needs a code.
    pub(crate) fn trusting() -> Self {
        Self::ruled(rules(
            "[[rule]]\nname = \"d\"\nwhen = \"elements_differ\"\ncolour = \"red\"\nreason = \"\"",
        ))
    }

    pub(crate) fn ruled(rules: TokenRules) -> Self {
        Self::on(fresh_store(), rules)
    }

    pub(crate) fn on(db: Box<dyn Db>, rules: TokenRules) -> Self {
        let mut world = World::on(db, "PBOC CVN 01", Rules::default());
        let events = Collector::default();
        let mut context = Context::simulated(11, events.clone());
        let account = AccountId("A1".into());
        world.issuer.set_account_holder(&account, &holder(PHONE), &mut context).unwrap();
        let seal = own_seal().into();
        let db = world.db.handle().unwrap();
        let vault = Vault::open(db, seal, token_keys(), rules, &mut context).unwrap();
        let issuer = || Box::new(world.issuer.handle().unwrap());
        let host = TokenHost::new(vault.handle().unwrap(), issuer());
        let service = Tokens::new(vault, issuer(), Box::new(bureau()));
        Self { world, service, host, context, events, attempts: 0 }
    }

    pub(crate) fn provisioning(&mut self, requestor: &str) -> ProvisioningId {
        self.attempts += 1;
        ProvisioningId { requestor: requestor_id(requestor), id: format!("p{}", self.attempts) }
    }

    pub(crate) fn request(&mut self, device: &str, keys: KeyKind) -> EligibilityRequest {
        EligibilityRequest {
            provisioning: self.provisioning(REQUESTOR),
            device: device.into(),
            device_score: 5,
            keys,
            pan: self.world.card.pan.clone(),
        }
    }

    /// Goes as far as an approval; the issuer's code is typed in where one is wanted.
    pub(crate) fn approve(&mut self, request: &EligibilityRequest, phone: &str) -> Colour {
        let id = &request.provisioning;
        let terms = self.service.check_eligibility(request, &mut self.context).unwrap().terms;
        let decision = self.service.accept_terms(id, &terms, &holder(phone), &mut self.context).unwrap();
        if decision.colour == Colour::Yellow {
            self.service.send_code(id, &mut self.context).unwrap();
            let code = self.code();
            self.service.confirm_code(id, &code, &mut self.context).unwrap();
        }
        decision.colour
    }

    pub(crate) fn code(&mut self) -> Secret<String> {
        self.world.issuer.code_on_phone(&self.world.card.pan, &mut self.context).unwrap().unwrap()
    }

    /// The holder gets another phone number at the issuer.
    pub(crate) fn change_phone(&mut self, phone: &str) {
        let account = AccountId("A1".into());
        self.world.issuer.set_account_holder(&account, &holder(phone), &mut self.context).unwrap();
    }

    /// The whole way of a card into a device.
    pub(crate) fn add(&mut self, device: &str, keys: KeyKind) -> Phone {
        let request = self.request(device, keys);
        self.add_request(&request, PHONE)
    }

    pub(crate) fn add_request(&mut self, request: &EligibilityRequest, phone: &str) -> Phone {
        self.approve(request, phone);
        let id = &request.provisioning;
        let made = self.service.make_token(id, &mut self.context).unwrap();
        self.service.personalised(id, &mut self.context).unwrap();
        self.service.activate(id, &mut self.context).unwrap();
        phone_of(&made)
    }

    /// A tap: a purchase.
    pub(crate) fn tap_request(&mut self, phone: &mut Phone, amount_minor: u64) -> Request {
        let mut chip = phone.card.sign(amount_minor, 0xA0, 0x00);
        chip.put(tag::PRODUCT_IDENTIFICATION, phone.mark.as_slice());
        let mut request = self.world.request(Kind::Purchase, amount_minor, chip);
        request.pan = phone.card.pan.expose().to_owned().into();
        request.entry = phone.entry;
        request
    }

    pub(crate) fn tap(&mut self, phone: &mut Phone, amount_minor: u64) -> Answer {
        let request = self.tap_request(phone, amount_minor);
        self.host.authorise(&request, &mut self.context).unwrap()
    }

    pub(crate) fn tokens(&mut self) -> Vec<TokenView> {
        self.service.tokens(&Party::Issuer, &mut self.context).unwrap()
    }

    pub(crate) fn view(&mut self, phone: &Phone) -> TokenView {
        self.tokens().into_iter().find(|view| view.reference == phone.token).unwrap()
    }

    /// No invariant of vault or books is broken.
    pub(crate) fn assert_sound(&mut self) {
        assert_eq!(self.service.vault().check(&mut self.context).unwrap(), []);
        self.world.assert_sound();
    }
}

/// The sealing key of a stage's vault.
pub(crate) fn own_seal() -> SealKey {
    SealKey::from_bytes([5; 32])
}

pub(crate) fn requestor_id(digits: &str) -> RequestorId {
    RequestorId::new(digits).unwrap()
}

pub(crate) fn wallet() -> Party {
    Party::Wallet(requestor_id(REQUESTOR))
}

/// Rules with another decision file.
pub(crate) fn rules(decision: &str) -> TokenRules {
    let decision = cardwright::roles::token::DecisionRules::parse(decision).unwrap();
    TokenRules { decision, ..TokenRules::default() }
}

pub(crate) fn token_keys() -> TokenKeys {
    let set = KeySet::test_tokens();
    TokenKeys { master: set.master().clone(), dki: set.dki(), version: version() }
}

pub(crate) fn bureau() -> TokenBureau {
    let template = Profile::named("debit").unwrap().template().unwrap();
    TokenBureau::new(KeySet::test_tokens(), version(), template)
}

fn version() -> &'static CryptogramVersion {
    CryptogramVersion::by_name("PBOC CVN 01").unwrap()
}

/// The phone as its data make it: keys out of the groupings, number and mark too.
pub(crate) fn phone_of(made: &Personalisation) -> Phone {
    let find = |identifier| {
        let found = made.card.groupings.iter().find(|grouping| grouping.identifier == identifier);
        found.unwrap().data.expose().clone()
    };
    let keys = find(identifier::KEYS);
    let key = |number: usize| Secret::new(<[u8; 16]>::try_from(&keys[number * 16..][..16]).unwrap());
    let data = TlvStore::parse(&find(identifier::INTERNAL_DATA)).unwrap();
    let pan = Pan::from_bcd(data.value(tag::PAN).unwrap()).unwrap();
    let card_keys = CardKeys { ac: key(0), mac: key(1), enc: key(2) };
    Phone {
        card: Card::with_keys(pan, version(), card_keys, KeySet::TEST_TOKEN_DKI),
        token: made.token.reference.clone(),
        mark: data.value(tag::PRODUCT_IDENTIFICATION).unwrap().to_vec(),
        entry: Entry::ContactlessQuick,
    }
}

/// The phone's card under the next limited-use key.
pub(crate) fn with_key(phone: &Phone, key: &Secret<[u8; 16]>) -> Phone {
    let unused = Secret::new([0; 16]);
    let keys = CardKeys { ac: key.clone(), mac: unused.clone(), enc: unused };
    let mut card = Card::with_keys(phone.card.pan.clone(), phone.card.version, keys, KeySet::TEST_TOKEN_DKI);
    card.atc = phone.card.atc;
    Phone { card, token: phone.token.clone(), mark: phone.mark.clone(), entry: phone.entry }
}

/// A context that keeps no events.
pub(crate) fn quiet(seed: u64) -> Context {
    Context::simulated(seed, Discard)
}

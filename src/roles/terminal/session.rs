//! What every phase of a transaction carries along: its terms and its data.

use super::cardholder::{PinCheck, PinPrompt};
use super::config::{ActionCodes, Risk, TerminalConfig};
use super::data::{Purpose, terminal_data};
use super::entry_point::{AlternateInterface, Combination, Message, OutcomeCvm, Parameters, Progress};
use super::flow::Flow;
use super::journal::CardMark;
use super::outcome::{ODA_NOT_PERFORMED, Outcome, Verdict};
use super::phase::step;
use crate::air::host::{Entry, Kind, MessageClass, MessageKey, Original, Request};
use crate::base::bytes::{Bit, Hex, Secret};
use crate::base::context::Context;
use crate::base::crypto::sha1;
use crate::base::env::Timestamp;
use crate::base::event::Event;
use crate::words::dictionary::tag;
use crate::words::emv::{self, Pan, TerminalCapabilities, Tsi, Ttq, Tvr};
use crate::words::iso4217::Amount;
use crate::words::pboc::EcashSet;
use crate::words::tlv::{Dol, Tag, TlvStore};
use std::borrow::Cow;
use std::sync::Arc;

/// The terms of one transaction, fixed before the card is touched.
#[derive(Debug, Clone)]
pub struct Terms {
    /// The terminal.
    pub config: Arc<TerminalConfig>,
    /// What is to be done.
    pub flow: Flow,
    /// How the card is read.
    pub mode: Entry,
    /// The amount and its currency; with what is paid out in cash (tag 9F02).
    pub amount: Amount,
    /// What of it a purchase pays out in cash, minor units (tag 9F03).
    pub cashback_minor: u64,
    /// Batch and trace number.
    pub trace: (u32, u32),
    /// Batch and trace number of the message that confirms an unload.
    pub confirmation: (u32, u32),
    /// The load that a void speaks of, or the hold that is completed or cancelled.
    pub original: Option<Original>,
    /// How the card is read that pays for the load of another one.
    pub payer: Option<Entry>,
    /// When, by the terminal's clock.
    pub at: Timestamp,
    /// Whether the merchant wants the issuer asked, whatever card and terminal say.
    pub forced_online: bool,
}

/// The terms and everything gathered so far.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) terms: Terms,
    /// Data of terminal and card by tag.
    pub(super) store: TlvStore,
    pub(super) tvr: Tvr,
    pub(super) tsi: Tsi,
    /// The data objects that records brought: none may come twice.
    pub(super) recorded: Vec<Tag>,
    /// What PDOL and CDOLs brought to the card: a combined signature is over it.
    pub(super) exchanged: Vec<u8>,
    /// What was exchanged against relaying: a combined signature ends with it.
    pub(super) relay: Vec<u8>,
    /// Which of the card's electronic cash sets has the transaction's currency.
    pub(super) set: Option<EcashSet>,
    /// The balance read before, in minor units.
    pub(super) balance_before_minor: Option<u64>,
    /// What the host says that the account may spend.
    pub(super) account_balance: Option<Amount>,
    /// The counter value that this transaction will have, where the card tells its last one.
    pub(super) expected_atc: Option<u16>,
    /// Whether the receipt needs the cardholder's signature.
    pub(super) signature: bool,
    /// Terminal risk management of the selected application.
    pub(super) risk: Risk,
    /// Terminal action codes of the selected application.
    pub(super) action_codes: ActionCodes,
    /// The cardholder's language, two letters (ISO 639-1).
    pub(super) language: String,
    /// Whether the card has signed data of this transaction with its own key (DDA, CDA, fDDA).
    pub(super) signed_dynamically: bool,
    /// Whose card this is.
    pub(super) role: Role,
    /// Whether the kernel keeps what it finds to itself: the card's cryptogram is over zeros.
    pub(super) withholds_tvr: bool,
    /// How far Entry Point has come.
    pub(super) entry_point: Progress,
    /// How the kernel says that the cardholder is verified, over contactless.
    pub(super) cvm: OutcomeCvm,
    /// The interface that the card prefers to this one.
    pub(super) alternate_interface: Option<AlternateInterface>,
}

/// Whose card a session is with.
#[derive(Debug)]
pub(super) enum Role {
    /// The card that the transaction is of.
    Own,
    /// The card that is loaded, and who pays for it.
    Loaded(Payer),
    /// The card that pays; the terms of the transaction that follows.
    Paying(Box<Terms>),
}

/// Who pays for the load of another card.
#[derive(Debug)]
pub(super) struct Payer {
    pub(super) pan: Pan,
    /// Its online PIN, until the request takes it.
    pub(super) pin: Option<Secret<String>>,
}

impl Session {
    /// Begins with the terminal's own data and a fresh unpredictable number.
    pub(super) fn new(terms: Terms, context: &mut Context) -> Self {
        let config = Arc::clone(&terms.config);
        let purpose = Purpose {
            amount: terms.amount,
            other_minor: terms.cashback_minor,
            transaction_type: terms.flow.transaction_type(),
            // Electronic cash is paid offline, so it is not what asks the issuer.
            takes_ecash: terms.flow == Flow::Pay
                && !terms.forced_online
                && terms.amount.minor <= config.ecash_limit_minor,
            is_contact: terms.mode == Entry::Contact,
            at: terms.at,
            trace: terms.trace.1,
        };
        let mut store = terminal_data(&config, &purpose, context);
        if terms.mode == Entry::Contact {
            // Over contactless they are the combination's.
            store.put(tag::TTQ, Ttq::default().with(Ttq::CONTACT).0);
        }
        Self {
            terms,
            store,
            tvr: Tvr::default(),
            tsi: Tsi::default(),
            recorded: Vec::new(),
            exchanged: Vec::new(),
            relay: Vec::new(),
            set: None,
            balance_before_minor: None,
            account_balance: None,
            expected_atc: None,
            signature: false,
            risk: config.risk,
            action_codes: config.action_codes,
            language: config.languages.first().cloned().unwrap_or_default(),
            signed_dynamically: false,
            role: Role::Own,
            withholds_tvr: false,
            entry_point: Progress::default(),
            cvm: OutcomeCvm::default(),
            alternate_interface: None,
        }
    }

    /// Begins again with a fresh unpredictable number, and none of the card's data: what
    /// Entry Point retains is kept.
    pub(super) fn afresh(self, context: &mut Context) -> Self {
        let Self { terms, role, entry_point, tvr, .. } = self;
        Self { role, entry_point, tvr, ..Self::new(terms, context) }
    }

    /// The card's application is known: what the terminal says of it counts from now on.
    pub(super) fn enter(&mut self, name: &[u8]) {
        self.store.put(tag::DF_NAME, name);
        let config = &self.terms.config;
        let Some(accepted) = config.application(name) else { return };
        self.risk = accepted.risk.unwrap_or(config.risk);
        self.action_codes = accepted.action_codes.unwrap_or(config.action_codes);
        self.store.put(tag::AID_TERMINAL, accepted.aid.as_bytes());
        let floor_limit = u32::try_from(self.risk.floor_limit_minor).unwrap_or(u32::MAX);
        self.store.put(tag::TERMINAL_FLOOR_LIMIT, floor_limit.to_be_bytes());
        let version = accepted.application_version.unwrap_or(config.application_version);
        self.store.put(tag::APPLICATION_VERSION_NUMBER_TERMINAL, version.0);
    }

    /// The card, once it has told its number (5A).
    pub(super) fn card_mark(&self) -> Option<CardMark> {
        let pan = self.store.value(tag::PAN).and_then(|bytes| Pan::from_bcd(bytes).ok())?;
        let psn = self.store.array::<1>(tag::PAN_SEQUENCE_NUMBER).map_or(0, |[psn]| psn);
        Some(CardMark { pan, psn })
    }

    /// The combination that Entry Point has selected.
    pub(super) fn combination(&self) -> Option<&Combination> {
        self.terms.config.combinations.get(self.entry_point.selected()?)
    }

    /// Sets a bit of the TVR and tells why, with the data that led there and what the TVR
    /// is now.
    pub(super) fn find(
        &mut self,
        bit: Bit<Tvr>,
        clause: &'static str,
        reason: impl std::fmt::Display,
        causes: &[Tag],
        context: &mut Context,
    ) {
        self.tvr.set(bit);
        let event = Event::new("terminal", format!("TVR byte {} bit {}", bit.byte, bit.bit));
        let event = event.clause(clause).because(format!("{}: {reason}", bit.words));
        context.emit(self.with_causes(event, causes).with_tag(tag::TVR.0, self.tvr.0));
    }

    /// Sets a bit of the TSI and, where it was not set, tells why.
    pub(super) fn performed(
        &mut self,
        bit: Bit<Tsi>,
        clause: &'static str,
        reason: &'static str,
        context: &mut Context,
    ) {
        if self.tsi.has(bit) {
            return;
        }
        self.tsi.set(bit);
        let event = Event::new("terminal", format!("TSI byte {} bit {}", bit.byte, bit.bit));
        let event = event.clause(clause).because(format!("{}: {reason}", bit.words));
        context.emit(event.with_tag(tag::TSI.0, self.tsi.0));
    }

    /// Tells a decision with the data that it rests on.
    pub(super) fn tell(
        &self,
        what: &'static str,
        clause: &'static str,
        reason: impl Into<Cow<'static, str>>,
        causes: &[Tag],
        context: &mut Context,
    ) {
        let event = Event::new("terminal", what).clause(clause).because(reason);
        context.emit(self.with_causes(event, causes));
    }

    /// Adds those of the data to an event that are there.
    pub(super) fn with_causes(&self, event: Event, causes: &[Tag]) -> Event {
        causes.iter().fold(event, |event, cause| match self.store.value(*cause) {
            Some(value) => event.with_tag(cause.0, value),
            None => event,
        })
    }

    /// Whether the transaction's currency is the card's (9F42): then its amounts can be compared.
    pub(super) fn is_application_currency(&self) -> bool {
        self.store.value(tag::APPLICATION_CURRENCY_CODE) == self.store.value(tag::TRANSACTION_CURRENCY_CODE)
    }

    /// Whether the terminal can do something: tag 9F33, as it stands in this transaction.
    pub(super) fn can(&self, capability: Bit<TerminalCapabilities>) -> bool {
        let capabilities = self.store.array(tag::TERMINAL_CAPABILITIES).map(TerminalCapabilities);
        capabilities.unwrap_or_default().has(capability)
    }

    /// Fills a data object list; TVR and TSI stand as they are now, and a TC hash (98) is
    /// over what the TDOL asks for (EMV Book 3 9.2.2).
    pub(super) fn assemble(&mut self, dol: &Dol) -> Vec<u8> {
        self.note_status();
        if dol.asks_for(tag::TC_HASH_VALUE) {
            let own = self.store.value(tag::TDOL);
            let list = Dol::parse(own.unwrap_or(&self.terms.config.default_tdol.0)).unwrap_or_default();
            let hash = sha1(&[&emv::assemble(&list, &self.store)]);
            self.store.put(tag::TC_HASH_VALUE, hash);
        }
        emv::assemble(dol, &self.store)
    }

    /// The chip's data of a message, in the order of the field's definition.
    pub(super) fn chip(&mut self, tags: &[Tag]) -> TlvStore {
        self.note_status();
        tags.iter().filter_map(|tag| Some((*tag, self.store.value(*tag)?))).collect()
    }

    /// The balance before, with its currency.
    pub(super) fn balance_before(&self) -> Option<Amount> {
        self.balance_before_minor.map(|minor| Amount::new(minor, self.terms.amount.currency))
    }

    /// The end of the transaction, told as an event too.
    pub(super) fn outcome(
        &self,
        verdict: Verdict,
        reason: impl Into<String>,
        balance_after_minor: Option<u64>,
        context: &mut Context,
    ) -> Outcome {
        let reason = reason.into();
        step("Completion", context);
        context.emit(Event::new("terminal", verdict.word()).because(reason.clone()));
        let remarks = [
            (self.tvr.has(Tvr::ODA_NOT_PERFORMED), ODA_NOT_PERFORMED),
            (self.signature && verdict.is_success(), "the cardholder signs the receipt"),
        ];
        let remarks = remarks.into_iter().filter(|remark| remark.0).map(|remark| remark.1).collect();
        Outcome {
            verdict,
            reason,
            amount: self.terms.amount,
            balance_before: self.balance_before(),
            balance_after: balance_after_minor.map(|minor| Amount::new(minor, self.terms.amount.currency)),
            account_balance: self.account_balance,
            trace: self.terms.trace,
            atc: self.store.array(tag::ATC).map(u16::from_be_bytes),
            pan: self.card_mark().map(|card| card.pan),
            funding_last_four: self
                .store
                .array::<2>(tag::LAST_4_DIGITS_OF_PAN)
                .map(|digits| Hex(&digits).to_string()),
            language: self.language.clone(),
            remarks,
            parameters: self.parameters(verdict),
            deferred: None,
            refused_with: None,
            account_reference: self
                .store
                .value(tag::PAYMENT_ACCOUNT_REFERENCE)
                .and_then(|bytes| String::from_utf8(bytes.to_vec()).ok())
                .map(Secret::new),
        }
    }

    /// What goes with the outcome over contactless: EMV Contactless Book A 6.2.
    fn parameters(&self, verdict: Verdict) -> Option<Parameters> {
        let signs = self.signature || self.cvm == OutcomeCvm::Signature;
        let message = match verdict {
            Verdict::TryAnotherInterface => Message::InsertOrSwipe,
            Verdict::EndApplication => Message::TryAnotherCard,
            verdict if verdict.is_success() && signs => Message::ApprovedSign,
            verdict if verdict.is_success() => Message::Approved,
            _ => Message::NotAuthorised,
        };
        (self.terms.mode != Entry::Contact).then(|| Parameters {
            message: self.entry_point.message().unwrap_or(message),
            cvm: self.cvm,
            alternate_interface: self.alternate_interface,
            receipt: verdict.is_success() && signs,
        })
    }

    /// A message to the host about this transaction.
    pub(super) fn request(
        &self,
        class: MessageClass,
        kind: Kind,
        card: &CardMark,
        chip: TlvStore,
        pin: Option<Secret<String>>,
    ) -> Request {
        let (batch, trace) = self.terms.trace;
        let config = &self.terms.config;
        Request {
            key: MessageKey {
                class,
                merchant: config.merchant.clone(),
                terminal: config.terminal.clone(),
                batch,
                trace,
            },
            kind,
            amount: self.terms.amount,
            pan: Secret::new(card.pan.expose().to_owned()),
            psn: card.psn,
            entry: self.terms.mode,
            at: self.terms.at,
            chip,
            pin,
            original: match kind {
                Kind::ScriptResult => Some(Original { batch, trace }),
                _ => self.terms.original,
            },
            payer: match (&self.role, class) {
                (Role::Loaded(payer), MessageClass::Request) => {
                    Some(Secret::new(payer.pan.expose().to_owned()))
                }
                _ => None,
            },
        }
    }

    /// Asks for the PIN that the issuer compares.
    pub(super) fn online_pin_prompt(&self, pan: &Pan) -> PinPrompt {
        PinPrompt { pan: pan.clone(), amount: self.terms.amount, check: PinCheck::Online, attempt: 1 }
    }

    /// The message that confirms an unload: the card has been lowered, so the account
    /// may be credited.
    pub(super) fn confirmation(&self, card: &CardMark, chip: TlvStore) -> Request {
        let (batch, trace) = self.terms.trace;
        let mut request = self.request(MessageClass::Request, Kind::Unload, card, chip, None);
        request.original = Some(Original { batch, trace });
        (request.key.batch, request.key.trace) = self.terms.confirmation;
        request
    }

    fn note_status(&mut self) {
        let tvr = if self.withholds_tvr { Tvr::default() } else { self.tvr };
        self.store.put(tag::TVR, tvr.0);
        self.store.put(tag::TSI, self.tsi.0);
    }
}

//! A token in the phone: what the phone keeps of it, and how its data get into the
//! secure element.

use super::{CardKind, CardState, Wallet, WalletCard, WalletError};
use crate::air::host::{KeyKind, LimitedUseKey, PreparedCard, RequestorId, TokenReference, TokenView};
use crate::air::link::{Card, InProcess, Interface, T0};
use crate::base::bytes::Secret;
use crate::base::context::Context;
use crate::base::env::Timestamp;
use crate::roles::card::{CardMemory, Profile, Simulator};
use crate::words::globalplatform::command::{ExternalAuthenticate, InitializeUpdate, StoreData};
use crate::words::globalplatform::{ChannelKeys, Dgi, HostChannel, store_commands};
use crate::words::iso7816::command::{Occurrence, Select};
use crate::words::iso7816::{Aid, ApduCommand, CommandApdu};
use serde::{Deserialize, Serialize};
use zeroize::Zeroize;

/// The profile of a token's card before it has data.
const PROFILE: &str = "token";

/// Who asks for tokens: the wallet that this phone runs.
const REQUESTOR: &[u8; 11] = &[6, 2, 9, 0, 0, 0, 0, 0, 0, 0, 1];

/// The grouping of keys; one key alone is that of cryptograms.
const KEYS: u16 = 0x8000;

/// The wire between the phone's software and its secure element.
pub trait Wire {
    /// Switches a card on.
    fn connect(&mut self, card: Simulator, context: &mut Context) -> Box<dyn Card>;
}

/// The wire that nothing disturbs.
#[derive(Debug, Default, Clone, Copy)]
pub struct DirectWire;

impl Wire for DirectWire {
    fn connect(&mut self, card: Simulator, context: &mut Context) -> Box<dyn Card> {
        Box::new(T0(InProcess::connect(card, Interface::Contact, context)))
    }
}

/// What the phone keeps of a token, sealed. The physical card's number goes once the
/// token is active.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Kept {
    /// The provisioning's id.
    pub provisioning: String,
    pub limited_use: bool,
    pub pan: Option<String>,
    /// Keys of the card's security domain: ENC, MAC, DEK.
    pub channel: [[u8; 16]; 3],
    pub code_sent: bool,
    pub reference: Option<String>,
    pub par: String,
    /// The last four digits of the physical card.
    pub funding_last_four: String,
    /// YYYYMMDD.
    pub expiry: i64,
    pub key: Option<KeptKey>,
}

/// What the phone knows of the limited-use key that its card has.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct KeptKey {
    pub sequence: u32,
    pub uses: u32,
    pub amount_minor: u64,
    pub expires_at: i64,
    pub made_at: i64,
    /// The card's counter when the key came.
    pub atc: u16,
    /// What has been paid with it.
    pub spent_minor: u64,
}

impl Drop for Kept {
    fn drop(&mut self) {
        self.pan.zeroize();
        self.channel.zeroize();
    }
}

/// A token as the phone shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenCard {
    /// The card's name in the phone.
    pub name: String,
    /// How it stands.
    pub state: CardState,
    /// The last four digits of the token.
    pub token_last_four: String,
    /// The last four digits of the physical card.
    pub last_four: String,
    /// The payment account reference (9F24).
    pub par: String,
    /// Last day on which it pays, YYYYMMDD.
    pub expiry: i64,
    /// The number of its limited-use key, where it has such.
    pub key: Option<u32>,
}

impl Kept {
    pub(super) fn of(card: &WalletCard) -> Result<Self, WalletError> {
        card.must_be(CardKind::Token)?;
        card.detail()
    }

    pub(super) fn keys(&self) -> KeyKind {
        if self.limited_use { KeyKind::LimitedUse } else { KeyKind::SecureElement }
    }

    pub(super) fn reference(&self, name: &str) -> Result<TokenReference, WalletError> {
        let reference = self.reference.clone().map(TokenReference);
        reference.ok_or_else(|| WalletError::NotYet { name: name.into() })
    }

    pub(super) fn take(&mut self, view: &TokenView) {
        self.reference = Some(view.reference.0.clone());
        self.par.clone_from(&view.par);
        self.funding_last_four.clone_from(&view.last_four);
        self.expiry = view.expiry;
    }

    fn channel(&self) -> ChannelKeys {
        let [enc, mac, dek] = self.channel.map(Secret::new);
        ChannelKeys { enc, mac, dek }
    }
}

impl KeptKey {
    pub(super) fn new(key: &LimitedUseKey, atc: u16, now: Timestamp) -> Self {
        Self {
            sequence: key.sequence,
            uses: key.uses,
            amount_minor: key.amount_minor,
            expires_at: key.expires_at.micros(),
            made_at: now.micros(),
            atc,
            spent_minor: 0,
        }
    }

    /// Why another key is due: a fifth or less is left of count, amount or time.
    pub(super) fn is_due(&self, atc: u16, next_minor: u64, now: Timestamp) -> Option<&'static str> {
        let used = u32::from(atc.saturating_sub(self.atc));
        let spent = self.spent_minor.saturating_add(next_minor);
        let (life, left) = (self.expires_at - self.made_at, self.expires_at - now.micros());
        if self.uses.saturating_sub(used) * 5 <= self.uses {
            Some("few payments are left of the limited-use key")
        } else if self.amount_minor.saturating_sub(spent).saturating_mul(5) <= self.amount_minor {
            Some("little of the limited-use key's amount is left")
        } else if left.saturating_mul(5) <= life {
            Some("the limited-use key is old")
        } else {
            None
        }
    }
}

impl Wallet {
    /// By whom this phone's tokens are asked for: the wallet that it runs.
    pub fn requestor() -> RequestorId {
        RequestorId::of(*REQUESTOR)
    }

    /// A token of the phone, as it shows it.
    pub fn token(&mut self, name: Option<&str>) -> Result<TokenCard, WalletError> {
        let card = self.card(name)?;
        let kept = Kept::of(&card)?;
        Ok(TokenCard {
            state: card.state,
            token_last_four: card.last_four.clone(),
            last_four: kept.funding_last_four.clone(),
            par: kept.par.clone(),
            expiry: kept.expiry,
            key: kept.key.as_ref().map(|key| key.sequence),
            name: card.name,
        })
    }

    /// Stores a prepared card, in the blank card's file that is made where there is none.
    pub(super) fn install(
        &mut self,
        name: &str,
        kept: &Kept,
        prepared: &PreparedCard,
        wire: &mut dyn Wire,
        context: &mut Context,
    ) -> Result<(), WalletError> {
        if !self.has_file(name) {
            let memory = CardMemory::blank(&Profile::named(PROFILE)?, &kept.channel());
            self.make_file(name, &memory, context)?;
        }
        let mut card = wire.connect(self.bare(name)?, context);
        store(card.as_mut(), &kept.channel(), &prepared.aid, &prepared.groupings, context)
    }

    /// Stores a limited-use key, and gives the card's counter.
    pub(super) fn install_key(
        &mut self,
        name: &str,
        kept: &Kept,
        key: &LimitedUseKey,
        wire: &mut dyn Wire,
        context: &mut Context,
    ) -> Result<u16, WalletError> {
        let simulator = self.bare(name)?;
        let (atc, aid) = (simulator.memory().atc(), simulator.memory().aid());
        let mut card = wire.connect(simulator, context);
        let grouping = Dgi::new(KEYS, key.key.expose().as_slice());
        store(card.as_mut(), &kept.channel(), &aid, &[grouping], context)?;
        Ok(atc)
    }
}

/// Opens a channel to an application and stores groupings. The card writes them with the
/// last block, all or nothing.
fn store(
    card: &mut dyn Card,
    keys: &ChannelKeys,
    aid: &[u8],
    groupings: &[Dgi],
    context: &mut Context,
) -> Result<(), WalletError> {
    let failed = |step: &'static str, found: String| WalletError::Personalisation { step, found };
    let name = Aid::new(aid).ok_or_else(|| failed(Select::NAME, "no application identifier".into()))?;
    send(card, Select::NAME, Select { name, occurrence: Occurrence::First }.to_apdu(), context)?;
    let (host, asked) = HostChannel::begin(keys.clone(), context.random());
    let answer = send(card, InitializeUpdate::NAME, asked.to_apdu(), context)?;
    let answer =
        asked.decode_response(&answer).map_err(|error| failed(InitializeUpdate::NAME, error.to_string()))?;
    let (mut channel, command) = host.authenticate(&answer, true)?;
    send(card, ExternalAuthenticate::NAME, command.to_apdu(), context)?;
    let commands =
        store_commands(groupings, &channel).map_err(|error| failed(StoreData::NAME, error.to_string()))?;
    for command in commands {
        send(card, StoreData::NAME, channel.wrap(&command.to_apdu())?, context)?;
    }
    Ok(())
}

fn send(
    card: &mut dyn Card,
    step: &'static str,
    command: CommandApdu,
    context: &mut Context,
) -> Result<Vec<u8>, WalletError> {
    let answer = card.transmit(&command, context)?;
    match answer.status.is_ok() {
        true => Ok(answer.data),
        false => Err(WalletError::Personalisation { step, found: answer.status.to_string() }),
    }
}

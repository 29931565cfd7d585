//! Sets the stage that the switches describe.

use super::books::{self, Need};
use super::command::Call;
use super::failure::Failure;
use super::hint::real_card;
use super::recording::Recording;
use super::switches::Switches;
use super::{journal, person::Person};
use crate::air::host::Timeouts;
use crate::air::link::{Card, Interface};
use crate::base::bytes::Secret;
use crate::base::context::Context;
use crate::base::store::SealKey;
use crate::roles::card::Simulated;
use crate::roles::issuer::Issuer;
use crate::words::iso7816::Effect;
use crate::world::wallet::wallet_file;
use crate::world::{
    CardName, HostAddress, Origin, Permit, ReaderAddress, Stage, StoreAddress, WorldError, open_card,
    open_simulated, remote_host, seal_key, token_host,
};
use std::path::{Path, PathBuf};

/// The profile of the fresh card, where no reader is named.
const FRESH: &str = "ecash";

/// How the source of a load begins that another card pays for; its address follows.
pub(in crate::doors::cli) const CARD: &str = "card:";

/// A card outlives the process, so what it loads or pays must be booked where the books
/// outlive it too: a sale whose issuer is forgotten could never be uploaded.
const NO_BOOKS: &str = "money moves only with the card's own books, and there is no cardwright.db here: \
                        name them with --store sqlite:FILE";

/// What a command wants of its stage.
pub(in crate::doors::cli) struct Want {
    /// The command, for a hint.
    pub command: &'static str,
    /// How a simulated card is reached where nobody says.
    pub interface: Interface,
    /// The worst that is going to be done to the card.
    pub effect: Effect,
    /// Whether money moves: then the books and the journal are those that are kept.
    pub money: bool,
}

/// A stage, and what surrounds it.
pub(in crate::doors::cli) struct Scene {
    /// Terminal, card and issuer; a remote host keeps its books to itself.
    pub stage: Stage<Option<Issuer>>,
    /// Clock, randomness and events.
    pub context: Context,
    /// The recording.
    pub recording: Recording,
    /// What the card is.
    pub origin: Origin,
    /// Where the card is, as `--reader` names it.
    pub place: String,
    /// The PIN of the PIN file. It is read once, since the file may be a pipe.
    pub pin: Option<Secret<String>>,
}

impl Scene {
    /// Opens card, books and journal.
    pub(in crate::doors::cli) fn open(call: &mut Call<'_>, want: Want) -> Result<Self, Failure> {
        let Want { command, interface, effect, money } = want;
        let named = call.switches.reader()?;
        let mut config = call.switches.config()?;
        // A PIN file that cannot be used is told before a card is touched.
        let pin = call.switches.pin()?;
        let reader =
            named.clone().unwrap_or_else(|| ReaderAddress::Simulated(CardName::Profile(FRESH.into())));
        let fresh = is_fresh(&reader);
        if let ReaderAddress::Simulated(name) = &reader {
            kept_file(name)?;
        }
        if named.is_none() {
            call.output.note(format!(
                "No reader is named: this is a fresh simulated {FRESH} card, in memory, with an account of its own."
            ));
            // A run that is to be repeated must not depend on what is in a reader.
            let card = if call.switches.seed.is_none() { real_card(command) } else { None };
            card.into_iter().for_each(|hint| call.output.note(hint));
        }
        let remote = match call.switches.asked_host()? {
            // Nothing that only looks at a card asks a host.
            HostAddress::Tcp(address) if money => Some((address, journal::key(&call.switches)?)),
            _ => None,
        };
        if remote.is_some() && fresh {
            return Err(WorldError::NoIssuer.into());
        }
        let store = match (money && remote.is_none(), fresh) {
            (true, true) => books::address(call, Need::Fresh)?,
            (true, false) => books::address(call, Need::Uses)?,
            // Nor does it open books or write a journal.
            (false, _) => StoreAddress::Memory,
        };
        let moves = effect > Effect::Reads;
        if money && moves && !fresh && remote.is_none() && store == StoreAddress::Memory {
            return Err(Failure::Usage(NO_BOOKS.into()));
        }
        let recording = Recording::create(&call.switches)?;
        let mut context = call.switches.context(recording.clone());
        let (mut issuer, journal) = match &remote {
            Some((address, key)) => {
                (None, journal::open_remote(&call.switches, address, key, &mut config, &mut context)?)
            }
            None => {
                let issuer = books::open(call, &store, &mut context)?;
                // A sale in books that end here could never be uploaded: its row ends here too.
                let kept =
                    money && (!fresh || call.switches.state.is_some()) && store != StoreAddress::Memory;
                (Some(issuer), journal::open(&call.switches, &store, kept, &mut config, &mut context)?)
            }
        };
        let permit = Permit { wants: effect, allowed: call.switches.allow };
        if let (ReaderAddress::Driver { .. }, Some(wait)) = (&reader, call.switches.wait) {
            call.output.note(format!("Waiting up to {} s for a card ...", wait.as_secs()));
        }
        let opened = open_card(
            &reader,
            call.switches.interface,
            interface,
            permit,
            call.switches.options(),
            |context: &mut Context| card_seal_key(&call.switches, &reader, context),
            issuer.as_mut(),
            &config,
            &mut context,
        );
        let activation = opened.as_ref().ok().map(|opened| opened.card.activation().clone());
        recording.begin(activation.as_ref(), &call.switches, &context)?;
        let opened = opened?;
        let stage = match (remote, issuer) {
            (Some((address, key)), _) => {
                let host = remote_host(&address, &key, Timeouts::default())?;
                Stage::remote(opened.card, Box::new(host), journal, config)
            }
            (None, Some(issuer)) => {
                let mut stage = Stage::new(opened.card, issuer, journal, config)?;
                let key = books::token_key(call);
                // Nothing stands beside a server: without a key there is no service to ask.
                let has_service = key.is_some() || matches!(store, StoreAddress::Sqlite(_));
                let in_phone = matches!(&reader, ReaderAddress::Simulated(CardName::Wallet(..)));
                if money && in_phone && has_service {
                    // A card of a phone may be a token: its service stands before the issuer.
                    let seal = call.switches.seal_key.as_deref();
                    stage.host = token_host(&store, seal, key.as_deref(), &mut context)?;
                }
                stage.with_books()
            }
            (None, None) => return Err(WorldError::NoIssuer.into()),
        };
        Ok(Self {
            stage,
            context,
            recording,
            origin: opened.origin,
            place: call.switches.reader.clone().unwrap_or_else(|| format!("sim:{FRESH}")),
            pin,
        })
    }

    /// Opens the card that pays for a load, at the address after `--from card:`.
    pub(in crate::doors::cli) fn open_payer(&mut self, call: &Call<'_>) -> Result<Box<dyn Card>, Failure> {
        let from = call.text("from").unwrap_or_default();
        let address = ReaderAddress::parse(from.strip_prefix(CARD).unwrap_or(from))?;
        if is_fresh(&address) && !self.is_fresh() {
            return Err(Failure::Usage(format!(
                "{from} is a fresh card, whose account ends with this process: name one that is kept, \
                 --from card:sim:FILE.card"
            )));
        }
        if let ReaderAddress::Simulated(CardName::File(path)) = &address {
            must_exist(path)?;
        }
        // It is read, and makes no cryptogram; its counter steps.
        let permit = Permit { wants: Effect::Spends, allowed: call.switches.allow };
        let opened = open_card(
            &address,
            None,
            Interface::Contact,
            permit,
            call.switches.options(),
            |context: &mut Context| card_seal_key(&call.switches, &address, context),
            self.stage.issuer.as_mut(),
            &self.stage.config,
            &mut self.context,
        )?;
        Ok(opened.card)
    }

    /// Who enters the PIN.
    pub(in crate::doors::cli) fn person(&self) -> Person {
        Person::at(self.pin.clone(), self.is_fresh())
    }

    /// Whether card and issuer end with the process.
    pub(in crate::doors::cli) fn is_fresh(&self) -> bool {
        matches!(self.origin, Origin::Fresh(_) | Origin::Recording)
    }
}

/// The key that seals a card's file.
pub(in crate::doors::cli) fn card_seal_key(
    switches: &Switches,
    address: &ReaderAddress,
    context: &mut Context,
) -> Result<SealKey, WorldError> {
    let file = match address {
        ReaderAddress::Simulated(name) => name.kept_in(),
        ReaderAddress::Recording(_) | ReaderAddress::Driver { .. } => None,
    };
    seal_key(switches.seal_key.as_deref(), file.as_deref(), context)
}

/// Whether an address names a card that ends with the process.
pub(in crate::doors::cli) fn is_fresh(reader: &ReaderAddress) -> bool {
    matches!(
        reader,
        ReaderAddress::Simulated(CardName::Profile(_) | CardName::ProfileFile(_))
            | ReaderAddress::Recording(_)
    )
}

/// A simulated card that is to be served. A fresh one needs an issuer who knows it; one in a
/// file has one already.
pub(in crate::doors::cli) fn simulated_card(
    name: &CardName,
    call: &mut Call<'_>,
    context: &mut Context,
) -> Result<Box<dyn Simulated>, Failure> {
    let store = books::address(call, Need::Fresh)?;
    let mut issuer = books::open(call, &store, context)?;
    let (seal, file) = (call.switches.seal_key.clone(), name.kept_in());
    let seal = |context: &mut _| seal_key(seal.as_deref(), file.as_deref(), context);
    Ok(Box::new(open_simulated(name, seal, &mut issuer, context)?))
}

/// The file that a simulated card is kept in; one that is not there is an error.
pub(in crate::doors::cli) fn kept_file(name: &CardName) -> Result<Option<PathBuf>, Failure> {
    match name {
        CardName::File(path) => must_exist(path)?,
        CardName::Wallet(folder, _) if !wallet_file(folder).exists() => {
            return Err(WorldError::NoWallet { folder: folder.display().to_string() }.into());
        }
        _ => {}
    }
    Ok(name.kept_in())
}

/// A card's file that is not there is told before a key is made for it.
pub(in crate::doors::cli) fn must_exist(path: &Path) -> Result<(), Failure> {
    match path.exists() {
        true => Ok(()),
        false => Err(Failure::Usage(format!(
            "there is no card file {0}: make one with `cardwright card new ecash {0}`",
            path.display()
        ))),
    }
}

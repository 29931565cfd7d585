//! The phone's cards: rows in its store, one sealed file for each card.

use super::card::{COLUMNS, DETAIL};
use super::phone::phone;
use super::schema::{MIGRATIONS, OWNER};
use super::{CardKind, CardState, Phone, Unlocked, WalletCard, WalletError};
use crate::base::context::Context;
use crate::base::event::Event;
use crate::base::store::{Db, SealKey, Sealed, Tx, migrate, transact};
use crate::roles::card::{CardFile, CardMemory, Device, DeviceLine, Simulator};
use serde::Serialize;
use std::path::{Path, PathBuf};

/// The folder of the cards' files, within the wallet's.
pub const CARDS: &str = "cards";

/// A phone. Several handles may work on one: every change is one transaction that
/// names the state it begins from.
pub struct Wallet {
    pub(super) db: Box<dyn Db>,
    pub(super) seal: SealKey,
    folder: PathBuf,
}

impl Wallet {
    /// Opens the phone whose rows are in `db` and whose cards' files are in `folder`; a
    /// new one has no card and is unlocked. What a break left half removed goes.
    pub fn open(
        mut db: Box<dyn Db>,
        folder: &Path,
        seal: SealKey,
        context: &mut Context,
    ) -> Result<Self, WalletError> {
        migrate(db.as_mut(), OWNER, MIGRATIONS)?;
        let mut wallet = Self { db, seal, folder: folder.into() };
        wallet.make_phone(context)?;
        for card in wallet.cards()? {
            if card.state == CardState::Removing {
                wallet.remove(&card.name, context)?;
            }
        }
        Ok(wallet)
    }

    /// Its cards by name.
    pub fn cards(&mut self) -> Result<Vec<WalletCard>, WalletError> {
        let seal = &self.seal;
        transact(self.db.as_mut(), |tx| {
            let rows = tx.query(&format!("SELECT {COLUMNS} FROM wallet_card ORDER BY name"), &[])?;
            rows.iter().map(|row| WalletCard::of_row(row, seal)).collect()
        })
    }

    /// The card of this name, or the default one.
    pub fn card(&mut self, name: Option<&str>) -> Result<WalletCard, WalletError> {
        let name = match name {
            Some(name) => name.to_owned(),
            None => self.phone()?.default_card.ok_or(WalletError::NoDefault)?,
        };
        let cards = self.cards()?;
        let known = cards.iter().map(|card| card.name.clone()).collect();
        cards.into_iter().find(|card| card.name == name).ok_or(WalletError::NoCard { name, known })
    }

    /// Takes a name for a card that is about to be made; `detail` is kept sealed. Without
    /// a name it gets the first free one.
    pub fn begin<T: Serialize>(
        &mut self,
        kind: CardKind,
        name: Option<&str>,
        last_four: &str,
        detail: &T,
        context: &mut Context,
    ) -> Result<String, WalletError> {
        let cards = self.cards()?;
        let name = match name {
            Some(name) if !is_name(name) => return Err(WalletError::Name { name: name.into() }),
            Some(name) => name.to_owned(),
            None => free_name(kind, &cards),
        };
        if let Some(card) = cards.iter().find(|card| card.name == name) {
            return Err(WalletError::Taken { name, state: card.state });
        }
        let sealed = self.seal_detail(&name, detail, context)?;
        let at = context.now().micros();
        transact(self.db.as_mut(), |tx| {
            tx.execute(
                "INSERT INTO wallet_card (name, kind, state, last_four, detail, made_at) \
                 VALUES ($1, $2, $3, $4, $5, $6)",
                &[
                    name.as_str().into(),
                    kind.word().into(),
                    CardState::Making.word().into(),
                    last_four.into(),
                    sealed.0.clone().into(),
                    at.into(),
                ],
            )?;
            Ok::<_, WalletError>(())
        })?;
        say(context, "card begun", format!("{name}: {}", kind.word()));
        Ok(name)
    }

    /// Keeps what its kind knows of a card; with `last_four` also what a list shows.
    pub fn keep<T: Serialize>(
        &mut self,
        name: &str,
        last_four: Option<&str>,
        detail: &T,
        context: &mut Context,
    ) -> Result<(), WalletError> {
        let sealed = self.seal_detail(name, detail, context)?;
        transact(self.db.as_mut(), |tx| {
            let values = [sealed.0.clone().into(), name.into()];
            tx.execute("UPDATE wallet_card SET detail = $1 WHERE name = $2", &values)?;
            if let Some(last_four) = last_four {
                let values = [last_four.into(), name.into()];
                tx.execute("UPDATE wallet_card SET last_four = $1 WHERE name = $2", &values)?;
            }
            Ok(())
        })
    }

    /// Takes a card to a state; one that is in it already stays as it is. The first card
    /// that becomes active is the default one, and a card that leaves is no longer.
    pub fn advance(&mut self, name: &str, to: CardState, context: &mut Context) -> Result<(), WalletError> {
        if self.card(Some(name))?.state == to {
            return Ok(());
        }
        self.go(name, to, None, context)
    }

    /// Makes a card active, and keeps what its kind knows of it from now on: both or
    /// neither, so that nothing is forgotten that an opening which breaks off still needs.
    pub fn activate<T: Serialize>(
        &mut self,
        name: &str,
        detail: &T,
        context: &mut Context,
    ) -> Result<(), WalletError> {
        let sealed = self.seal_detail(name, detail, context)?;
        self.go(name, CardState::Active, Some(sealed), context)
    }

    fn go(
        &mut self,
        name: &str,
        to: CardState,
        detail: Option<Sealed>,
        context: &mut Context,
    ) -> Result<(), WalletError> {
        let from = self.card(Some(name))?.state;
        if !from.may_become(to) {
            return Err(WalletError::Transition { name: name.into(), from, to });
        }
        transact(self.db.as_mut(), |tx| {
            let values = [to.word().into(), name.into(), from.word().into()];
            let changed =
                tx.execute("UPDATE wallet_card SET state = $1 WHERE name = $2 AND state = $3", &values)?;
            if changed == 0 {
                return Err(WalletError::Transition { name: name.into(), from, to });
            }
            if let Some(Sealed(sealed)) = &detail {
                let values = [sealed.clone().into(), name.into()];
                tx.execute("UPDATE wallet_card SET detail = $1 WHERE name = $2", &values)?;
            }
            settle_default(tx)
        })?;
        say(context, "card state", format!("{name}: {from} -> {to}"));
        Ok(())
    }

    /// Makes an active card the default one.
    pub fn set_default(&mut self, name: &str, context: &mut Context) -> Result<(), WalletError> {
        self.choose("default_card", Some(name))?;
        say(context, "default card", format!("{name}: chosen by the holder"));
        Ok(())
    }

    /// Makes an active card the one for express transit, or none.
    pub fn set_express(&mut self, name: Option<&str>, context: &mut Context) -> Result<(), WalletError> {
        self.choose("express_card", name)?;
        say(context, "express card", format!("{}: chosen by the holder", name.unwrap_or("none")));
        Ok(())
    }

    /// A card as a terminal meets it: its simulator in this phone, as the phone stands
    /// whenever the card gets power.
    pub fn simulator(&mut self, name: Option<&str>) -> Result<Simulator, WalletError> {
        let card = self.card(name)?;
        let line = PhoneLine { db: self.db.handle()?, card: card.name.clone() };
        Ok(self.bare(&card.name)?.in_device(line))
    }

    /// A card without the phone around it, for the phone's own software.
    pub fn bare(&mut self, name: &str) -> Result<Simulator, WalletError> {
        let (file, memory) = CardFile::open(&self.file(name), self.seal.clone())?;
        Ok(Simulator::new(memory, file))
    }

    /// Whether the card's file is there.
    pub fn has_file(&self, name: &str) -> bool {
        self.file(name).exists()
    }

    /// Makes the file of a card that is being made.
    pub fn make_file(
        &mut self,
        name: &str,
        memory: &CardMemory,
        context: &mut Context,
    ) -> Result<(), WalletError> {
        CardFile::create(&self.file(name), self.seal.clone(), memory, context)?;
        Ok(())
    }

    /// Removes a card and all that the phone knows of it. A break leaves it `Removing`,
    /// and the next opening of the phone ends it.
    pub fn remove(&mut self, name: &str, context: &mut Context) -> Result<(), WalletError> {
        self.advance(name, CardState::Removing, context)?;
        let file = self.file(name);
        for ending in ["", ".new", ".lock"] {
            let mut path = file.as_os_str().to_owned();
            path.push(ending);
            remove_file(Path::new(&path))?;
        }
        transact(self.db.as_mut(), |tx| {
            tx.execute("DELETE FROM wallet_card WHERE name = $1", &[name.into()])?;
            settle_default(tx)
        })?;
        say(context, "card removed", name.to_owned());
        Ok(())
    }

    /// The folder of the phone.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.join(CARDS).join(format!("{name}.card"))
    }

    fn choose(&mut self, column: &'static str, name: Option<&str>) -> Result<(), WalletError> {
        if let Some(name) = name {
            let state = self.card(Some(name))?.state;
            if state != CardState::Active {
                return Err(WalletError::Transition {
                    name: name.into(),
                    from: state,
                    to: CardState::Active,
                });
            }
        }
        transact(self.db.as_mut(), |tx| {
            tx.execute(&format!("UPDATE wallet_phone SET {column} = $1 WHERE id = 1"), &[name.into()])?;
            Ok(())
        })
    }

    fn seal_detail<T: Serialize>(
        &self,
        name: &str,
        detail: &T,
        context: &mut Context,
    ) -> Result<Sealed, WalletError> {
        let text = serde_json::to_vec(detail)
            .map(zeroize::Zeroizing::new)
            .map_err(|_| WalletError::Column { name: name.into(), column: "detail" })?;
        Ok(Sealed::seal(&self.seal, DETAIL, &text, context))
    }
}

/// What the secure element hears of a card: the phone's rows, as they are when it gets power.
struct PhoneLine {
    db: Box<dyn Db>,
    card: String,
}

impl DeviceLine for PhoneLine {
    /// A phone whose rows cannot be read is one that nobody has unlocked.
    fn now(&mut self) -> Device {
        let card = &self.card;
        let stands = transact(self.db.as_mut(), |tx| {
            let phone = phone(tx)?;
            let rows = tx.query("SELECT state FROM wallet_card WHERE name = $1", &[card.as_str().into()])?;
            let state = rows.first().and_then(|row| CardState::from_word(row.text(0).ok()?));
            Ok::<_, WalletError>(state.map_or(Device::Inactive, |state| device(&phone, card, state)))
        });
        stands.unwrap_or(Device::Locked)
    }
}

/// How a phone stands for one of its cards.
fn device(phone: &Phone, name: &str, state: CardState) -> Device {
    let express = phone.express_card.as_deref() == Some(name);
    match (state, phone.unlocked) {
        (CardState::Active, Unlocked::Passcode | Unlocked::Biometric) => Device::Unlocked,
        (CardState::Active, Unlocked::No) if express => Device::Express,
        (CardState::Active, Unlocked::No) => Device::Locked,
        (CardState::Closing, _) => Device::Wired,
        (CardState::Making | CardState::Suspended | CardState::Removing, _) => Device::Inactive,
    }
}

/// The default card and the express card are cards that can answer; where the default one
/// has left, the first that can takes its place.
fn settle_default(tx: &mut dyn Tx) -> Result<(), WalletError> {
    let known = phone(tx)?;
    let rows = tx.query("SELECT name, state FROM wallet_card ORDER BY made_at, name", &[])?;
    let mut may = Vec::new();
    for row in &rows {
        if [CardState::Active.word(), CardState::Suspended.word()].contains(&row.text(1)?) {
            may.push(row.text(0)?);
        }
    }
    let default = known.default_card.as_deref().filter(|name| may.contains(name)).or(may.first().copied());
    let express = known.express_card.as_deref().filter(|name| may.contains(name));
    let values = [default.into(), express.into()];
    tx.execute("UPDATE wallet_phone SET default_card = $1, express_card = $2 WHERE id = 1", &values)?;
    Ok(())
}

fn free_name(kind: CardKind, cards: &[WalletCard]) -> String {
    let names = (1_u32..).map(|number| format!("{}-{number}", kind.stem()));
    names.into_iter().find(|name| cards.iter().all(|card| card.name != *name)).unwrap_or_default()
}

/// Whether a text may be a card's name: it stands in a file's name.
fn is_name(text: &str) -> bool {
    (1..=32).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
}

fn remove_file(path: &Path) -> Result<(), WalletError> {
    match std::fs::remove_file(path) {
        Err(cause) if cause.kind() != std::io::ErrorKind::NotFound => {
            Err(WalletError::Remove { path: path.display().to_string(), cause: cause.to_string() })
        }
        _ => Ok(()),
    }
}

fn say(context: &mut Context, name: &'static str, reason: String) {
    context.emit(Event::new("wallet", name).because(reason));
}

//! The phone's lock: passcode, biometrics, and what an unlocked phone vouches for.

use super::WalletError;
use super::handle::Wallet;
use crate::base::bytes::Secret;
use crate::base::context::Context;
use crate::base::event::Event;
use crate::base::store::{SealKey, Sealed, Tx, transact};
use std::fmt;

/// The passcode of a phone for which nobody chose one.
pub const DEFAULT_PASSCODE: &str = "123456";

/// Wrong passcodes in a row until the phone is disabled.
const TRIES: u8 = 10;

/// What the passcode is sealed for.
const PASSCODE: &str = "wallet.passcode";

/// How the phone was unlocked, if it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Unlocked {
    /// It is locked.
    No,
    /// By its passcode.
    Passcode,
    /// By a biometric match.
    Biometric,
}

impl Unlocked {
    const ALL: &'static [Self] = &[Self::No, Self::Passcode, Self::Biometric];

    /// Its word, in the store and for people.
    pub const fn word(self) -> &'static str {
        match self {
            Self::No => "locked",
            Self::Passcode => "unlocked by passcode",
            Self::Biometric => "unlocked by biometric match",
        }
    }
}

impl fmt::Display for Unlocked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// How the phone stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Phone {
    /// Its number, by which a token service knows it: 16 hexadecimal digits.
    pub device: String,
    /// Whether it is unlocked, and how.
    pub unlocked: Unlocked,
    /// Passcode tries left.
    pub tries_left: u8,
    /// The card that answers where none is named.
    pub default_card: Option<String>,
    /// The card that answers while the phone is locked.
    pub express_card: Option<String>,
}

impl Wallet {
    /// How the phone stands.
    pub fn phone(&mut self) -> Result<Phone, WalletError> {
        transact(self.db.as_mut(), |tx| phone(tx))
    }

    /// Locks it.
    pub fn lock(&mut self, context: &mut Context) -> Result<(), WalletError> {
        transact(self.db.as_mut(), |tx| set_unlocked(tx, Unlocked::No))?;
        say(context, "phone locked", "told by its holder");
        Ok(())
    }

    /// Unlocks it by its passcode. A wrong one costs a try, a right one gives them back.
    pub fn unlock(&mut self, passcode: &Secret<String>, context: &mut Context) -> Result<(), WalletError> {
        let seal = &self.seal;
        // The try is taken and kept before the passcode is looked at: whoever switches the
        // phone off in between gets none back.
        let left = transact(self.db.as_mut(), |tx| {
            let left = phone(tx)?.tries_left.checked_sub(1).ok_or(WalletError::Disabled)?;
            tx.execute(
                "UPDATE wallet_phone SET tries = $1, unlocked = $2 WHERE id = 1",
                &[i64::from(left).into(), Unlocked::No.word().into()],
            )?;
            Ok::<_, WalletError>(left)
        })?;
        let right = transact(self.db.as_mut(), |tx| {
            let rows = tx.query("SELECT passcode FROM wallet_phone WHERE id = 1", &[])?;
            let row = rows.first().ok_or_else(lost)?;
            let kept = Sealed(row.bytes(0)?.to_vec()).open(seal, PASSCODE)?;
            if kept.expose().as_slice() != passcode.expose().as_bytes() {
                return Ok::<_, WalletError>(false);
            }
            tx.execute("UPDATE wallet_phone SET tries = $1 WHERE id = 1", &[i64::from(TRIES).into()])?;
            set_unlocked(tx, Unlocked::Passcode)?;
            Ok(true)
        })?;
        match (right, left) {
            (true, _) => {
                say(context, "phone unlocked", "the passcode is right: device CVM");
                Ok(())
            }
            (false, 0) => Err(WalletError::Disabled),
            (false, left) => Err(WalletError::Passcode { left }),
        }
    }

    /// Unlocks it by a biometric match. After a wrong passcode only the passcode counts.
    pub fn unlock_by_biometric(&mut self, context: &mut Context) -> Result<(), WalletError> {
        transact(self.db.as_mut(), |tx| {
            if phone(tx)?.tries_left < TRIES {
                return Err(WalletError::BiometricFirst);
            }
            set_unlocked(tx, Unlocked::Biometric)
        })?;
        say(context, "phone unlocked", "a biometric match: device CVM");
        Ok(())
    }

    /// Changes the passcode of a phone that is unlocked by its present one.
    pub fn set_passcode(
        &mut self,
        present: &Secret<String>,
        new: &Secret<String>,
        context: &mut Context,
    ) -> Result<(), WalletError> {
        self.unlock(present, context)?;
        let sealed = seal_passcode(&self.seal, new, context)?;
        transact(self.db.as_mut(), |tx| {
            let values = [sealed.0.clone().into()];
            tx.execute("UPDATE wallet_phone SET passcode = $1 WHERE id = 1", &values)?;
            Ok::<_, WalletError>(())
        })?;
        say(context, "passcode changed", "told by its holder");
        Ok(())
    }

    /// The row of a phone that is new: unlocked, since its holder has just set it up.
    pub(super) fn make_phone(&mut self, context: &mut Context) -> Result<(), WalletError> {
        let device = crate::base::bytes::Hex(&context.random::<8>()).to_string();
        let passcode = seal_passcode(&self.seal, &Secret::new(DEFAULT_PASSCODE.into()), context)?;
        transact(self.db.as_mut(), |tx| {
            tx.execute(
                "INSERT INTO wallet_phone (id, device, passcode, tries, unlocked) \
                 VALUES (1, $1, $2, $3, $4) ON CONFLICT DO NOTHING",
                &[
                    device.as_str().into(),
                    passcode.0.clone().into(),
                    i64::from(TRIES).into(),
                    Unlocked::Passcode.word().into(),
                ],
            )?;
            Ok(())
        })
    }
}

/// The phone's row.
pub(super) fn phone(tx: &mut dyn Tx) -> Result<Phone, WalletError> {
    let rows = tx.query(
        "SELECT device, unlocked, tries, default_card, express_card FROM wallet_phone WHERE id = 1",
        &[],
    )?;
    let row = rows.first().ok_or_else(lost)?;
    let name =
        |column| if row.is_null(column) { Ok(None) } else { row.text(column).map(|t| Some(t.to_owned())) };
    let unlocked = Unlocked::ALL.iter().copied().find(|way| row.text(1).is_ok_and(|word| word == way.word()));
    Ok(Phone {
        device: row.text(0)?.to_owned(),
        unlocked: unlocked.ok_or(WalletError::Column { name: "phone".into(), column: "unlocked" })?,
        tries_left: row.int(2)? as u8,
        default_card: name(3)?,
        express_card: name(4)?,
    })
}

fn set_unlocked(tx: &mut dyn Tx, unlocked: Unlocked) -> Result<(), WalletError> {
    tx.execute("UPDATE wallet_phone SET unlocked = $1 WHERE id = 1", &[unlocked.word().into()])?;
    Ok(())
}

fn seal_passcode(
    seal: &SealKey,
    passcode: &Secret<String>,
    context: &mut Context,
) -> Result<Sealed, WalletError> {
    let text = passcode.expose();
    if !(4..=12).contains(&text.len()) || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(WalletError::PasscodeForm { found: text.chars().count() });
    }
    Ok(Sealed::seal(seal, PASSCODE, text.as_bytes(), context))
}

fn lost() -> WalletError {
    WalletError::Column { name: "phone".into(), column: "row" }
}

fn say(context: &mut Context, name: &'static str, reason: &'static str) {
    context.emit(Event::new("wallet", name).because(reason));
}

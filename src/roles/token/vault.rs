//! The vault: a handle over its store. Everything that a message or a step does is
//! one transaction.

use super::history::HistoryRow;
use super::provisioning::ProvisioningRow;
use super::schema::{MIGRATIONS, OWNER};
use super::seals::Seals;
use super::work::Work;
use super::{SealKeys, TokenKeys, TokenRules, VaultError};
use crate::base::context::Context;
use crate::base::env::Timestamp;
use crate::base::store::{Db, migrate, transact};
use std::time::Duration;

/// A handle on the vault. Several may work on one store.
pub struct Vault {
    db: Box<dyn Db>,
    seals: Seals,
    keys: TokenKeys,
    rules: TokenRules,
}

/// A broken invariant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Violation {
    /// One physical card has more than one active token on a device.
    TwoActive {
        /// How many.
        found: i64,
    },
    /// An active token whose binding is not in effect.
    Unbound {
        /// The token's reference.
        token: String,
    },
    /// A token that waits for activation, and no open provisioning leads there.
    Orphan {
        /// The token's reference.
        token: String,
    },
    /// An active token whose provisioning is not done, or of a cancelled card.
    HalfActive {
        /// The token's reference.
        token: String,
    },
}

impl Vault {
    /// Opens the vault and brings its tables to the newest version. Opened with another
    /// key beside the one before it, it begins to change: [`Self::rotate`] ends that.
    pub fn open(
        mut db: Box<dyn Db>,
        seal_keys: SealKeys,
        keys: TokenKeys,
        rules: TokenRules,
        context: &mut Context,
    ) -> Result<Self, VaultError> {
        migrate(db.as_mut(), OWNER, MIGRATIONS)?;
        let seals = transact(db.as_mut(), |tx| Seals::of_vault(seal_keys.clone(), tx, context))?;
        Ok(Self { db, seals, keys, rules })
    }

    /// Another handle on the same vault.
    pub fn handle(&self) -> Result<Self, VaultError> {
        let (seals, keys, rules) = (self.seals.clone(), self.keys.clone(), self.rules.clone());
        Ok(Self { db: self.db.handle()?, seals, keys, rules })
    }

    /// What happened to a token, a binding or a provisioning, oldest first.
    pub fn history(&mut self, subject: &str, context: &mut Context) -> Result<Vec<HistoryRow>, VaultError> {
        self.work(context, |work| work.history(subject))
    }

    /// Rolls back every provisioning that was begun longer ago than `age` and is not at
    /// an end; how many there were.
    pub fn sweep(&mut self, age: Duration, context: &mut Context) -> Result<usize, VaultError> {
        let micros = i64::try_from(age.as_micros()).unwrap_or(i64::MAX);
        let before = Timestamp::from_micros(context.now().micros().saturating_sub(micros));
        let found = self.work(context, |work| work.unfinished("at < $1", &[before.micros().into()]))?;
        for row in &found {
            let ProvisioningRow { id, .. } = row;
            self.work(context, |work| {
                let row = work.provisioning(id)?;
                work.roll_back(&row, "it was not finished in time")
            })?;
        }
        Ok(found.len())
    }

    /// Looks for every broken invariant.
    pub fn check(&mut self, context: &mut Context) -> Result<Vec<Violation>, VaultError> {
        self.work(context, |work| {
            let mut broken = Vec::new();
            let doubled = work.tx.query(
                "SELECT COUNT(*) FROM token JOIN token_funding ON token_funding.id = token.funding \
                 WHERE token.state = 'active' GROUP BY token_funding.card, token.requestor, token.device \
                 HAVING COUNT(*) > 1",
                &[],
            )?;
            for row in doubled {
                broken.push(Violation::TwoActive { found: row.int(0)? });
            }
            let mut list = |sql: &str, make: fn(String) -> Violation| -> Result<(), VaultError> {
                for row in work.tx.query(sql, &[])? {
                    broken.push(make(row.text(0)?.to_owned()));
                }
                Ok(())
            };
            list(
                "SELECT token.id FROM token JOIN token_binding ON token_binding.id = token.binding \
                 WHERE token.state IN ('active', 'suspended', 'held') \
                 AND token_binding.state NOT IN ('bound', 'on trial')",
                |token| Violation::Unbound { token },
            )?;
            list(
                "SELECT token.id FROM token LEFT JOIN token_provisioning ON token_provisioning.token = token.id \
                 AND token_provisioning.state IN ('token made', 'personalised') \
                 WHERE token.state = 'requested' AND token_provisioning.id IS NULL",
                |token| Violation::Orphan { token },
            )?;
            list(
                "SELECT token.id FROM token JOIN token_provisioning ON token_provisioning.token = token.id \
                 JOIN token_funding ON token_funding.id = token.funding WHERE token.state = 'active' \
                 AND (token_provisioning.state <> 'activated' OR token_funding.standing = 'cancelled')",
                |token| Violation::HalfActive { token },
            )?;
            Ok(broken)
        })
    }

    /// Runs a piece of work in one transaction; events go out once it is kept.
    pub(super) fn work<T>(
        &mut self,
        context: &mut Context,
        mut job: impl FnMut(&mut Work<'_>) -> Result<T, VaultError>,
    ) -> Result<T, VaultError> {
        let Self { db, seals, keys, rules } = self;
        let (value, events) = transact(db.as_mut(), |tx| {
            seals.check(tx)?;
            let mut work = Work { tx, context: &mut *context, seals, keys, rules, events: Vec::new() };
            let value = job(&mut work)?;
            Ok::<_, VaultError>((value, work.events))
        })?;
        events.into_iter().for_each(|event| context.emit(event));
        Ok(value)
    }

    /// The rules.
    pub(super) fn rules(&self) -> &TokenRules {
        &self.rules
    }
}

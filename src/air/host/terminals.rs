//! The terminals and lines that a host serves, in its store: who they are and their
//! sealed master keys, and the seed that all hosts of one store make working keys from.

use super::{HostError, LinkKey, MasterKey, MasterKeys, Sender, TerminalKey, TerminalKeyError};
use crate::base::bytes::Secret;
use crate::base::context::Context;
use crate::base::env::Timestamp;
use crate::base::store::{Db, Migration, SealKey, Sealed, SealedError, StoreError, Value, migrate, transact};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

const OWNER: &str = "host terminals";
const MIGRATIONS: &[Migration] = &[TERMINALS, LINKS];

const TERMINALS: Migration = Migration {
    statements: &[
        "CREATE TABLE host_terminal (
            terminal TEXT PRIMARY KEY, merchant TEXT NOT NULL, master_key BYTEA NOT NULL,
            added_at BIGINT NOT NULL)",
        "CREATE TABLE host_seed (id BIGINT PRIMARY KEY, seed BYTEA NOT NULL)",
    ],
};

/// Institutions that forward.
const LINKS: Migration = Migration {
    statements: &["CREATE TABLE host_link (
            institution TEXT PRIMARY KEY, zone_key BYTEA NOT NULL, added_at BIGINT NOT NULL)"],
};

const KEY: &str = "terminal.master_key";
const ZONE_KEY: &str = "link.zone_key";
const SEED: &str = "host.seed";

/// The host's terminals.
pub struct Terminals {
    db: Box<dyn Db>,
    seal: SealKey,
}

/// A terminal as a list shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TerminalRow {
    /// F41.
    pub terminal: String,
    /// F42.
    pub merchant: String,
    /// When it was added.
    pub added_at: Timestamp,
}

/// A line as a list shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkRow {
    /// F33.
    pub institution: String,
    /// When it was added.
    pub added_at: Timestamp,
}

impl Terminals {
    /// Opens the tables and brings them to the newest version.
    pub fn open(mut db: Box<dyn Db>, seal: SealKey) -> Result<Self, StoreError> {
        migrate(db.as_mut(), OWNER, MIGRATIONS)?;
        Ok(Self { db, seal })
    }

    /// Adds a terminal; one that is there keeps its key.
    pub fn add(&mut self, key: &TerminalKey, context: &mut Context) -> Result<(), TerminalKeyError> {
        let sealed = Sealed::seal(&self.seal, KEY, key.master.expose(), context);
        let values: [Value; 4] = [
            key.terminal.as_str().into(),
            key.merchant.as_str().into(),
            sealed.0.into(),
            context.now().micros().into(),
        ];
        let changed = transact(self.db.as_mut(), |tx| {
            tx.execute(
                "INSERT INTO host_terminal (terminal, merchant, master_key, added_at) \
                 VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
                &values,
            )
        })?;
        match changed {
            0 => Err(TerminalKeyError::Known { terminal: key.terminal.clone() }),
            _ => Ok(()),
        }
    }

    /// All terminals by number.
    pub fn list(&mut self) -> Result<Vec<TerminalRow>, StoreError> {
        let sql = "SELECT terminal, merchant, added_at FROM host_terminal ORDER BY terminal";
        let rows = transact(self.db.as_mut(), |tx| tx.query(sql, &[]))?;
        let row = |row: &crate::base::store::Row| {
            Ok(TerminalRow {
                terminal: row.text(0)?.to_owned(),
                merchant: row.text(1)?.to_owned(),
                added_at: Timestamp::from_micros(row.int(2)?),
            })
        };
        rows.iter().map(row).collect()
    }

    /// Adds a line; one that is there keeps its key.
    pub fn add_link(&mut self, key: &LinkKey, context: &mut Context) -> Result<(), TerminalKeyError> {
        let sealed = Sealed::seal(&self.seal, ZONE_KEY, key.master.expose(), context);
        let values: [Value; 3] =
            [key.institution.as_str().into(), sealed.0.into(), context.now().micros().into()];
        let changed = transact(self.db.as_mut(), |tx| {
            tx.execute(
                "INSERT INTO host_link (institution, zone_key, added_at) VALUES ($1, $2, $3) \
                 ON CONFLICT DO NOTHING",
                &values,
            )
        })?;
        match changed {
            0 => Err(TerminalKeyError::LinkKnown { institution: key.institution.clone() }),
            _ => Ok(()),
        }
    }

    /// All lines by institution.
    pub fn links(&mut self) -> Result<Vec<LinkRow>, StoreError> {
        let sql = "SELECT institution, added_at FROM host_link ORDER BY institution";
        let rows = transact(self.db.as_mut(), |tx| tx.query(sql, &[]))?;
        let row = |row: &crate::base::store::Row| {
            Ok(LinkRow {
                institution: row.text(0)?.to_owned(),
                added_at: Timestamp::from_micros(row.int(1)?),
            })
        };
        rows.iter().map(row).collect()
    }

    /// The seed of working keys. The first host makes it; the others find it.
    pub fn seed(&mut self, context: &mut Context) -> Result<Secret<[u8; 16]>, TerminalKeyError> {
        let fresh: Secret<[u8; 16]> = Secret::new(context.random());
        let sealed = Sealed::seal(&self.seal, SEED, fresh.expose(), context);
        let kept = transact(self.db.as_mut(), |tx| {
            tx.execute(
                "INSERT INTO host_seed (id, seed) VALUES (1, $1) ON CONFLICT DO NOTHING",
                &[sealed.0.as_slice().into()],
            )?;
            let rows = tx.query("SELECT seed FROM host_seed WHERE id = 1", &[])?;
            let none = StoreError::Statement { cause: "the host's seed was not kept".into() };
            rows.first().ok_or(none)?.bytes(0).map(<[u8]>::to_vec)
        })?;
        Ok(opened(&self.seal, kept, SEED)?)
    }

    /// How a server finds master keys. A key that was found is kept, since nobody ever
    /// gets another; what is not found is asked for again.
    pub fn into_master_keys(self) -> MasterKeys {
        let found = Mutex::new((self, HashMap::<Sender, MasterKey>::new()));
        Arc::new(move |sender| {
            let mut inner = found.lock().unwrap_or_else(PoisonError::into_inner);
            let (own, found) = &mut *inner;
            if let Some(key) = found.get(sender) {
                return Ok(Some(key.clone()));
            }
            let key = own.find(sender).map_err(failed)?;
            if let Some(key) = &key {
                found.insert(sender.clone(), key.clone());
            }
            Ok(key)
        })
    }

    fn find(&mut self, sender: &Sender) -> Result<Option<MasterKey>, TerminalKeyError> {
        let (sql, values, purpose): (_, Vec<Value>, _) = match sender {
            Sender::Terminal { terminal, merchant } => (
                "SELECT master_key FROM host_terminal WHERE terminal = $1 AND merchant = $2",
                vec![terminal.as_str().into(), merchant.as_str().into()],
                KEY,
            ),
            Sender::Link { institution } => (
                "SELECT zone_key FROM host_link WHERE institution = $1",
                vec![institution.as_str().into()],
                ZONE_KEY,
            ),
        };
        let rows = transact(self.db.as_mut(), |tx| tx.query(sql, &values))?;
        let Some(row) = rows.first() else { return Ok(None) };
        Ok(Some(opened(&self.seal, row.bytes(0)?.to_vec(), purpose)?))
    }
}

fn opened(seal: &SealKey, sealed: Vec<u8>, purpose: &'static str) -> Result<Secret<[u8; 16]>, SealedError> {
    let plain = Sealed(sealed).open(seal, purpose)?;
    let bytes = plain.expose().as_slice().try_into().map_err(|_| SealedError::Open { purpose })?;
    Ok(Secret::new(bytes))
}

fn failed(error: TerminalKeyError) -> HostError {
    HostError::Failed { cause: error.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::event::Discard;
    use crate::base::store::Sqlite;

    #[test]
    fn a_terminal_is_known_with_its_merchant_and_the_seed_is_made_once() {
        let mut context = Context::simulated(1, Discard);
        let db = Sqlite::in_memory().unwrap();
        let seal = SealKey::random(&mut context);
        let open = || Terminals::open(db.handle().unwrap(), seal.clone()).unwrap();
        let key = TerminalKey::random("TERM0001", "MERCHANT0000001", "pos", &mut context).unwrap();
        open().add(&key, &mut context).unwrap();
        let again = TerminalKey::random("TERM0001", "MERCHANT0000002", "pos", &mut context).unwrap();
        assert!(matches!(open().add(&again, &mut context), Err(TerminalKeyError::Known { .. })));
        let link = LinkKey::random("00010344", "network", &mut context).unwrap();
        open().add_link(&link, &mut context).unwrap();
        assert!(matches!(open().add_link(&link, &mut context), Err(TerminalKeyError::LinkKnown { .. })));
        assert_eq!(open().links().unwrap()[0].institution, "00010344");
        let masters = open().into_master_keys();
        let of = |terminal: &str, merchant: &str| Sender::Terminal {
            terminal: terminal.into(),
            merchant: merchant.into(),
        };
        for _ in 0..2 {
            assert_eq!(masters(&of("TERM0001", "MERCHANT0000001")), Ok(Some(key.master.clone())));
            assert_eq!(masters(&of("TERM0001", "MERCHANT0000002")), Ok(None));
            assert_eq!(masters(&of("TERM0002", "MERCHANT0000001")), Ok(None));
            let sender = |institution: &str| Sender::Link { institution: institution.into() };
            assert_eq!(masters(&sender("00010344")), Ok(Some(link.master.clone())));
            assert_eq!(masters(&sender("TERM0001")), Ok(None));
        }
        assert_eq!(open().list().unwrap()[0].merchant, "MERCHANT0000001");
        let seed = open().seed(&mut context).unwrap();
        assert_eq!(open().seed(&mut context).unwrap(), seed);
        let other = SealKey::random(&mut context);
        let mut stranger = Terminals::open(db.handle().unwrap(), other).unwrap();
        assert!(stranger.seed(&mut context).is_err());
        let error = stranger.into_master_keys()(&of("TERM0001", "MERCHANT0000001"));
        assert!(matches!(error, Err(HostError::Failed { .. })), "a wrong sealing key is no unknown terminal");
    }
}

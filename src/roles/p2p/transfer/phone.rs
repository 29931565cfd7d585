//! A phone: its key, its certificate, and its book of transfers. Every change is one
//! transaction; nothing that moves money is known in memory alone.

use super::TransferError;
use super::book::corrupt;
use super::rules::TransferRules;
use super::schema::{MIGRATIONS, OWNER};
use crate::base::bytes::{Hex, Secret};
use crate::base::context::Context;
use crate::base::crypto::{Sm2PrivateKey, Sm2PublicKey};
use crate::base::store::{Db, Row, SealKey, Sealed, Value, migrate, transact};
use crate::words::transfer::{Certificate, HostId, PhoneId, Signed};

/// What the phone's key is sealed for.
const SECRET: &str = "transfer.phone";
/// How many certificates of others are remembered.
const MOST_BELIEVED: usize = 32;
/// The one row of the phone.
pub(super) const PHONE: i64 = 1;

/// What a phone is to others.
#[derive(Debug, Clone)]
pub struct Own {
    /// What its host says of it.
    pub certificate: Signed<Certificate>,
    /// The key by which it believes that host.
    pub host_key: Sm2PublicKey,
}

impl Own {
    /// Its host.
    pub(super) fn host(&self) -> HostId {
        self.certificate.contents.host
    }
}

/// A phone. It is one process's at a time.
pub struct Phone {
    pub(super) db: Box<dyn Db>,
    pub(super) seal: SealKey,
    pub(super) key: Sm2PrivateKey,
    pub(super) rules: TransferRules,
    /// F42 and F41 of what it asks its host.
    pub(super) names: (String, String),
    own: Option<Own>,
    /// Certificates of others that were checked: whoever comes again is known.
    believed: Vec<Signed<Certificate>>,
}

impl Phone {
    /// Opens the phone whose rows are in `db`; a new one gets a key.
    ///
    /// # Errors
    /// The store fails, or holds what cannot be.
    pub fn open(mut db: Box<dyn Db>, seal: SealKey, context: &mut Context) -> Result<Self, TransferError> {
        migrate(db.as_mut(), OWNER, MIGRATIONS)?;
        let find = "SELECT secret, certificate, host_key FROM transfer_phone WHERE id = $1";
        let rows = transact(db.as_mut(), |tx| tx.query(find, &[PHONE.into()]))?;
        let (key, own) = match rows.first() {
            Some(row) => (key_of(row, &seal)?, own_of(row)?),
            None => (make_key(db.as_mut(), &seal, context)?, None),
        };
        let id = Hex(&PhoneId::of(key.public()).0).to_string();
        let names = ("PHONES".into(), id.chars().take(8).collect());
        Ok(Self { db, seal, key, rules: TransferRules::ALL, names, own, believed: Vec::new() })
    }

    /// With rules of a test.
    #[must_use]
    pub fn with_rules(self, rules: TransferRules) -> Self {
        Self { rules, ..self }
    }

    /// With the merchant (F42) and terminal (F41) under which a remote host knows it.
    #[must_use]
    pub fn known_as(self, merchant: &str, terminal: &str) -> Self {
        Self { names: (merchant.into(), terminal.into()), ..self }
    }

    /// Its key, which a host is to open.
    pub fn key(&self) -> &Sm2PublicKey {
        self.key.public()
    }

    /// Its identifier.
    pub fn id(&self) -> PhoneId {
        PhoneId::of(self.key())
    }

    /// What it is to others.
    ///
    /// # Errors
    /// No host has opened it.
    pub fn own(&self) -> Result<&Own, TransferError> {
        self.own.as_ref().ok_or(TransferError::NotOpened)
    }

    /// Takes what a host says of it, in place of what one said before.
    ///
    /// # Errors
    /// It is of another phone or not signed by that host; the store fails.
    pub fn enrol(&mut self, own: Own, context: &Context) -> Result<(), TransferError> {
        let found = own.certificate.check(&own.host_key, context.now())?.phone();
        if found != self.id() {
            return Err(TransferError::OtherPhone { found: found.to_string() });
        }
        let values = [
            Value::Bytes(own.certificate.to_bytes()),
            Value::Bytes(own.host_key.coordinates().to_vec()),
            PHONE.into(),
        ];
        let sql = "UPDATE transfer_phone SET certificate = $1, host_key = $2 WHERE id = $3";
        transact(self.db.as_mut(), |tx| tx.execute(sql, &values))?;
        self.own = Some(own);
        self.believed.clear();
        Ok(())
    }

    /// Whether a certificate is one of this phone's host, and has not run out.
    pub(super) fn believes(
        &mut self,
        certificate: &Signed<Certificate>,
        context: &Context,
    ) -> Result<bool, TransferError> {
        let (now, host_key) = (context.now(), &self.own()?.host_key);
        if self.believed.contains(certificate) && certificate.contents.expires >= now {
            return Ok(true);
        }
        let is_good = certificate.check(host_key, now).is_ok();
        if is_good {
            self.believed.truncate(MOST_BELIEVED - 1);
            self.believed.insert(0, certificate.clone());
        }
        Ok(is_good)
    }
}

fn make_key(db: &mut dyn Db, seal: &SealKey, context: &mut Context) -> Result<Sm2PrivateKey, TransferError> {
    let key = Sm2PrivateKey::generate(&Secret::new(context.random()))?;
    let sealed = Sealed::seal(seal, SECRET, key.secret().expose(), context);
    let sql = "INSERT INTO transfer_phone (id, secret, sequence, trace) VALUES ($1, $2, 0, 0)";
    transact(db, |tx| tx.execute(sql, &[PHONE.into(), Value::Bytes(sealed.0.clone())]))?;
    Ok(key)
}

fn key_of(row: &Row, seal: &SealKey) -> Result<Sm2PrivateKey, TransferError> {
    let secret = Sealed(row.bytes(0)?.to_vec()).open(seal, SECRET)?;
    let bytes =
        <[u8; 32]>::try_from(secret.expose().as_slice()).map_err(|_| corrupt("a key of 32 bytes", ""))?;
    Ok(Sm2PrivateKey::new(&Secret::new(bytes))?)
}

fn own_of(row: &Row) -> Result<Option<Own>, TransferError> {
    if row.is_null(1) {
        return Ok(None);
    }
    let host_key = row.bytes(2)?.try_into().map_err(|_| corrupt("a host's key of 64 bytes", ""))?;
    Ok(Some(Own { certificate: Signed::parse(row.bytes(1)?)?, host_key: Sm2PublicKey::new(host_key)? }))
}

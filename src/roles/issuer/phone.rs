//! Phones that transfer to each other: each is a key for an account, with a certificate
//! that other phones believe. The issuer's own key for that is made when the first is opened.

use super::ledger;
use super::work::Work;
use super::{AccountId, IssuerError};
use crate::base::bytes::{Secret, parse_hex};
use crate::base::crypto::{Sm2PrivateKey, Sm2PublicKey};
use crate::base::store::{Row, Sealed, Value};
use crate::words::iso4217::{Amount, Currency};
use crate::words::transfer::{Certificate, HostId, PhoneId, Signed};
use std::time::Duration;

/// What the issuer's key and a holder's name are sealed for.
const SECRET: &str = "transfer.authority";
const NAME: &str = "phone.name";
/// How long a certificate holds.
const CERTIFICATE_LIFE: Duration = Duration::from_secs(3 * 365 * 86_400);
/// The one row of the issuer's key.
const AUTHORITY: i64 = 1;

/// A phone that is to be opened.
#[derive(Debug, Clone)]
pub struct NewPhone {
    /// The account behind it.
    pub account: AccountId,
    /// Its key.
    pub key: Sm2PublicKey,
    /// The holder as other phones show it: 1 to 40 bytes without control characters.
    pub name: String,
    /// How much it may promise before the issuer has heard of it, minor units of the
    /// account's currency.
    pub offline_limit_minor: u64,
}

/// What a phone is given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credentials {
    /// Its certificate.
    pub certificate: Signed<Certificate>,
    /// The key by which it believes other certificates, and the issuer's receipts.
    pub host_key: Sm2PublicKey,
}

/// A phone as a decision sees it.
#[derive(Debug)]
pub(super) struct Phone {
    pub(super) account: String,
    pub(super) currency: Currency,
    pub(super) key: Sm2PublicKey,
}

impl Work<'_> {
    /// Opens a phone.
    pub(super) fn open_phone(&mut self, phone: &NewPhone) -> Result<Credentials, IssuerError> {
        Certificate::check_name(&phone.name)?;
        let currency = self.account_currency(&phone.account.0)?;
        let authority = self.transfer_authority()?;
        let (id, now) = (PhoneId::of(&phone.key), self.now());
        let certificate = Certificate {
            host: HostId::of(authority.public()),
            key: phone.key.clone(),
            name: phone.name.clone(),
            offline_limit: Amount::new(super::work::column(phone.offline_limit_minor)? as u64, currency),
            expires: now.plus(CERTIFICATE_LIFE),
        };
        let name = Sealed::seal(self.seal, NAME, phone.name.as_bytes(), self.context);
        let changed = self.tx.execute(
            "INSERT INTO phone (id, account, public, name, opened_at) VALUES ($1, $2, $3, $4, $5) \
             ON CONFLICT DO NOTHING",
            &[
                id.to_string().into(),
                phone.account.0.as_str().into(),
                Value::Bytes(phone.key.coordinates().to_vec()),
                Value::Bytes(name.0),
                now.micros().into(),
            ],
        )?;
        if changed == 0 {
            return Err(IssuerError::PhoneExists);
        }
        self.say("Phone Opened", format!("phone {id} moves the money of account {}", phone.account));
        let host_key = authority.public().clone();
        Ok(Credentials { certificate: Signed::sign(certificate, &[], &authority)?, host_key })
    }

    /// A phone; `None` where none of that key was opened.
    pub(super) fn find_phone(&mut self, id: PhoneId) -> Result<Option<Phone>, IssuerError> {
        let rows = self.tx.query(
            "SELECT phone.account, account.currency, phone.public FROM phone \
             JOIN account ON account.id = phone.account WHERE phone.id = $1",
            &[id.to_string().into()],
        )?;
        let phone = |row: &Row| {
            let corrupt = || corrupt("phone", "a public key");
            let key = row.bytes(2)?.try_into().map_err(|_| corrupt())?;
            let key = Sm2PublicKey::new(key).map_err(|_| corrupt())?;
            Ok(Phone { account: row.text(0)?.to_owned(), currency: ledger::currency(row, 1)?, key })
        };
        rows.first().map(phone).transpose()
    }

    /// The issuer's key under certificates and receipts, made where there is none yet.
    pub(super) fn transfer_authority(&mut self) -> Result<Sm2PrivateKey, IssuerError> {
        let find = "SELECT secret FROM transfer_authority WHERE id = $1";
        let mut rows = self.tx.query(find, &[AUTHORITY.into()])?;
        if rows.is_empty() {
            let secret = Sm2PrivateKey::generate(&Secret::new(self.context.random()));
            let secret = secret.map_err(|_| corrupt("transfer_authority", "a key"))?.secret();
            let sealed = Sealed::seal(self.seal, SECRET, secret.expose(), self.context);
            self.tx.execute(
                "INSERT INTO transfer_authority (id, secret) VALUES ($1, $2) ON CONFLICT DO NOTHING",
                &[AUTHORITY.into(), Value::Bytes(sealed.0)],
            )?;
            // Another handle may have been first.
            rows = self.tx.query(find, &[AUTHORITY.into()])?;
        }
        let row = rows.first().ok_or_else(|| corrupt("transfer_authority", "its row"))?;
        let secret = Sealed(row.bytes(0)?.to_vec()).open(self.seal, SECRET)?;
        let wrong = || corrupt("transfer_authority", "a private key of 32 bytes");
        let bytes = <[u8; 32]>::try_from(secret.expose().as_slice()).map_err(|_| wrong())?;
        Sm2PrivateKey::new(&Secret::new(bytes)).map_err(|_| wrong())
    }
}

/// The identifier of a phone out of its column.
pub(super) fn phone_id(text: &str) -> Result<PhoneId, IssuerError> {
    let bytes = parse_hex(text).ok().and_then(|bytes| bytes.try_into().ok());
    bytes.map(PhoneId).ok_or_else(|| corrupt("phone_transfer", "a phone's identifier"))
}

pub(super) fn corrupt(table: &'static str, expected: &'static str) -> IssuerError {
    IssuerError::Corrupt { table, expected, found: "another value".into() }
}

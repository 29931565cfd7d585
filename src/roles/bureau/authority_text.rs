//! An authority as TOML: how the test authority is shipped and how another is sealed.

use super::BureauError;
use super::authority::{Authority, CardKeySource, IssuedCertificates, Ring};
use crate::base::bytes::{Secret, parse_hex};
use crate::base::crypto::RsaExponent;
use crate::words::emv::certificate::{PrivateKey, Suite};
use serde::{Deserialize, Serialize};
use zeroize::ZeroizeOnDrop;

/// The whole text.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AuthorityText {
    pub providers: Vec<String>,
    pub expiry: String,
    pub rsa: RingText,
    pub sm2: RingText,
    pub cards: CardsText,
}

/// The keys of one suite.
#[derive(Serialize, Deserialize, ZeroizeOnDrop)]
#[serde(deny_unknown_fields)]
pub(super) struct RingText {
    #[zeroize(skip)]
    pub index: String,
    pub ca: String,
    pub issuer: String,
}

/// Where keys of cards come from.
#[derive(Serialize, Deserialize, ZeroizeOnDrop)]
#[serde(deny_unknown_fields)]
pub(super) struct CardsText {
    pub seed: String,
    #[zeroize(skip)]
    pub rsa_bits: u32,
    #[zeroize(skip)]
    pub exponent: u32,
    pub pool: Vec<String>,
    pub pin_pool: Vec<String>,
}

impl TryFrom<AuthorityText> for Authority {
    type Error = BureauError;

    fn try_from(text: AuthorityText) -> Result<Self, BureauError> {
        let providers = text.providers.iter().map(|rid| bytes("providers", "10 hexadecimal digits", rid));
        let exponent = match text.cards.exponent {
            3 => RsaExponent::Three,
            65537 => RsaExponent::F4,
            _ => return Err(BureauError::Value { field: "exponent", expected: "3 or 65537" }),
        };
        let pool = |field, lines: &[String]| -> Result<Vec<PrivateKey>, BureauError> {
            lines.iter().map(|line| key(field, Suite::Rsa, line)).collect()
        };
        Ok(Self {
            providers: providers.collect::<Result<_, _>>()?,
            expiry: bytes("expiry", "YYMMDD", &text.expiry)?,
            rsa: ring(Suite::Rsa, &text.rsa)?,
            sm2: ring(Suite::Sm2, &text.sm2)?,
            cards: CardKeySource {
                seed: Secret::new(bytes("seed", "64 hexadecimal digits", &text.cards.seed)?),
                rsa_bits: text.cards.rsa_bits,
                exponent,
                pool: pool("pool", &text.cards.pool)?,
                pin_pool: pool("pin_pool", &text.cards.pin_pool)?,
            },
            issued: IssuedCertificates::default(),
        })
    }
}

fn ring(suite: Suite, text: &RingText) -> Result<Ring, BureauError> {
    let [index] = bytes("index", "2 hexadecimal digits", &text.index)?;
    Ok(Ring { index, ca: key("ca", suite, &text.ca)?, issuer: key("issuer", suite, &text.issuer)? })
}

fn key(field: &'static str, suite: Suite, line: &str) -> Result<PrivateKey, BureauError> {
    let key = PrivateKey::from_text(line).map_err(|cause| BureauError::Key { field, cause })?;
    match key.suite() == suite {
        true => Ok(key),
        false => Err(BureauError::Value { field, expected: "a key of its suite" }),
    }
}

fn bytes<const N: usize>(
    field: &'static str,
    expected: &'static str,
    text: &str,
) -> Result<[u8; N], BureauError> {
    let wrong = || BureauError::Value { field, expected };
    parse_hex(text).map_err(|_| wrong())?.try_into().map_err(|_| wrong())
}

//! Data preparation for a card in a phone: an order becomes data groupings, with keys
//! from the master keys of tokens (EMV Card Personalisation Specification 2.0; identifiers
//! as PBOC 3.0 applications have them).

use super::KeySet;
use crate::air::host::{Preparation, PreparationError, PreparationOrder, PreparedCard};
use crate::base::bytes::{Hex, Secret};
use crate::base::context::Context;
use crate::words::dictionary::tag;
use crate::words::emv::Track2;
use crate::words::emv::cryptogram::CryptogramVersion;
use crate::words::globalplatform::Dgi;
use crate::words::tlv::{encode, encode_into};

/// The application of a token's card.
const AID: [u8; 8] = [0xA0, 0, 0, 3, 0x33, 1, 1, 1];
/// How its cryptograms are made.
pub const TOKEN_VERSION: &str = "PBOC CVN 01";
/// Service code of a token's track 2: international, normal authorisation.
const SERVICE_CODE: &str = "220";

/// The bureau that prepares tokens' cards.
#[derive(Debug, Clone)]
pub struct TokenBureau {
    keys: KeySet,
}

impl TokenBureau {
    /// A bureau with these master keys.
    pub fn new(keys: KeySet) -> Self {
        Self { keys }
    }
}

impl Preparation for TokenBureau {
    fn prepare(
        &mut self,
        order: &PreparationOrder,
        _context: &mut Context,
    ) -> Result<PreparedCard, PreparationError> {
        let wrong = |expected, found: String| PreparationError { expected, found };
        let version = CryptogramVersion::by_name(TOKEN_VERSION)
            .ok_or_else(|| wrong("a known cryptogram version", TOKEN_VERSION.into()))?;
        let keys = self
            .keys
            .card_keys(version, &order.pan, order.psn)
            .map_err(|error| wrong("a number that keys can be made of", error.to_string()))?;
        let ac = order.limited_use_key.clone().unwrap_or_else(|| keys.ac.clone());
        let expiry = Hex(&order.expiry).to_string();
        let track2 = Track2 {
            pan: order.pan.clone(),
            expiry: std::array::from_fn(|at| expiry.as_bytes().get(at).copied().unwrap_or(b'0')),
            rest: Secret::new(format!("{SERVICE_CODE}00000000")),
        };
        let mut first = Vec::new();
        encode_into(&mut first, tag::TRACK_2_EQUIVALENT_DATA, &track2.to_bytes());
        encode_into(&mut first, tag::PAN_SEQUENCE_NUMBER, &[order.psn]);
        for (tag, value) in order.data.iter() {
            encode_into(&mut first, tag, value);
        }
        let mut second = Vec::new();
        for (tag, value) in [
            (tag::PAN, order.pan.to_bcd()),
            (tag::APPLICATION_EXPIRATION_DATE, order.expiry.to_vec()),
            (tag::APPLICATION_EFFECTIVE_DATE, order.effective.to_vec()),
        ] {
            encode_into(&mut second, tag, &value);
        }
        let record = |number, data: &[u8]| Dgi::record(1, number, encode(tag::RECORD_TEMPLATE, data));
        let all = [ac.expose().as_slice(), keys.mac.expose(), keys.enc.expose()].concat();
        let values = [&ac, &keys.mac, &keys.enc].map(|key| version.key_check_value(key.expose())).concat();
        Ok(PreparedCard {
            aid: AID.to_vec(),
            groupings: vec![
                record(1, &first),
                record(2, &second),
                Dgi::new(0x9200, [2, self.keys.dki(), version.cvn]),
                Dgi::new(0x8000, all),
                Dgi::new(0x9000, values),
            ],
        })
    }
}

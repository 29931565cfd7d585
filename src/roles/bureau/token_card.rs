//! The bureau prepares token cards: an order, a template and the token key set become
//! the data groupings of EMV Card Personalisation, numbered as a public PBOC 3.0 applet
//! numbers them.

use super::KeySet;
use crate::air::host::{Preparation, PreparationError, PreparationOrder, PreparedCard};
use crate::base::context::Context;
use crate::base::event::Event;
use crate::words::dictionary::tag;
use crate::words::emv::cryptogram::CryptogramVersion;
use crate::words::emv::{ApplicationData, Personal, record};
use crate::words::globalplatform::Dgi;
use crate::words::tlv::TlvStore;

/// Data grouping identifiers; records have their own (short file identifier, number).
pub mod identifier {
    /// Data objects that stand in no record, side by side as BER-TLV.
    pub const INTERNAL_DATA: u16 = 0x0D01;
    /// The answer to SELECT by radio: 50, 87, 9F38.
    pub const FCI_CONTACTLESS: u16 = 0x9103;
    /// AIP and AFL of the debit/credit path.
    pub const GPO_FULL: u16 = 0x9104;
    /// AIP and AFL of the quick path.
    pub const GPO_QUICK: u16 = 0x9207;
    /// The keys for cryptograms, script MACs and enciphered script data, 16 bytes each.
    pub const KEYS: u16 = 0x8000;
    /// Their check values, three bytes each.
    pub const KEY_CHECK_VALUES: u16 = 0x9000;
}

/// EMV's way to write that there is no name.
const NO_NAME: &str = " /";

/// A bureau for token cards of one kind.
#[derive(Debug, Clone)]
pub struct TokenBureau {
    keys: KeySet,
    version: &'static CryptogramVersion,
    template: ApplicationData,
}

impl TokenBureau {
    /// A bureau that fills this template under these keys.
    pub fn new(keys: KeySet, version: &'static CryptogramVersion, template: ApplicationData) -> Self {
        Self { keys, version, template }
    }

    fn groupings(&self, order: &PreparationOrder) -> Result<Vec<Dgi>, PreparationError> {
        let mut data: TlvStore = self.template.data.clone();
        let (pan, psn) = (&order.pan, order.psn);
        let (expiry, effective) = (order.expiry, order.effective);
        Personal { pan, psn, expiry, effective, cardholder_name: NO_NAME }.put(&mut data);
        for (tag, value) in order.data.iter() {
            data.put(tag, value);
        }
        let mut groupings = Vec::new();
        for layout in &self.template.records {
            groupings.push(Dgi::record(layout.sfi, layout.number, record(&layout.elements, &data)));
        }
        groupings.push(Dgi::new(identifier::INTERNAL_DATA, data.to_bytes()));
        let mut fci = TlvStore::new();
        fci.put(tag::APPLICATION_LABEL, self.template.label.as_bytes());
        fci.put(tag::APPLICATION_PRIORITY_INDICATOR, [self.template.priority]);
        fci.put(tag::PDOL, self.template.pdol.as_slice());
        groupings.push(Dgi::new(identifier::FCI_CONTACTLESS, fci.to_bytes()));
        let paths =
            [(identifier::GPO_FULL, &self.template.full), (identifier::GPO_QUICK, &self.template.quick)];
        for (identifier, path) in paths {
            if let Some(path) = path {
                groupings.push(Dgi::new(identifier, [path.aip.as_slice(), &path.afl].concat()));
            }
        }
        let keys = self.keys.card_keys(self.version, pan, psn).map_err(|error| PreparationError {
            expected: "a PAN and sequence number that make a card key",
            found: error.to_string(),
        })?;
        let ac = order.limited_use_key.as_ref().unwrap_or(&keys.ac);
        let all = [ac.expose(), keys.mac.expose(), keys.enc.expose()];
        groupings.push(Dgi::new(identifier::KEYS, all.into_iter().flatten().copied().collect::<Vec<_>>()));
        let checks = all.into_iter().flat_map(|key| self.version.key_check_value(key)).collect::<Vec<_>>();
        groupings.push(Dgi::new(identifier::KEY_CHECK_VALUES, checks));
        Ok(groupings)
    }
}

impl Preparation for TokenBureau {
    fn prepare(
        &mut self,
        order: &PreparationOrder,
        context: &mut Context,
    ) -> Result<PreparedCard, PreparationError> {
        if !order.pan.is_token() {
            return Err(PreparationError {
                expected: "a number of the token range",
                found: "one of another range".into(),
            });
        }
        let groupings = self.groupings(order)?;
        context.emit(Event::new("bureau", "Card Prepared").because("a token card's data are made"));
        Ok(PreparedCard { aid: self.template.aid.as_bytes().to_vec(), groupings })
    }
}

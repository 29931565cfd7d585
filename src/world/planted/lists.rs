//! The lists that a card gave, and what a terminal sends for them, changed.

use crate::words::dictionary::tag;
use crate::words::iso7816::{CommandApdu, ResponseApdu};
use crate::words::tlv::{self, Dol, Tag, TlvStore};

/// Which lists are remembered.
const LISTS: &[Tag] = &[tag::PDOL, tag::CDOL1, tag::CDOL2, tag::DDOL];

/// What a card gave since it was selected.
#[derive(Debug, Default)]
pub(super) struct Lists {
    given: TlvStore,
    cryptograms: usize,
}

impl Lists {
    /// Learns from an exchange.
    pub(super) fn learn(&mut self, command: &CommandApdu, response: &ResponseApdu) {
        match command.ins {
            0xA4 => *self = Self::default(),
            0xA8 => self.cryptograms = 0,
            0xAE => self.cryptograms += 1,
            _ => {}
        }
        for tag in LISTS {
            if let Ok(Some(found)) = tlv::find(&response.data, *tag) {
                self.given.put(*tag, found.value);
            }
        }
    }

    /// A command's data with one element of its list changed; none where the list does not
    /// ask for it.
    pub(super) fn changed(
        &self,
        command: &CommandApdu,
        tag: Tag,
        change: &dyn Fn(&[u8]) -> Vec<u8>,
    ) -> Option<Vec<u8>> {
        let (list, begin) = match command.ins {
            0xA8 => (tag::PDOL, tlv::parse_one(&command.data).ok()?.value_offset),
            0xAE if self.cryptograms == 0 => (tag::CDOL1, 0),
            0xAE => (tag::CDOL2, 0),
            0x88 => (tag::DDOL, 0),
            _ => return None,
        };
        let list = Dol::parse(self.given.value(list)?).ok()?;
        if !list.asks_for(tag) {
            return None;
        }
        let (head, data) = command.data.split_at_checked(begin)?;
        let parts = list.split(data)?;
        let parts =
            parts.into_iter().map(|(own, value)| if own == tag { change(value) } else { value.to_vec() });
        Some([head.to_vec(), parts.collect::<Vec<_>>().concat()].concat())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::bytes::{Hex, parse_hex};
    use crate::words::iso7816::StatusWord;

    #[test]
    fn what_a_list_asks_for_is_changed_in_its_place() {
        let apdu = |text: &str| CommandApdu::parse(&parse_hex(text).unwrap()).unwrap();
        let mut lists = Lists::default();
        let record =
            ResponseApdu { data: parse_hex("70068C049C019502").unwrap(), status: StatusWord(0x9000) };
        lists.learn(&apdu("00B2010C00"), &record);
        let command = apdu("80AE80000300AABB");
        let changed = lists.changed(&command, tag::TVR, &|value| value.iter().rev().copied().collect());
        assert_eq!(Hex(&changed.unwrap()).to_string(), "00BBAA");
        assert_eq!(lists.changed(&command, tag::PAN, &|_| Vec::new()), None);
    }
}

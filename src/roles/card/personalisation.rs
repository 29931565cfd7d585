//! Data groupings become a card's memory: EMV Card Personalisation Specification 2.0;
//! identifiers as PBOC 3.0 applications have them.

use super::application_profile::{InterfaceProfile, PathProfile};
use super::memory::{Image, KeyImage, Record};
use super::profile::Bytes;
use crate::base::bytes::Secret;
use crate::words::dictionary::tag;
use crate::words::emv::Afl;
use crate::words::globalplatform::Dgi;
use crate::words::tlv::{TlvStore, encode, find, parse};
use std::sync::Arc;

/// Keys of cryptograms, script MACs and encipherment.
const KEYS: u16 = 0x8000;
/// Their check values.
const CHECK_VALUES: u16 = 0x9000;
/// The answer to SELECT by radio: label, priority, PDOL.
const FCI_CONTACTLESS: u16 = 0x9103;
/// AIP and AFL of the debit/credit path, and of the quick path, by radio.
const GPO_FULL: u16 = 0x9104;
const GPO_QUICK: u16 = 0x9207;
/// The last short file identifier that is a record; above are the card's own data.
const LAST_RECORD_SFI: u8 = 10;

/// The memory of a card once these groupings are stored in its application `index`; `Err`
/// says which one is wrong. Counters and logs stay: a card that is renewed counts on.
pub(super) fn apply(before: &Image, index: usize, groupings: &[Dgi]) -> Result<Image, String> {
    let mut image = before.clone();
    let mut has_keys = false;
    for grouping in groupings {
        let data = grouping.data.expose().as_slice();
        let named = |what: String| format!("data grouping {:04X}: {what}", grouping.identifier);
        match grouping.identifier {
            KEYS => {
                image.keys = keys(data, &image.keys).map_err(named)?;
                has_keys = true;
            }
            CHECK_VALUES => check(&image, data).map_err(named)?,
            FCI_CONTACTLESS => shown(&mut image, index, data).map_err(named)?,
            GPO_FULL => radio(&mut image, index)?.full = Some(path(data).map_err(named)?),
            GPO_QUICK => radio(&mut image, index)?.quick = Some(path(data).map_err(named)?),
            _ => match grouping.as_record() {
                Some((sfi, number)) if sfi <= LAST_RECORD_SFI => {
                    let application = image.applications.get_mut(index).ok_or_else(|| named(gone()))?;
                    let bytes = record(data, &mut application.data).map_err(named)?;
                    application.records.retain(|record| (record.sfi, record.number) != (sfi, number));
                    application.records.push(Record { sfi, number, bytes });
                }
                _ => own_data(&mut image, index, data).map_err(named)?,
            },
        }
    }
    let domain = image.domain.as_mut().ok_or_else(gone)?;
    if domain.blank && !has_keys {
        return Err("expected data grouping 8000 (keys) for a blank card, found none".into());
    }
    domain.blank = false;
    let data = &image.applications.get(index).ok_or_else(gone)?.data;
    for (wanted, name) in [(tag::TRACK_2_EQUIVALENT_DATA, "57"), (tag::PAN_SEQUENCE_NUMBER, "5F34")] {
        if !data.has(wanted) {
            return Err(format!("expected {name} in the groupings, found none"));
        }
    }
    Ok(image)
}

/// Three keys of 16 bytes, or the one of cryptograms, which a phone without limited-use
/// keys never gets alone.
fn keys(data: &[u8], kept: &KeyImage) -> Result<KeyImage, String> {
    let (keys, rest) = data.as_chunks::<16>();
    match keys {
        [ac] if rest.is_empty() => Ok(KeyImage { ac: Secret::new(*ac), ..kept.clone() }),
        [ac, mac, enc] if rest.is_empty() => {
            Ok(KeyImage { ac: Secret::new(*ac), mac: Secret::new(*mac), enc: Secret::new(*enc) })
        }
        _ => Err(format!("expected three keys of 16 bytes, or one, found {} bytes", data.len())),
    }
}

/// Three check values of 3 bytes.
fn check(image: &Image, data: &[u8]) -> Result<(), String> {
    let version = image.profile.version().map_err(|error| error.to_string())?;
    let KeyImage { ac, mac, enc } = &image.keys;
    match data == [ac, mac, enc].map(|key| version.key_check_value(key.expose())).concat() {
        true => Ok(()),
        false => Err("the check values are not those of the keys in 8000".into()),
    }
}

/// How the application shows itself by radio.
fn shown(image: &mut Image, index: usize, data: &[u8]) -> Result<(), String> {
    let pdol = find(data, tag::PDOL).map_err(|error| error.to_string())?;
    radio(image, index)?.pdol = Bytes(pdol.map_or_else(Vec::new, |element| element.value.to_vec()));
    Ok(())
}

fn radio(image: &mut Image, index: usize) -> Result<&mut InterfaceProfile, String> {
    let application = Arc::make_mut(&mut image.profile).applications.get_mut(index).ok_or_else(gone)?;
    application.contactless.as_mut().ok_or_else(|| "the card is not reached by radio".into())
}

/// AIP and AFL, one after the other.
fn path(data: &[u8]) -> Result<PathProfile, String> {
    let (aip, afl) = data.split_first_chunk::<2>().ok_or("expected two bytes of AIP")?;
    if !afl.is_empty() {
        Afl::parse(afl).map_err(|error| error.to_string())?;
    }
    Ok(PathProfile { aip: Bytes(aip.to_vec()), afl: Bytes(afl.to_vec()) })
}

/// A record: template 70, or what is in one. Its elements are the card's data too.
fn record(data: &[u8], kept: &mut TlvStore) -> Result<Vec<u8>, String> {
    let whole = match data.first() {
        Some(0x70) => data.to_vec(),
        _ => encode(tag::RECORD_TEMPLATE, data),
    };
    for template in parse(&whole).map_err(|error| error.to_string())? {
        for element in template.children().map_err(|error| error.to_string())? {
            kept.put(element.tag, element.value);
        }
    }
    Ok(whole)
}

/// Data objects that no record has.
fn own_data(image: &mut Image, index: usize, data: &[u8]) -> Result<(), String> {
    let kept = &mut image.applications.get_mut(index).ok_or_else(gone)?.data;
    for element in parse(data).map_err(|error| error.to_string())? {
        kept.put(element.tag, element.value);
    }
    Ok(())
}

fn gone() -> String {
    "the card has no such application".into()
}

//! Data elements as arguments: by tag, or as BER-TLV.

use super::given;
use crate::base::bytes::parse_hex;
use crate::doors::cli::shared::command::Call;
use crate::doors::cli::shared::failure::Failure;
use crate::words::dictionary::tag;
use crate::words::emv::{Pan, Track2};
use crate::words::tlv::{self, Tag, Tlv, TlvStore};
use clap::{Arg, ArgAction};

/// Templates within templates are opened so deep.
const DEPTH_LIMIT: usize = 8;

/// `--element` and `--tlv`.
pub(in crate::doors::cli::crypto) fn arguments(line: clap::Command) -> clap::Command {
    line.arg(
        Arg::new("element")
            .long("element")
            .short('e')
            .value_name("TAG=HEX")
            .action(ArgAction::Append)
            .help("A data element, as 9F02=000000001250; once for each"),
    )
    .arg(
        Arg::new("tlv")
            .long("tlv")
            .value_name("HEX")
            .action(ArgAction::Append)
            .help("Data elements as BER-TLV, as field 55 or a record has them; templates are opened"),
    )
}

/// What both give; an element by itself counts before one in BER-TLV.
pub(in crate::doors::cli::crypto) fn elements(call: &Call<'_>) -> Result<TlvStore, Failure> {
    let mut out = TlvStore::new();
    for text in call.texts("tlv") {
        let bytes = parse_hex(text).map_err(|cause| Failure::Usage(format!("--tlv: {cause}")))?;
        let list = tlv::parse(&bytes).map_err(|cause| Failure::Usage(format!("--tlv: {cause}")))?;
        put_leaves(&mut out, &list, 0);
    }
    for text in call.texts("element") {
        let (tag, value) = one(text)?;
        out.put(tag, value);
    }
    Ok(out)
}

/// Puts every primitive element, the first of each tag.
fn put_leaves(out: &mut TlvStore, list: &[Tlv<'_>], depth: usize) {
    for element in list {
        if element.tag.is_constructed() && depth < DEPTH_LIMIT {
            put_leaves(out, &element.children().unwrap_or_default(), depth + 1);
        } else if !out.has(element.tag) {
            out.put(element.tag, element.value);
        }
    }
}

fn one(text: &str) -> Result<(Tag, Vec<u8>), Failure> {
    let wrong = || Failure::Usage("--element: expected TAG=HEX, as 9F02=000000001250".into());
    let (tag, value) = text.split_once('=').ok_or_else(wrong)?;
    let tag = Tag::parse_text(tag.trim()).ok_or_else(wrong)?;
    let value = parse_hex(value).map_err(|cause| Failure::Usage(format!("--element {tag}: {cause}")))?;
    Ok((tag, value))
}

/// A value that must be there, with its length.
pub(in crate::doors::cli::crypto) fn array_of<const N: usize>(
    call: &Call<'_>,
    name: &str,
    data: &TlvStore,
    tag: Tag,
) -> Result<[u8; N], Failure> {
    match given::array(call, name)?.or_else(|| data.array(tag)) {
        Some(value) => Ok(value),
        None => Err(Failure::Usage(format!("--{name} is needed, or element {tag}: {N} bytes"))),
    }
}

/// The PAN of 5A or 57.
pub(in crate::doors::cli::crypto) fn pan_of(data: &TlvStore) -> Option<Pan> {
    let pan = data.value(tag::PAN).and_then(|bytes| Pan::from_bcd(bytes).ok());
    pan.or_else(|| Some(Track2::parse(data.value(tag::TRACK_2_EQUIVALENT_DATA)?)?.pan))
}

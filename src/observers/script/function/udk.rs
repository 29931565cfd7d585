//! `udk`: a card's key from a master key, by the card's cryptogram version.

use crate::base::bytes::{bcd_digits, bcd_to_u64};
use crate::observers::script::function_row::{Function, FunctionError, Surroundings, array, bytes};
use crate::observers::script::key_version::version;
use crate::observers::script::value::Value;
use crate::words::dictionary::tag;
use crate::words::emv::Track2;

pub(super) const FUNCTION: Function = Function {
    name: "udk",
    usage: "udk(masterkey, version?, pan?, sequence?)",
    about: "a card's key from a master key; PAN and sequence number are those that the card gave",
    least: 1,
    most: 4,
    call: |arguments, surroundings| {
        let master: [u8; 16] = array(&arguments[0], "master key")?;
        let version = version(arguments.get(1), surroundings)?;
        let pan = match arguments.get(2) {
            Some(pan) => digits(&bytes(pan, "PAN")?)?,
            None => seen_pan(surroundings)?,
        };
        let sequence = match arguments.get(3) {
            Some(sequence) => bytes(sequence, "sequence number")?,
            None => surroundings.element(tag::PAN_SEQUENCE_NUMBER).unwrap_or_default(),
        };
        // A card without 5F34 has sequence number 00.
        let psn = sequence.first().copied().filter(|_| bcd_to_u64(&sequence).is_ok()).unwrap_or(0);
        Ok(Value::Bytes(version.udk(&master, &pan, psn)?.expose().to_vec()))
    },
};

fn seen_pan(surroundings: &dyn Surroundings) -> Result<String, FunctionError> {
    if let Some(pan) = surroundings.element(tag::PAN) {
        return digits(&pan);
    }
    let track = surroundings.element(tag::TRACK_2_EQUIVALENT_DATA);
    let pan = track.and_then(|track| Track2::parse(&track)).map(|track| track.pan.expose().to_owned());
    pan.ok_or(FunctionError::Element { tag: tag::PAN })
}

fn digits(pan: &[u8]) -> Result<String, FunctionError> {
    let not =
        || FunctionError::Argument { what: "PAN", cause: Value::Bytes(pan.to_vec()).not("decimal digits") };
    bcd_digits(pan).map_err(|_| not())
}

//! `cardwright crypto identify`: which version, derivation, session key, input and padding
//! a cryptogram was made with.

use super::shared::exchange::{self, Moment};
use super::shared::given::{self, hex_argument, key_of, keys_argument, pan_argument, psn_argument, sixteen};
use super::shared::steps::Steps;
use super::shared::{card_key::usage, elements};
use crate::base::bytes::{Hex, Secret};
use crate::base::crypto::{Padding, kcv, sm4_kcv};
use crate::doors::cli::shared::command::{Call, Command, Run};
use crate::doors::cli::shared::failure::{Exit, Failure};
use crate::words::dictionary::tag;
use crate::words::emv::Pan;
use crate::words::emv::cryptogram::{Algorithm, CryptogramVersion, Found, Search, Sought, identify};
use crate::words::tlv::TlvStore;
use clap::{Arg, value_parser};
use serde_json::json;

/// The row of this command.
pub(super) const COMMAND: Command = Command {
    name: "identify",
    about: "Finds out how a cryptogram was made: version, derivation, session key, input, padding",
    effect: None,
    arguments,
    run: Run::Alone(run),
};

fn arguments(line: clap::Command) -> clap::Command {
    let what = "A key of 16 bytes that may be the issuer's, the card's or the session's";
    let line = line.arg(keys_argument("key", what, "where several may be the one"));
    exchange::arguments(elements::arguments(line))
        .arg(pan_argument())
        .arg(psn_argument())
        .arg(hex_argument("cryptogram", "HEX", "The cryptogram, where it is not among the elements (9F26)"))
        .arg(hex_argument("data", "HEX", "Data that are signed as they stand, or the data of CDOL1"))
        .arg(
            Arg::new("number")
                .long("number")
                .value_name("N")
                .value_parser(value_parser!(u16).range(1..))
                .help("Which cryptogram of the conversation, from 1; the last where it is not given"),
        )
}

fn run(call: &mut Call<'_>) -> Result<Exit, Failure> {
    let keys = call.texts("key").map(|text| sixteen("key", &key_of("key", text)?));
    let keys = keys.collect::<Result<Vec<Secret<[u8; 16]>>, Failure>>()?;
    let (moment, is_masked) = moment(call)?;
    let mut data = moment.data;
    // What is named by itself counts before what the conversation says.
    for (tag, value) in elements::elements(call)?.iter() {
        data.put(tag, value);
    }
    let pan = match call.text("pan") {
        Some(digits) => Some(Pan::new(digits).map_err(usage)?),
        None => elements::pan_of(&data),
    };
    let psn = given::psn(call)?.or_else(|| data.array(tag::PAN_SEQUENCE_NUMBER).map(|[byte]| byte));
    let listed = given::bytes(call, "data")?.or(moment.listed);
    let is_hidden = data.has(tag::SIGNED_DYNAMIC_APPLICATION_DATA) && !data.has(tag::APPLICATION_CRYPTOGRAM);
    if is_hidden && call.text("cryptogram").is_none() {
        return Err(Failure::Usage(
            "the card signed this cryptogram (CDA), so it stands within 9F4B: open that with \
             `cardwright crypto recover`, and give --cryptogram"
                .into(),
        ));
    }
    let cryptogram = elements::array_of(call, "cryptogram", &data, tag::APPLICATION_CRYPTOGRAM)?;
    let sought = Sought {
        keys: &keys,
        pan: pan.as_ref().map(Pan::expose),
        psn,
        data: &data,
        listed: listed.as_deref(),
        cryptogram,
    };
    let search = identify(&sought);
    call.output.tell("tried", json!(search.tried));
    let found: Vec<Steps> = search.found.iter().map(steps_of).collect();
    call.output
        .tell("found", search.found.iter().zip(&found).map(|(way, steps)| value_of(way, steps)).collect());
    let sums = format!("{} ways tried", search.tried);
    if found.is_empty() {
        let advice = advice(&sought, &search, is_masked);
        call.output.tell("advice", json!(advice));
        let lines: Vec<String> = advice.iter().map(|line| format!("  {line}\n")).collect();
        call.output.say(&format!("{}: {sums}, none gives it\n{}", Hex(&cryptogram), lines.concat()));
        return Ok(Exit::Declined);
    }
    for (way, steps) in search.found.iter().zip(&found) {
        let name = match way.versions.as_slice() {
            [] => "no version of the list".to_owned(),
            names => names.join(", "),
        };
        call.output.say(&format!("{name}\n{}", steps.columns(2)));
    }
    call.output.say(&format!("{sums}, {} found\n", found.len()));
    Ok(Exit::Done)
}

/// The cryptogram of `--apdu` or `--trace`; without either there are no data yet.
fn moment(call: &Call<'_>) -> Result<(Moment, bool), Failure> {
    let Some((exchange, is_masked)) = exchange::exchange(call)? else {
        return Ok((Moment { data: TlvStore::new(), listed: None }, false));
    };
    let count = exchange.moments.len();
    let number = call.arguments.get_one::<u16>("number").map_or(count, |number| usize::from(*number));
    let moment = number.checked_sub(1).and_then(|place| exchange.moments.into_iter().nth(place));
    let none = || Failure::Usage(format!("the conversation has {count} cryptograms, and no number {number}"));
    Ok((moment.ok_or_else(none)?, is_masked))
}

fn algorithm(way: &Found) -> &'static str {
    match way.algorithm {
        Algorithm::TripleDes => "triple DES",
        Algorithm::Sm4 => "SM4",
    }
}

fn padding(way: &Found) -> &'static str {
    match (way.padding, way.input.len().is_multiple_of(8)) {
        (Padding::Method1, true) => "none (or zeros, method 1: the input has whole blocks)",
        (Padding::Method1, false) => "zeros (method 1)",
        (Padding::Method2, _) => "80, then zeros (method 2)",
    }
}

fn steps_of(way: &Found) -> Steps {
    let mut steps = Steps::default();
    if let Some(supposed) = way.supposed {
        steps.text("only if", supposed);
    }
    steps.text("key", way.key + 1);
    steps.text("derivation", &way.derivation);
    steps.text("cipher", algorithm(way));
    steps.hex("card key", way.card_key.expose());
    steps.text("session key by", way.session);
    steps.hex("session key", way.session_key.expose());
    steps.text("input in order", &way.input_name);
    steps.hex("input", &way.input);
    steps.text("padding", padding(way));
    steps
}

fn value_of(way: &Found, steps: &Steps) -> serde_json::Value {
    json!({
        "versions": way.versions,
        "key": way.key + 1,
        "derivation": way.derivation,
        "cipher": algorithm(way),
        "session": way.session,
        "padding": if way.padding == Padding::Method2 { 2 } else { 1 },
        "only_if": way.supposed,
        "steps": steps.json(),
    })
}

/// What is worth a look where nothing fits, the likeliest first.
fn advice(sought: &Sought<'_>, search: &Search, is_masked: bool) -> Vec<String> {
    let mut out = Vec::new();
    if is_masked {
        out.push(
            "The recording is masked: its PAN is a pseudonym. Give --pan, or record with --unmask.".into(),
        );
    }
    if sought.pan.is_none() {
        out.push(
            "No PAN was given (--pan, 5A or 57): every key was tried as the card's or session's own.".into(),
        );
    }
    if !search.missing.is_empty() {
        let tags: Vec<String> = search.missing.iter().map(ToString::to_string).collect();
        out.push(format!("Not given, so versions that sign them were not tried: {}.", tags.join(", ")));
    }
    for (place, key) in sought.keys.iter().enumerate() {
        let even = key.expose().iter().filter(|byte| byte.count_ones().is_multiple_of(2)).count();
        let parity = match even {
            0 => String::new(),
            _ => format!(", {even} of its bytes have even parity, which a key of DES seldom has"),
        };
        out.push(format!(
            "Key {} has the check value {} (SM4 {}){parity}: is it the one of the key sheet?",
            place + 1,
            Hex(&kcv(key.expose())),
            Hex(&sm4_kcv(key.expose()))
        ));
    }
    let psn = sought.psn.map_or("none".to_owned(), |psn| format!("{psn:02X}"));
    out.push(format!("PAN sequence number {psn} was given; 00 and 01 were tried, too."));
    let iad = sought.data.value(tag::ISSUER_APPLICATION_DATA);
    match iad.map(|iad| (iad, CryptogramVersion::by_iad(iad))) {
        Some((_, Some(row))) => out.push(format!(
            "The card itself says {} (9F10): is the master key that of its key index?",
            row.name
        )),
        Some((iad, None)) => out.push(format!("9F10 names no version that is known here: {}.", Hex(iad))),
        None => {}
    }
    out.push(
        "Is 9F10 that of the answer with this cryptogram, and 95, 9F37, 9A those of the same GENERATE AC?"
            .into(),
    );
    out
}

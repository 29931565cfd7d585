//! A cryptogram version and a key for it: the issuer's with a PAN, the card's, or the
//! session's.

use super::given::{self, key_argument, needed, pan_argument, psn_argument};
use super::steps::Steps;
use crate::base::bytes::Secret;
use crate::base::crypto;
use crate::doors::cli::shared::command::Call;
use crate::doors::cli::shared::failure::Failure;
use crate::words::emv::cryptogram::{
    Algorithm, ArpcKey, CRYPTOGRAM_VERSIONS, CardKeyDerivation, CryptogramVersion, SessionKey,
};
use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgGroup};

/// A version, and the key that its calculations begin with.
pub(in crate::doors::cli::crypto) struct CardKey {
    /// The version; where the session's key was given, one without session keys.
    pub version: CryptogramVersion,
    /// The card's key, or the session's.
    pub key: Secret<[u8; 16]>,
    /// Whether it is the session's.
    pub is_session: bool,
}

/// `--cvn`, `--master-key`, `--card-key`, `--session-key`, `--pan` and `--psn`. `what`
/// says what the keys are for.
pub(in crate::doors::cli::crypto) fn arguments(line: clap::Command, what: &'static str) -> clap::Command {
    let names = CRYPTOGRAM_VERSIONS.iter().map(|row| word(row.name));
    line.arg(
        Arg::new("cvn")
            .long("cvn")
            .value_name("VERSION")
            .default_value("pboc-cvn-01")
            .ignore_case(true)
            .value_parser(PossibleValuesParser::new(names))
            .help("The cryptogram version: how keys, input and padding are chosen"),
    )
    .arg(key_argument("master-key", &format!("The issuer's master key for {what}")).requires("pan"))
    .arg(key_argument("card-key", &format!("The card's key for {what}, instead")))
    .arg(key_argument("session-key", "The session key itself, instead"))
    .group(ArgGroup::new("key").args(["master-key", "card-key", "session-key"]).required(true))
    .arg(pan_argument())
    .arg(psn_argument())
}

/// The version of `--cvn`.
fn version(call: &Call<'_>) -> Result<&'static CryptogramVersion, Failure> {
    let wanted = call.text("cvn").unwrap_or_default().to_lowercase();
    // clap has refused every other word.
    let row = CRYPTOGRAM_VERSIONS.iter().find(|row| word(row.name) == wanted);
    row.ok_or_else(|| Failure::Usage(format!("there is no cryptogram version {wanted}")))
}

/// A version's name as a word of the command line.
fn word(name: &str) -> String {
    name.to_lowercase().replace([' ', '/'], "-")
}

impl CardKey {
    /// Reads version and key; a derivation is told step by step.
    pub(in crate::doors::cli::crypto) fn of(call: &Call<'_>, steps: &mut Steps) -> Result<Self, Failure> {
        let version = *version(call)?;
        steps.text("cryptogram version", version.name);
        if let Some(key) = given::key_16(call, "session-key")? {
            let none = SessionKey::CardKey;
            let version = CryptogramVersion {
                ac_session_key: none,
                script_session_key: none,
                arpc_key: ArpcKey::Session,
                ..version
            };
            return Ok(Self { version, key, is_session: true });
        }
        if let Some(key) = given::key_16(call, "card-key")? {
            steps.hex("card key, check value", &version.key_check_value(key.expose()));
            return Ok(Self { version, key, is_session: false });
        }
        let master = needed(given::key_16(call, "master-key")?, "master-key", "for the card's key")?;
        let pan = needed(call.text("pan"), "pan", "with --master-key")?;
        let psn = given::psn(call)?.unwrap_or_default();
        let (option, x) = match version.card_key {
            CardKeyDerivation::OptionA => ("option A", crypto::option_a_input(pan, psn)),
            CardKeyDerivation::OptionB => ("option B", crypto::option_b_input(pan, psn)),
        };
        let x = x.map_err(usage)?;
        steps.hex("master key, check value", &version.key_check_value(master.expose()));
        steps.hex(format!("derivation input, {option}"), &x);
        let key = version.udk(master.expose(), pan, psn).map_err(usage)?;
        steps.hex("card key", key.expose());
        steps.hex("card key, check value", &version.key_check_value(key.expose()));
        Ok(Self { version, key, is_session: false })
    }

    /// Tells a session key and its check value, unless it was what was given.
    pub(in crate::doors::cli::crypto) fn tell_session(&self, steps: &mut Steps, key: &Secret<[u8; 16]>) {
        if !self.is_session && key != &self.key {
            steps.hex("session key", key.expose());
            steps.hex("session key, check value", &self.version.key_check_value(key.expose()));
        }
    }

    /// Bytes of a block of the version's cipher.
    pub(in crate::doors::cli::crypto) const fn block_bytes(&self) -> usize {
        match self.version.algorithm {
            Algorithm::TripleDes => 8,
            Algorithm::Sm4 => 16,
        }
    }
}

/// A calculation that refused its input: something was given wrongly.
pub(in crate::doors::cli::crypto) fn usage(cause: impl std::fmt::Display) -> Failure {
    Failure::Usage(cause.to_string())
}

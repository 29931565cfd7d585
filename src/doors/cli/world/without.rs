//! `--without RULE`, which both commands have.

use crate::doors::cli::shared::command::Call;
use crate::doors::cli::shared::failure::Failure;
use crate::world::Rule;
use clap::Arg;
use clap::builder::PossibleValuesParser;

/// The argument.
pub(in crate::doors::cli) fn without_argument() -> Arg {
    Arg::new("without")
        .long("without")
        .value_name("RULE")
        .value_parser(PossibleValuesParser::new(Rule::all().map(Rule::word)))
        .help("Switches one rule of recovery off, to see what goes wrong without it")
}

/// The rule that is switched off.
pub(in crate::doors::cli) fn without(call: &Call<'_>) -> Result<Option<Rule>, Failure> {
    let unknown = |word: &str| Failure::Usage(format!("expected a rule after --without, found {word:?}"));
    call.text("without").map(|word| Rule::from_word(word).ok_or_else(|| unknown(word))).transpose()
}

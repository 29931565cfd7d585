//! `--without RULE`, which the commands of `world` have, each with rules of its own.

use crate::doors::cli::shared::command::Call;
use crate::doors::cli::shared::failure::Failure;
use clap::Arg;
use clap::builder::PossibleValuesParser;

/// The argument, with the names of the rules.
pub(in crate::doors::cli) fn without_argument(words: impl Iterator<Item = &'static str>) -> Arg {
    Arg::new("without")
        .long("without")
        .value_name("RULE")
        .value_parser(PossibleValuesParser::new(words))
        .help("Switches one rule off, to see what goes wrong without it")
}

/// The rule that is switched off, by its name.
pub(in crate::doors::cli) fn without<R>(
    call: &Call<'_>,
    from_word: fn(&str) -> Option<R>,
) -> Result<Option<R>, Failure> {
    let unknown = |word: &str| {
        Failure::Usage(format!("expected a rule of what is played after --without, found {word:?}"))
    };
    call.text("without").map(|word| from_word(word).ok_or_else(|| unknown(word))).transpose()
}

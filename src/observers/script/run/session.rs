//! A conversation with a card, line by line as a person types it: what one line has found out,
//! the next one knows. An answer that is not 9000 is no failure here: nobody has said what to expect.

use super::case::{Chair, Player};
use super::evaluate::TroubleKind;
use super::outcome::{Failure, Moment};
use super::scope::{Knowledge, Scope};
use crate::base::context::Context;
use crate::observers::script::errand::Attendant;
use crate::observers::script::parse::{command_names, steps};
use crate::observers::script::problem::in_one_line;
use crate::observers::script::tree::Step;
use crate::world::Seat;

/// Somebody's turn at a card.
pub struct Session<'a> {
    player: Player<'a>,
}

/// What came of a line.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Said {
    /// What happened, in order.
    pub moments: Vec<Moment>,
    /// What was not as the line expects.
    pub failures: Vec<Failure>,
    /// Why the line ended early.
    pub trouble: Option<SessionTrouble>,
    /// Whether the line was `exit`.
    pub is_over: bool,
}

/// Why a line ended early.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SessionTrouble {
    /// It cannot be read, or not be worked out.
    #[error("{0}")]
    Line(String),
    /// The card cannot be reached.
    #[error("{0}")]
    Card(String),
    /// The command would do more to the card than is allowed.
    #[error("{0}")]
    Refused(String),
}

impl<'a> Session<'a> {
    /// A conversation with the card of a seat.
    pub fn new(seat: &'a mut Seat, attendant: &'a dyn Attendant, context: &'a mut Context) -> Self {
        let known = Knowledge::new(seat.data.clone(), seat.default_ddol.clone());
        let scope = Scope { known, context };
        Self { player: Player::new(&[], None, scope, Chair::Terminal(seat), attendant) }
    }

    /// Does what a line says.
    pub fn line(&mut self, text: &str) -> Said {
        let statements = match steps(&spelt(text), None, None) {
            Ok(statements) => statements,
            Err(errors) => {
                let first = errors.into_iter().next();
                let why = first.map(|error| in_one_line(&error.problem, error.hint.as_deref()));
                let trouble =
                    SessionTrouble::Line(why.unwrap_or_else(|| "expected a line of a script".into()));
                return Said { trouble: Some(trouble), ..Said::default() };
            }
        };
        let mut said = Said::default();
        for statement in &statements {
            let played = self.player.statements(std::slice::from_ref(statement));
            if matches!(statement.step, Step::Command(_)) {
                self.player.failures.clear();
            }
            match played {
                Ok(flow) => said.is_over = flow.is_break() && matches!(statement.step, Step::Exit),
                Err(trouble) => {
                    said.trouble = Some(match trouble.kind {
                        TroubleKind::Unreachable => SessionTrouble::Card(trouble.reason),
                        TroubleKind::Refused => SessionTrouble::Refused(trouble.reason),
                        _ => SessionTrouble::Line(trouble.reason),
                    });
                    break;
                }
            }
        }
        // A conversation has no end of steps.
        self.player.begin_anew();
        said.moments = std::mem::take(&mut self.player.moments);
        said.failures = std::mem::take(&mut self.player.failures);
        said
    }
}

/// The same line as scripts have it: its command in capitals, a name such as 2PAY.SYS.DDF01 in
/// quotes.
fn spelt(text: &str) -> String {
    let line = text.trim();
    let begins = |name: &&str| {
        let rest = line.get(..name.len()).filter(|begin| begin.eq_ignore_ascii_case(name));
        rest.is_some() && line[name.len()..].chars().next().is_none_or(char::is_whitespace)
    };
    let longest = command_names().map(|row| row.0).filter(begins).max_by_key(|name| name.len());
    let Some(name) = longest else { return line.to_owned() };
    let words = line[name.len()..].split_inclusive(char::is_whitespace);
    std::iter::once(name.to_owned()).chain(words.map(quoted)).collect()
}

/// A word with what stands behind it, in quotes where it holds a point between letters: neither bytes
/// nor an amount do.
fn quoted(word: &str) -> String {
    let name = word.trim_end();
    let is_name = name.contains('.')
        && name.contains(|letter: char| letter.is_ascii_alphabetic())
        && name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '.');
    if is_name { format!("\"{name}\"{}", &word[name.len()..]) } else { word.to_owned() }
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_line_is_spelt_as_scripts_have_it() {
        for (typed, spelt) in [
            ("select 2PAY.SYS.DDF01", "SELECT \"2PAY.SYS.DDF01\""),
            ("Select 1PAY.SYS.DDF01  next", "SELECT \"1PAY.SYS.DDF01\"  next"),
            ("select \"2PAY.SYS.DDF01\"", "SELECT \"2PAY.SYS.DDF01\""),
            ("select A000000333", "SELECT A000000333"),
            ("gpo amount=12.50", "GPO amount=12.50"),
            ("expect 84 = PAY.SZT", "expect 84 = PAY.SZT"),
        ] {
            assert_eq!(super::spelt(typed), spelt);
        }
    }
}

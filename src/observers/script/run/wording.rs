//! Expectations in words, as the script writes them: the values of variables are card
//! data, and stay out.

use crate::observers::script::pattern::shown_part;
use crate::observers::script::tree::{Expression, Node, PatternPart, Test};

/// An expectation in words.
pub(super) fn described(test: &Test) -> String {
    let list = |values: &[Expression]| values.iter().map(written).collect::<Vec<_>>().join(", ");
    match test {
        Test::Compare(sign, value) => format!("{} {}", sign.sign(), written(value)),
        Test::Between(from, to) => format!("between {} and {}", written(from), written(to)),
        Test::OneOf(values) => format!("one of {}", list(values)),
        Test::Like(parts) => {
            let part = |part: &PatternPart| match part {
                PatternPart::Fixed(part) => shown_part(part),
                PatternPart::Value(value) => written(value),
            };
            parts.iter().map(part).collect::<Vec<_>>().join(" ")
        }
        Test::Matches(regex) => format!("matches /{regex}/"),
        Test::Bit { byte, bit, words, set } => {
            let verb = if *set { "has" } else { "lacks" };
            format!("{verb} {words:?} (byte {byte} bit {bit})")
        }
        Test::Outcome(wanted) => wanted.iter().map(|row| row.words).collect::<Vec<_>>().join(" or "),
        Test::Exists(false) => "it is absent".into(),
        Test::Status(_) | Test::StatusOf(_) | Test::Exists(true) => "it is there".into(),
    }
}

fn written(expression: &Expression) -> String {
    match &expression.node {
        Node::Literal(value) => value.to_string(),
        Node::Variable(name) => format!("${name}"),
        Node::Call(function, _) => format!("{}(..)", function.name),
        Node::Add(left, right) => format!("{} + {}", written(left), written(right)),
        Node::Subtract(left, right) => format!("{} - {}", written(left), written(right)),
    }
}

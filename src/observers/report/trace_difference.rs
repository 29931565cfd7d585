//! What two recordings say differently, side by side below each other. Nothing is
//! compared here.

use super::explain::visible;
use crate::air::trace::{Difference, Fact};
use serde_json::{Value, json};

/// The format's name.
pub(super) const NAME: &str = "trace_difference";

/// The differences as text; the exchange or event stands above what differs in it.
pub fn trace_difference_text(differences: &[Difference]) -> String {
    if differences.is_empty() {
        return "The two recordings say the same.\n".to_owned();
    }
    let mut out = String::new();
    let mut place = None;
    for difference in differences {
        if place != Some(&difference.place) || difference.path.is_empty() {
            let gap = if place.is_some() { "\n" } else { "" };
            out.push_str(&format!("{gap}{}\n", visible(&difference.place)));
            place = Some(&difference.place);
        }
        if !difference.path.is_empty() {
            out.push_str(&format!("  {}\n", visible(&difference.path)));
        }
        for (side, fact) in [("A", &difference.left), ("B", &difference.right)] {
            out.push_str(&format!("    {side}  {}\n", visible(&words(fact.as_ref()))));
        }
    }
    out
}

/// The differences as data.
pub fn trace_difference_json(differences: &[Difference]) -> Value {
    let fact =
        |fact: &Option<Fact>| fact.as_ref().map(|fact| json!({ "value": fact.value, "meaning": fact.words }));
    let one = |difference: &Difference| {
        json!({
            "place": difference.place,
            "path": difference.path,
            "a": fact(&difference.left),
            "b": fact(&difference.right),
        })
    };
    differences.iter().map(one).collect()
}

fn words(fact: Option<&Fact>) -> String {
    match fact {
        None => "(not there)".to_owned(),
        Some(Fact { value, words }) if words.is_empty() => value.clone(),
        Some(Fact { value, words }) if value.is_empty() => words.clone(),
        Some(Fact { value, words }) => format!("{value} = {words}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_sides_stand_below_each_other() {
        let fact = |value: &str, words: &str| Some(Fact { value: value.into(), words: words.into() });
        let difference =
            |path: &str, left, right| Difference { place: "GET DATA".into(), path: path.into(), left, right };
        let two = [
            difference("9F79 Balance", fact("01", "1"), fact("02", "2")),
            difference("status word", fact("9000", ""), None),
        ];
        let expected = "\
GET DATA
  9F79 Balance
    A  01 = 1
    B  02 = 2
  status word
    A  9000
    B  (not there)
";
        assert_eq!(trace_difference_text(&two), expected);
        assert_eq!(trace_difference_json(&two)[1]["b"], Value::Null);
        assert!(trace_difference_text(&[]).contains("the same"));
    }
}

//! A gate's book: its rides, how each stands, and which are charged together.

use super::shared::values::pan;
use crate::devices::gate::{Charged, KeptRide, StateSum};
use serde_json::{Value, json};
use std::fmt::Write;

/// The format's name.
pub(super) const NAME: &str = "gate book";

/// The rides as a table, and what stands how in all.
pub fn gate_book_text(rides: &[KeptRide], sums: &[StateSum], unmask: bool) -> String {
    let mut out = String::new();
    for ride in rides {
        let (batch, trace) = ride.trace;
        let by = if ride.is_purse { "purse" } else { "bank card" };
        let code = if ride.code.is_empty() { String::new() } else { format!(" ({})", ride.code) };
        // A String takes everything.
        let _ = writeln!(
            out,
            "{batch:06}/{trace:06}  {}  {by:9}  {}  {:>10}  {}{code}{}",
            ride.at,
            pan(&ride.pan, unmask),
            ride.amount.to_string(),
            ride.state,
            charged(&ride.charged)
        );
    }
    for StateSum { state, rides, sum } in sums {
        let _ = writeln!(out, "{state}: {}, {sum}", count(*rides));
    }
    out
}

fn charged(charged: &Charged) -> String {
    match charged {
        Charged::Alone => String::new(),
        Charged::With((batch, trace)) => format!(", charged with {batch:06}/{trace:06}"),
        Charged::Together { rides, sum, nominal, is_held, ends_at } => {
            let held = if *is_held { "held" } else { "to be held" };
            let until = ends_at.map(|at| format!(" until {at} UTC")).unwrap_or_default();
            format!(", {} of {sum} together{until}, {nominal} {held}", count(*rides))
        }
    }
}

fn count(rides: u64) -> String {
    if rides == 1 { "1 ride".into() } else { format!("{rides} rides") }
}

/// The same as data.
pub fn gate_book_json(rides: &[KeptRide], sums: &[StateSum], unmask: bool) -> Value {
    let number = |(batch, trace): (u32, u32)| json!({ "batch": batch, "trace": trace });
    let ride = |ride: &KeptRide| {
        let (with, together) = match ride.charged {
            Charged::Alone => (None, None),
            Charged::With(lead) => (Some(number(lead)), None),
            Charged::Together { rides, sum, nominal, is_held, ends_at } => {
                let ends_at = ends_at.map(|at| at.to_string());
                let together = json!({
                    "rides": rides, "sum_minor": sum.minor, "nominal_minor": nominal.minor,
                    "is_held": is_held, "ends_at": ends_at
                });
                (None, Some(together))
            }
        };
        json!({
            "batch": ride.trace.0,
            "trace": ride.trace.1,
            "at": ride.at.to_string(),
            "pan": pan(&ride.pan, unmask),
            "amount_minor": ride.amount.minor,
            "currency": ride.amount.currency.to_string(),
            "state": ride.state.word(),
            "code": ride.code,
            "purse": ride.is_purse,
            "charged_with": with,
            "charged_together": together,
        })
    };
    let sum = |StateSum { state, rides, sum }: &StateSum| {
        json!({
            "state": state.word(), "rides": rides, "minor": sum.minor, "currency": sum.currency.to_string()
        })
    };
    json!({ "rides": rides.iter().map(ride).collect::<Vec<_>>(), "standing": sums.iter().map(sum).collect::<Vec<_>>() })
}

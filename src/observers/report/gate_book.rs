//! A gate's book: its rides, how each stands, and which are charged together.

use super::shared::values::pan;
use crate::devices::gate::{Charged, KeptRide, Standing, TapState};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt::Write;

/// The format's name.
pub(super) const NAME: &str = "gate book";

/// The rides as a table, and what stands how in all.
pub fn gate_book_text(rides: &[KeptRide], standing: &BTreeMap<TapState, Standing>, unmask: bool) -> String {
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
    for (state, Standing { taps, minor }) in standing {
        let _ = writeln!(out, "{state}: {taps} rides, {minor} minor units");
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
            format!(", {rides} rides of {sum} together{until}, {nominal} {held}")
        }
    }
}

/// The same as data.
pub fn gate_book_json(rides: &[KeptRide], standing: &BTreeMap<TapState, Standing>, unmask: bool) -> Value {
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
    let standing = standing.iter().map(
        |(state, Standing { taps, minor })| json!({ "state": state.word(), "rides": taps, "minor": minor }),
    );
    json!({ "rides": rides.iter().map(ride).collect::<Vec<_>>(), "standing": standing.collect::<Vec<_>>() })
}

//! `date`: the day by the case's clock, as tag 9A has it.

use crate::observers::script::function_row::{Function, count};
use crate::observers::script::value::Value;

/// Most days ahead: a hundred years.
const DAYS: usize = 36_525;

pub(super) const FUNCTION: Function = Function {
    name: "date",
    usage: "date(days?)",
    about: "today as YYMMDD, or so many days later",
    least: 0,
    most: 1,
    call: |arguments, surroundings| {
        let days = arguments.first().map_or(Ok(0), |days| count(days, "days", DAYS))?;
        Ok(Value::Bytes(surroundings.date(days as u32).to_vec()))
    },
};

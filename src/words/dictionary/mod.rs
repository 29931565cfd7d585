//! The dictionary: every data element, tagged or not, with name, source, format,
//! length, sensitivity and bit table. No behaviour may enter.

pub mod mastercard;
mod row;
mod rows;

pub use row::{Format, Row, Sensitivity, Source};
pub use rows::{NAMED, TAGGED, tag};

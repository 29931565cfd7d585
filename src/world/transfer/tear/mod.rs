//! The tear test of a transfer: parts two phones at every byte of a touch, silences a host, or
//! stops a phone, and looks whether the money has moved once, for both or for neither.

mod case;
mod report;
mod run;

pub use case::{TouchAfterwards, TouchCase, TouchKind};
pub use report::{TouchReport, TouchRow};
pub use run::{TouchSettings, tear};

//! Where a gate stands. What is paid there may not enter.

use serde::Deserialize;

/// Where a gate stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LineKind {
    /// On a bus: one tap is the ride.
    #[default]
    Bus,
    /// Where riders of a metro go in.
    Entry,
    /// Where they come out.
    Exit,
}

//! Every check, one after the other.

use super::{CHECKS, Finding, Surroundings};

/// Everything that is found.
pub fn diagnose(surroundings: &Surroundings) -> Vec<Finding> {
    CHECKS.iter().flat_map(|check| check(surroundings)).collect()
}

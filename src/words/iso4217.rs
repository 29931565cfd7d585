//! Currencies and amounts.

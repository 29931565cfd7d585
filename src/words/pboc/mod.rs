//! PBOC / JR/T 0025: electronic cash, its second currency, logs, issuer
//! application data, and the purse formulas of its first edition.

pub mod idd_mac;
pub mod purse;

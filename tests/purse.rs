//! Purses (PBOC ED/EP): card, terminal with its security module, issuer.

mod cities;
#[cfg(target_os = "linux")]
mod desk;
mod flows;
mod malformed;
mod reachable;
mod status_words;

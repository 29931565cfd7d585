//! Purses (PBOC ED/EP): card, terminal with its security module, issuer.

#[cfg(target_os = "linux")]
mod choice;
mod cities;
#[cfg(target_os = "linux")]
mod desk;
mod flows;
mod malformed;
mod reachable;
mod status_words;

//! Purses (PBOC ED/EP): card, terminal with its security module, issuer.

#[cfg(target_os = "linux")]
mod desk;
mod flows;
mod status_words;

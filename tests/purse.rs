//! Purses (PBOC ED/EP): card, terminal with its security module, issuer.

mod cities;
mod flows;
mod malformed;
mod status_words;

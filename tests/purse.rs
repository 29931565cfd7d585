//! Purses (PBOC ED/EP): card, terminal with its security module, issuer.

mod flows;
mod status_words;

//! Who speaks: terminal, card, issuer, token service, NFC peer, bureau. Roles never import one another;
//! they meet through the traits of `words` and `air`.

pub mod bureau;
pub mod card;
pub mod issuer;
pub mod p2p;
pub mod terminal;
pub mod token;

//! What carries words: links to cards, hosts, recordings. Nobody here knows what
//! a payment is for.

pub mod host;
pub mod link;
pub mod trace;

//! What a card is, without a transaction: SELECT, GET DATA, READ RECORD. Never GET
//! PROCESSING OPTIONS unless asked, because that spends a transaction counter.

mod application;
mod balance;
mod facts;
mod survey;

pub use balance::quick_balance;
pub use facts::{
    ApplicationFacts, CardFacts, CardKind, EcashFacts, Fact, LoadFact, PaymentFact, SegmentFacts,
};
pub use survey::{Depth, read};

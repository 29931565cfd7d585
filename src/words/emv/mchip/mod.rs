//! What an M/Chip card tells its issuer and decides by: issuer application data, card
//! verification results, the response code of an ARPC. Only what public sources have
//! (openemv/emv-utils, public tag lists); no keys and no decisions.

mod cvr;
mod iad;
mod response_code;

pub use cvr::{ApplicationControl, Cvr};
pub use iad::{Counters, Iad};
pub use response_code::{CounterUpdate, ResponseBits, ResponseCode};

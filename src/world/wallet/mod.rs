//! The phone on the stage: opens it, and plays its accounts between the phone, the
//! issuer and a terminal. What the phone is by itself is in `devices`.

mod open;

pub use open::{WALLET_DB, make_wallet, open_wallet, wallet_file};

//! The phone on the stage: opens it, and plays its accounts between the phone, the
//! issuer and a terminal. What the phone is by itself is in `devices`.

mod ecash;
mod open;

pub use ecash::{Closed, NewEcash, begin_closing, close_ecash, open_ecash};
pub use open::{WALLET_DB, make_wallet_folder, new_wallet, open_wallet, wallet_file};

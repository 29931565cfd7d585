//! The phone: a simulated secure element with several cards, a default card, a lock
//! with device CVM, express transit mode. Nothing of a terminal's counter or of the
//! issuer's books may enter.

mod card;
mod error;
mod handle;
mod phone;
mod schema;
mod state;

pub use card::{CardKind, WalletCard};
pub use error::WalletError;
pub use handle::{CARDS, Wallet};
pub use phone::{DEFAULT_PASSCODE, Phone, Unlocked};
pub use state::CardState;

//! The phone: a simulated secure element with several cards, a default card, a lock
//! with device CVM, express transit mode. Nothing of a terminal's counter or of the
//! issuer's books may enter.

mod card;
mod error;
mod handle;
pub mod life;
mod phone;
mod provisioning;
mod schema;
mod state;
mod token;

pub use card::{CardKind, WalletCard};
pub use error::WalletError;
pub use handle::{CARDS, Wallet};
pub use phone::{DEFAULT_PASSCODE, Phone, Unlocked};
pub use provisioning::{Added, Applicant, NewToken, Provisioning, resend_code};
pub use state::CardState;
pub use token::{DirectWire, TokenCard, Wire};

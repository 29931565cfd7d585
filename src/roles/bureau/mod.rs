//! The personalisation bureau: key sets, the test certification authority, and the
//! data of a new card. What it makes reaches the other roles as data.

mod authority;
mod authority_text;
mod certificates;
mod error;
mod key_set;
mod token_card;

pub use authority::{Authority, AuthorityTerms};
pub use certificates::{CardCertificates, CertificateOrder};
pub use error::BureauError;
pub use key_set::KeySet;
pub use token_card::{TokenBureau, identifier};

//! A certification set on a product: which cases apply, what came of each, and the folder
//! that proves it. It says what ran and claims nothing beyond; how a case is played, and
//! what a product is, is known elsewhere.

mod catalogue;
mod chain;
mod evidence;
mod needs;
mod question;
mod questionnaire;
mod run;
mod session;
mod set;
mod verify;

pub use catalogue::{Criterion, Entry, Product, catalogue};
pub use question::{BENCH, QUESTIONS, Question};
pub use questionnaire::{About, Questionnaire, questionnaire_text};
pub use run::{Sitting, Told, certify};
pub use session::{Kept, Session};
pub use set::shipped_scripts;
pub use verify::{Verified, verify};

//! Reconciliation of the books with another's statement, keyed by date, trace and
//! channel, never by account. No table or file is drawn here: rows go out.

mod book;
mod format;
mod matching;
mod ours;
mod record;
mod sort;

pub use format::{STATEMENTS, StatementFormat};
pub use matching::{Outcome, ReconciledRow, Totals};
pub use record::{BadLine, Key, ReconciliationError};

pub use book::{Listener, Progress, Terms};

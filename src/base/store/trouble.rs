//! What a PostgreSQL server refuses or leaves open, and what follows from it: run the
//! work again, or tell the caller, and never the values.

use super::StoreError;
use postgres::config::{Config, Host};
use postgres::error::SqlState;

/// What broke an attempt, and so what follows.
#[derive(Debug, Clone)]
pub(super) enum Trouble {
    /// Undone because of another writer.
    Conflict(StoreError),
    /// The connection ended before the commit was sent: undone.
    Lost(StoreError),
    /// The connection ended during the commit.
    Unknown(StoreError),
    /// Undone, and it would be again.
    Refused(StoreError),
}

impl Trouble {
    pub(super) fn of_connecting(error: postgres::Error) -> Self {
        let told = StoreError::Statement { cause: told(&error) };
        match error.code() {
            // Starting up, shutting down, out of connections: it may pass.
            Some(code) if is_end(code) || *code == SqlState::TOO_MANY_CONNECTIONS => Self::Lost(told),
            Some(_) => Self::Refused(told),
            None => Self::Lost(told),
        }
    }

    pub(super) fn of_statement(error: postgres::Error) -> Self {
        let told = StoreError::Statement { cause: told(&error) };
        let Some(refusal) = error.as_db_error() else {
            // Without a word from the server: it is gone, unless the values were at fault.
            return if error.is_closed() || is_io(&error) { Self::Lost(told) } else { Self::Refused(told) };
        };
        let code = refusal.code();
        let tables_just_made = [SqlState::DUPLICATE_TABLE, SqlState::DUPLICATE_OBJECT].contains(code)
            || (*code == SqlState::UNIQUE_VIOLATION && refusal.schema() == Some("pg_catalog"));
        match code.code() {
            _ if is_end(code) => Self::Lost(told),
            text if text.starts_with("40") || tables_just_made => Self::Conflict(told),
            _ => Self::Refused(told),
        }
    }

    pub(super) fn of_commit(error: postgres::Error) -> Self {
        let cause = told(&error);
        match error.code() {
            // 40003 is what distributed databases say when they do not know.
            Some(code) if is_end(code) || *code == SqlState::T_R_STATEMENT_COMPLETION_UNKNOWN => {
                Self::Unknown(StoreError::CommitUnknown { cause })
            }
            Some(_) => Self::of_statement(error),
            None => Self::Unknown(StoreError::CommitUnknown { cause }),
        }
    }

    pub(super) fn error(self) -> StoreError {
        match self {
            Self::Conflict(error) | Self::Lost(error) | Self::Unknown(error) | Self::Refused(error) => error,
        }
    }
}

/// Why a server could not be opened, without user and password.
pub(super) fn open_error(config: &Config, trouble: Trouble) -> StoreError {
    let host = match config.get_hosts().first() {
        Some(Host::Tcp(name)) => name.clone(),
        #[cfg(unix)]
        Some(Host::Unix(folder)) => folder.display().to_string(),
        None => "localhost".into(),
    };
    let cause = match trouble.error() {
        StoreError::Statement { cause } => cause,
        other => other.to_string(),
    };
    let database = config.get_dbname().unwrap_or_default();
    StoreError::Open { name: format!("postgres://{host}/{database}"), cause }
}

/// Whether the code ends the connection: class 08, and the server going or not there yet.
fn is_end(code: &SqlState) -> bool {
    code.code().starts_with("08") || code.code().starts_with("57P")
}

fn is_io(error: &postgres::Error) -> bool {
    std::error::Error::source(error).is_some_and(|cause| cause.is::<std::io::Error>())
}

/// An error in words, without the values of the statement: a refusal's message is told
/// only where its class never holds any, its detail never.
fn told(error: &postgres::Error) -> String {
    let Some(refusal) = error.as_db_error() else {
        let cause = std::error::Error::source(error).map(|cause| format!(": {cause}"));
        return format!("{error}{}", cause.unwrap_or_default());
    };
    let code = refusal.code().code();
    let mut text = format!("SQLSTATE {code}");
    if ["08", "0A", "25", "28", "3D", "40", "42", "53", "55", "57"]
        .iter()
        .any(|class| code.starts_with(class))
    {
        text = format!("{text}, {}", refusal.message());
    }
    for (what, name) in
        [("table", refusal.table()), ("column", refusal.column()), ("constraint", refusal.constraint())]
    {
        if let Some(name) = name {
            text = format!("{text}, {what} {name}");
        }
    }
    text
}

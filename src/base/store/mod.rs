//! The door to SQL: the trait [`Db`], its engines, migrations, sealed columns.
//! No table of anyone may enter: who owns rows owns their schema.

mod db;
mod group;
#[cfg(feature = "postgres")]
mod postgres;
mod sealed;
mod sqlite;
#[cfg(feature = "postgres")]
mod trouble;

pub use db::{Db, Decision, Migration, Row, StoreError, Tx, Value, migrate, transact};
#[cfg(feature = "postgres")]
pub use postgres::{Isolation, Postgres};
pub use sealed::{SealKey, Sealed, SealedError};
pub use sqlite::Sqlite;

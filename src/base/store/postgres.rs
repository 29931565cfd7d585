//! The server engine: PostgreSQL 15 or what speaks its protocol. A handle is a
//! connection; writers that collide are run again.

use super::trouble::{Trouble, open_error};
use super::{Db, Decision, Row, StoreError, Tx, Value};
use postgres::config::Config;
use postgres::types::{IsNull, ToSql, Type, private::BytesMut, to_sql_checked};
use postgres::{Client, IsolationLevel, NoTls, Statement, Transaction};
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// How long work that collided with other writers waits, all waits together, until the
/// collision is an error. By time and not by number: where many collide, each tries often.
const CONFLICT_PATIENCE: Duration = Duration::from_secs(30);
/// The longest of these waits.
const CONFLICT_WAIT: Duration = Duration::from_millis(100);
/// How long the same work waits, all waits together, for a connection made anew: a server
/// that crashed has recovered by then.
const LOSS_PATIENCE: Duration = Duration::from_secs(20);
/// The longest of these waits.
const LOSS_WAIT: Duration = Duration::from_secs(1);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// A server that does not acknowledge for so long is gone.
const SILENCE_TIMEOUT: Duration = Duration::from_secs(30);
/// Statements kept prepared on a connection.
const STATEMENTS: usize = 256;
/// Nobody waits for a lock for ever, nor holds one from the grave. A server that has no
/// such setting is used without. A commit that a power cut undoes is no commit.
const SETTINGS: &[&str] = &[
    "SET lock_timeout = '10s'",
    "SET idle_in_transaction_session_timeout = '60s'",
    "SELECT set_config('synchronous_commit', 'on', false) \
     WHERE current_setting('synchronous_commit', true) = 'off'",
];
/// A small table is read whole sooner than through its index, and who has read it whole
/// collides with every writer to any of its rows. The price that this puts on reading a
/// whole table would have every sum compiled first.
const SETTINGS_SERIALIZABLE: &[&str] = &["SET enable_seqscan = off", "SET jit = off"];

/// How strictly the server keeps transactions apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Isolation {
    /// Each statement sees what is committed; the locks that the work takes do the
    /// rest. The default.
    #[default]
    ReadCommitted,
    /// As if one after another: what PostgreSQL-compatible distributed databases offer.
    Serializable,
}

/// A store on a PostgreSQL server.
pub struct Postgres {
    config: Config,
    isolation: Isolation,
    session: Option<Session>,
    /// Draws waits, from another seed for each handle of each process, so that two that
    /// collide do not wait in step.
    dice: u64,
}

/// A connection and the statements that the server has prepared for it.
struct Session {
    client: Client,
    statements: HashMap<String, Vec<(Vec<Type>, Statement)>>,
}

impl Postgres {
    /// Connects to `postgres://USER:PASSWORD@HOST:PORT/DATABASE?...`, or to a socket with
    /// `postgres:///DATABASE?host=FOLDER`. Beside the parameters of libpq there is
    /// `isolation=serializable` (else `read-committed`).
    ///
    /// # Errors
    /// [`StoreError::Open`], which never shows the password.
    pub fn open(address: &str) -> Result<Self, StoreError> {
        let (address, isolation) = take_isolation(address)?;
        let mut config: Config = address.parse().map_err(|error: postgres::Error| StoreError::Open {
            name: "postgres://...".into(),
            cause: format!("expected postgres://USER@HOST:PORT/DATABASE, found another form: {error}"),
        })?;
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(CONNECT_TIMEOUT);
        }
        if config.get_tcp_user_timeout().is_none() {
            config.tcp_user_timeout(SILENCE_TIMEOUT);
        }
        if config.get_application_name().is_none() {
            config.application_name("cardwright");
        }
        config.keepalives_idle(SILENCE_TIMEOUT);
        Self::connect(config, isolation)
    }

    fn connect(config: Config, isolation: Isolation) -> Result<Self, StoreError> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let dice = u64::from(std::process::id()) << 32 | number;
        let mut own = Self { config, isolation, session: None, dice };
        match own.session() {
            Ok(_) => Ok(own),
            Err(trouble) => Err(open_error(&own.config, trouble)),
        }
    }

    /// The connection, made anew where it was lost.
    fn session(&mut self) -> Result<&mut Session, Trouble> {
        if self.session.as_ref().is_none_or(|session| session.client.is_closed()) {
            self.session = None;
            let mut client = self.config.connect(NoTls).map_err(Trouble::of_connecting)?;
            let strict = match self.isolation {
                Isolation::ReadCommitted => &[],
                Isolation::Serializable => SETTINGS_SERIALIZABLE,
            };
            for setting in SETTINGS.iter().chain(strict) {
                match client.batch_execute(setting) {
                    Err(error) if error.as_db_error().is_none() => return Err(Trouble::of_connecting(error)),
                    _ => {}
                }
            }
            self.session = Some(Session { client, statements: HashMap::new() });
        }
        let none = || Trouble::Lost(StoreError::Statement { cause: "no connection".into() });
        self.session.as_mut().ok_or_else(none)
    }

    /// Runs the work once.
    fn attempt(
        &mut self,
        work: &mut dyn FnMut(&mut dyn Tx) -> Result<Decision, StoreError>,
    ) -> Result<(), Trouble> {
        let level = match self.isolation {
            Isolation::ReadCommitted => IsolationLevel::ReadCommitted,
            Isolation::Serializable => IsolationLevel::Serializable,
        };
        let Session { client, statements } = self.session()?;
        let begun = client.build_transaction().isolation_level(level).start();
        let transaction = begun.map_err(Trouble::of_statement)?;
        let mut open = Open { transaction, statements, trouble: None, wrote: false };
        let decision = work(&mut open);
        let Open { transaction, trouble, wrote, .. } = open;
        match (trouble, decision) {
            // Whatever the work made of the error, the server has given it up.
            (Some(trouble), _) => {
                drop(transaction);
                Err(trouble)
            }
            (None, Ok(Decision::Commit)) => transaction.commit().map_err(|error| {
                let trouble = Trouble::of_commit(error);
                match trouble {
                    // Nothing was written, so nothing can have been kept.
                    Trouble::Unknown(error) if !wrote => Trouble::Lost(error),
                    trouble => trouble,
                }
            }),
            (None, Ok(Decision::Rollback)) => {
                // Undone either way, should the connection end here.
                drop(transaction);
                Ok(())
            }
            (None, Err(error)) => Err(Trouble::Refused(error)),
        }
    }

    /// Waits before another attempt, at most `longest` and a little longer each time.
    fn wait(&mut self, retries: &mut Retries, unit: Duration, longest: Duration) {
        retries.count += 1;
        let longest = (unit * (1 << retries.count.min(16))).min(longest);
        // SplitMix64.
        self.dice = self.dice.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.dice;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        // Between an eighth of it and all.
        let eighths = 1024 + (mixed >> 51) as u32 % 7168;
        let wait = longest / 8192 * eighths;
        std::thread::sleep(wait);
        retries.waited += wait;
    }
}

/// How often work was run again for one cause, and how long it has waited for that.
#[derive(Default)]
struct Retries {
    count: u32,
    waited: Duration,
}

impl Db for Postgres {
    fn run(
        &mut self,
        work: &mut dyn FnMut(&mut dyn Tx) -> Result<Decision, StoreError>,
    ) -> Result<(), StoreError> {
        let (mut conflicts, mut losses) = (Retries::default(), Retries::default());
        loop {
            match self.attempt(work) {
                Ok(()) => return Ok(()),
                Err(Trouble::Conflict(_)) if conflicts.waited < CONFLICT_PATIENCE => {
                    self.wait(&mut conflicts, Duration::from_micros(500), CONFLICT_WAIT);
                }
                Err(Trouble::Lost(_)) if losses.waited < LOSS_PATIENCE => {
                    self.session = None;
                    self.wait(&mut losses, Duration::from_millis(20), LOSS_WAIT);
                }
                Err(trouble) => {
                    if !matches!(trouble, Trouble::Refused(_) | Trouble::Conflict(_)) {
                        self.session = None;
                    }
                    return Err(trouble.error());
                }
            }
        }
    }

    fn handle(&self) -> Result<Box<dyn Db>, StoreError> {
        Ok(Box::new(Self::connect(self.config.clone(), self.isolation)?))
    }
}

struct Open<'a> {
    transaction: Transaction<'a>,
    statements: &'a mut HashMap<String, Vec<(Vec<Type>, Statement)>>,
    /// The first error: the server undoes everything from there.
    trouble: Option<Trouble>,
    wrote: bool,
}

impl Open<'_> {
    fn prepared(&mut self, sql: &str, values: &[Value]) -> Result<Statement, postgres::Error> {
        let types: Vec<Type> = values.iter().map(type_of).collect();
        let known = self.statements.get(sql).and_then(|all| all.iter().find(|(known, _)| *known == types));
        if let Some((_, statement)) = known {
            return Ok(statement.clone());
        }
        let statement = self.transaction.prepare_typed(sql, &types)?;
        if self.statements.len() >= STATEMENTS {
            self.statements.clear();
        }
        self.statements.entry(sql.to_owned()).or_default().push((types, statement.clone()));
        Ok(statement)
    }

    fn asked<T>(
        &mut self,
        sql: &str,
        values: &[Value],
        ask: impl FnOnce(&mut Transaction<'_>, &Statement, &[&(dyn ToSql + Sync)]) -> Result<T, postgres::Error>,
    ) -> Result<T, StoreError> {
        if let Some(trouble) = &self.trouble {
            return Err(trouble.clone().error());
        }
        let parameters: Vec<&(dyn ToSql + Sync)> = values.iter().map(|value| value as _).collect();
        let asked = match self.prepared(sql, values) {
            Ok(statement) => ask(&mut self.transaction, &statement, &parameters),
            Err(error) => Err(error),
        };
        asked.map_err(|error| {
            let trouble = Trouble::of_statement(error);
            self.trouble = Some(trouble.clone());
            trouble.error()
        })
    }
}

impl Tx for Open<'_> {
    fn execute(&mut self, sql: &str, values: &[Value]) -> Result<u64, StoreError> {
        self.wrote = true;
        self.asked(sql, values, |transaction, statement, values| transaction.execute(statement, values))
    }

    fn query(&mut self, sql: &str, values: &[Value]) -> Result<Vec<Row>, StoreError> {
        let rows =
            self.asked(sql, values, |transaction, statement, values| transaction.query(statement, values))?;
        rows.iter().map(row).collect()
    }

    fn query_locked(&mut self, sql: &str, values: &[Value]) -> Result<Vec<Row>, StoreError> {
        // The weaker lock lets rows that refer to this one come and go.
        self.query(&format!("{sql} FOR NO KEY UPDATE"), values)
    }

    fn query_unclaimed(&mut self, sql: &str, values: &[Value]) -> Result<Vec<Row>, StoreError> {
        self.query(&format!("{sql} FOR NO KEY UPDATE SKIP LOCKED"), values)
    }
}

/// Takes our own parameter out of an address.
fn take_isolation(address: &str) -> Result<(String, Isolation), StoreError> {
    let Some((head, parameters)) = address.split_once('?') else {
        return Ok((address.to_owned(), Isolation::default()));
    };
    let mut isolation = Isolation::default();
    let mut rest = Vec::new();
    for parameter in parameters.split('&') {
        match parameter.strip_prefix("isolation=") {
            Some("read-committed") => isolation = Isolation::ReadCommitted,
            Some("serializable") => isolation = Isolation::Serializable,
            Some(other) => {
                return Err(StoreError::Open {
                    name: "postgres://...".into(),
                    cause: format!("expected isolation=read-committed or serializable, found {other}"),
                });
            }
            None => rest.push(parameter),
        }
    }
    let mark = if rest.is_empty() { "" } else { "?" };
    Ok((format!("{head}{mark}{}", rest.join("&")), isolation))
}

fn type_of(value: &Value) -> Type {
    match value {
        // The column says what it is a NULL of.
        Value::Null => Type::UNKNOWN,
        Value::Int(_) => Type::INT8,
        Value::Text(_) => Type::TEXT,
        Value::Bytes(_) => Type::BYTEA,
    }
}

impl ToSql for Value {
    fn to_sql(
        &self,
        ty: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        match self {
            Self::Null => Ok(IsNull::Yes),
            Self::Int(value) => value.to_sql(ty, out),
            Self::Text(value) => value.to_sql(ty, out),
            Self::Bytes(value) => value.to_sql(ty, out),
        }
    }

    // The statement is prepared with the type of each value.
    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

fn row(found: &postgres::Row) -> Result<Row, StoreError> {
    let values = found.columns().iter().enumerate().map(|(column, about)| {
        let expected = "BIGINT, TEXT or BYTEA";
        let wrong = |_| StoreError::Column { column, expected, found: "something else" };
        let ty = about.type_();
        let value = if *ty == Type::INT8 {
            found.try_get::<_, Option<i64>>(column).map_err(wrong)?.map(Value::Int)
        } else if *ty == Type::INT4 {
            found.try_get::<_, Option<i32>>(column).map_err(wrong)?.map(|value| Value::Int(value.into()))
        } else if *ty == Type::TEXT || *ty == Type::VARCHAR {
            found.try_get::<_, Option<String>>(column).map_err(wrong)?.map(Value::Text)
        } else if *ty == Type::BYTEA {
            found.try_get::<_, Option<Vec<u8>>>(column).map_err(wrong)?.map(Value::Bytes)
        } else {
            return Err(StoreError::Column { column, expected, found: "a type of the server's own" });
        };
        Ok(value.unwrap_or(Value::Null))
    });
    values.collect::<Result<_, _>>().map(Row)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_isolation_level_is_a_parameter_of_the_address() {
        let taken = |address| take_isolation(address).unwrap();
        let plain = "postgres://u@h/d";
        assert_eq!(taken(plain), (plain.into(), Isolation::ReadCommitted));
        let strict = "postgres://u@h/d?isolation=serializable";
        assert_eq!(taken(strict), (plain.into(), Isolation::Serializable));
        let more = "postgres:///d?host=/tmp&isolation=serializable&user=u";
        assert_eq!(taken(more), ("postgres:///d?host=/tmp&user=u".into(), Isolation::Serializable));
        assert!(take_isolation("postgres://h/d?isolation=snapshot").is_err());
    }

    #[test]
    fn an_address_that_leads_nowhere_does_not_show_its_password() {
        for address in [
            "postgres://u:hunter2@127.0.0.1:1/d?connect_timeout=1",
            "postgres://u:hunter2@127.0.0.1:x/d",
            "postgres://u:hunter2@h/d?colour=red",
        ] {
            let Err(error) = Postgres::open(address) else { panic!("{address} was opened") };
            assert!(matches!(error, StoreError::Open { .. }));
            assert!(!format!("{error} {error:?}").contains("hunter2"), "{error}");
        }
    }
}

//! A host that many terminals use: the issuer's books behind a server, the terminals
//! that it serves, and the remote host as a terminal sees it.

use super::address::StoreAddress;
use super::books::{open_issuer, store_db, store_seal};
use super::error::WorldError;
use crate::air::host::{
    Host, HostError, Limits, Server, Setup, TcpHost, TerminalKey, TerminalKeyError, Terminals, Timeouts,
};
use crate::base::context::Context;
use crate::base::event::EventSink;
use crate::roles::issuer::Issuer;
use crate::words::iso8583::dialect;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

/// What a server is to be.
#[derive(Debug, Clone)]
pub struct Serving {
    /// `HOST:PORT`; port 0 takes any.
    pub listen: String,
    /// Where the page of figures is, `HOST:PORT` on the loopback device.
    pub metrics: Option<String>,
    /// The dialect, by name.
    pub dialect: String,
    /// What the server allows.
    pub limits: Limits,
}

/// Wraps the issuer of each worker, where somebody wants other answers than its own.
pub type Wrap = Arc<dyn Fn(Issuer) -> Result<Box<dyn Host>, HostError> + Send + Sync>;

/// Opens the terminals of a store.
pub fn open_terminals(
    store: &StoreAddress,
    seal: Option<&Path>,
    context: &mut Context,
) -> Result<Terminals, WorldError> {
    let seal = store_seal(store, seal, context)?;
    Ok(Terminals::open(store_db(store)?, seal)?)
}

/// Serves the issuer's books of a store. Each worker has a handle of its own, and a
/// clone of `events`.
pub fn serve_host(
    serving: &Serving,
    store: &StoreAddress,
    seal: Option<&Path>,
    wrap: Wrap,
    events: impl EventSink + Clone + Sync + 'static,
) -> Result<Server, WorldError> {
    let mut context = Context::system(events.clone());
    let seal = store_seal(store, seal, &mut context)?;
    let db = store_db(store)?;
    let mut terminals = Terminals::open(db.handle()?, seal.clone())?;
    let seed = terminals.seed(&mut context)?;
    let issuer = Mutex::new(open_issuer(db, seal)?);
    let setup = Setup {
        dialect: dialect(&serving.dialect)?.clone(),
        limits: serving.limits,
        masters: terminals.into_master_keys(),
        seed,
        worker: Arc::new(move || {
            let issuer = issuer.lock().unwrap_or_else(PoisonError::into_inner).handle();
            let issuer = issuer.map_err(|error| HostError::Failed { cause: error.to_string() })?;
            Ok((wrap(issuer)?, Context::system(events.clone())))
        }),
        metrics: serving.metrics.clone(),
    };
    Server::start(&serving.listen, setup)
        .map_err(|cause| WorldError::Listen { listen: serving.listen.clone(), cause: cause.to_string() })
}

/// The host at `HOST:PORT`, as the terminal of this key sees it. Nothing is opened yet.
pub fn remote_host(address: &str, key: &TerminalKey, timeouts: Timeouts) -> Result<TcpHost, WorldError> {
    let dialect = dialect(&key.dialect)?.clone();
    Ok(TcpHost::new(address, dialect, key.master.clone(), timeouts))
}

/// Adds a terminal to a store, and writes its key file. Where the file cannot be made,
/// nothing is added.
pub fn add_terminal(
    terminals: &mut Terminals,
    key: &TerminalKey,
    file: &Path,
    context: &mut Context,
) -> Result<(), WorldError> {
    dialect(&key.dialect)?;
    if terminals.list()?.iter().any(|row| row.terminal == key.terminal) {
        return Err(TerminalKeyError::Known { terminal: key.terminal.clone() }.into());
    }
    key.write(file)?;
    terminals.add(key, context).inspect_err(|_| {
        // A key that no host knows is of no use; the error says why there is none.
        let _ = std::fs::remove_file(file);
    })?;
    Ok(())
}

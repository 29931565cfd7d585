//! A host that many terminals use: the issuer's books behind a server, or an acquirer
//! that forwards to one; the terminals and lines that it serves; and the remote host as
//! a terminal sees it.

use super::address::StoreAddress;
use super::books::{open_issuer, store_db, store_seal};
use super::error::WorldError;
use super::tokens::before_issuer;
use crate::air::host::{
    Forwarder, Host, HostError, Limits, LinkKey, Server, Setup, TcpHost, TerminalKey, TerminalKeyError,
    Terminals, Timeouts,
};
use crate::base::context::Context;
use crate::base::event::EventSink;
use crate::roles::issuer::Rules;
use crate::roles::token::Vault;
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
    /// What the issuer allows.
    pub rules: Rules,
}

/// Wraps the host of each worker, where somebody wants other answers than its own.
pub type Wrap = Arc<dyn Fn(Box<dyn Host>) -> Box<dyn Host> + Send + Sync>;

/// Where an acquirer forwards to.
#[derive(Debug, Clone)]
pub struct Forwarding {
    /// `HOST:PORT` of the host behind it.
    pub address: String,
    /// The key of the line.
    pub key: LinkKey,
    /// How long the acquirer waits for it: best less than a terminal waits for the
    /// acquirer, so that the line is free again when the terminal gives up.
    pub timeouts: Timeouts,
}

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
    serve_books(serving, store, seal, None, wrap, events)
}

/// The same with the token service before the issuer.
pub fn serve_tokens(
    serving: &Serving,
    store: &StoreAddress,
    seal: Option<&Path>,
    vault: Vault,
    wrap: Wrap,
    events: impl EventSink + Clone + Sync + 'static,
) -> Result<Server, WorldError> {
    serve_books(serving, store, seal, Some(Mutex::new(vault)), wrap, events)
}

fn serve_books(
    serving: &Serving,
    store: &StoreAddress,
    seal: Option<&Path>,
    vault: Option<Mutex<Vault>>,
    wrap: Wrap,
    events: impl EventSink + Clone + Sync + 'static,
) -> Result<Server, WorldError> {
    let mut context = Context::system(events.clone());
    let seal = store_seal(store, seal, &mut context)?;
    let db = store_db(store)?;
    let terminals = Terminals::open(db.handle()?, seal.clone())?;
    let issuer = Mutex::new(open_issuer(db, seal, serving.rules.clone())?);
    let worker = move || {
        let issuer = issuer.lock().unwrap_or_else(PoisonError::into_inner).handle();
        let issuer = issuer.map_err(|error| HostError::Failed { cause: error.to_string() })?;
        Ok(wrap(match &vault {
            Some(vault) => before_issuer(&vault.lock().unwrap_or_else(PoisonError::into_inner), issuer)?,
            None => Box::new(issuer),
        }))
    };
    serve(serving, terminals, worker, events)
}

/// Serves the terminals of a store as an acquirer, which keeps no books of its own. Each
/// worker has a line of its own to the host behind, and keeps it open.
pub fn serve_acquirer(
    serving: &Serving,
    store: &StoreAddress,
    seal: Option<&Path>,
    forwarding: Forwarding,
    wrap: Wrap,
    events: impl EventSink + Clone + Sync + 'static,
) -> Result<Server, WorldError> {
    let mut context = Context::system(events.clone());
    let seal = store_seal(store, seal, &mut context)?;
    let terminals = Terminals::open(store_db(store)?, seal)?;
    let upstream = dialect(&forwarding.key.dialect)?.clone();
    let worker = move || {
        let Forwarding { address, key, timeouts } = &forwarding;
        let line = TcpHost::new(address.as_str(), upstream.clone(), key.master.clone(), *timeouts);
        Ok(wrap(Box::new(Forwarder::new(line.for_institution(key.institution.as_str())))))
    };
    serve(serving, terminals, worker, events)
}

fn serve(
    serving: &Serving,
    mut terminals: Terminals,
    worker: impl Fn() -> Result<Box<dyn Host>, HostError> + Send + Sync + 'static,
    events: impl EventSink + Clone + Sync + 'static,
) -> Result<Server, WorldError> {
    let seed = terminals.seed(&mut Context::system(events.clone()))?;
    let setup = Setup {
        dialect: dialect(&serving.dialect)?.clone(),
        limits: serving.limits,
        masters: terminals.into_master_keys(),
        seed,
        worker: Arc::new(move || Ok((worker()?, Context::system(events.clone())))),
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
    terminals.add(key, context).inspect_err(|_| forget(file))?;
    Ok(())
}

/// Adds an institution's line to a store, and writes its key file. Where the file cannot
/// be made, nothing is added.
pub fn add_link(
    terminals: &mut Terminals,
    key: &LinkKey,
    file: &Path,
    context: &mut Context,
) -> Result<(), WorldError> {
    let dialect = dialect(&key.dialect)?;
    if dialect.field(32).is_none() || dialect.field(33).is_none() {
        return Err(TerminalKeyError::NoInstitution { dialect: key.dialect.clone() }.into());
    }
    if terminals.links()?.iter().any(|row| row.institution == key.institution) {
        return Err(TerminalKeyError::LinkKnown { institution: key.institution.clone() }.into());
    }
    key.write(file)?;
    terminals.add_link(key, context).inspect_err(|_| forget(file))?;
    Ok(())
}

/// A key that no host knows is of no use; the error says why there is none.
fn forget(file: &Path) {
    let _ = std::fs::remove_file(file);
}

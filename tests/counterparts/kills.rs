//! The real server and the real PostgreSQL, killed again and again while terminals load
//! cards over TCP. On PostgreSQL there are two servers, and every terminal goes from one
//! to the other with each message. Afterwards every terminal recovers by itself, and every account and
//! card holds exactly what it must.
//!
//! `CARDWRIGHT_KILLS` and `CARDWRIGHT_CLIENTS` say how often and by how many.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use cardwright::air::host::{Answer, Host, HostError, Request, TcpHost, TerminalKey, Timeouts};
use cardwright::air::link::{InProcess, Interface};
use cardwright::base::bytes::Secret;
use cardwright::base::context::Context;
use cardwright::base::event::Discard;
use cardwright::base::store::SealKey;
use cardwright::roles::card::{Profile, Simulator};
use cardwright::roles::issuer::Issuer;
use cardwright::roles::terminal::journal::{Journal, State};
use cardwright::roles::terminal::{Flow, TerminalConfig, Verdict};
use cardwright::words::iso4217::{Amount, Currency};
use cardwright::world::{
    DEFAULT_PIN, NewCard, Stage, StoreAddress, issue_card, open_books, open_journal, open_terminals,
    remote_host,
};
use libtest_mimic::{Failed, Trial};

use crate::support::postgres::PrivatePostgres;
use crate::support::process::{PATIENCE, wait_until};
use crate::support::served::Served;
use crate::support::{number_or, require_or_skip};

const CNY: Currency = Currency::CNY;
/// What each account opens with, minor units.
const OPENING: u64 = 1_000_000;
/// Loads that have to come through between one kill and the next.
const BETWEEN: u64 = 25;

pub(super) fn trials() -> Vec<Trial> {
    let sqlite = || {
        let folder = tempfile::tempdir()?;
        let store = StoreAddress::Sqlite(folder.path().join("host.db"));
        play(&store, &format!("sqlite:{}", folder.path().join("host.db").display()), folder.path(), None)
    };
    let postgres = |level: &'static str| {
        move || {
            require_or_skip(PrivatePostgres::start(true), |mut server| {
                let folder = tempfile::tempdir()?;
                let text = format!("{}&isolation={level}", server.address());
                let store = StoreAddress::parse(&text)?;
                play(&store, &text, folder.path(), Some(&mut server))
            })
        }
    };
    vec![
        Trial::test("kills::the_server_on_sqlite", sqlite),
        Trial::ignorable_test("kills::two_servers_and_postgresql", postgres("read-committed")),
        Trial::ignorable_test("kills::two_servers_and_postgresql_serializable", postgres("serializable")),
    ]
}

/// One terminal with its card, before a host that comes and goes.
struct Client {
    stage: Stage<Option<Issuer>>,
    context: Context,
    account: String,
    pan: String,
    /// Batch, trace and amount of every load that was reported as done.
    acknowledged: Vec<(u32, u32, u64)>,
    /// Loads that broke off or were not confirmed at once.
    cut: u64,
}

/// Asks one host after the other.
struct InTurn {
    hosts: Vec<TcpHost>,
    turn: usize,
}

impl InTurn {
    fn next(&mut self) -> &mut TcpHost {
        self.turn = (self.turn + 1) % self.hosts.len();
        &mut self.hosts[self.turn]
    }
}

impl Host for InTurn {
    fn authorise(&mut self, request: &Request, context: &mut Context) -> Result<Answer, HostError> {
        self.next().authorise(request, context)
    }

    fn advise(&mut self, request: &Request, context: &mut Context) -> Result<Answer, HostError> {
        self.next().advise(request, context)
    }

    fn reverse(&mut self, request: &Request, context: &mut Context) -> Result<Answer, HostError> {
        self.next().reverse(request, context)
    }
}

fn play(
    store: &StoreAddress,
    text: &str,
    folder: &Path,
    mut database: Option<&mut PrivatePostgres>,
) -> Result<(), Failed> {
    let kills = number_or("CARDWRIGHT_KILLS", 3);
    let clients = number_or("CARDWRIGHT_CLIENTS", 8);
    let seal = folder.join("seal.key");
    SealKey::read_or_make(&seal, &mut Context::system(Discard))?;
    let serve = |listen: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cardwright"));
        command.args([
            "host",
            "serve",
            "--listen",
            listen,
            "--log",
            "trouble",
            "--store",
            text,
            "--seal-key",
        ]);
        Served::start(tap(command, &seal))
    };
    // The first start makes books, seed and terminals' table.
    let count = if database.is_some() { 2 } else { 1 };
    let servers = (0..count).map(|_| serve("127.0.0.1:0").map(Some)).collect::<Result<Vec<_>, _>>();
    let mut servers = servers?;
    let of = |server: &Served| server.address.trim_start_matches("tcp:").to_owned();
    let addresses: Vec<String> = servers.iter().flatten().map(of).collect();
    let clients = make_clients(store, &seal, &addresses, clients)?;
    let (stop, done) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let threads: Vec<JoinHandle<Client>> = clients
        .into_iter()
        .map(|client| {
            let (stop, done) = (Arc::clone(&stop), Arc::clone(&done));
            std::thread::spawn(move || load_until(client, &stop, &done))
        })
        .collect();
    let mut deaths = 0;
    let outcome = (0..kills as usize).try_for_each(|turn| -> Result<(), Failed> {
        more_loads(&done)?;
        if let Some(database) = database.as_deref_mut() {
            database.stop_immediately()?;
            database.resume().map_err(|skip| skip.to_string())?;
            deaths += 1;
            more_loads(&done)?;
        }
        let which = turn % addresses.len();
        servers[which].take().into_iter().for_each(Served::kill);
        deaths += 1;
        servers[which] = Some(serve(&addresses[which])?);
        Ok(())
    });
    let outcome = outcome.and_then(|()| more_loads(&done));
    stop.store(true, Ordering::Relaxed);
    let clients: Vec<_> = threads.into_iter().map(JoinHandle::join).collect();
    outcome?;
    let mut clients = clients.into_iter().collect::<Result<Vec<_>, _>>().map_err(|_| "a client panicked")?;
    for client in &mut clients {
        settle_all(client)?;
    }
    let mut context = Context::system(Discard);
    let mut issuer = open_books(store, Some(&seal), &mut context)?;
    let accounts = issuer.accounts(&mut context)?;
    for client in &mut clients {
        let rows = client.stage.journal.rows()?;
        let confirmed: u64 =
            rows.iter().filter(|row| row.state == State::Confirmed).map(|row| row.amount.minor).sum();
        for (batch, trace, minor) in &client.acknowledged {
            let row = client.stage.journal.row(*batch, *trace)?;
            must(
                row.state == State::Confirmed && row.amount.minor == *minor,
                "an acknowledged load is lost",
            )?;
        }
        let card = client.stage.card_balance(CNY, &mut client.context)?.minor;
        must(card == confirmed, &format!("the card holds {card}, its confirmed loads come to {confirmed}"))?;
        let history = issuer.history(&client.pan, &mut context)?.ok_or("the card is not on file")?;
        let landed = history.iter().filter(|row| row.state == "landed").count();
        let rows = rows.iter().filter(|row| row.state == State::Confirmed).count();
        must(landed == rows, &format!("{landed} loads landed at the host, {rows} at the terminal"))?;
        let account = accounts.iter().find(|account| account.id.0 == client.account).ok_or("no account")?;
        let left = account.balance.minor;
        must(left + card == OPENING, &format!("account {left} and card {card} are not {OPENING} together"))?;
    }
    let books = issuer.books(&mut context)?.of(CNY);
    must(books.in_flight_minor == 0, "money is still in flight")?;
    must(books.total_minor() == (OPENING * clients.len() as u64) as i64, "the sum has changed")?;
    let mut check = Command::new(env!("CARGO_BIN_EXE_cardwright"));
    check.args(["host", "check", "--store", text, "--seal-key"]);
    let answer = crate::support::process::run(&mut tap(check, &seal), "", PATIENCE)?;
    must(answer.success(), &format!("host check: {}{}", answer.stdout, answer.stderr))?;
    for server in servers.into_iter().flatten() {
        let (code, log) = server.end()?;
        must(code == Some(0), &format!("the server ended with {code:?}: {log}"))?;
    }
    let cut: u64 = clients.iter().map(|client| client.cut).sum();
    let loads: usize = clients.iter().map(|client| client.acknowledged.len()).sum();
    must(cut > 0, "no load was under way when something was killed: this shows nothing")?;
    println!("{} terminals, {} killed, {loads} loads acknowledged, {cut} cut off", clients.len(), deaths);
    Ok(())
}

fn tap(mut command: Command, seal: &Path) -> Command {
    command.arg(seal);
    command
}

fn make_clients(
    store: &StoreAddress,
    seal: &Path,
    addresses: &[String],
    count: u64,
) -> Result<Vec<Client>, Failed> {
    let mut context = Context::system(Discard);
    let mut issuer = open_books(store, Some(seal), &mut context)?;
    let mut terminals = open_terminals(store, Some(seal), &mut context)?;
    let timeouts = Timeouts { connect_ms: 500, answer_ms: 5_000 };
    let mut clients = Vec::new();
    for number in 1..=count {
        let opening = Amount::new(OPENING, CNY);
        let account =
            issuer.open_account(Some(&format!("A{number}")), opening, "Test Holder", &mut context)?;
        let new = NewCard {
            profile: Profile::named("ecash")?,
            pin: Secret::new(DEFAULT_PIN.into()),
            balance_minor: 0,
            accounts: vec![(CNY, account.clone())],
        };
        let memory = issue_card(&mut issuer, &new, &mut context)?;
        let pan = memory.pan().ok_or("a card without a PAN")?.expose().to_owned();
        let key = TerminalKey::random(&format!("TERM{number:04}"), "MERCHANT0000001", "pos", &mut context)?;
        terminals.add(&key, &mut context)?;
        let config = TerminalConfig {
            terminal: key.terminal.clone(),
            merchant: key.merchant.clone(),
            ..TerminalConfig::default()
        };
        let card = InProcess::connect(Simulator::in_memory(memory), Interface::Contact, &mut context);
        let card = Box::new(cardwright::air::link::T0(card));
        let journal: Journal = open_journal(None, &mut context)?;
        let hosts = addresses.iter().map(|address| remote_host(address, &key, timeouts));
        let host = Box::new(InTurn { hosts: hosts.collect::<Result<_, _>>()?, turn: 0 });
        clients.push(Client {
            stage: Stage::remote(card, host, journal, config),
            context: Context::system(Discard),
            account: account.0,
            pan,
            acknowledged: Vec::new(),
            cut: 0,
        });
    }
    Ok(clients)
}

/// Loads one to nine cents again and again, whatever becomes of the host.
fn load_until(mut client: Client, stop: &AtomicBool, done: &AtomicU64) -> Client {
    let mut pin = Secret::new(DEFAULT_PIN.to_owned());
    for turn in 0_u64.. {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let amount = Amount::new(turn % 9 + 1, CNY);
        match client.stage.transact(Flow::Load, amount, &mut pin, &mut client.context) {
            Ok((_, outcome)) if outcome.verdict == Verdict::Loaded => {
                client.acknowledged.push((outcome.trace.0, outcome.trace.1, amount.minor));
                done.fetch_add(1, Ordering::Relaxed);
            }
            _ => {
                client.cut += 1;
                std::thread::sleep(Duration::from_millis(20));
            }
        }
    }
    client
}

/// Waits until loads come through again.
fn more_loads(done: &AtomicU64) -> Result<(), Failed> {
    let from = done.load(Ordering::Relaxed);
    let came = wait_until(Duration::from_secs(60), || {
        (done.load(Ordering::Relaxed) >= from + BETWEEN).then_some(())
    });
    came.ok_or_else(|| "no load comes through any more".into())
}

/// Nobody decides: the terminal reads the card, asks the host, and settles every row.
fn settle_all(client: &mut Client) -> Result<(), Failed> {
    for _ in 0..20 {
        client.stage.recover(&mut client.context)?;
        if client.stage.journal.open_rows()?.is_empty() {
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    let rows = client.stage.journal.open_rows()?;
    Err(format!("not settled: {:?}", rows.iter().map(|row| (row.trace, row.state)).collect::<Vec<_>>())
        .into())
}

fn must(holds: bool, what: &str) -> Result<(), Failed> {
    if holds { Ok(()) } else { Err(what.into()) }
}

//! Bad lines to the real server: truncated, too long, unsigned, unknown, silent, slow.
//! Each costs itself, a terminal beside them goes on, and the server stays small.
//!
//! `CARDWRIGHT_LINES` says how many lines say nothing; ten thousand want `ulimit -n`
//! above that for this process and, of its own, the server's.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;
use std::time::{Duration, Instant};

use cardwright::air::host::{
    Entry, Host, Kind, MessageClass, MessageKey, Request, ResponseCode, TcpHost, TerminalKey, Timeouts,
    WorkingKeys, to_message,
};
use cardwright::base::bytes::Secret;
use cardwright::base::context::Context;
use cardwright::base::event::Discard;
use cardwright::base::store::SealKey;
use cardwright::words::iso4217::{Amount, Currency};
use cardwright::words::iso8583::{Dialect, Frame, Message, Mti, dialect, encode, parse};
use cardwright::words::tlv::Tag;
use cardwright::world::{StoreAddress, open_terminals, remote_host};
use libtest_mimic::{Failed, Trial};

use crate::support::number_or;
use crate::support::served::Served;

/// What the server may never exceed, bytes.
const PEAK_BYTES: u64 = 256 * 1024 * 1024;
/// How long a good terminal waits beside all of it.
const PATIENCE: Duration = Duration::from_secs(2);

pub(super) fn trials() -> Vec<Trial> {
    vec![Trial::test("bad_lines::each_costs_itself_and_the_server_stays_small", play)]
}

/// The server, and what is known of the terminal that behaves.
struct Scene {
    address: String,
    dialect: &'static Dialect,
    key: TerminalKey,
    keys: WorkingKeys,
    context: Context,
}

fn play() -> Result<(), Failed> {
    let lines = number_or("CARDWRIGHT_LINES", 500);
    let folder = tempfile::tempdir()?;
    let store = StoreAddress::Sqlite(folder.path().join("host.db"));
    let seal = folder.path().join("seal.key");
    let mut context = Context::system(Discard);
    SealKey::read_or_make(&seal, &mut context)?;
    let key = TerminalKey::random("TERM0001", "MERCHANT0000001", "pos", &mut context)?;
    let mut terminals = open_terminals(&store, Some(&seal), &mut context)?;
    terminals.add(&key, &mut context)?;
    let dialect = dialect("pos")?;
    // The keys that a sign-on brings are a function of the seed, which the server shares.
    let seed = terminals.seed(&mut context)?;
    let keys = WorkingKeys::of_day(&seed, &key.terminal, context.now().date_number(), dialect)?;
    drop(terminals);
    let mut command = Command::new(env!("CARGO_BIN_EXE_cardwright"));
    command.args(["host", "serve", "--listen", "127.0.0.1:0", "--log", "trouble", "--seal-key"]).arg(&seal);
    let store = format!("sqlite:{}", folder.path().join("host.db").display());
    let server = Served::start({
        command.args(["--store", &store]);
        command
    })?;
    let address = server.address.trim_start_matches("tcp:").to_owned();
    let mut scene = Scene { address, dialect, key, keys, context };
    let mut terminal = scene.terminal()?;

    let silent = (0..lines).map(|_| scene.open()).collect::<Result<Vec<_>, _>>()?;
    scene.good(&mut terminal, 1)?;
    let frame = scene.load(2)?;
    let kept = scene.truncations(&frame)?;
    scene.good(&mut terminal, 3)?;
    scene.nonsense(&frame)?;
    scene.good(&mut terminal, 4)?;
    scene.strangers(&frame)?;
    let mut slow = scene.open()?;
    let begun = Instant::now();
    // A byte a second, until it is hung up on: ten seconds are a frame's.
    let mut bytes = frame.iter();
    slow.set_read_timeout(Some(Duration::from_secs(1)))?;
    let hung_up = loop {
        let Some(byte) = bytes.next().filter(|_| begun.elapsed() < Duration::from_secs(20)) else {
            break false;
        };
        if slow.write_all(&[*byte]).is_err() || matches!(slow.read(&mut [0]), Ok(0)) {
            break true;
        }
        scene.good(&mut terminal, 100 + begun.elapsed().as_secs() as u32)?;
    };
    must(hung_up, "a line that sends a byte a second is never hung up on")?;
    must(silent.iter().all(is_open), "a line that says nothing was closed before its time")?;
    scene.good(&mut terminal, 5)?;
    let peak = server.peak_bytes()?;
    println!(
        "{lines} silent lines, {} cut off: the server's peak is {} MiB",
        frame.len(),
        peak / 1024 / 1024
    );
    must(peak < PEAK_BYTES, "the server has had more than 256 MiB")?;
    drop((silent, kept));
    let (code, log) = server.end()?;
    must(code == Some(0) && !log.contains("panicked"), &log)
}

impl Scene {
    fn open(&self) -> std::io::Result<TcpStream> {
        TcpStream::connect(&self.address)
    }

    fn terminal(&self) -> Result<TcpHost, Failed> {
        let timeouts = Timeouts { connect_ms: 2_000, answer_ms: 5_000 };
        Ok(remote_host(&self.address, &self.key, timeouts)?)
    }

    fn request(&self, trace: u32) -> Request {
        let key = MessageKey {
            class: MessageClass::Request,
            merchant: self.key.merchant.clone(),
            terminal: self.key.terminal.clone(),
            batch: 1,
            trace,
        };
        Request {
            key,
            kind: Kind::LinkedLoad,
            amount: Amount::new(100, Currency::CNY),
            pan: Secret::new("6299990000000001234".into()),
            psn: 1,
            entry: Entry::Contact,
            at: self.context.now(),
            chip: [(Tag(0x9F26), vec![0xC9; 8]), (Tag(0x9F10), vec![0x5C; 19])].into_iter().collect(),
            pin: Some(Secret::new("123456".into())),
            original: None,
            payer: None,
        }
    }

    /// A load as a whole frame under today's keys.
    fn load(&self, trace: u32) -> Result<Vec<u8>, Failed> {
        let request = self.request(trace);
        let message = to_message(&request, self.dialect)?;
        let message = self.keys.seal(message, request.pin.as_ref(), self.dialect)?;
        self.framed(&message)
    }

    fn framed(&self, message: &[u8]) -> Result<Vec<u8>, Failed> {
        Ok(Frame { tpdu: None, header: None, message }.to_bytes(self.dialect)?)
    }

    /// The terminal that behaves gets the host's own answer (its card signs nothing), and soon.
    fn good(&mut self, terminal: &mut TcpHost, trace: u32) -> Result<(), Failed> {
        let begun = Instant::now();
        let request = self.request(10_000 + trace);
        let answer = terminal.authorise(&request, &mut self.context);
        must(
            matches!(&answer, Ok(answer) if answer.code == ResponseCode::FORMAT_ERROR),
            &format!("{answer:?}"),
        )?;
        must(begun.elapsed() < PATIENCE, "a good terminal has to wait")
    }

    /// Every truncation: half of the lines are closed, half stay open.
    fn truncations(&self, frame: &[u8]) -> Result<Vec<TcpStream>, Failed> {
        let mut kept = Vec::new();
        for end in 0..frame.len() {
            let mut line = self.open()?;
            line.write_all(&frame[..end])?;
            if end % 2 == 0 {
                kept.push(line);
            }
        }
        // And in a frame that is whole: nothing of it may be taken for a message.
        let message = Frame::open(&frame[self.dialect.prefix.bytes()..], self.dialect)?.message.to_vec();
        for end in 0..message.len() {
            let mut line = self.open()?;
            line.write_all(&self.framed(&message[..end])?)?;
            must(is_hung_up(&mut line), &format!("a message of {end} bytes is answered"))?;
        }
        Ok(kept)
    }

    /// Lengths that cannot be, garbage, and fields that no dialect has.
    fn nonsense(&self, frame: &[u8]) -> Result<(), Failed> {
        let message = Frame::open(&frame[self.dialect.prefix.bytes()..], self.dialect)?.message.to_vec();
        let mut frames = vec![
            [&[0xFF, 0xFF][..], &[0xEE; 64]].concat(),
            vec![0x00, 0x00, 0x00],
            vec![0x00, 0x01, 0x00],
            [&[0x00, 0x40][..], &[0xEE; 64]].concat(),
            b"GET / HTTP/1.1\r\nHost: x\r\n\r\n".to_vec(),
            self.framed(&[&message[..], &[0; 4]].concat())?,
        ];
        for bit in 0..64 {
            let mut changed = message.clone();
            changed[2 + bit / 8] ^= 0x80 >> (bit % 8);
            frames.push(self.framed(&changed)?);
        }
        for (number, bytes) in frames.iter().enumerate() {
            let mut line = self.open()?;
            // It may be hung up on before it has said all.
            let _ = line.write_all(bytes);
            let _ = line.shutdown(std::net::Shutdown::Write);
            line.set_read_timeout(Some(PATIENCE))?;
            let mut answer = Vec::new();
            let _ = line.read_to_end(&mut answer);
            if answer.is_empty() {
                continue;
            }
            let code = self.code(&answer)?;
            must(code.as_deref() == Some("A0"), &format!("nonsense {number} is answered with {code:?}"))?;
        }
        Ok(())
    }

    /// Wrong codes and unknown terminals are refused, and hung up on the third time.
    fn strangers(&self, frame: &[u8]) -> Result<(), Failed> {
        let mut wrong = frame.to_vec();
        if let Some(last) = wrong.last_mut() {
            *last ^= 1;
        }
        let unknown = Message::new(Mti::FINANCIAL)
            .with(11, "000009")
            .with(41, "NOBODY01")
            .with(42, "MERCHANT0000001")
            .with(60, "45000001000")
            .with(64, [0; 8]);
        let other = Message::new(Mti::FINANCIAL)
            .with(11, "000009")
            .with(41, "TERM0001")
            .with(42, "MERCHANT0000002")
            .with(60, "45000001000")
            .with(64, [0; 8]);
        let unknown = self.framed(&encode(&unknown, self.dialect)?)?;
        let other = self.framed(&encode(&other, self.dialect)?)?;
        for (bytes, expected) in [(wrong, "A0"), (unknown, "97"), (other, "97")] {
            let mut line = self.open()?;
            line.set_read_timeout(Some(PATIENCE))?;
            for _ in 0..3 {
                line.write_all(&bytes)?;
                let mut prefix = [0; 2];
                line.read_exact(&mut prefix)?;
                let mut answer = vec![0; usize::from(u16::from_be_bytes(prefix))];
                line.read_exact(&mut answer)?;
                let code = self.code(&[&prefix[..], &answer].concat())?;
                must(code.as_deref() == Some(expected), &format!("expected {expected}, found {code:?}"))?;
            }
            must(is_hung_up(&mut line), "a stranger is not hung up on")?;
        }
        Ok(())
    }

    fn code(&self, frame: &[u8]) -> Result<Option<String>, Failed> {
        let frame = Frame::open(&frame[self.dialect.prefix.bytes()..], self.dialect)?;
        Ok(parse(frame.message, self.dialect)?.text(39).map(str::to_owned))
    }
}

/// Whether the far side closes the line without another byte.
fn is_hung_up(line: &mut TcpStream) -> bool {
    let waits = line.set_read_timeout(Some(PATIENCE)).is_ok();
    match line.read(&mut [0]) {
        Ok(bytes) => waits && bytes == 0,
        Err(error) => error.kind() == std::io::ErrorKind::ConnectionReset,
    }
}

fn is_open(line: &TcpStream) -> bool {
    let quiet = line.set_nonblocking(true).and_then(|()| line.peek(&mut [0]));
    matches!(quiet, Err(error) if error.kind() == std::io::ErrorKind::WouldBlock)
}

fn must(holds: bool, what: &str) -> Result<(), Failed> {
    if holds { Ok(()) } else { Err(what.into()) }
}

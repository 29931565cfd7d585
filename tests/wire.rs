//! A host over a line: the same answers as in process, and no line that can harm another.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use cardwright::air::host::{
    Answer, BatchStep, BatchSums, BatchTotals, Desk, Entry, Host, HostError, KINDS, Kind, Limits, MasterKey,
    MasterKeys, MessageClass, MessageKey, Original, Reply, Request, ResponseCode, Server, Settlement, Setup,
    TcpHost, Timeouts,
};
use cardwright::base::bytes::Secret;
use cardwright::base::context::Context;
use cardwright::base::env::Timestamp;
use cardwright::base::event::Discard;
use cardwright::words::iso4217::{Amount, Currency};
use cardwright::words::iso8583::{DIALECTS, Dialect, Frame, Message, Mti, dialect, encode};
use cardwright::words::tlv::Tag;

const MASTER: [u8; 16] = [0x31; 16];
const SEED: [u8; 16] = [0x52; 16];

/// Notes every request and answers by what it asks for.
#[derive(Clone, Default)]
struct Fake(Arc<Mutex<Vec<(&'static str, Request)>>>);

impl Fake {
    fn answer(&self, verb: &'static str, request: &Request) -> Result<Answer, HostError> {
        self.0.lock().unwrap().push((verb, request.clone()));
        match request.amount.minor {
            1 => return Err(HostError::Failed { cause: "the store is away".into() }),
            2 => panic!("a host that panics, as this test wants"),
            3 => std::thread::sleep(Duration::from_millis(1_500)),
            4 => {
                return Ok(Answer::new(
                    ResponseCode::INSUFFICIENT_FUNDS,
                    "余额不足: the account holds too little",
                ));
            }
            _ => {}
        }
        let mut answer = Answer::new(ResponseCode::APPROVED, format!("{verb} of {:?}", request.kind));
        answer.authorisation_code = Some("012345".into());
        answer.settlement = (request.kind == Kind::ScriptResult).then_some(Settlement::Landed);
        answer.balance = (request.kind == Kind::BalanceInquiry).then(|| Amount::new(77, Currency::CNY));
        answer.chip.put(Tag(0x91), vec![0xA7; 10]);
        answer.chip.put(Tag(0x72), vec![0x5C; 120]);
        Ok(answer)
    }

    fn seen(&self) -> Vec<(&'static str, Request)> {
        self.0.lock().unwrap().clone()
    }
}

impl Host for Fake {
    fn authorise(&mut self, request: &Request, _: &mut Context) -> Result<Answer, HostError> {
        self.answer("authorise", request)
    }

    fn advise(&mut self, request: &Request, _: &mut Context) -> Result<Answer, HostError> {
        self.answer("advise", request)
    }

    fn reverse(&mut self, request: &Request, _: &mut Context) -> Result<Answer, HostError> {
        self.answer("reverse", request)
    }

    fn settle(&mut self, totals: &BatchTotals, _: &mut Context) -> Result<Answer, HostError> {
        let agrees = totals.sums.debit_minor == 500;
        let code = if agrees { ResponseCode::APPROVED } else { ResponseCode::NOT_BALANCED };
        Ok(Answer::new(code, format!("compared at {:?}", totals.step)))
    }
}

fn masters() -> MasterKeys {
    Arc::new(|sender| Ok(sender.label().starts_with("TERM").then(|| MasterKey::new(MASTER))))
}

fn setup(dialect: &Dialect, fake: &Fake, limits: Limits) -> Setup {
    let fake = fake.clone();
    Setup {
        dialect: dialect.clone(),
        limits,
        masters: masters(),
        seed: Secret::new(SEED),
        worker: Arc::new(move || Ok((Box::new(fake.clone()), Context::system(Discard)))),
        metrics: None,
    }
}

fn pos() -> &'static Dialect {
    dialect("pos").unwrap()
}

fn start(fake: &Fake, limits: Limits) -> Server {
    Server::start("127.0.0.1:0", setup(pos(), fake, limits)).unwrap()
}

fn client(address: SocketAddr, answer_ms: u64) -> TcpHost {
    let timeouts = Timeouts { connect_ms: 2_000, answer_ms };
    TcpHost::new(address.to_string(), pos().clone(), MasterKey::new(MASTER), timeouts)
}

fn context() -> Context {
    Context::system(Discard)
}

fn load(trace: u32, minor: u64) -> Request {
    Request {
        key: MessageKey {
            class: MessageClass::Request,
            merchant: "MERCHANT0000001".into(),
            terminal: "TERM0001".into(),
            batch: 1,
            trace,
        },
        kind: Kind::LinkedLoad,
        amount: Amount::new(minor, Currency::CNY),
        pan: Secret::new("6299990000000001234".into()),
        psn: 1,
        entry: Entry::Contact,
        at: Timestamp::from_micros(context().now().micros() / 1_000_000 * 1_000_000),
        chip: [(Tag(0x9F26), vec![0xC9; 8]), (Tag(0x9F36), vec![0, 26])].into_iter().collect(),
        pin: Some(Secret::new("123456".into())),
        original: None,
        payer: None,
    }
}

/// What the host says, in process or over a line.
fn ask(host: &mut dyn Host, request: &Request) -> Result<Answer, HostError> {
    match request.key.class {
        MessageClass::Request => host.authorise(request, &mut context()),
        MessageClass::Reversal => host.reverse(request, &mut context()),
        _ => host.advise(request, &mut context()),
    }
}

#[test]
fn every_kind_over_a_line_is_as_in_process_in_every_dialect() {
    for row in DIALECTS {
        let dialect = dialect(row.name).unwrap();
        let (near, far) = (Fake::default(), Fake::default());
        let server = Server::start("127.0.0.1:0", setup(dialect, &far, Limits::default())).unwrap();
        let address = server.address().to_string();
        let mut remote = TcpHost::new(address, dialect.clone(), MasterKey::new(MASTER), Timeouts::default());
        let mut trace = 100;
        for kind in KINDS {
            for class in [kind.class, MessageClass::Reversal] {
                if class == MessageClass::Reversal && !kind.is_reversible {
                    continue;
                }
                for minor in [4, 5000] {
                    trace += 1;
                    let mut request = Request { kind: kind.kind, ..load(trace, minor) };
                    request.key.class = class;
                    request.original =
                        (kind.kind == Kind::ScriptResult).then_some(Original { batch: 1, trace: 7 });
                    let pays = kind.kind == Kind::NonLinkedLoad && class == MessageClass::Request;
                    request.payer = pays.then(|| Secret::new("6299990000000005678".into()));
                    let (here, there) = (ask(&mut near.clone(), &request), ask(&mut remote, &request));
                    assert_eq!(here, there, "{} {:?}", row.name, kind.kind);
                }
            }
        }
        assert_eq!(near.seen(), far.seen(), "{}", row.name);
        let mut totals = BatchTotals {
            key: MessageKey { class: MessageClass::Batch, ..load(999, 0).key },
            currency: Currency::CNY,
            sums: BatchSums { debit_count: 1, debit_minor: 500, ..BatchSums::default() },
            step: BatchStep::Compare,
        };
        assert!(remote.settle(&totals, &mut context()).unwrap().code.is_approved());
        totals.sums.debit_minor = 501;
        assert_eq!(remote.settle(&totals, &mut context()).unwrap().code, ResponseCode::NOT_BALANCED);
        totals.step = BatchStep::End;
        assert_eq!(remote.settle(&totals, &mut context()).unwrap().reason, "compared at End");
        assert_eq!(remote.echo(&totals.key, &mut context()), Ok(()));
        server.stop();
    }
}

#[test]
fn no_line_no_keys_and_no_terminal_mean_that_nothing_was_sent() {
    let fake = Fake::default();
    let server = start(&fake, Limits::default());
    let unreachable = |host: &mut TcpHost, request: &Request, part: &str| {
        let error = host.authorise(request, &mut context()).unwrap_err();
        assert!(matches!(&error, HostError::Unreachable { cause } if cause.contains(part)), "{error}");
    };
    let other = MasterKey::new([0x32; 16]);
    let mut stranger = TcpHost::new(server.address().to_string(), pos().clone(), other, Timeouts::default());
    unreachable(&mut stranger, &load(1, 50), "check value of the PIN key");
    let mut unknown = load(1, 50);
    unknown.key.terminal = "NOBODY01".into();
    unreachable(&mut client(server.address(), 2_000), &unknown, "97 (unknown terminal)");
    let mut unsayable = load(1, 50);
    unsayable.key.terminal = "TERM000001".into();
    unreachable(&mut client(server.address(), 2_000), &unsayable, "field 41");
    let address = server.address();
    server.stop();
    unreachable(&mut client(address, 2_000), &load(1, 50), "127.0.0.1");
    assert!(fake.seen().is_empty());
}

#[test]
fn a_host_that_starts_again_with_other_keys_is_signed_on_to_again() {
    let fake = Fake::default();
    let server = start(&fake, Limits::default());
    let address = server.address();
    let mut remote = client(address, 2_000);
    assert!(remote.authorise(&load(1, 50), &mut context()).is_ok());
    server.stop();
    let mut other = setup(pos(), &fake, Limits::default());
    other.seed = Secret::new([0x77; 16]);
    let server = Server::start(&address.to_string(), other).unwrap();
    assert!(remote.authorise(&load(2, 50), &mut context()).is_ok());
    assert_eq!(server.metrics().refusals.load(Ordering::Relaxed), 1);
    assert_eq!(fake.seen().len(), 2);
}

#[test]
fn a_host_that_fails_or_panics_gives_no_answer_and_goes_on() {
    let fake = Fake::default();
    let server = start(&fake, Limits { workers: 1, ..Limits::default() });
    let mut remote = client(server.address(), 2_000);
    for minor in [1, 2] {
        let error = remote.authorise(&load(minor as u32, minor), &mut context()).unwrap_err();
        assert!(matches!(error, HostError::NoAnswer { .. }), "{error}");
        assert!(remote.authorise(&load(10 + minor as u32, 50), &mut context()).is_ok());
    }
    assert_eq!(server.metrics().host_failures.load(Ordering::Relaxed), 2);
}

/// Sends what it makes of an answer; the number counts the frames.
type Twist = fn(u64, Vec<u8>, &mut TcpStream);

/// A far side that answers each frame by what `twist` makes of the right answer.
fn twisted(twist: Twist) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let count = Arc::new(AtomicU64::new(0));
    std::thread::spawn(move || {
        let mut desk = Desk::new(pos().clone(), masters(), Secret::new(SEED), Box::new(Fake::default()));
        for line in listener.incoming() {
            let mut line = line.unwrap();
            loop {
                let mut prefix = [0; 2];
                if line.read_exact(&mut prefix).is_err() {
                    break;
                }
                let mut message = vec![0; usize::from(u16::from_be_bytes(prefix))];
                line.read_exact(&mut message).unwrap();
                let (Reply::Answer(bytes) | Reply::Refusal(bytes)) = desk.handle(&message, &mut context())
                else {
                    break;
                };
                twist(count.fetch_add(1, Ordering::Relaxed), bytes, &mut line);
            }
        }
    });
    address
}

#[test]
fn a_silent_slow_or_wrong_answer_is_never_taken() {
    // The first frame is the sign-on, which goes through.
    let useless: [(&str, Twist); 4] = [
        ("a changed byte", |n, mut bytes, line| {
            if n > 0 {
                bytes[40] ^= 1;
            }
            line.write_all(&bytes).unwrap();
        }),
        ("garbage", |n, bytes, line| {
            let garbage = [0x00, 0x20].into_iter().chain([0xEE; 32]).collect::<Vec<u8>>();
            line.write_all(if n > 0 { &garbage } else { &bytes }).unwrap();
        }),
        ("a length that cannot be", |n, bytes, line| {
            line.write_all(if n > 0 { &[0xFF, 0xFF] } else { &bytes }).unwrap();
        }),
        ("new keys wanted for ever", |n, bytes, line| {
            let request =
                Message::new(Mti(0x0210)).with(39, "A0").with(11, "000001").with(60, "4500000100050");
            let refusal = encode(&request, pos()).unwrap();
            let refusal = Frame { tpdu: None, header: None, message: &refusal }.to_bytes(pos()).unwrap();
            line.write_all(if n % 2 == 1 { &refusal } else { &bytes }).unwrap();
        }),
    ];
    for (name, twist) in useless {
        let error = client(twisted(twist), 800).authorise(&load(1, 50), &mut context()).unwrap_err();
        assert!(matches!(error, HostError::Unusable { .. }), "{name}: {error}");
    }
    let silent: [(&str, Twist); 3] = [
        ("silence", |n, bytes, line| {
            if n == 0 {
                line.write_all(&bytes).unwrap();
            }
        }),
        ("a byte at a time", |n, bytes, line| {
            for byte in &bytes {
                if n > 0 {
                    std::thread::sleep(Duration::from_millis(40));
                }
                // The client hangs up in between.
                let _ = line.write_all(&[*byte]);
            }
        }),
        ("an end in between", |n, bytes, line| {
            line.write_all(&bytes[..if n > 0 { bytes.len() / 2 } else { bytes.len() }]).unwrap();
            if n > 0 {
                line.shutdown(std::net::Shutdown::Both).unwrap();
            }
        }),
    ];
    for (name, twist) in silent {
        let begin = Instant::now();
        let error = client(twisted(twist), 800).authorise(&load(1, 50), &mut context()).unwrap_err();
        assert!(matches!(error, HostError::NoAnswer { timeout_ms: 800 }), "{name}: {error}");
        assert!(begin.elapsed() < Duration::from_secs(4), "{name}");
    }
}

#[test]
fn a_late_answer_finds_nobody() {
    let fake = Fake::default();
    let server = start(&fake, Limits::default());
    let mut remote = client(server.address(), 700);
    assert!(remote.authorise(&load(1, 50), &mut context()).is_ok());
    assert!(matches!(remote.authorise(&load(2, 3), &mut context()), Err(HostError::NoAnswer { .. })));
    let answer = remote.authorise(&load(3, 4), &mut context()).unwrap();
    assert_eq!(answer.code, ResponseCode::INSUFFICIENT_FUNDS);
}

/// A load as the bytes of a frame, under today's keys.
fn sealed(request: &Request) -> Vec<u8> {
    use cardwright::air::host::{WorkingKeys, to_message};
    let day = context().now().date_number();
    let keys = WorkingKeys::of_day(&Secret::new(SEED), &request.key.terminal, day, pos()).unwrap();
    let message = keys.seal(to_message(request, pos()).unwrap(), request.pin.as_ref(), pos()).unwrap();
    Frame { tpdu: None, header: None, message: &message }.to_bytes(pos()).unwrap()
}

/// Whether the far side closes the line without another byte.
fn is_hung_up(line: &mut TcpStream) -> bool {
    line.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    match line.read(&mut [0]) {
        Ok(bytes) => bytes == 0,
        Err(error) => error.kind() == std::io::ErrorKind::ConnectionReset,
    }
}

#[test]
fn bad_lines_cost_only_themselves() {
    let fake = Fake::default();
    let limits = Limits { frame_ms: 300, lines: 1_000, workers: 2, ..Limits::default() };
    let server = start(&fake, limits);
    let open = || TcpStream::connect(server.address()).unwrap();
    let silent: Vec<TcpStream> = (0..200).map(|_| open()).collect();
    let good = sealed(&load(1, 50));

    // Every truncation, half of them then closed and half left open.
    let mut kept = Vec::new();
    for end in 0..good.len() {
        let mut line = open();
        line.write_all(&good[..end]).unwrap();
        if end % 2 == 0 {
            kept.push(line);
        }
    }
    // A byte in a while.
    let mut slow = open();
    for byte in &good[..6] {
        let _ = slow.write_all(&[*byte]);
        std::thread::sleep(Duration::from_millis(100));
    }
    assert!(is_hung_up(&mut slow), "a line that sends a byte in a while");
    // Nonsense in a good frame, and lengths that cannot be.
    for bytes in [&[0x00, 0x10, 0xEE, 0xEE][..], &[0xFF, 0xFF], &[0x00, 0x00], &[0x00, 0x0B]] {
        let mut line = open();
        line.write_all(bytes).unwrap();
        let rest = vec![0xEE; 14];
        let _ = line.write_all(&rest);
        assert!(is_hung_up(&mut line), "{bytes:02X?}");
    }
    // A wrong code: refused, without a code, three times.
    let mut wrong = good.clone();
    *wrong.last_mut().unwrap() ^= 1;
    let mut line = open();
    for _ in 0..3 {
        line.write_all(&wrong).unwrap();
        let mut prefix = [0; 2];
        line.read_exact(&mut prefix).unwrap();
        let mut answer = vec![0; usize::from(u16::from_be_bytes(prefix))];
        line.read_exact(&mut answer).unwrap();
        let message = cardwright::words::iso8583::parse(&answer[11..], pos()).unwrap();
        assert_eq!((message.text(39), message.has(64)), (Some("A0"), false));
    }
    assert!(is_hung_up(&mut line), "a line whose codes are wrong");

    assert!(fake.seen().is_empty(), "nothing of it reached the host");
    let mut remote = client(server.address(), 2_000);
    for trace in 0..20 {
        assert!(remote.authorise(&load(trace, 50), &mut context()).is_ok());
    }
    assert_eq!(fake.seen().len(), 20);
    let metrics = server.metrics();
    assert!(metrics.lines_open.load(Ordering::Relaxed) > 200);
    assert_eq!(metrics.refusals.load(Ordering::Relaxed), 3);
    assert!(metrics.timeouts.load(Ordering::Relaxed) > 10);
    drop(silent);
}

#[test]
fn one_line_too_many_is_closed_and_the_others_stay() {
    let fake = Fake::default();
    let server = start(&fake, Limits { lines: 3, ..Limits::default() });
    let mut remote = client(server.address(), 2_000);
    assert!(remote.authorise(&load(1, 50), &mut context()).is_ok());
    let held: Vec<TcpStream> = (0..2).map(|_| TcpStream::connect(server.address()).unwrap()).collect();
    let mut last = TcpStream::connect(server.address()).unwrap();
    assert!(is_hung_up(&mut last));
    assert!(remote.authorise(&load(2, 50), &mut context()).is_ok());
    drop(held);
}

#[test]
fn a_stop_answers_what_is_under_way() {
    let fake = Fake::default();
    let server = start(&fake, Limits::default());
    let address = server.address();
    let mut remote = client(address, 5_000);
    assert!(remote.authorise(&load(1, 50), &mut context()).is_ok());
    let idle = TcpStream::connect(address).unwrap();
    let slow = std::thread::spawn(move || remote.authorise(&load(2, 3), &mut context()));
    while fake.seen().len() < 2 {
        std::thread::sleep(Duration::from_millis(5));
    }
    let begin = Instant::now();
    server.stop();
    assert!(begin.elapsed() < Duration::from_secs(8));
    assert!(slow.join().unwrap().is_ok());
    drop(idle);
    assert!(TcpStream::connect(address).is_err());
}

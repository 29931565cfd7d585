//! Whatever bytes come, a message is read or refused; what was read is written and
//! read again the same; its request, its explanation and its frame do not panic.

use cardwright::air::host::{from_message, to_message, totals_from_message};
use cardwright::base::env::Timestamp;
use cardwright::words::decode::explain_message;
use cardwright::words::iso8583::{DIALECTS, Frame, dialect, encode, parse};

/// 2026-11-21 08:00:00 UTC.
const RECEIVED: Timestamp = Timestamp::from_micros(1_795_248_000_000_000);

/// One try.
pub fn run(data: &[u8]) {
    let Some((choice, bytes)) = data.split_first() else { return };
    let row = DIALECTS[usize::from(*choice) % DIALECTS.len()];
    let dialect = dialect(row.name).expect("a built-in dialect is read");
    explain_message(bytes, dialect, choice & 0x80 != 0);
    let _ = Frame::open(bytes, dialect);
    let Ok(message) = parse(bytes, dialect) else { return };
    let again = encode(&message, dialect).expect("what was read is written");
    assert_eq!(parse(&again, dialect).as_ref(), Ok(&message));
    let _ = totals_from_message(&message, dialect);
    // A request may hold what our own messages do not; those that can be written come back.
    if let Ok(request) = from_message(&message, dialect, RECEIVED)
        && let Ok(ours) = to_message(&request, dialect)
        && encode(&ours, dialect).is_ok()
    {
        assert_eq!(from_message(&ours, dialect, RECEIVED).as_ref(), Ok(&request));
    }
}

//! Ports of this machine: one for each test that needs one, and whether anybody is at it.

use std::fs;
use std::net::{TcpListener, UdpSocket};
use std::sync::atomic::{AtomicU16, Ordering};

use super::process::{PATIENCE, wait_until};

/// Ports below those that the system hands out to whoever asks for any.
const FIRST: u16 = 20_000;
const COUNT: u16 = 10_000;

/// A port, of TCP and UDP, that nobody has and that no other test of this process is given.
///
/// # Errors
/// There is none.
pub(crate) fn free_port() -> Result<u16, String> {
    static TURN: AtomicU16 = AtomicU16::new(0);
    // Another process that tests begins elsewhere.
    let begin = std::process::id() % u32::from(COUNT);
    for _ in 0..COUNT {
        let turn = u32::from(TURN.fetch_add(1, Ordering::Relaxed));
        let port = FIRST + ((begin + turn) % u32::from(COUNT)) as u16;
        if UdpSocket::bind(("0.0.0.0", port)).is_ok() && TcpListener::bind(("0.0.0.0", port)).is_ok() {
            return Ok(port);
        }
    }
    Err(format!("every port from {FIRST} on is taken"))
}

/// An air that is UDP at a port of the test's own: `udp:HOST:PORT`.
///
/// # Errors
/// There is none.
pub(crate) fn free_air() -> Result<String, String> {
    Ok(format!("udp:127.0.0.1:{}", free_port()?))
}

/// Waits until somebody listens on an air that is UDP.
///
/// # Errors
/// Nobody does in time, or the air is another one.
pub(crate) fn wait_for_listener(air: &str) -> Result<(), String> {
    let port = air.rsplit(':').next().and_then(|port| port.parse().ok());
    let port = port.ok_or_else(|| format!("{air} is no air of UDP"))?;
    let found = wait_until(PATIENCE, || is_bound(port).then_some(()));
    found.ok_or_else(|| format!("nobody listens on {air}"))
}

/// Whether a socket has the port. It is looked up, since to try it would take it from others.
fn is_bound(port: u16) -> bool {
    let sockets = fs::read_to_string("/proc/net/udp").unwrap_or_default();
    // Of each line the second word is the own end, ADDRESS:PORT in hexadecimal.
    let own = |line: &str| line.split_whitespace().nth(1).map(str::to_owned);
    sockets.lines().filter_map(own).any(|own| own.ends_with(&format!(":{port:04X}")))
}

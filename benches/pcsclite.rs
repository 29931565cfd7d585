//! An APDU through the drop-in PC/SC library beside one through pcscd and the virtual
//! reader, with the same card behind both and the same client in front:
//! `cargo build --release --example pcsclite && cargo bench --bench pcsclite`, as root.
//!
//! The two take turns, round by round, so that what else the machine does falls on both;
//! the ratio is the median of the rounds' own. It fails above a tenth.

#![allow(clippy::expect_used, clippy::panic, reason = "a benchmark that fails must stop")]

#[cfg(target_os = "linux")]
#[path = "../tests/support/mod.rs"]
#[allow(dead_code, reason = "the tests use the rest")]
mod support;

/// Turns that each side takes.
#[cfg(target_os = "linux")]
const ROUNDS: usize = 5;

#[cfg(not(target_os = "linux"))]
fn main() {
    println!("the drop-in PC/SC library is for Linux");
}

#[cfg(target_os = "linux")]
fn main() {
    use std::process::{Command, Stdio};
    use support::pcscd::{PORT, PrivatePcscd};
    use support::process::{OwnChild, PATIENCE, run};
    use support::{program, python};

    const CARDWRIGHT: &str = env!("CARGO_BIN_EXE_cardwright");
    const CLOCK: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/counterpart/apdu_clock.py");
    // `cargo bench` compiles the benchmark and runs it without the switch where it only tests.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let clock = |mut command: Command, count: &str| -> f64 {
        let answer = run(command.args([CLOCK, count]), "", PATIENCE).expect("the clock ends");
        assert!(answer.success(), "{answer:#?}");
        answer.stdout.trim().parse().expect("the clock prints nanoseconds")
    };
    let python = python("ctypes").expect("Python 3");
    let daemon = PrivatePcscd::start("Virtual PCD").expect("pcscd and the virtual reader");
    let mut card = daemon.command(CARDWRIGHT);
    card.args(["card", "serve", "sim:ecash", "--on", &format!("vpcd:127.0.0.1:{PORT}")]);
    let _card = OwnChild(card.stdout(Stdio::null()).spawn().expect("the card is served"));
    daemon.wait_for_card(&program("opensc-tool", "opensc").expect("opensc")).expect("a card");

    let mut ratios = Vec::new();
    println!("{:>12} {:>16} {:>8}", "drop-in", "pcscd and vpcd", "ratio");
    for _ in 0..ROUNDS {
        let mut drop_in = Command::new(CARDWRIGHT);
        drop_in.args(["pcsclite", "--"]).arg(&python);
        let ours = clock(drop_in, "5000");
        let theirs = clock(daemon.command(&python), "300");
        println!("{:>9.2} us {:>13.2} us {:>8.4}", ours / 1000.0, theirs / 1000.0, ours / theirs);
        ratios.push(ours / theirs);
    }
    ratios.sort_by(f64::total_cmp);
    let median = ratios[ratios.len() / 2];
    println!("an APDU through the drop-in library costs {median:.4} of one through pcscd and vpcd");
    assert!(median < 0.1, "expected less than a tenth");
}

//! The private PC/SC reader itself, with the smallest of cards on it: what the tests
//! of our own card stand on.

use std::path::PathBuf;
use std::process::Command;

use cardwright::air::link::{LinkError, Target, TargetRequest, Vpcd};
use cardwright::base::context::Context;
use cardwright::base::event::Discard;
use libtest_mimic::{Failed, Trial};

use crate::support::pcscd::{PORT, PrivatePcscd};
use crate::support::process::{Answer, PATIENCE, run};
use crate::support::vpicc::FixedCard;
use crate::support::{Skip, program, python, require_or_skip, skips_fail_where_required};

/// A contactless card's ATR without historical bytes.
const ATR: &[u8] = &[0x3B, 0x80, 0x80, 0x01, 0x01];

/// Reads the ATR and sends one SELECT, as a program of others would.
const PYSCARD: &str = "
from smartcard.System import readers
connection = readers()[0].createConnection()
connection.connect()
data, sw1, sw2 = connection.transmit([0x00, 0xA4, 0x04, 0x00])
print(readers()[0], bytes(connection.getATR()).hex(), '%02X%02X' % (sw1, sw2))
";

/// Sends 51 commands and says whether most took under 20 ms: this machine may have been busy at
/// some, while what is late by its protocol is late each time.
const PYSCARD_TIMED: &str = "
import time
from smartcard.System import readers
connection = readers()[0].createConnection()
connection.connect()
took_ms = []
for _ in range(51):
    begin = time.monotonic()
    data, sw1, sw2 = connection.transmit([0x00, 0xA4, 0x04, 0x00])
    took_ms.append((time.monotonic() - begin) * 1000)
    assert (sw1, sw2) == (0x90, 0x00)
median_ms = sorted(took_ms)[25]
print(bytes(connection.getATR()).hex(), 'in time' if median_ms < 20 else 'late: %.1f ms each' % median_ms)
";

/// A daemon, and the program that will use it.
struct Setup {
    daemon: PrivatePcscd,
    program: PathBuf,
    opensc_tool: PathBuf,
}

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        Trial::test("counterparts::a_skip_fails_where_required", skips_fail_where_required),
        Trial::ignorable_test("counterparts::private_reader::opensc_tool", || {
            require_or_skip(setup(program("opensc-tool", "opensc")), |setup| {
                with_card(&setup, 0, |command| {
                    has(run(command.arg("--atr"), "", PATIENCE)?, "3b:80:80:01:01")
                })
            })
        }),
        Trial::ignorable_test("counterparts::private_reader::scriptor", || {
            require_or_skip(setup(program("scriptor", "pcsc-tools")), |setup| {
                with_card(&setup, 2, |command| {
                    has(run(command, "00A40400\n00A40400\n", PATIENCE)?, "< 90 00")
                })
            })
        }),
        Trial::ignorable_test("counterparts::private_reader::pyscard", || {
            require_or_skip(setup(python("smartcard")), |setup| {
                with_card(&setup, 1, |command| {
                    has(
                        run(command.args(["-c", PYSCARD]), "", PATIENCE)?,
                        "Virtual PCD 00 00 3b80800101 9000",
                    )
                })
            })
        }),
        Trial::ignorable_test("counterparts::private_reader::our_target", || {
            require_or_skip(setup(python("smartcard")), our_target)
        }),
        Trial::ignorable_test("counterparts::private_reader::two_side_by_side", || {
            let two =
                || Ok((setup(program("opensc-tool", "opensc"))?, setup(program("opensc-tool", "opensc"))?));
            require_or_skip(two(), |(with, without)| {
                let _card = FixedCard::insert(&with.daemon, ATR)?;
                with.daemon.wait_for_card(&with.opensc_tool)?;
                let mut list = without.daemon.command(&without.program);
                let answer = run(list.arg("--list-readers"), "", PATIENCE)?;
                match answer.stdout.contains(" Yes ") {
                    true => {
                        Err(format!("a card in one reader shows in the other:\n{}", answer.stdout).into())
                    }
                    false => has(answer, "Virtual PCD 00 00"),
                }
            })
        }),
    ]
}

/// Our own way to the virtual reader, played by a card that answers 9000: pyscard sees
/// its ATR and is answered in time. Without the acknowledgement at once, or with an
/// answer in two writes, each APDU takes over 40 ms.
fn our_target(setup: Setup) -> Result<(), Failed> {
    let address = format!("127.0.0.1:{PORT}");
    let mut target = setup.daemon.in_its_network(|| Vpcd::connect(&address))??;
    let served = std::thread::spawn(move || {
        let mut context = Context::simulated(1, Discard);
        loop {
            let request = match target.receive(&mut context) {
                // Nothing came for a while: nobody here wants it to end.
                Err(LinkError::Timeout { .. }) => continue,
                request => request?,
            };
            match request {
                TargetRequest::Atr => target.send(ATR, &mut context)?,
                TargetRequest::Command(_) => target.send(&[0x90, 0x00], &mut context)?,
                TargetRequest::PowerOn | TargetRequest::PowerOff => {}
                TargetRequest::Gone => return Ok::<(), LinkError>(()),
            }
        }
    });
    setup.daemon.wait_for_card(&setup.opensc_tool)?;
    let mut pyscard = setup.daemon.command(&setup.program);
    let answer = run(pyscard.args(["-c", PYSCARD_TIMED]), "", PATIENCE)?;
    has(answer, "3b80800101 in time")?;
    // The daemon ends here, and with it the reader: the card must notice.
    drop(setup);
    served.join().map_err(|_| "the card panicked")??;
    Ok(())
}

/// A daemon of its own for the program that will use it.
fn setup(program_path: Result<PathBuf, Skip>) -> Result<Setup, Skip> {
    let (program, opensc_tool) = (program_path?, program("opensc-tool", "opensc")?);
    Ok(Setup { daemon: PrivatePcscd::start("Virtual PCD")?, program, opensc_tool })
}

/// Puts the fixed card on the reader and runs the program, which must send this many APDUs.
fn with_card(
    setup: &Setup,
    apdus: usize,
    test: impl FnOnce(&mut Command) -> Result<(), Failed>,
) -> Result<(), Failed> {
    let card = FixedCard::insert(&setup.daemon, ATR)?;
    setup.daemon.wait_for_card(&setup.opensc_tool)?;
    test(&mut setup.daemon.command(&setup.program))?;
    match card.pull() {
        answered if answered == apdus => Ok(()),
        answered => Err(format!("expected {apdus} APDUs at the card, found {answered}").into()),
    }
}

/// Whether a program ended well and said this.
fn has(answer: Answer, part: &str) -> Result<(), Failed> {
    if answer.success() && answer.stdout.contains(part) {
        return Ok(());
    }
    Err(format!("expected exit code 0 and `{part}`, found {answer:#?}").into())
}

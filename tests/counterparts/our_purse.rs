//! Our purse cards on a PC/SC reader: every transaction of the command line, exact balances after
//! each, and what a card that was pulled at its last command proves when it is back.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::sync::mpsc;

use cardwright::air::link::{LinkError, Target, TargetRequest, Vpcd};
use cardwright::base::context::Context;
use cardwright::base::event::Discard;
use libtest_mimic::{Failed, Trial};

use super::our_card::{CARDWRIGHT, Served, same};
use super::programs::{INTERFACES, done};
use crate::support::pcscd::PORT;
use crate::support::process::{PATIENCE, run};
use crate::support::{Skip, program, require_or_skip};

/// What a card is read as: its electronic cash, of each purse application the holder's own money in
/// deposit and purse, and its account; minor units.
struct Holds {
    ecash: Option<i64>,
    purses: &'static [&'static [i64]],
    account: i64,
}

/// A command, its exit code, and what the card holds afterwards.
type Step = (&'static [&'static str], i32, Holds);

/// A profile and what is done with its card.
struct Story {
    profile: &'static str,
    steps: &'static [Step],
}

const fn holds(purses: &'static [&'static [i64]], account: i64) -> Holds {
    Holds { ecash: None, purses, account }
}

const fn three(ecash: i64, purses: &'static [&'static [i64]], account: i64) -> Holds {
    Holds { ecash: Some(ecash), purses, account }
}

/// A ride in file 1E.
const RIDE: &str =
    "1E:00:06000000000001020000000000000000C800000000000000000000000000000000000000000000000000000000000000";
/// A record of a gate in file 17 of the purse of PBOC.
const GATE: &str = "17:02:0211000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000";
/// A compound record in file 17 of City Union.
const METRO: &str =
    "17:09:092E01310100000000000000000000000000000000000000000000000000000000000000000000000000000000000000";

const STORIES: &[Story] = &[
    Story {
        profile: "eped",
        steps: &[
            (&["load", "50.00"], 0, holds(&[&[10_000, 15_000]], 45_000)),
            (&["load", "--overdraft", "200.00"], 0, holds(&[&[10_000, 15_000]], 45_000)),
            (&["pay", "12.50"], 0, holds(&[&[10_000, 13_750]], 45_000)),
            (&["pay", "150.00", "--purse", "ed"], 0, holds(&[&[-5_000, 13_750]], 45_000)),
            (&["pay", "5.00", "--cash"], 0, holds(&[&[-5_500, 13_750]], 45_000)),
            (&["pay", "0", "--compound", RIDE], 0, holds(&[&[-5_500, 13_750]], 45_000)),
            (
                &["pay", "2.00", "--compound", RIDE, "--compound", GATE],
                0,
                holds(&[&[-5_500, 13_550]], 45_000),
            ),
            (&["gate", "run"], 0, holds(&[&[-5_500, 13_350]], 45_000)),
            (&["load", "300.00", "--purse", "ed"], 0, holds(&[&[24_500, 13_350]], 15_000)),
            (&["load", "--overdraft", "0"], 0, holds(&[&[24_500, 13_350]], 15_000)),
            (&["unload", "15.00"], 0, holds(&[&[23_000, 13_350]], 16_500)),
            (&["recover"], 0, holds(&[&[23_000, 13_350]], 16_500)),
            (&["settle"], 0, holds(&[&[23_000, 13_350]], 16_500)),
        ],
    },
    Story {
        profile: "t-union",
        steps: &[
            (&["load", "20.00"], 0, holds(&[&[12_000]], 48_000)),
            (&["pay", "2.00"], 0, holds(&[&[11_800]], 48_000)),
            (&["pay", "2.00", "--compound", RIDE], 0, holds(&[&[11_600]], 48_000)),
            (&["pay", "2.00", "--cash"], 1, holds(&[&[11_600]], 48_000)),
            (&["upload"], 0, holds(&[&[11_600]], 48_000)),
        ],
    },
    Story {
        profile: "city-union",
        steps: &[
            (&["load", "20.00"], 0, holds(&[&[12_000]], 48_000)),
            (&["pay", "2.00"], 0, holds(&[&[11_800]], 48_000)),
            (&["pay", "3.00", "--compound", METRO], 0, holds(&[&[11_500]], 48_000)),
            (&["upload"], 0, holds(&[&[11_500]], 48_000)),
        ],
    },
    Story {
        profile: "three-in-one",
        steps: &[
            (&["load", "20.00", "--purse", "city-union"], 0, three(10_000, &[&[10_000], &[12_000]], 48_000)),
            (&["load", "10.00", "--purse", "t-union"], 0, three(10_000, &[&[11_000], &[12_000]], 47_000)),
            (&["pay", "3.00", "--purse", "city-union"], 0, three(10_000, &[&[11_000], &[11_700]], 47_000)),
            (
                &["pay", "1.00", "--purse", "A000000632010105"],
                0,
                three(10_000, &[&[10_900], &[11_700]], 47_000),
            ),
            (
                &["pay", "2.00", "--purse", "city-union", "--compound", METRO],
                0,
                three(10_000, &[&[10_900], &[11_500]], 47_000),
            ),
            (&["pay", "5.00"], 0, three(9_500, &[&[10_900], &[11_500]], 47_000)),
            (&["load", "5.00"], 0, three(10_000, &[&[10_900], &[11_500]], 46_500)),
            (&["pay", "1.00", "--purse", "shenzhen"], 1, three(10_000, &[&[10_900], &[11_500]], 46_500)),
            (&["recover"], 0, three(10_000, &[&[10_900], &[11_500]], 46_500)),
        ],
    },
];

/// A command of the card at which it is pulled: what begins it, and whether the card still acts.
struct Pull {
    line: &'static [&'static str],
    command: &'static [u8],
    acts: bool,
    after: Holds,
    why: &'static str,
}

const PROVEN: &str = "GET TRANSACTION PROVE has it";

/// Each follows upon the one before. What was not paid and not loaded is settled, too.
const PULLS: &[Pull] = &[
    Pull {
        line: &["pay", "12.50"],
        command: &[0x80, 0x54, 0x01],
        acts: true,
        after: holds(&[&[10_000, 8_750]], 50_000),
        why: PROVEN,
    },
    Pull {
        line: &["pay", "12.50"],
        command: &[0x80, 0x54, 0x01],
        acts: false,
        after: holds(&[&[10_000, 8_750]], 50_000),
        why: "the card's counter has not stepped",
    },
    Pull {
        line: &["pay", "2.00", "--compound", RIDE],
        command: &[0x80, 0x54, 0x01],
        acts: true,
        after: holds(&[&[10_000, 8_550]], 50_000),
        why: PROVEN,
    },
    Pull {
        line: &["load", "50.00"],
        command: &[0x80, 0x52, 0x00],
        acts: true,
        after: holds(&[&[10_000, 13_550]], 45_000),
        why: PROVEN,
    },
    Pull {
        line: &["load", "50.00"],
        command: &[0x80, 0x52, 0x00],
        acts: false,
        after: holds(&[&[10_000, 13_550]], 45_000),
        why: "neither GET TRANSACTION PROVE nor the log has it",
    },
    Pull {
        line: &["unload", "20.00"],
        command: &[0x80, 0x54, 0x03],
        acts: true,
        after: holds(&[&[8_000, 13_550]], 47_000),
        why: PROVEN,
    },
    Pull {
        line: &["load", "--overdraft", "200.00"],
        command: &[0x80, 0x58, 0x00],
        acts: true,
        after: holds(&[&[8_000, 13_550]], 47_000),
        why: PROVEN,
    },
];

pub(crate) fn trials() -> Vec<Trial> {
    let told = STORIES.iter().flat_map(|story| {
        INTERFACES.iter().map(move |(interface, _)| {
            let name = format!("counterparts::our_purse::{interface}::{}", story.profile);
            trial(name, story.profile, interface, |served, _| tell(story, served))
        })
    });
    let pulled = trial("counterparts::our_purse::pulled".into(), "eped", "contact", tear);
    told.chain([pulled]).collect()
}

fn trial(
    name: String,
    profile: &'static str,
    interface: &'static str,
    test: impl Fn(&mut Served, &Path) -> Result<(), Failed> + Send + 'static,
) -> Trial {
    Trial::ignorable_test(name, move || {
        let found = || -> Result<_, Skip> {
            Ok((program("opensc-tool", "opensc")?, Served::on_a_reader(profile, interface)?))
        };
        require_or_skip(found(), |(opensc_tool, served)| {
            let mut served = served?;
            let module = served.path("sam.card");
            let mut new = std::process::Command::new(CARDWRIGHT);
            done(run(new.args(["card", "new", "psam", &module]), "", PATIENCE)?)?;
            test(&mut served, &opensc_tool)
        })
    })
}

fn tell(story: &Story, served: &mut Served) -> Result<(), Failed> {
    for (line, code, after) in story.steps {
        let answer = served.cardwright(&with_module(line, served))?;
        if answer.code != Some(*code) {
            return Err(format!("{line:?}: expected exit code {code}, found {answer:#?}").into());
        }
        compare(line, after, served)?;
    }
    Ok(())
}

/// Pulls the card at one command after the other; each time it is back it proves what it has done.
fn tear(served: &mut Served, opensc_tool: &Path) -> Result<(), Failed> {
    // The one beside the reader is its second slot.
    const BEHIND: u16 = PORT + 10;
    let mut before: Option<&Pull> = None;
    for pull in PULLS {
        let (begun, is_begun) = mpsc::channel();
        served.put_behind(BEHIND, |daemon| {
            let network = daemon.network()?;
            // It ends with the card that it pulls, or with this program.
            std::thread::spawn(move || network.enter().and_then(|()| hand(BEHIND, pull, &begun)));
            Ok(is_begun.recv_timeout(PATIENCE)?)
        })?;
        served.daemon.wait_for_card(opensc_tool)?;
        before.map_or(Ok(()), |before| prove(before, served))?;
        let answer = served.cardwright(&with_module(pull.line, served))?;
        if answer.code != Some(4) || !answer.stderr.contains("cardwright recover") {
            return Err(format!("{:?}: expected that the card is gone, found {answer:#?}", pull.line).into());
        }
        before = Some(pull);
    }
    served.put_back(opensc_tool)?;
    before.map_or(Ok(()), |before| prove(before, served))
}

/// Settles what a card that was pulled has done.
fn prove(pull: &Pull, served: &Served) -> Result<(), Failed> {
    let recovered: serde_json::Value = serde_json::from_str(&done(served.cardwright(&["recover"])?)?)?;
    let rows: Vec<_> = recovered["recovery"]["rows"].as_array().into_iter().flatten().collect();
    if !rows.iter().any(|row| row["why"].as_str().is_some_and(|why| why.contains(pull.why))) {
        return Err(format!("{:?}: expected {:?}, found {rows:#?}", pull.line, pull.why).into());
    }
    compare(pull.line, &pull.after, served)
}

/// A hand between card and reader: it pulls the card at a command, before it or after the card has
/// acted on it. Messages of the virtual reader are two bytes of length and as many of data.
fn hand(behind: u16, pull: &Pull, begun: &mpsc::Sender<()>) -> std::io::Result<()> {
    let listener = TcpListener::bind(("127.0.0.1", behind))?;
    let _ = begun.send(());
    let (mut card, _) = listener.accept()?;
    card.set_nodelay(true)?;
    let mut reader = Vpcd::connect(&format!("127.0.0.1:{PORT}")).map_err(std::io::Error::other)?;
    let mut context = Context::simulated(1, Discard);
    loop {
        let (told, is_answered) = match reader.receive(&mut context) {
            Err(LinkError::Timeout { .. }) => continue,
            Ok(TargetRequest::PowerOff) => (vec![0x00], false),
            Ok(TargetRequest::PowerOn) => (vec![0x01], false),
            Ok(TargetRequest::Atr) => (vec![0x04], true),
            Ok(TargetRequest::Command(command)) => (command, true),
            Ok(TargetRequest::Gone) | Err(_) => return Ok(()),
        };
        let is_it = told.starts_with(pull.command);
        if is_it && !pull.acts {
            return Ok(());
        }
        let length = u16::try_from(told.len()).map_err(std::io::Error::other)?;
        card.write_all(&[&length.to_be_bytes()[..], &told].concat())?;
        if !is_answered {
            continue;
        }
        let mut length = [0; 2];
        card.read_exact(&mut length)?;
        let mut answer = vec![0; usize::from(u16::from_be_bytes(length))];
        card.read_exact(&mut answer)?;
        if is_it {
            return Ok(());
        }
        reader.send(&answer, &mut context).map_err(std::io::Error::other)?;
    }
}

/// Paths are whole ones: beside the daemon the working folder is another.
fn with_module(line: &[&str], served: &Served) -> Vec<String> {
    let mut line: Vec<String> = line.iter().map(|word| (*word).to_owned()).collect();
    if matches!(line[0].as_str(), "pay" | "gate") {
        line.extend(["--sam".into(), format!("sim:{}", served.path("sam.card"))]);
    }
    line
}

fn compare(line: &[&str], expected: &Holds, served: &Served) -> Result<(), Failed> {
    let value = |line: &[&str]| -> Result<serde_json::Value, Failed> {
        Ok(serde_json::from_str(&done(served.cardwright(line)?)?)?)
    };
    let read = value(&["read"])?;
    let purses = read["card"]["purses"].as_array().into_iter().flatten();
    let own = |purse: &serde_json::Value| -> Option<Vec<i64>> {
        purse["balances"].as_array()?.iter().map(|balance| balance["own_minor"].as_i64()).collect()
    };
    let found: Option<Vec<_>> = purses.map(own).collect();
    same(
        &format!("the purses after {line:?}"),
        found,
        expected.purses.iter().map(|own| own.to_vec()).collect(),
    )?;
    let ecash = &read["card"]["applications"][0]["ecash"][0]["balance"]["minor"];
    same(&format!("electronic cash after {line:?}"), Some(ecash.as_i64()), expected.ecash)?;
    let account = value(&["account", "list"])?["accounts"][0]["balance_minor"].as_i64();
    same(&format!("the account after {line:?}"), account, expected.account)
}

//! Two runs with one seed are the same, byte for byte: what is printed and what is
//! recorded, by contact and contactless, with offline data authentication and PINs.

use crate::cli::Desk;

/// What is played, a command a line, in order. `{}` is the name of a recording.
const SESSIONS: &[(&str, &[&str])] = &[
    (
        "by contact: CDA, a PIN that the card checks, the issuer asked",
        &["card new unionpay-credit my.card --account A1", "pay 12.50 --interface contact --save {}"],
    ),
    (
        "by contact with DDA and an enciphered PIN",
        &[
            "card new enciphered.toml my.card --account A1",
            "pay 1.00 --interface contact --terminal dda.toml --save {}",
            "pay 2.00 --interface contact --terminal dda.toml --save {}",
        ],
    ),
    (
        "contactless: a load with an online PIN, then fDDA",
        &[
            "card new ecash my.card --account A1",
            "load 50.00 --save {}",
            "pay 12.50 --interface contactless --save {}",
            "pay 0.50 --interface contactless --save {}",
            "recover --save {}",
        ],
    ),
    (
        "SM2 and SM4, both interfaces",
        &[
            "card new unionpay-sm my.card --account A1",
            "pay 12.50 --interface contact --save {}",
            "pay 12.50 --interface contactless --save {}",
        ],
    ),
];

/// Plays a session; gives what was printed and recorded, command by command.
fn play(commands: &[&str], seed: usize, masked: bool) -> Vec<(String, Vec<u8>)> {
    let desk = Desk::new();
    let terminal = include_str!("../src/roles/terminal/terminal.toml").replace("E0F9C8", "E0F9C0");
    std::fs::write(desk.path("dda.toml"), terminal).unwrap();
    let card = include_str!("../src/roles/card/profile/unionpay-credit.toml");
    let card = card.replace("0000000000000000 4103 4203 5E03 1F00", "0000000000000000 0400");
    std::fs::write(desk.path("enciphered.toml"), card).unwrap();
    desk.ok(&["account", "open", "--balance", "500.00", "--id", "A1", "--seed", "1"]);
    let mut out = Vec::new();
    for (place, command) in commands.iter().enumerate() {
        let file = format!("{place}.cwt");
        let seed = (seed + place).to_string();
        let mut call: Vec<&str> =
            command.split(' ').map(|word| if word == "{}" { file.as_str() } else { word }).collect();
        call.extend(["--seed", &seed, "--pin-file", "pin"]);
        if place > 0 {
            call.extend(["--reader", "sim:my.card"]);
        }
        if !masked {
            call.push("--unmask");
        }
        let printed = desk.ok(&call);
        out.push((printed, std::fs::read(desk.path(&file)).unwrap_or_default()));
    }
    out
}

#[test]
fn one_seed_gives_the_same_bytes_and_another_gives_others() {
    for (name, commands) in SESSIONS {
        for masked in [false, true] {
            let (first, again) = (play(commands, 7, masked), play(commands, 7, masked));
            for (place, (one, other)) in first.iter().zip(&again).enumerate() {
                assert!(one.0 == other.0, "{name}: {}: another text", commands[place]);
                assert!(one.1 == other.1, "{name}: {}: another recording", commands[place]);
                assert_eq!(one.1.is_empty(), place == 0, "{name}: {} left no recording", commands[place]);
            }
            let other = play(commands, 700, masked);
            assert!(first.iter().zip(&other).skip(1).all(|(one, other)| one.1 != other.1), "{name}");
        }
    }
}

#[test]
fn the_sessions_have_what_they_say() {
    let recorded = |at: usize| -> String {
        let bytes = play(SESSIONS[at].1, 7, false).into_iter().flat_map(|(_, recording)| recording).collect();
        String::from_utf8(bytes).unwrap()
    };
    // The index E2 is of the CA public key for SM2.
    for (at, parts) in [
        (0, &["CDA succeeded", "00200080"][..]),
        (1, &["DDA succeeded", "00200088"]),
        (2, &["fDDA succeeded"]),
        (3, &["CDA succeeded", "8F01E2"]),
    ] {
        let text = recorded(at);
        for part in parts {
            assert!(text.contains(part), "{}: {part} is not in its recording", SESSIONS[at].0);
        }
    }
}

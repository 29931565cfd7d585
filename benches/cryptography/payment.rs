//! A whole contact payment, approved offline, with CDA, with DDA and without offline data
//! authentication, each beside its floor in the same run: the raw RSA and DES operations
//! that it needs, and nothing else. Ours and the floor take turns, round by round, so that
//! what else the machine does falls on both; a ratio is the median of the rounds' own.

use super::counter;
use cardwright::air::link::Interface;
use cardwright::base::bytes::Secret;
use cardwright::base::context::Context;
use cardwright::base::crypto::{RsaExponent, RsaPrivateKey, TripleDes};
use cardwright::roles::card::Profile;
use cardwright::roles::terminal::{Flow, TerminalConfig, Verdict};
use cardwright::words::emv::cryptogram::CryptogramVersion;
use cardwright::world::Stage;
use std::hint::black_box;
use std::time::Instant;

/// Payments of a round.
const PAYMENTS: u32 = 20;
/// Rounds, unless `CARDWRIGHT_ROUNDS` says otherwise.
const ROUNDS: usize = 51;

/// A way to authenticate: its name, terminal capabilities (9F33), and the private and
/// public operations that it needs. A public one is of CA, issuer and card each.
const WAYS: [(&str, &str, usize, usize); 3] =
    [("with CDA", "E0F8C8", 1, 3), ("with DDA", "E0F8C0", 1, 3), ("without", "E0F800", 0, 0)];

/// Prints the table.
pub(crate) fn table() {
    let named = std::env::var("CARDWRIGHT_ROUNDS").ok().and_then(|text| text.parse().ok());
    let rounds: usize = named.unwrap_or(ROUNDS).max(1);
    println!("contact payments approved offline, one core; medians of {rounds} rounds of {PAYMENTS}");
    println!("{:<10} {:>12} {:>10} {:>12} {:>7}", "", "payments/s", "each us", "floor us", "ratio");
    for (name, capabilities, private, public) in WAYS {
        let (mut stage, mut context) =
            counter::stage(profile(), (0, 0), config(capabilities), Interface::Contact);
        let floor = Floor::new(private, public);
        let measured: Vec<(f64, f64)> = (0..=rounds)
            .map(|_| (each(|| play(&mut stage, &mut context)), each(|| floor.once())))
            .skip(1)
            .collect();
        let ours = median(measured.iter().map(|(ours, _)| *ours).collect());
        let least = median(measured.iter().map(|(_, floor)| *floor).collect());
        let ratio = median(measured.iter().map(|(ours, floor)| floor / ours).collect());
        println!("{name:<10} {:>12.0} {ours:>10.1} {least:>12.1} {ratio:>7.2}", 1e6 / ours);
    }
    println!();
}

/// The credit card without what sends it online: new card, counters, a PIN.
fn profile() -> Profile {
    let mut text = include_str!("../../src/roles/card/profile/unionpay-credit.toml").to_owned();
    for (from, to) in [
        (r#""9F52" = "C248""#, r#""9F52" = "0000""#),
        (r#""9F56" = "80""#, r#""9F56" = "00""#),
        (r#""9F58" = "03""#, ""),
        (r#""9F59" = "05""#, ""),
        (r#""9F54" = "000000050000""#, ""),
        (r#""9F5C" = "000000100000""#, ""),
        ("0000000000000000 4103 4203 5E03 1F00", "0000000000000000 1F00"),
    ] {
        assert!(text.contains(from), "the profile has no {from}");
        text = text.replace(from, to);
    }
    Profile::parse(&text).expect("a profile")
}

/// A terminal that asks the issuer of nothing.
fn config(capabilities: &str) -> TerminalConfig {
    let text = include_str!("../../src/roles/terminal/terminal.toml");
    let text = text.replace("E0F9C8", capabilities).replace("DC4004F800", "0000000000");
    TerminalConfig::parse(&text).expect("a terminal file")
}

fn play(stage: &mut Stage, context: &mut Context) {
    let outcome = counter::play(stage, Flow::Pay, context);
    assert_eq!(outcome.verdict, Verdict::ApprovedOffline, "{}", outcome.reason);
}

/// The raw operations of one payment.
struct Floor {
    private: usize,
    public: usize,
    card: RsaPrivateKey,
    keys: [RsaPrivateKey; 3],
    version: CryptogramVersion,
}

impl Floor {
    fn new(private: usize, public: usize) -> Self {
        // As long as the keys of the built-in test authority, its issuer and its cards.
        let keys = [1984, 1408, 1152].map(|bits| {
            RsaPrivateKey::generate(bits, RsaExponent::Three, &Secret::new([bits as u8; 32])).expect("a key")
        });
        let version =
            CryptogramVersion::by_name("PBOC CVN 01").expect("the profile's version").by(TripleDes::Tables);
        Self { private, public, card: keys[2].clone(), keys, version }
    }

    fn once(&self) {
        let message = |bytes: usize| {
            let mut message = vec![0xA5; bytes];
            message[0] = 0x6A;
            message
        };
        for _ in 0..self.private {
            black_box(self.card.apply(&message(self.card.public().length_bytes())).expect("a number below"));
        }
        for key in &self.keys[..self.public] {
            black_box(key.public().apply(&message(key.public().length_bytes())).expect("a number below"));
        }
        black_box(self.version.application_cryptogram(&black_box([7; 16]), [0, 1], &[0; 37]));
    }
}

/// Microseconds of one, over a round.
fn each(mut work: impl FnMut()) -> f64 {
    let start = Instant::now();
    (0..PAYMENTS).for_each(|_| work());
    start.elapsed().as_secs_f64() * 1e6 / f64::from(PAYMENTS)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

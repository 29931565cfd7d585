//! The deny list of ten million cards beside a plain `HashSet`: build, look-up, change, memory.
//!
//! `cargo bench --bench deny_list`; `CARDWRIGHT_DENIED=100000` for another size.

#![allow(clippy::unwrap_used, reason = "a benchmark that fails must stop")]

use cardwright::base::store::SealKey;
use cardwright::devices::gate::{DenyDelta, DenyList};
use std::collections::HashSet;
use std::hint::black_box;
use std::time::{Duration, Instant};

const LOOKUPS: u64 = 1_000_000;
const CHANGES: u64 = 10_000;

fn main() {
    // `cargo test --benches` runs every bench; nothing is measured there.
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    let size =
        std::env::var("CARDWRIGHT_DENIED").ok().and_then(|text| text.parse().ok()).unwrap_or(10_000_000);
    let key = SealKey::from_bytes([5; 32]);
    let entries: Vec<u64> = (0..size).map(mixed).collect();
    let strangers: Vec<u64> = (0..LOOKUPS).map(|number| mixed(size + number)).collect();
    let listed: Vec<u64> = (0..LOOKUPS).map(|number| entries[(number * 7919 % size) as usize]).collect();
    let delta = DenyDelta {
        from: 1,
        to: 2,
        add: (0..CHANGES).map(|number| mixed(size + LOOKUPS + number)).collect(),
        remove: entries.iter().step_by((size / CHANGES).max(1) as usize).copied().collect(),
    };

    println!("{size} entries                        deny list     HashSet");
    let (begun, before) = (Instant::now(), resident());
    let mut list = DenyList::of(key.clone(), 1, entries.clone());
    let (list_build, list_memory) = (begun.elapsed(), resident().saturating_sub(before));
    let (begun, before) = (Instant::now(), resident());
    let mut set: HashSet<u64> = entries.iter().copied().collect();
    let (set_build, set_memory) = (begun.elapsed(), resident().saturating_sub(before));
    row("build", ms(list_build), ms(set_build));
    row("memory, resident", mib(list_memory), mib(set_memory));
    row("memory, of filter and entries", mib(list.bytes() as u64), String::from("-"));
    let of = |work: &mut dyn FnMut()| {
        let begun = Instant::now();
        work();
        begun.elapsed()
    };
    let found = |held: usize, expected: usize| assert_eq!(held, expected);
    let list_strangers =
        of(&mut || found(strangers.iter().filter(|one| list.holds(black_box(**one))).count(), 0));
    let set_strangers =
        of(&mut || found(strangers.iter().filter(|one| set.contains(black_box(*one))).count(), 0));
    row("a stranger looked up", each(list_strangers, LOOKUPS), each(set_strangers, LOOKUPS));
    let all = LOOKUPS as usize;
    let list_listed =
        of(&mut || found(listed.iter().filter(|one| list.holds(black_box(**one))).count(), all));
    let set_listed =
        of(&mut || found(listed.iter().filter(|one| set.contains(black_box(*one))).count(), all));
    row("a denied card looked up", each(list_listed, LOOKUPS), each(set_listed, LOOKUPS));
    let pans: Vec<String> = (0..100_000).map(|number| format!("62999{number:011}")).collect();
    let hashing = of(&mut || found(pans.iter().filter(|pan| list.denies(black_box(pan))).count(), 0));
    row("a card number hashed and looked up", each(hashing, 100_000), String::from("-"));
    let list_change = of(&mut || list.apply(&delta).unwrap());
    let set_change = of(&mut || {
        delta.remove.iter().for_each(|entry| _ = set.remove(entry));
        set.extend(&delta.add);
    });
    row("10000 added, 10000 taken away", ms(list_change), ms(set_change));
    assert_eq!(list.len(), set.len());
}

/// A number that is as good as random: what a keyed hash would give.
fn mixed(number: u64) -> u64 {
    let mut x = number.wrapping_add(0x9E37_79B9_7F4A_7C15);
    x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    x ^ (x >> 31)
}

/// Resident memory of this process, bytes; 0 where the system does not tell.
fn resident() -> u64 {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = text.split_whitespace().nth(1).and_then(|pages| pages.parse::<u64>().ok());
    pages.unwrap_or(0) * 4096
}

fn row(what: &str, list: String, set: String) {
    println!("{what:<36}  {list:>10}  {set:>10}");
}

fn ms(duration: Duration) -> String {
    format!("{:.1} ms", duration.as_secs_f64() * 1e3)
}

fn each(duration: Duration, count: u64) -> String {
    format!("{:.0} ns", duration.as_secs_f64() * 1e9 / count as f64)
}

fn mib(bytes: u64) -> String {
    format!("{:.1} MiB", bytes as f64 / f64::from(1 << 20))
}

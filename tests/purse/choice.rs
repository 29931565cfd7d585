//! A card with several purses: which of them a line names, and what a card has that has it not.

use crate::cli::Desk;

/// Own money of each purse of `my.card`, minor units.
fn purses(desk: &Desk) -> Vec<i64> {
    let read = desk.json(&desk.on_card(&["read"]));
    let purses = read["card"]["purses"].as_array().unwrap();
    purses.iter().map(|purse| purse["balances"][0]["own_minor"].as_i64().unwrap()).collect()
}

fn desk() -> Desk {
    let desk = Desk::new();
    desk.ok(&["account", "open", "--balance", "500.00", "--id", "A1"]);
    desk.ok(&["card", "new", "three-in-one", "my.card", "--account", "A1", "--balance", "100.00"]);
    desk.ok(&["card", "new", "psam", "sam.card"]);
    desk
}

#[test]
fn each_purse_of_a_card_is_loaded_and_paid_with_by_its_name() {
    let desk = desk();
    // Which purse, and what T-Union and City Union hold afterwards.
    let steps: &[(&[&str], &str, [i64; 2])] = &[
        (&["load", "20.00"], "city-union", [10_000, 12_000]),
        (&["load", "10.00"], "T-Union", [11_000, 12_000]),
        (&["load", "1.00"], "ep", [11_100, 12_000]),
        (&["pay", "3.00"], "city-union:ep", [11_100, 11_700]),
        (&["pay", "1.00"], "A00000000386980701", [11_100, 11_600]),
        // The beginning of a name.
        (&["pay", "1.00"], "a000000632", [11_000, 11_600]),
        (&["pay", "0", "--compound", METRO], "city-union", [11_000, 11_600]),
    ];
    for (line, purse, after) in steps {
        let line = [*line, &["--purse", purse, "--sam", "sim:sam.card"]].concat();
        let said = desk.run(&desk.on_card(&line));
        assert_eq!(said.code, 0, "{line:?}: {said:#?}");
        assert_eq!(purses(&desk), *after, "{line:?}");
    }
    assert_eq!((desk.card_minor(), desk.account_minor()), (10_000, 46_900));
    desk.ok(&desk.on_card(&["recover"]));
    assert!(desk.ok(&["host", "check"]).contains("Every invariant"));
}

const METRO: &str =
    "17:09:092E01310100000000000000000000000000000000000000000000000000000000000000000000000000000000000000";

#[test]
fn a_purse_that_is_not_there_is_answered_with_those_that_are() {
    let desk = desk();
    let fails = |line: &[&str], code: i32, part: &str| {
        let line = [line, &["--sam", "sim:sam.card"]].concat();
        desk.fails(&desk.on_card(&line), code, part);
    };
    let there = "t-union (A000000632010105), city-union (A00000000386980701)";
    fails(&["pay", "1.00", "--purse", "shenzhen"], 1, there);
    fails(&["load", "1.00", "--purse", "shenzhen"], 1, there);
    fails(&["unload", "--all", "--purse", "F0435745504544"], 1, there);
    fails(&["load", "--overdraft", "1.00", "--purse", "wuhan"], 1, there);
    fails(&["pay", "1.00", "--purse", "city-onion"], 2, "one of t-union, changan, shanghai, city-union");
    fails(&["pay", "1.00", "--purse", "city-union:ex"], 2, "expected ed or ep after the colon");
    fails(&["pay", "0", "--compound", METRO, "--purse", "ed"], 2, "the EP's alone");
    fails(&["load", "--overdraft", "1.00", "--purse", "t-union:ep"], 2, "the ED's alone");
    assert_eq!(purses(&desk), [10_000, 10_000]);
}

//! Purses from the command line, with the host in the process and over TCP.

use crate::cli::Desk;
use crate::host::serve;
use serde_json::Value;

/// Each step, and how it ends.
const STEPS: &[(&[&str], i32)] = &[
    (&["load", "50.00"], 0),
    (&["load", "20.00", "--purse", "ed"], 0),
    (&["load", "--overdraft", "200.00"], 0),
    (&["load", "--overdraft", "200.00"], 1),
    (&["load", "--overdraft", "1000.01"], 1),
    (&["pay", "12.50"], 0),
    (&["pay", "150.00", "--purse", "ed"], 0),
    (&["pay", "5.00", "--cash"], 0),
    (&["pay", "0", "--compound", RIDE], 0),
    (&["pay", "2.00", "--compound", RIDE, "--compound", GATE], 0),
    (&["upload"], 0),
    (&["load", "--overdraft", "0"], 1),
    (&["load", "300.00", "--purse", "ed"], 0),
    (&["load", "--overdraft", "0"], 0),
    (&["unload", "15.00"], 0),
    (&["recover"], 0),
    (&["settle"], 0),
];
const RIDE: &str =
    "1E:00:06000000000001020000000000000000C800000000000000000000000000000000000000000000000000000000000000";
const GATE: &str = "17:02:0211000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000";

fn desk() -> Desk {
    let desk = Desk::new();
    desk.ok(&["account", "open", "--balance", "500.00", "--id", "A1"]);
    desk.ok(&["card", "new", "eped", "my.card", "--account", "A1", "--balance", "100.00", "--seed", "5"]);
    desk.ok(&["card", "new", "psam", "sam.card"]);
    desk
}

fn story(desk: &Desk, host: &[&str]) -> Vec<String> {
    let mut said = Vec::new();
    for (step, code) in STEPS {
        let sam: &[&str] = if step[0] == "pay" { &["--sam", "sim:sam.card"] } else { &[] };
        let with_card = matches!(step[0], "load" | "pay" | "unload");
        let on: Vec<&str> = if with_card { desk.on_card(step) } else { step.to_vec() };
        let answer = desk.run(&[&on[..], sam, host].concat());
        assert_eq!(answer.code, *code, "{step:?}: {answer:#?}");
        said.push(format!("{}{}", answer.stdout, answer.stderr));
    }
    said
}

#[test]
fn a_purse_cannot_tell_a_remote_host_from_the_one_in_the_process() {
    let near = desk();
    let here = story(&near, &[]);
    let far = desk();
    far.ok(&["host", "terminal", "add", "TERM0001", "MERCHANT0000001"]);
    let server = serve(&far, &[]);
    let there = story(&far, &["--host", &server.address]);
    assert_eq!(here, there);
    assert!(here.iter().any(|text| text.contains("200.00 CNY set as overdraft limit")), "{here:#?}");
    let ride = here.iter().find(|text| text.contains("  record 1E:00:06")).expect("a record that is shown");
    assert!(ride.contains("0.00 CNY approved offline"), "{ride}");
    let last = here.last().unwrap();
    assert!(last.contains("balanced") && !last.contains("not balanced"), "{last}");
    let status = far.json(&["host", "status"]);
    assert_eq!(status["money"][0]["sum_minor"], 70_000, "{status:#}");
    assert_eq!(
        (&status["money"][0]["credit_minor"], status["due"].as_array().unwrap().len()),
        (&0.into(), 0)
    );
    assert_eq!(status["batches"][0]["state"], "balanced", "{status:#}");
    assert!(far.ok(&["host", "check"]).contains("Every invariant"));
    server.end().unwrap();
}

#[test]
fn a_record_is_data_and_what_it_is_not_is_said() {
    let desk = desk();
    let pay = |record: &str| {
        let line = ["pay", "1.00", "--sam", "sim:psam", "--compound", record];
        desk.run(&desk.on_card(&line))
    };
    for (record, expected) in [
        ("17:02", "FILE:ID:HEX"),
        ("1F:02:02", "a file 01 to 1E"),
        ("17:2G:02", "an identifier 00 to FF"),
        ("17:02:0", "hexadecimal digits"),
        ("17:02:", "1 to 255 bytes"),
    ] {
        let said = pay(record);
        assert!(said.code == 2 && said.stderr.contains(expected), "{record}: {said:#?}");
    }
    // The file takes no record of this length: nothing is paid.
    assert_eq!(pay("17:02:02").code, 1);
    let paid: Value = desk.json(&desk.on_card(&["pay", "1.00", "--sam", "sim:psam", "--compound", RIDE]));
    assert_eq!(paid["records"][0]["data"], RIDE[6..], "{paid:#}");
    assert_eq!(paid["outcome"]["balance_after"]["minor"], 9_900);
    desk.fails(&["pay", "0", "--sam", "sim:psam"], 2, "above 0");
    desk.fails(&["load", "5", "--overdraft", "5"], 2, "cannot be used with");
    desk.fails(&["load", "--overdraft", "-5"], 2, "never negative");
}

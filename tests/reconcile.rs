//! `cardwright reconcile` on books that the program itself has filled.

use crate::cli::Desk;

/// Date and terminal of what the books hold, from the table of a first run.
fn date_and_channel(desk: &Desk) -> (String, String) {
    let state = std::fs::read_to_string(terminal_file(&desk.path(""))).unwrap();
    let journal = desk.json(&["read", "--reader", "sim:my.card"]);
    let date = journal["card"]["applications"][0]["loads"][0]["date"].as_str().unwrap().replace('-', "");
    (date, state.trim().to_owned())
}

/// The file that keeps the terminal's name, wherever its state is.
fn terminal_file(folder: &std::path::Path) -> std::path::PathBuf {
    let mut open = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if path.file_name().is_some_and(|name| name == "terminal") {
                return path;
            }
        }
    }
    panic!("no terminal has a name")
}

#[test]
fn a_statement_is_held_against_the_books() {
    let desk = Desk::with_card("ecash");
    desk.ok(&desk.on_card(&["load", "50.00"]));
    desk.ok(&desk.on_card(&["pay", "12.50"]));
    desk.ok(&desk.on_card(&["upload"]));
    let (date, channel) = date_and_channel(&desk);
    let head = "date,trace,channel,amount,currency";
    let write = |name: &str, lines: &[&str]| {
        let lines: String =
            lines.iter().map(|line| format!("{date},{line}\n").replace("@", &channel)).collect();
        std::fs::write(desk.path(name), format!("{head}\n{lines}")).unwrap();
    };
    write("same.csv", &["1,@,50.00,156", "2,@,12.50,156"]);
    let said = desk.ok(&["reconcile", "--statement", "same.csv", "--csv", "rows.csv"]);
    assert!(said.contains("2 matched, 0 amount differs"), "{said}");
    assert_eq!(std::fs::read_to_string(desk.path("rows.csv")).unwrap().lines().count(), 3);

    write("other.csv", &["2,@,12.00,156", "9,@,1.00,156", "x"]);
    // At whatever time of day the test runs.
    let said = desk.run(&["reconcile", "--statement", "other.csv", "--cut-off", "24:00", "--json"]);
    assert_eq!(said.code, 1, "{said:#?}");
    let told: serde_json::Value = serde_json::from_str(&said.stdout).unwrap();
    let outcomes: Vec<_> =
        told["rows"].as_array().unwrap().iter().map(|row| row["outcome"].as_str().unwrap()).collect();
    assert_eq!(outcomes, ["ours only", "amount differs", "theirs only"]);
    assert_eq!(told["unreadable"][0]["line"], 4);

    desk.fails(&["reconcile", "--statement", "absent.csv"], 2, "absent.csv");
    desk.fails(&["reconcile", "--statement", "same.csv", "--format", "odd"], 2, "csv, network");
    desk.fails(&["reconcile", "--statement", "same.csv", "--cut-off", "25:00"], 2, "23:00");
    // A table is never written over something that is there.
    desk.fails(&["reconcile", "--statement", "same.csv", "--csv", "rows.csv"], 2, "rows.csv");
}

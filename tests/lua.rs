//! Scripts in Lua: what they say is judged and told as lines of text are, and one that runs
//! away in time or memory is stopped, whatever it does, while the others go on.

use std::ops::ControlFlow;
use std::time::Duration;

use cardwright::observers::campaign::{Cards, Plant, SuiteSettings, plan, play_suite};
use cardwright::observers::report::suite::{CaseReport, CaseVerdict};
use cardwright::observers::script::lua::{Interpreter, LuaLimits};
use cardwright::observers::script::{FUNCTIONS, Unattended, parse};
use cardwright::roles::terminal::TerminalConfig;

use crate::cli::Desk;

const PROGRAM: &str = env!("CARGO_BIN_EXE_cardwright");
const PAGE: &str = include_str!("../apdu-scripts/LUA.md");

/// The cases of a text in Lua, played with little time and memory.
fn played(text: &str, interpreter: Option<Interpreter>) -> Vec<CaseReport> {
    let none = |_: &str, _: &str| Err("no files here".to_owned());
    let scripts = vec![parse("any.lua", text, &none).unwrap()];
    let jobs = plan(&scripts, None, None);
    let config = TerminalConfig::default();
    let unattended = Unattended { lua: interpreter };
    let settings = SuiteSettings {
        cards: Cards::Fresh(None),
        interface: None,
        config: &config,
        threads: 4,
        retries: 0,
        fail_fast: false,
        seed: None,
        target: None,
        host: None,
        attendant: &unattended,
        unmask: false,
        detail: true,
        plant: Plant::Nothing,
        terminal: None,
        keeps_events: false,
    };
    play_suite(&scripts, &jobs, &settings, &mut |_| ControlFlow::Continue(())).unwrap().cases
}

fn small(program: &str) -> Option<Interpreter> {
    let limits = LuaLimits { time: Duration::from_millis(300), memory_bytes: 16 << 20 };
    Some(Interpreter { program: program.into(), limits })
}

/// Scripts that never end by themselves, or want everything; why each is told to have been
/// stopped. What Lua's own limits do not stop is marked.
const RUNAWAYS: &[(&str, &str, &str)] = &[
    ("a loop", "while true do end", "worked"),
    ("a goto", "::again:: goto again", "worked"),
    ("text that grows", "local s = 'x' while true do s = s .. s end", "not enough memory|worked"),
    ("a table that grows", "local t = {} while true do t[#t + 1] = {} end", "not enough memory|worked"),
    ("one huge text", "local s = ('x'):rep(1 << 40)", "large|not enough memory"),
    (
        "deep recursion",
        "local function f() return 1 + f() end f()",
        "stack overflow|not enough memory|worked",
    ),
    // Errors that a script catches.
    ("pcall in a loop", "while true do pcall(function() while true do end end) end", "worked"),
    (
        "xpcall whose handler goes on",
        "while true do xpcall(error, function() while true do end end) end",
        "worked",
    ),
    ("memory that is caught", "while true do pcall(string.rep, 'x', 1 << 30) end", "worked"),
    (
        "memory that is kept and caught",
        "local t = {} while true do pcall(function() t[#t + 1] = ('x'):rep(1 << 16) end) end",
        "worked",
    ),
    ("recursion that is caught", "local function f() pcall(f) f() end while true do pcall(f) end", "worked"),
    // Coroutines, each with its own hook.
    (
        "coroutines",
        "while true do coroutine.wrap(function() while true do coroutine.yield() end end)() end",
        "worked",
    ),
    ("a coroutine that never yields", "coroutine.wrap(function() while true do end end)()", "worked"),
    (
        "coroutines that are caught",
        "local function f() pcall(coroutine.wrap(f)) end while true do f() end",
        "worked",
    ),
    // C code, which no hook looks into.
    ("a pattern that backtracks", "return (('a'):rep(40)):find(('a*'):rep(40) .. 'b')", "worked"),
    ("a pattern in gsub", "return (('a'):rep(40)):gsub(('.-'):rep(40) .. 'b', '')", "worked"),
    ("nothing, repeated", "return (''):rep(1 << 62)", "worked"),
    ("table.move", "table.move({}, 1, 1 << 60, 2)", "worked"),
    (
        "table.insert",
        "table.insert(setmetatable({}, { __len = function() return 1 << 60 end }), 1, 1)",
        "worked",
    ),
    (
        "table.remove",
        "table.remove(setmetatable({}, { __len = function() return 1 << 60 end }), 1)",
        "worked",
    ),
    (
        "table.concat of itself",
        "table.concat(setmetatable({}, { __index = table.concat }), '', 1, 1 << 60)",
        "worked",
    ),
    (
        "table.sort",
        "table.sort(setmetatable({}, { __len = function() return (1 << 31) - 2 end, __index = function() return 1 end }), rawequal)",
        "worked|invalid order",
    ),
    // Functions that Lua calls by itself.
    (
        "a finaliser",
        "setmetatable({}, { __gc = function() while true do end end }) for i = 1, 1e7 do local t = {} end",
        "worked",
    ),
    (
        "a finaliser at the end",
        "keep = setmetatable({}, { __gc = function() while true do end end })",
        "worked",
    ),
    (
        "a variable that is closed",
        "local x <close> = setmetatable({}, { __close = function() while true do end end }) error('x')",
        "worked",
    ),
    (
        "an error whose text never comes",
        "error(setmetatable({}, { __tostring = function() while true do end end }))",
        "worked",
    ),
    (
        "an index without end",
        "local t = setmetatable({}, { __index = function(t, k) return t[k + 1] end }) return t[1]",
        "overflow",
    ),
    // What is asked of the case, and written to it.
    ("a flood of lines", "while true do print(('x'):rep(1000)) end", "printed more"),
    ("a flood of questions", "while true do vars.x = 1 end", "stopped"),
    ("a flood of commands", "while true do send('80CA9F7900') end", "stopped"),
    ("one huge line", "print(('x'):rep(1 << 20))", "at most"),
    ("lines that play without end", "play 'each n in 1..999999999\\nset 9C = 00\\nend'", "stopped after"),
];

#[test]
fn what_runs_away_is_stopped_and_the_run_goes_on() {
    let mut text = String::new();
    for (name, lua, _) in RUNAWAYS {
        text.push_str(&format!(
            "--- case {name}\ndo {lua} end\n--- case After {name}\nsend('SELECT', 'A000000333010106')\n"
        ));
    }
    let reports = played(&text, small(PROGRAM));
    assert_eq!(reports.len(), RUNAWAYS.len() * 2);
    let mut wrong = Vec::new();
    for (pair, (name, _, why)) in reports.chunks(2).zip(RUNAWAYS) {
        let is_stopped =
            pair[0].verdict == CaseVerdict::Broken && why.split('|').any(|why| pair[0].reason.contains(why));
        if !is_stopped || pair[1].verdict != CaseVerdict::Passed {
            wrong.push(format!(
                "{name}: {:?}, {:?}: {}; {}",
                pair[0].verdict, pair[1].verdict, pair[0].reason, pair[1].reason
            ));
        }
        // Nothing is waited for longer than its limit, and what stops a worker from outside.
        assert!(pair[0].micros < 20_000_000, "{name}: {}", pair[0].micros);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_runs_away_while_a_terminal_waits_is_stopped_too() {
    for (function, why) in [
        ("while true do end", "any.lua:2:1: stopped: the script has worked"),
        ("while true do pcall(error) end", "any.lua:2:1: stopped: the script has worked"),
        ("while true do vars.x = 1 end", "stopped: the script has worked"),
        ("error 'caught by nobody'", "any.lua:2:1: caught by nobody"),
    ] {
        let text = format!(
            "--- role card\non('SELECT', function() {function} end)\nwhile true do pcall(play, 'terminal read') end"
        );
        let report = &played(&text, small(PROGRAM))[0];
        assert!(
            report.verdict == CaseVerdict::Broken && report.reason.contains(why),
            "{function}: {}",
            report.reason
        );
    }
}

#[test]
fn memory_is_limited_by_itself() {
    let limits = LuaLimits { time: Duration::from_secs(60), memory_bytes: 4 << 20 };
    let interpreter = Interpreter { program: PROGRAM.into(), limits };
    for grows in
        ["local s = 'x' while true do s = s .. s end", "local t = {} while true do t[#t + 1] = {} end"]
    {
        let report = &played(grows, Some(interpreter.clone()))[0];
        assert!(report.reason.contains("any.lua:1:1: not enough memory"), "{}", report.reason);
    }
}

#[test]
fn an_interpreter_that_breaks_is_a_case_that_breaks() {
    let folder = tempfile::tempdir().unwrap();
    let program = |name: &str, text: &str| {
        use std::os::unix::fs::PermissionsExt;
        let path = folder.path().join(name);
        std::fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        path.display().to_string()
    };
    for (name, text, why) in [
        ("silent", "exec sleep 600", "nothing was heard"),
        ("killed", "kill -9 $$", "broke off"),
        ("chatter", "exec yes", "no message"),
        ("endless", "exec cat /dev/zero", "no message"),
    ] {
        let reports = played("send('80CA9F7900')\n", small(&program(name, text)));
        assert_eq!(reports[0].verdict, CaseVerdict::Broken, "{name}");
        assert!(reports[0].reason.contains(why), "{name}: {}", reports[0].reason);
    }
    let reports = played("send('80CA9F7900')\n", small("/nowhere"));
    assert!(reports[0].reason.contains("cannot interpret Lua"), "{}", reports[0].reason);
    let reports = played("send('80CA9F7900')\n", None);
    assert_eq!(reports[0].verdict, CaseVerdict::NotRun);
}

#[test]
fn nothing_reaches_out_and_each_run_is_the_same() {
    let text = "\
for _, name in ipairs { 'io', 'os', 'debug', 'package', 'load', 'loadfile', 'dofile', 'require', 'collectgarbage', 'warn' } do
  expect(_G[name] == nil, name .. ' is absent')
end
expect(string.dump == nil and math.randomseed == nil, 'nor these')
local list = {}
for number = 1, 50 do list['key' .. number] = number end
local keys = {}
for key in pairs(list) do keys[#keys + 1] = key end
print(table.concat(keys, ' '), math.random(1 << 40), random(8), tostring(list), ('%s'):format(print), next {})
expect(not pcall(string.format, '%p', list), 'no addresses')
for _, wrong in ipairs { 1.5, print, '\\xFF', { {} } } do expect(not pcall(bcd, wrong, 1), 'no value') end
";
    let (first, second) = (played(text, Some(Interpreter::of(PROGRAM.into()))), played(text, small(PROGRAM)));
    assert_eq!(first[0].verdict, CaseVerdict::Passed, "{:?}", first[0]);
    assert_eq!(first[0].steps, second[0].steps);
}

/// What scripts say on the right is told as on the left, with the line that says it.
#[test]
fn errors_point_at_their_lines() {
    let rows = [
        ("send('SELECT', 'A0000003330101')\nexpect '84 = 00'\n", "any.lua:2:1: 84 Dedicated File (DF) Name"),
        (
            "\n  expect(1 == 2, 'one is two')",
            "any.lua:2:3: the script: expected one is two, received it is not so",
        ),
        ("equal(1, 2, 'a sum')", "any.lua:1:1: a sum: expected 2, received 1"),
        ("send('SELECT', 'A000000004')", "any.lua:1:1: the status word: expected 9000, received 6A82"),
        (
            "play [[\n  SELECT A000000333010106\n  expect 6985\n]]",
            "any.lua:3:3: the status word: expected 6985",
        ),
        ("local x\nx.y = 1", "any.lua:2:1: attempt to index a nil value"),
        ("send('SELEC', 'A0')", "there is no command called \"SELEC\""),
        ("send('SELEC')", "did you mean SELECT?"),
        (
            "send('GPO', { amuont = 5 })",
            "GET PROCESSING OPTIONS has no parameter called \"amuont\": it has data",
        ),
        ("send('VERIFY', { pin = 'x' })", "expected"),
        ("bcd(5)", "any.lua:1:1: bcd takes 2 arguments, and is given 1"),
        ("get '9F79 amuont'", "expected the end of the line"),
        ("play 'expct 9000'", "did you mean expect?"),
        ("play 'case Two'", "what is included holds steps alone"),
        (
            "--- role host\non('message purchase', function()\n  return 'answr 05'\nend)\nplay 'terminal pay 1.00 online'",
            "did you mean answer?",
        ),
        (
            "--- role card\non('SELECT', function()\n  return x.y\nend)\nplay 'terminal read'",
            "any.lua:3:1: attempt to index a nil value",
        ),
        (
            "--- role card\non('SELECT', function()\n  play 'reset'\nend)\nplay 'terminal read'",
            "sends and plays nothing",
        ),
        ("--- role card\non('SELCT', print)", "expected a command"),
        ("on('message purchase', print)", "needs `role host`"),
        ("play 'terminal pay 1.00'", "needs `role card or role host`"),
        (
            "--- effect reads\nsend('SELECT', 'A000000333010106')\nsend 'GPO'",
            "any.lua:3:1: GET PROCESSING OPTIONS spends",
        ),
    ];
    for (text, says) in rows {
        let report = &played(text, small(PROGRAM))[0];
        assert!(report.cause().contains(says), "{text}: {}", report.cause());
        assert_ne!(report.verdict, CaseVerdict::Passed);
    }
    let skipped = &played("skip 'no reader'", small(PROGRAM))[0];
    assert_eq!((skipped.verdict, skipped.reason.contains("no reader")), (CaseVerdict::NotRun, true));
}

#[test]
fn nothing_is_sent_after_a_failure_and_no_pan_is_shown() {
    let text = "\
send('SELECT', 'A000000333010106')
send('GPO', { ecash = '01' })
play 'READ RECORD sfi 1 record 2'
local pan = get '5A'
print('the number is ' .. pan)
equal(pan, '00', pan .. ' is none')
expect(false, 'no ' .. pan)
send('GET DATA', '9F79')
";
    let report = &played(text, small(PROGRAM))[0];
    assert_eq!((report.verdict, report.failures.len()), (CaseVerdict::Failed, 2), "{report:?}");
    let told = format!("{report:?}");
    assert!(!told.contains("GET DATA") && told.contains("the number is "), "{told}");
    let digits =
        told.split(|c: char| !c.is_ascii_digit()).filter(|run| run.len() >= 16 && run.starts_with("6299"));
    // One pseudonym stands for the card's number wherever it is told.
    let distinct: std::collections::BTreeSet<&str> = digits.map(|run| &run[..16]).collect();
    assert_eq!(distinct.len(), 1, "{distinct:?}");
}

#[test]
fn the_runner_treats_both_kinds_alike() {
    let desk = Desk::new();
    let lua = "--- effect reads\n--- case Good\nsend('SELECT', 'A000000333010106')\n--- case Bad\nsend('80CA9F7900', nil, '9000')\n";
    std::fs::write(desk.path("a.lua"), lua).unwrap();
    std::fs::write(desk.path("b.apdu"), "case Text\nSELECT A000000333010106\n").unwrap();
    std::fs::write(desk.path("_c.lua"), "no Lua").unwrap();
    let list = desk.ok(&["test", ".", "--list"]);
    assert_eq!(list, "./a.lua: Good  (reads)\n./a.lua: Bad  (reads)\n./b.apdu: Text  (undeclared)\n");
    assert_eq!(desk.ok(&["test", ".", "--list", "--shard", "2/3"]), "./a.lua: Bad  (reads)\n");
    let reports =
        ["--report", "junit=a.xml", "--report", "html=a.html", "--report", "json=a.json", "--retries", "1"];
    let said = desk.run(&[&["test", "."], reports.as_slice()].concat());
    assert_eq!(said.code, 1, "{said:#?}");
    assert!(
        said.stdout.contains("a.lua:5:1: the status word") && said.stdout.contains("attempt 2"),
        "{}",
        said.stdout
    );
    let of = |name: &str| std::fs::read_to_string(desk.path(name)).unwrap();
    assert!(of("a.xml").contains("a.lua") && of("a.html").contains("class=\"step failing\""));
    let rows: Vec<serde_json::Value> =
        of("a.json").lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(rows[0]["steps"][0]["line"], 3);
    std::fs::write(desk.path("bad.lua"), "--- efect reads\nlocal x =\n").unwrap();
    let said = desk.run(&["test", "bad.lua"]);
    assert_eq!(said.code, 2);
    assert!(
        said.stderr.contains("bad.lua:1:5") && said.stderr.contains("did you mean effect?"),
        "{}",
        said.stderr
    );
}

#[test]
fn agents_play_lua_too() {
    let desk = Desk::new();
    std::fs::write(desk.path("a.lua"), "send('SELECT', 'A000000333010106')\nprint 'played elsewhere'\n")
        .unwrap();
    let jobs = ["--jobs", "sqlite:jobs.db"];
    let mut submitter = desk.command(&[&["test", "a.lua", "--report", "json=-"], jobs.as_slice()].concat());
    let submitter = submitter.stdout(std::process::Stdio::piped()).spawn().unwrap();
    // It ends when the job is there and done.
    let drained = (0..200).any(|_| {
        desk.run(&[&["agent", "-j", "1", "--drain"], jobs.as_slice()].concat()).stdout.contains("ended ")
    });
    let told = String::from_utf8(submitter.wait_with_output().unwrap().stdout).unwrap();
    assert!(drained && told.contains("played elsewhere") && told.contains("\"passed\""), "{told}");
}

#[test]
fn the_page_names_every_function_and_its_example_passes() {
    for function in FUNCTIONS {
        assert!(PAGE.contains(&format!("`{}`", function.name)), "LUA.md has no {}", function.name);
    }
    let desk = Desk::new();
    let begin = PAGE.find("```lua\n").unwrap() + "```lua\n".len();
    std::fs::write(desk.path("example.lua"), &PAGE[begin..begin + PAGE[begin..].find("```").unwrap()])
        .unwrap();
    let said = desk.ok(&["test", "example.lua"]);
    assert!(said.contains("2 passed"), "{said}");
}

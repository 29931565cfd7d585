//! `counterpart::pyemv`: random inputs, our answers beside pyemv's.

use std::collections::BTreeMap;
use std::env;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use cardwright::base::bytes::{Hex, parse_hex};
use cardwright::words::emv::cryptogram::{CardKeys, CryptogramVersion, MasterKeys};
use cardwright::words::tlv::Tag;
use libtest_mimic::{Failed, Trial};

const INPUTS: usize = 1000;
const SEED: u64 = 0x0CA2_D321_6874_0001;
const NAME: &str = "counterpart::pyemv";

/// Names to texts: one input, or one answer.
type Line = BTreeMap<String, String>;

/// The comparison, or why it cannot run here; and proof that it can fail.
pub(crate) fn trials() -> Vec<Trial> {
    let required = env::var_os("CARDWRIGHT_COUNTERPARTS").is_some_and(|value| value == "required");
    let comparison = match python_with_pyemv() {
        Some(python) => Trial::test(NAME, move || compare_with(&python).map_err(Failed::from)),
        None if required => Trial::test(NAME, || {
            Err("no python with pyemv, and CARDWRIGHT_COUNTERPARTS is required; run .ci/install".into())
        }),
        None => {
            let name = format!("{NAME} (ignored: no python with pyemv; run .ci/install)");
            Trial::test(name, || Err("no python with pyemv".into())).with_ignored_flag(true)
        }
    };
    vec![comparison, Trial::test("counterpart_runner::a_wrong_answer_fails", a_wrong_answer_fails)]
}

fn python_with_pyemv() -> Option<PathBuf> {
    let candidates = match env::var_os("CARDWRIGHT_PYTHON") {
        Some(named) => vec![PathBuf::from(named)],
        None => {
            let venv = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/venv/bin/python");
            vec![venv, PathBuf::from("python3")]
        }
    };
    candidates.into_iter().find(|python| {
        Command::new(python)
            .args(["-c", "import pyemv"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success())
    })
}

fn compare_with(python: &Path) -> Result<(), String> {
    let mut random = Random(SEED);
    let cases: Vec<Line> = (0..INPUTS).map(|_| random.case()).collect::<Result<_, _>>()?;
    let ours: Vec<Line> = cases.iter().map(our_answer).collect::<Result<_, _>>()?;
    let theirs = ask(python, &cases)?;
    compare(&cases, &ours, &theirs)
}

fn ask(python: &Path, cases: &[Line]) -> Result<Vec<Line>, String> {
    // As text, not as a file: the file's folder would come first in the path, and
    // the file has the name of the package.
    let mut child = Command::new(python)
        .args(["-c", include_str!("../counterpart/pyemv.py")])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| format!("{}: {error}", python.display()))?;
    let mut input = child.stdin.take().ok_or("no stdin")?;
    let mut lines = Vec::new();
    for case in cases {
        serde_json::to_writer(&mut lines, case).map_err(|error| error.to_string())?;
        lines.push(b'\n');
    }
    // Written beside the reading: neither pipe can fill up and stop the other.
    let writer = std::thread::spawn(move || input.write_all(&lines));
    let output = child.wait_with_output().map_err(|error| error.to_string())?;
    let written = writer.join().map_err(|_| "the writer panicked")?;
    if !output.status.success() {
        return Err(format!("pyemv.py: {}\n{}", output.status, String::from_utf8_lossy(&output.stderr)));
    }
    written.map_err(|error| format!("pyemv.py took no more input: {error}"))?;
    String::from_utf8_lossy(&output.stdout)
        .lines()
        .map(|line| serde_json::from_str(line).map_err(|error| format!("{line}: {error}")))
        .collect()
}

fn compare(cases: &[Line], ours: &[Line], theirs: &[Line]) -> Result<(), String> {
    if theirs.len() != cases.len() || ours.len() != cases.len() {
        return Err(format!("{} inputs, {} answers, {} of ours", cases.len(), theirs.len(), ours.len()));
    }
    for (index, ((case, ours), theirs)) in cases.iter().zip(ours).zip(theirs).enumerate() {
        if ours.is_empty() || ours != theirs {
            return Err(format!(
                "input {index} of seed {SEED:#X}: {case:#?}\nours {ours:#?}\npyemv {theirs:#?}"
            ));
        }
    }
    Ok(())
}

fn our_answer(case: &Line) -> Result<Line, String> {
    let given = Given::of(case)?;
    let mut out = Line::new();
    given.version("vis_10", "VIS CVN 10", &mut out)?;
    given.version("vis_18", "VIS CVN 18", &mut out)?;
    given.version("vis_22", "VIS CVN 22", &mut out)?;
    given.version("emv", "EMV CSK", &mut out)?;
    given.version("pboc_01", "PBOC CVN 01", &mut out)?;
    given.version("pboc_17", "PBOC CVN 17", &mut out)?;
    Ok(out)
}

/// One input, read.
struct Given<'a> {
    case: &'a Line,
    master: MasterKeys,
    atc: [u8; 2],
    arc: [u8; 2],
    csu: [u8; 4],
    header: [u8; 5],
    proprietary: Vec<u8>,
    data: Vec<u8>,
    psn: u8,
}

impl<'a> Given<'a> {
    fn of(case: &'a Line) -> Result<Self, String> {
        let master = MasterKeys {
            ac: array(case, "master_ac")?.into(),
            mac: array(case, "master_mac")?.into(),
            enc: array(case, "master_enc")?.into(),
        };
        let [psn] = array(case, "psn")?;
        Ok(Self {
            case,
            master,
            atc: array(case, "9F36")?,
            arc: array(case, "arc")?,
            csu: array(case, "csu")?,
            header: array(case, "header")?,
            proprietary: bytes(case, "proprietary")?,
            data: bytes(case, "data")?,
            psn,
        })
    }

    fn card_keys(&self, version: &CryptogramVersion) -> Result<CardKeys, String> {
        CardKeys::diversify(version, &self.master, &self.case["pan"], self.psn).map_err(text)
    }

    /// Our answers under one version, by the names pyemv.py gives its own.
    fn version(&self, prefix: &str, name: &str, out: &mut Line) -> Result<(), String> {
        let version = CryptogramVersion::by_name(name).ok_or(format!("no version {name}"))?;
        let keys = self.card_keys(version)?;
        let input = version.assemble(&|tag: Tag| bytes(self.case, &tag.to_string()).ok()).map_err(text)?;
        let arqc = version.application_cryptogram(keys.ac.expose(), self.atc, &input);
        let arpc_1 = || version.arpc_method_1(keys.ac.expose(), self.atc, arqc, self.arc).to_vec();
        let arpc_2 = || {
            version
                .arpc_method_2(keys.ac.expose(), self.atc, arqc, self.csu, &self.proprietary)
                .map(|arpc| arpc.to_vec())
                .map_err(text)
        };
        let mac = |header: [u8; 5], data: &[u8]| {
            let length = version.script_mac_bytes;
            version.script_mac(keys.mac.expose(), self.atc, arqc, header, data, length).map_err(text)
        };
        let mut put = |what: &str, value: &[u8]| out.insert(what.to_owned(), Hex(value).to_string());
        put(&format!("{prefix}_arqc"), &arqc);
        match prefix {
            "vis_10" => {
                put("vis_10_arpc", &arpc_1());
                put("vis_10_script_mac", &mac(self.header, &self.data)?);
                for (what, p2, current) in [
                    ("vis_10_pin", 2, None),
                    ("vis_10_pin_current", 1, Some(self.case["current_pin"].as_str())),
                ] {
                    let header = [0x84, 0x24, 0x00, p2, 0x18];
                    let block = version
                        .encipher_pin_block(&keys, self.atc, arqc, &self.case["pin"], current)
                        .map_err(text)?;
                    put(what, &[&header[..], &block, &mac(header, &block)?].concat());
                }
            }
            "emv" => {
                put("emv_arpc_1", &arpc_1());
                put("emv_arpc_2", &arpc_2()?);
                put("emv_script_mac", &mac(self.header, &self.data)?);
            }
            "pboc_01" => {
                put("pboc_arpc", &arpc_1());
                put("pboc_script_mac", &mac(self.header, &self.data)?);
            }
            "pboc_17" => {}
            _ => {
                put(&format!("{prefix}_arpc"), &arpc_2()?);
                put(&format!("{prefix}_script_mac"), &mac(self.header, &self.data)?);
            }
        }
        Ok(())
    }
}

/// SplitMix64: small, and the same on every machine.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn between(&mut self, low: usize, high: usize) -> usize {
        low + (self.next() % (high - low + 1) as u64) as usize
    }

    fn hex(&mut self, length_bytes: usize) -> String {
        (0..length_bytes).map(|_| format!("{:02X}", self.next() as u8)).collect()
    }

    fn digits(&mut self, low: usize, high: usize) -> String {
        let count = self.between(low, high);
        (0..count).map(|_| char::from(b'0' + (self.next() % 10) as u8)).collect()
    }

    fn case(&mut self) -> Result<Line, String> {
        let mut case = Line::new();
        for (name, length) in [
            ("master_ac", 16),
            ("master_mac", 16),
            ("master_enc", 16),
            ("9F02", 6),
            ("9F03", 6),
            ("9F1A", 2),
            ("95", 5),
            ("5F2A", 2),
            ("9A", 3),
            ("9C", 1),
            ("9F37", 4),
            ("82", 2),
            ("9F36", 2),
            ("arc", 2),
            ("csu", 4),
            ("header", 5),
        ] {
            case.insert(name.into(), self.hex(length));
        }
        for (name, low, high) in [("9F10", 7, 32), ("proprietary", 0, 8), ("data", 0, 48)] {
            let length = self.between(low, high);
            case.insert(name.into(), self.hex(length));
        }
        for (name, low, high) in [("pan", 12, 19), ("psn", 2, 2), ("pin", 4, 12), ("current_pin", 4, 12)] {
            case.insert(name.into(), self.digits(low, high));
        }
        let pboc = CryptogramVersion::by_name("PBOC CVN 01").ok_or("no version PBOC CVN 01")?;
        let given = Given::of(&case)?;
        let keys = given.card_keys(pboc)?;
        let session_ac = pboc.session_key(keys.ac.expose(), given.atc, [0; 4]);
        // PBOC's script key does not depend on the ARQC.
        let session_mac = pboc.script_session_key(keys.mac.expose(), given.atc, [0; 8]);
        let session_ac = Hex(session_ac.expose()).to_string();
        let session_mac = Hex(session_mac.expose()).to_string();
        case.insert("pboc_session_ac".into(), session_ac);
        case.insert("pboc_session_mac".into(), session_mac);
        Ok(case)
    }
}

fn a_wrong_answer_fails() -> Result<(), Failed> {
    let mut random = Random(SEED);
    let cases = [random.case()?, random.case()?];
    let ours = [our_answer(&cases[0])?, our_answer(&cases[1])?];
    compare(&cases, &ours, &ours)?;
    for name in ours[1].keys() {
        let mut theirs = ours.clone();
        theirs[1].insert(name.clone(), "00".into());
        compare(&cases, &ours, &theirs).err().ok_or(format!("a wrong {name} passed"))?;
        theirs[1].remove(name);
        compare(&cases, &ours, &theirs).err().ok_or(format!("an absent {name} passed"))?;
    }
    compare(&cases, &ours, &ours[..1]).err().ok_or("a missing line passed")?;
    Ok(())
}

fn bytes(case: &Line, name: &str) -> Result<Vec<u8>, String> {
    let value = case.get(name).ok_or_else(|| format!("no {name} in the input"))?;
    parse_hex(value).map_err(|error| format!("{name}: {error}"))
}

fn array<const N: usize>(case: &Line, name: &str) -> Result<[u8; N], String> {
    bytes(case, name)?.try_into().map_err(|_| format!("{name}: expected {N} bytes"))
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}

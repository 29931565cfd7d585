//! What `doctor` finds, on machines that are made up: every finding has one, and each remedy says
//! something.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;

use cardwright::air::link::diagnosis::{Daemon, Finding, Grade, Surroundings, diagnose};
use cardwright::air::link::{LinkError, ReaderStatus};

/// A machine's files.
struct Tree(tempfile::TempDir);

impl Tree {
    /// A user 4242 in the group 4242, a daemon that listens and runs, and drivers.
    fn sound() -> Self {
        let tree = Self(tempfile::tempdir().unwrap());
        tree.user("4242").file("/usr/sbin/pcscd", "").file("/usr/lib/pcsc/drivers/x", "");
        tree.file("/run/pcscd/pcscd.comm", "").process(17, "pcscd", &["/usr/sbin/pcscd", "--foreground"]);
        tree.mode("/run/pcscd/pcscd.comm", 0o666)
    }

    fn path(&self, path: &str) -> std::path::PathBuf {
        self.0.path().join(path.trim_start_matches('/'))
    }

    fn file(&self, path: &str, text: &str) -> &Self {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
        self
    }

    fn mode(self, path: &str, mode: u32) -> Self {
        fs::set_permissions(self.path(path), fs::Permissions::from_mode(mode)).unwrap();
        self
    }

    fn link(&self, path: &str, aim: &str) -> &Self {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        symlink(aim, path).unwrap();
        self
    }

    fn without(self, path: &str) -> Self {
        let path = self.path(path);
        if path.is_dir() {
            fs::remove_dir_all(path).unwrap()
        } else {
            fs::remove_file(path).unwrap()
        }
        self
    }

    /// A user in these groups; the files' own group is called dialout.
    fn user(&self, groups: &str) -> &Self {
        let group = fs::metadata(self.0.path()).unwrap().gid();
        self.file("/etc/group", &format!("root:x:77777:\ndialout:x:{group}:somebody\n"));
        self.file(
            "/proc/self/status",
            &format!("Name:\tx\nUid:\t9\t4242\t9\t9\nGid:\t9\t4242\t9\t9\nGroups:\t{groups}\n"),
        )
    }

    fn process(&self, id: u32, name: &str, words: &[&str]) -> &Self {
        self.file(&format!("/proc/{id}/comm"), &format!("{name}\n"));
        self.file(&format!("/proc/{id}/cmdline"), &(words.join("\0") + "\0"))
    }

    fn usb(&self, vendor: &str, product: &str, class: &str, driver: Option<&str>) -> &Self {
        let device = "/sys/bus/usb/devices/1-2";
        self.file(&format!("{device}/idVendor"), &format!("{vendor}\n"));
        self.file(&format!("{device}/idProduct"), &format!("{product}\n"));
        self.file(&format!("{device}/product"), "Some Reader\n");
        self.file(&format!("{device}:1.0/bInterfaceClass"), &format!("{class}\n"));
        if let Some(driver) = driver {
            self.link(&format!("{device}:1.0/driver"), &format!("../../../bus/usb/drivers/{driver}"));
        }
        self
    }

    fn look(&self, library: Result<(), String>, daemon: Daemon) -> Vec<Finding> {
        diagnose(&Surroundings::of(self.0.path(), library, daemon))
    }

    /// With a library, and a daemon that sees these readers.
    fn with_readers(&self, names: &[&str]) -> Vec<Finding> {
        let reader = |name: &&str| ReaderStatus { name: (*name).into(), card: Some(vec![0x3B, 0x00]) };
        self.look(Ok(()), Daemon::Readers(names.iter().map(reader).collect()))
    }

    /// With a daemon that does not answer.
    fn without_daemon(&self) -> Vec<Finding> {
        self.look(Ok(()), gone())
    }
}

fn gone() -> Daemon {
    let missing = "connecting to the PC/SC daemon: the PC/SC daemon does not answer".into();
    Daemon::Failed(LinkError::Unavailable { missing, remedy: "start it".into() })
}

/// The one finding of a kind, and that it says what to do where it is no matter of joy.
fn the(found: &[Finding], kind: &str) -> Finding {
    let of_kind: Vec<_> = found.iter().filter(|finding| finding.kind == kind).collect();
    let [one] = of_kind.as_slice() else { panic!("expected one {kind} among {found:#?}") };
    assert_eq!(one.remedy.as_ref().is_some_and(|remedy| !remedy.is_empty()), one.grade != Grade::Fine);
    (*one).clone()
}

fn troubles(found: &[Finding]) -> Vec<&'static str> {
    found.iter().filter(|finding| finding.grade == Grade::Trouble).map(|finding| finding.kind).collect()
}

#[test]
fn a_sound_machine_is_in_nobodys_way() {
    let found = Tree::sound().with_readers(&["Some Reader 00 00"]);
    assert!(found.iter().all(|finding| finding.grade == Grade::Fine), "{found:#?}");
    assert_eq!(found.len(), 3, "{found:#?}");
}

#[test]
fn a_library_that_is_missing_is_the_only_trouble() {
    let tree = Tree::sound();
    let found = tree.look(Err("libpcsclite.so.1 cannot be used".into()), gone());
    assert_eq!(troubles(&found), ["library-absent"]);
    assert!(the(&found, "library-absent").remedy.unwrap().contains("libpcsclite1"));
}

#[test]
fn every_way_in_which_a_daemon_is_not_there() {
    let none = || Tree::sound().without("/proc/17").without("/run/pcscd/pcscd.comm");
    let cases: [(Tree, &str, &str); 5] = [
        (none().without("/usr/sbin/pcscd"), "daemon-absent", "apt install pcscd"),
        (none(), "daemon-stopped", "pcscd.socket"),
        (Tree::sound().mode("/run/pcscd/pcscd.comm", 0o600), "daemon-forbidden", "group"),
        (Tree::sound().without("/proc/17"), "daemon-stale", "restart"),
        (Tree::sound(), "daemon-fails", "restart"),
    ];
    for (tree, kind, remedy) in cases {
        let found = tree.without_daemon();
        assert_eq!(troubles(&found), [kind]);
        assert!(the(&found, kind).remedy.unwrap().contains(remedy), "{kind}");
    }
    let tree = Tree::sound();
    assert_eq!(troubles(&tree.look(Ok(()), Daemon::Silent)), ["daemon-silent"]);
    let missing = "this user may not use the PC/SC daemon".into();
    let refused = LinkError::Unavailable { missing, remedy: "add a polkit rule".into() };
    let found = tree.look(Ok(()), Daemon::Failed(refused));
    assert!(the(&found, "daemon-refuses").remedy.unwrap().contains("polkit"));
}

#[test]
fn daemons_that_are_two_or_that_end_themselves() {
    let tree = Tree::sound();
    tree.process(18, "pcscd", &["pcscd", "--auto-exit"]);
    let found = tree.with_readers(&["A 00 00"]);
    assert!(the(&found, "daemon-twice").what.contains("(process 17) and pcscd (process 18)"));
    assert_eq!(the(&found, "daemon-ends").grade, Grade::Note);
}

#[test]
fn readers_are_told_with_what_is_known_of_them() {
    let empty = ReaderStatus { name: "ACS ACR122U 00 00".into(), card: None };
    let found = Tree::sound().look(Ok(()), Daemon::Readers(vec![empty]));
    assert_eq!(the(&found, "reader-empty").grade, Grade::Note);
    assert!(found.iter().any(|finding| finding.kind == "reader-quirk" && finding.what.contains("pn533_usb")));
    assert!(troubles(&found).is_empty());
    let found = Tree::sound().with_readers(&[]);
    assert_eq!(the(&found, "reader-none").grade, Grade::Note);
    let found = Tree::sound().without("/usr/lib/pcsc/drivers").with_readers(&[]);
    assert_eq!(troubles(&found), ["reader-drivers-absent"]);
}

#[test]
fn the_kernels_driver_is_in_the_way_of_a_reader_that_it_holds() {
    let tree = Tree::sound();
    tree.file("/proc/modules", "pn533_usb 20480 0 - Live 0x0\npn533 40960 1 pn533_usb, Live 0x0\n");
    let found = tree.with_readers(&["Another 00 00"]);
    assert_eq!(the(&found, "kernel-driver").grade, Grade::Note);
    tree.usb("072f", "2200", "0b", Some("pn533_usb"));
    let found = tree.with_readers(&[]);
    assert_eq!(troubles(&found), ["kernel-holds"]);
    let held = the(&found, "kernel-holds");
    assert!(held.what.contains("Some Reader (USB 072F:2200)"), "{}", held.what);
    assert!(held.remedy.unwrap().contains("modprobe -r pn533_usb"));
}

#[test]
fn a_reader_that_the_daemon_does_not_show() {
    // By its class, and by its name among those that are known.
    for (vendor, product, class) in [("1234", "5678", "0b"), ("072f", "2200", "ff")] {
        let tree = Tree::sound();
        tree.usb(vendor, product, class, None);
        assert_eq!(troubles(&tree.with_readers(&[])), ["reader-unseen"]);
        assert!(troubles(&tree.with_readers(&["Some Reader 00 00"])).is_empty());
    }
    let tree = Tree::sound();
    tree.usb("054c", "06c1", "ff", None);
    let found = tree.with_readers(&[]);
    assert!(troubles(&found).is_empty() && the(&found, "reader-unreached").what.contains("RC-S380"));
    let tree = Tree::sound();
    tree.usb("1234", "5678", "03", None);
    assert!(troubles(&tree.with_readers(&[])).is_empty(), "a keyboard is no reader");
}

#[test]
fn other_programs_that_want_the_reader() {
    let tree = Tree::sound();
    tree.file("/etc/nfc/libnfc.conf", "");
    assert_eq!(the(&tree.with_readers(&["A 00 00"]), "libnfc").grade, Grade::Note);
    tree.process(40, "nfc-poll", &["nfc-poll"]);
    let found = tree.with_readers(&["A 00 00"]);
    assert_eq!(troubles(&found), ["rival"]);
    assert!(the(&found, "rival").remedy.unwrap().contains("kill 40"));
}

#[test]
fn serial_devices_and_leave_to_open_them() {
    const DEVICE: &str = "/dev/ttyUSB0";
    let tree = |mode| {
        let tree = Tree::sound();
        tree.file(DEVICE, "").file("/dev/ttyUSB", "").file("/dev/tty1", "");
        tree.mode(DEVICE, mode)
    };
    let reader = ["A 00 00"];
    assert!(troubles(&tree(0o666).with_readers(&reader)).is_empty());
    assert!(the(&tree(0o666).with_readers(&reader), "serial").what.contains("pn532:/dev/ttyUSB0"));
    let found = tree(0o660).with_readers(&reader);
    assert!(the(&found, "serial-forbidden").remedy.unwrap().contains("adduser USER dialout"));
    assert_eq!(troubles(&tree(0o600).with_readers(&reader)), ["serial-refused"]);

    let of_group = tree(0o660);
    let group = fs::metadata(Path::new(&of_group.path(DEVICE))).unwrap().gid();
    of_group.user(&format!("1 {group}"));
    assert!(troubles(&of_group.with_readers(&reader)).is_empty());
    of_group.process(50, "minicom", &["minicom"]).link("/proc/50/fd/3", DEVICE);
    let found = of_group.with_readers(&reader);
    assert!(the(&found, "serial-held").what.contains("minicom (process 50) has /dev/ttyUSB0"));
}

#[test]
fn programs_that_take_serial_devices() {
    let tree = Tree::sound();
    tree.process(60, "ModemManager", &[]).process(61, "brltty", &[]);
    let found = tree.with_readers(&["A 00 00"]);
    assert_eq!(found.iter().filter(|finding| finding.kind == "serial-rival").count(), 2);
    assert!(troubles(&found).is_empty());
}

#[test]
fn a_machine_without_any_of_these_files_is_no_panic() {
    let folder = tempfile::tempdir().unwrap();
    let found = diagnose(&Surroundings::of(folder.path(), Ok(()), Daemon::Readers(Vec::new())));
    assert_eq!(troubles(&found), ["reader-drivers-absent"]);
}

//! Addresses: every end is named the same way, everywhere.

use super::wallet::wallet_file;
use crate::base::bytes::Secret;
use nom::branch::alt;
use nom::bytes::complete::tag;
use nom::character::complete::{char, digit1};
use nom::combinator::{all_consuming, map_res, recognize, rest};
use nom::sequence::{preceded, terminated};
use nom::{IResult, Parser};
use std::fmt;
use std::path::PathBuf;

/// Why a text is no address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected {expected}, found {found:?}")]
pub struct AddressError {
    /// What it may look like.
    pub expected: &'static str,
    /// The text.
    pub found: String,
}

/// Which simulated card.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CardName {
    /// A fresh card of a built-in profile.
    Profile(String),
    /// A fresh card of a user's own profile, `FILE.toml`.
    ProfileFile(PathBuf),
    /// A card whose memory is a file, `FILE.card`.
    File(PathBuf),
    /// A card of the phone in a folder: the default one, `wallet:DIR`, or one by its
    /// name, `wallet:DIR#NAME`.
    Wallet(PathBuf, Option<String>),
}

/// Where a card is: `--reader`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReaderAddress {
    /// `sim:PROFILE`, `sim:FILE.toml`, `sim:FILE.card`, `wallet:DIR`.
    Simulated(CardName),
    /// `replay:FILE`, a recording that answers as its card did.
    Recording(PathBuf),
    /// A driver's readers: its scheme and what follows it, `pcsc` or `pcsc:NAME-PART`.
    Driver {
        /// `pcsc`.
        scheme: String,
        /// What follows the colon; empty asks for the reader that holds a card.
        rest: String,
    },
}

/// Where a card is served: `--on`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetAddress {
    /// `vpcd`.
    pub scheme: String,
    /// What follows the colon.
    pub rest: String,
}

/// Where a simulated chip's host finds it: `--on pty:PATH`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChipAddress(pub PathBuf);

/// What is near a simulated chip: `--air`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AirAddress {
    /// A simulated card, named as where it is served.
    Simulated(CardName),
    /// `udp:HOST:PORT`: what follows the scheme.
    Udp(String),
}

/// Where another phone is: `--peer`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PeerAddress {
    /// `udp:HOST:PORT`: what follows the scheme.
    Udp(String),
    /// `pn532:DEVICE`: the serial port of a PN532; `pn532:pcsc:NAME-PART`: the one in a reader.
    Pn532(String),
}

/// Who authorises: `--host`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HostAddress {
    /// The issuer in this process.
    Local,
    /// `tcp:HOST:PORT`: what follows the scheme.
    Tcp(String),
}

/// The issuer's books: `--store`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoreAddress {
    /// `sqlite:FILE`.
    Sqlite(PathBuf),
    /// `postgres://USER:PASSWORD@HOST:PORT/DATABASE?...`, whole; it may hold a password.
    Postgres(Secret<String>),
    /// Books that end with the process.
    Memory,
}

const READER: &str = "a reader address: sim:PROFILE, sim:FILE.toml, sim:FILE.card, wallet:DIR, replay:FILE, pcsc, \
     pcsc:NAME-PART, pn532:DEVICE, or pn532:pcsc:NAME-PART";
/// A seat without a card.
const EMPTY: &str = "empty";
const TARGET: &str = "a target address: vpcd:HOST:PORT, pn532:DEVICE, pn532:pcsc:NAME-PART, or udp:HOST:PORT";
const CHIP: &str = "where a simulated chip is: pty:PATH";
const AIR: &str =
    "what is near a simulated chip: sim:PROFILE, sim:FILE.toml, sim:FILE.card, wallet:DIR, or udp:HOST:PORT";
const PEER: &str = "where the other phone is: udp:HOST:PORT, pn532:DEVICE, or pn532:pcsc:NAME-PART";
const HOST: &str = "a host address: local, or tcp:HOST:PORT";
const STORE: &str = "a store address: sqlite:FILE, postgres://USER@HOST:PORT/DATABASE or memory";
const SERVED: &str = "a card to serve: sim:PROFILE, sim:FILE.toml, sim:FILE.card or wallet:DIR";

impl ReaderAddress {
    /// Reads a reader address.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        whole(alt((simulated, wallet, recording, driver)), text, READER)
    }
}

impl CardName {
    /// Reads the address of a card that can be served.
    pub fn parse_served(text: &str) -> Result<Self, AddressError> {
        match whole(alt((simulated, wallet)), text, SERVED)? {
            ReaderAddress::Simulated(name) => Ok(name),
            _ => Err(AddressError { expected: SERVED, found: text.into() }),
        }
    }

    /// Reads a list of seats, commas between them: each a card that can be served, or
    /// `empty`. A comma within a file name is no trouble where no address follows it.
    pub fn parse_seats(text: &str) -> Result<Vec<Option<Self>>, AddressError> {
        let mut parts: Vec<String> = Vec::new();
        for part in text.split(',') {
            let begins = part == EMPTY || part.starts_with("sim:") || part.starts_with("wallet:");
            match parts.last_mut() {
                Some(last) if !begins => last.extend([",", part]),
                _ => parts.push(part.into()),
            }
        }
        let seat = |part: &String| match part.as_str() {
            EMPTY => Ok(None),
            part => Self::parse_served(part).map(Some),
        };
        parts.iter().map(seat).collect()
    }

    /// The file that keeps the card; `None` where it ends with the process.
    pub fn kept_in(&self) -> Option<PathBuf> {
        match self {
            Self::Profile(_) | Self::ProfileFile(_) => None,
            Self::File(path) => Some(path.clone()),
            Self::Wallet(folder, _) => Some(wallet_file(folder)),
        }
    }
}

impl TargetAddress {
    /// Reads a target address.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        whole(target, text, TARGET)
    }
}

impl ChipAddress {
    /// Reads the address of a simulated chip.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        let path = |path: &str| if path.is_empty() { Err(()) } else { Ok(Self(path.into())) };
        whole(map_res(preceded(tag("pty:"), rest), path), text, CHIP)
    }
}

impl AirAddress {
    /// Reads what is near a simulated chip.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        if let Ok(card) = CardName::parse_served(text) {
            return Ok(Self::Simulated(card));
        }
        whole(map_res(preceded(tag("udp:"), rest), |text| host_and_port(text).map(Self::Udp)), text, AIR)
    }
}

impl HostAddress {
    /// Reads a host address.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        let tcp = map_res(preceded(tag("tcp:"), rest), |text| host_and_port(text).map(Self::Tcp));
        whole(alt((tag("local").map(|_| Self::Local), tcp)), text, HOST)
    }
}

impl StoreAddress {
    /// Reads a store address.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        whole(store, text, STORE)
    }
}

impl fmt::Display for CardName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Profile(name) => write!(f, "sim:{name}"),
            Self::ProfileFile(path) | Self::File(path) => write!(f, "sim:{}", path.display()),
            Self::Wallet(path, None) => write!(f, "wallet:{}", path.display()),
            Self::Wallet(path, Some(card)) => write!(f, "wallet:{}#{card}", path.display()),
        }
    }
}

impl PeerAddress {
    /// Reads the address of another phone.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        let udp = map_res(preceded(tag("udp:"), rest), |text| host_and_port(text).map(Self::Udp));
        let device = |text: &str| if text.is_empty() { Err(()) } else { Ok(Self::Pn532(text.into())) };
        let chip = map_res(preceded(tag("pn532:"), rest), device);
        whole(alt((udp, chip)), text, PEER)
    }
}

fn whole<'a, T>(
    parser: impl Parser<&'a str, Output = T, Error = nom::error::Error<&'a str>>,
    text: &'a str,
    expected: &'static str,
) -> Result<T, AddressError> {
    let found = || AddressError { expected, found: text.into() };
    all_consuming(parser).parse(text).map(|(_, value)| value).map_err(|_| found())
}

fn simulated(input: &str) -> IResult<&str, ReaderAddress> {
    let name = |name: &str| {
        let path = PathBuf::from(name);
        match path.extension().and_then(|extension| extension.to_str()) {
            _ if name.is_empty() => Err(()),
            Some("toml") => Ok(CardName::ProfileFile(path)),
            Some("card") => Ok(CardName::File(path)),
            _ if name.contains(['/', '\\', '.', ',']) => Err(()),
            _ => Ok(CardName::Profile(name.into())),
        }
    };
    map_res(preceded(tag("sim:"), rest), name).map(ReaderAddress::Simulated).parse(input)
}

fn wallet(input: &str) -> IResult<&str, ReaderAddress> {
    let card = |text: &str| match text.rsplit_once('#').map_or((text, None), |(at, name)| (at, Some(name))) {
        ("", _) | (_, Some("")) => Err(()),
        (path, name) => Ok(CardName::Wallet(path.into(), name.map(str::to_owned))),
    };
    map_res(preceded(tag("wallet:"), rest), card).map(ReaderAddress::Simulated).parse(input)
}

fn recording(input: &str) -> IResult<&str, ReaderAddress> {
    let file = |name: &str| if name.is_empty() { Err(()) } else { Ok(ReaderAddress::Recording(name.into())) };
    map_res(preceded(tag("replay:"), rest), file).parse(input)
}

fn driver(input: &str) -> IResult<&str, ReaderAddress> {
    let (input, scheme) = alt((tag("pcsc"), tag("pn532"))).parse(input)?;
    let rest = if input.is_empty() { ("", "") } else { preceded(char(':'), rest).parse(input)? };
    Ok((rest.0, ReaderAddress::Driver { scheme: scheme.into(), rest: rest.1.into() }))
}

fn target(input: &str) -> IResult<&str, TargetAddress> {
    let (input, scheme) = terminated(alt((tag("vpcd"), tag("udp"), tag("pn532"))), char(':')).parse(input)?;
    let served = |text: &str| {
        let rest = match scheme {
            "pn532" if text.is_empty() => Err(()),
            "pn532" => Ok(text.into()),
            _ => host_and_port(text),
        };
        rest.map(|rest| TargetAddress { scheme: scheme.into(), rest })
    };
    map_res(rest, served).parse(input)
}

/// A host's name and a port, as they were written.
fn host_and_port(text: &str) -> Result<String, ()> {
    let (host, port) = text.rsplit_once(':').ok_or(())?;
    let (left, _) = recognize(digit1::<_, nom::error::Error<&str>>).parse(port).map_err(|_| ())?;
    if host.is_empty() || !left.is_empty() || port.parse::<u16>().is_err() {
        return Err(());
    }
    Ok(text.into())
}

fn store(input: &str) -> IResult<&str, StoreAddress> {
    let file = |path: &str| if path.is_empty() { Err(()) } else { Ok(StoreAddress::Sqlite(path.into())) };
    let server = (alt((tag("postgres://"), tag("postgresql://"))), rest);
    let server = recognize(server).map(|text: &str| StoreAddress::Postgres(Secret::new(text.into())));
    let memory = tag("memory").map(|_| StoreAddress::Memory);
    alt((map_res(preceded(tag("sqlite:"), rest), file), server, memory)).parse(input)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_end_is_named_one_way() {
        let reader = |text| ReaderAddress::parse(text).unwrap();
        assert_eq!(reader("sim:ecash"), ReaderAddress::Simulated(CardName::Profile("ecash".into())));
        assert_eq!(reader("sim:a/b.card"), ReaderAddress::Simulated(CardName::File("a/b.card".into())));
        assert_eq!(reader("sim:my.toml"), ReaderAddress::Simulated(CardName::ProfileFile("my.toml".into())));
        assert_eq!(reader("wallet:a/b"), ReaderAddress::Simulated(CardName::Wallet("a/b".into(), None)));
        let named = CardName::Wallet("a".into(), Some("bus".into()));
        assert_eq!(reader("wallet:a#bus"), ReaderAddress::Simulated(named));
        assert_eq!(reader("pcsc"), ReaderAddress::Driver { scheme: "pcsc".into(), rest: String::new() });
        assert_eq!(
            reader("pcsc:ACS ACR122U"),
            ReaderAddress::Driver { scheme: "pcsc".into(), rest: "ACS ACR122U".into() }
        );
        assert_eq!(TargetAddress::parse("vpcd:127.0.0.1:35963").unwrap().rest, "127.0.0.1:35963");
        assert_eq!(TargetAddress::parse("pn532:/dev/ttyUSB0").unwrap().rest, "/dev/ttyUSB0");
        assert_eq!(ChipAddress::parse("pty:a/b").unwrap(), ChipAddress("a/b".into()));
        assert_eq!(AirAddress::parse("udp:127.0.0.1:1").unwrap(), AirAddress::Udp("127.0.0.1:1".into()));
        let near = AirAddress::Simulated(CardName::Profile("ecash".into()));
        assert_eq!(AirAddress::parse("sim:ecash").unwrap(), near);
        assert_eq!(StoreAddress::parse("sqlite:x.db").unwrap(), StoreAddress::Sqlite("x.db".into()));
        let server = StoreAddress::parse("postgres://u:hunter2@h/d").unwrap();
        assert_eq!(server, StoreAddress::Postgres("postgres://u:hunter2@h/d".to_owned().into()));
        assert!(!format!("{server:?}").contains("hunter2"));
    }

    #[test]
    fn seats_are_a_list() {
        let seats = |text| CardName::parse_seats(text).unwrap();
        let ecash = || Some(CardName::Profile("ecash".into()));
        assert_eq!(seats("sim:ecash"), [ecash()]);
        let file = Some(CardName::File("a,b.card".into()));
        assert_eq!(seats("sim:ecash,empty,sim:a,b.card,sim:ecash"), [ecash(), None, file, ecash()]);
        for text in ["", "sim:", "sim:ecash,", "pcsc", "sim:ecash,pcsc"] {
            assert!(CardName::parse_seats(text).is_err(), "{text}");
        }
    }

    #[test]
    fn what_is_no_address_says_what_one_looks_like() {
        for text in
            ["", "sim:", "wallet:", "wallet:#x", "wallet:x#", "sim:../x", "simulated", "pcscx", "usb:1"]
        {
            let error = ReaderAddress::parse(text).unwrap_err();
            assert!(error.to_string().contains("sim:PROFILE"), "{text}");
        }
        for text in ["vpcd:", "vpcd:35963", "vpcd:host:", "vpcd:host:99999", "vpcd::1", "vpcd:h:1x"] {
            assert!(TargetAddress::parse(text).is_err(), "{text}");
        }
        for text in ["", "udp:", "udp:1", "sim:", "pcsc"] {
            assert!(AirAddress::parse(text).is_err(), "{text}");
        }
        assert!(ChipAddress::parse("pty:").is_err() && TargetAddress::parse("pn532:").is_err());
        assert!(StoreAddress::parse("sqlite:").is_err() && HostAddress::parse("tcp:1").is_err());
        assert_eq!(HostAddress::parse("tcp:h:5000").unwrap(), HostAddress::Tcp("h:5000".into()));
    }

    proptest! {
        #[test]
        fn any_text_is_an_address_or_an_error(text in ".{0,40}") {
            let _ = (ReaderAddress::parse(&text), TargetAddress::parse(&text), StoreAddress::parse(&text));
        }
    }
}

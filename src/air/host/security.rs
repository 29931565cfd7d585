//! Keys of a line: sign-on with a working-key download, authentication codes, PIN
//! blocks (ISO 9564-1 format 0). A PIN leaves as field 52 under the PIN key or not
//! at all.

use super::answer_message::{answer_frame, check_answers, code_of};
use super::place::{management_of, put_institution, put_key};
use super::{Entry, MessageKey, ResponseCode, WireError};
use crate::base::bytes::Secret;
use crate::base::crypto::{
    CryptoError, PinBlockFormat, aes_cmac, des_encrypt_block, odd_parity, tdes_decrypt_block,
    tdes_ecb_decrypt, tdes_ecb_encrypt, tdes_encrypt_block,
};
use crate::base::env::Timestamp;
use crate::words::iso8583::{self, Dialect, Message, Mti, mac, mac_input};

/// A terminal's master key, double length: working keys travel under it.
pub type MasterKey = Secret<[u8; 16]>;

/// F60.3 of a sign-on that asks for PIN and MAC keys.
const SIGN_ON: &str = "003";
/// F70 of the same on a line between institutions.
const LINK_SIGN_ON: &str = "101";
/// F60.3 of an echo (0820).
const ECHO: &str = "301";
/// F53: PIN block with PAN, key of double length.
const SECURITY_CONTROL: &str = "2600000000000000";
/// How a PIN travels in field 52.
const PIN_BLOCK: PinBlockFormat = PinBlockFormat::Format0;
/// F26: the most digits that a PIN may have.
const PIN_CAPTURE: &str = "12";
/// Bytes of a key check value in a download.
const CHECK_BYTES: usize = 4;

/// The keys of a day, or until the next sign-on. Wiped when dropped, never printed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkingKeys {
    /// The PIN key (PIK).
    pin: Secret<[u8; 16]>,
    /// The authentication key (MAK); where it is of single length, its left half.
    mac: Secret<[u8; 16]>,
}

impl WorkingKeys {
    /// The keys of a terminal or a line on a day, by its label: a function of the host's seed, so that several
    /// hosts with one seed give the same keys and none has to remember them.
    pub fn of_day(
        seed: &Secret<[u8; 16]>,
        label: &str,
        day: i64,
        dialect: &Dialect,
    ) -> Result<Self, CryptoError> {
        let key = |use_of: &str| -> Result<Secret<[u8; 16]>, CryptoError> {
            let mut key = aes_cmac(seed.expose(), format!("{use_of}|{day}|{label}").as_bytes())?;
            odd_parity(&mut key);
            Ok(Secret::new(key))
        };
        let (pin, full) = (key("PIN key")?, key("MAC key")?);
        let mut mac = *full.expose();
        mac[dialect.mac.key_bytes()..].fill(0);
        Ok(Self { pin, mac: Secret::new(mac) })
    }

    /// F62 of the answer to a sign-on, 40 bytes: the PIN key under the master key, its
    /// check value (4), the MAC key under the master key, its check value. A MAC key of
    /// single length is one block, and zeros fill its place.
    pub fn to_download(&self, master: &MasterKey, dialect: &Dialect) -> Result<Vec<u8>, CryptoError> {
        let length = dialect.mac.key_bytes();
        let mut out = tdes_ecb_encrypt(master.expose(), self.pin.expose())?;
        out.extend(check_value(self.pin.expose(), 16));
        let mut under = tdes_ecb_encrypt(master.expose(), &self.mac.expose()[..length])?;
        under.resize(16, 0);
        out.extend(under);
        out.extend(check_value(self.mac.expose(), length));
        Ok(out)
    }

    /// Reads F62; refuses keys whose check values do not fit.
    pub fn from_download(bytes: &[u8], master: &MasterKey, dialect: &Dialect) -> Result<Self, WireError> {
        const PART: usize = 16 + CHECK_BYTES;
        let wrong = WireError::Field { field: 62, expected: "40 bytes: two keys and their check values" };
        let (pin, mac) =
            bytes.split_at_checked(PART).filter(|(_, mac)| mac.len() == PART).ok_or(wrong.clone())?;
        let open = |part: &[u8], length: usize, name| {
            let plain = tdes_ecb_decrypt(master.expose(), part.get(..length).unwrap_or_default());
            let plain = Secret::new(plain.map_err(|_| wrong.clone())?);
            let mut key = [0; 16];
            key[..length].copy_from_slice(plain.expose());
            let fits = part.get(16..) == Some(&check_value(&key, length)[..]);
            if fits { Ok(Secret::new(key)) } else { Err(WireError::KeyCheck { key: name }) }
        };
        Ok(Self { pin: open(pin, 16, "PIN")?, mac: open(mac, dialect.mac.key_bytes(), "MAC")? })
    }

    /// Writes a message with its PIN block and its authentication code.
    pub fn seal(
        &self,
        mut message: Message,
        pin: Option<&Secret<String>>,
        dialect: &Dialect,
    ) -> Result<Vec<u8>, WireError> {
        if let Some(pin) = pin {
            let block = PIN_BLOCK.build(pin.expose(), pan_of_pin(&message)?, [0; 8]);
            let block = block.map_err(|_| WireError::PinBlock)?;
            message.put(52, tdes_encrypt_block(self.pin.expose(), *block.expose()));
            message.put(26, PIN_CAPTURE);
            message.put(53, SECURITY_CONTROL);
        }
        Ok(iso8583::seal(&mut message, dialect, self.mac.expose())?)
    }

    /// Whether the code of a message is right. `bytes` are those it was read from.
    pub fn check(&self, bytes: &[u8], message: &Message, dialect: &Dialect) -> Result<(), WireError> {
        let field = dialect.mac_field(message);
        let code = mac(mac_input(bytes, dialect)?, dialect.mac, self.mac.expose());
        let told = message.bytes(field).ok_or(WireError::Mac { field, is_there: false })?;
        // All bytes are compared, so that the time taken tells nothing.
        let differs =
            told.iter().zip(code).fold(told.len() ^ code.len(), |sum, (a, b)| sum | usize::from(a ^ b));
        if differs == 0 { Ok(()) } else { Err(WireError::Mac { field, is_there: true }) }
    }

    /// The PIN of a message, if it has one.
    pub fn pin(&self, message: &Message) -> Result<Option<Secret<String>>, WireError> {
        let Some(block) = message.bytes(52) else { return Ok(None) };
        let block = block.try_into().map_err(|_| WireError::PinBlock)?;
        let plain = Secret::new(tdes_decrypt_block(self.pin.expose(), block));
        PIN_BLOCK.open(plain.expose(), pan_of_pin(message)?).map(Some).map_err(|_| WireError::PinBlock)
    }
}

/// The message by which a terminal asks for working keys (0800, F60.3 003).
pub fn sign_on(key: &MessageKey, dialect: &Dialect) -> Result<Message, WireError> {
    management(Mti::NETWORK, SIGN_ON, key, dialect)
}

/// The message by which an institution asks for the working keys of its line (0800, F70
/// 101); it is of no terminal.
pub(super) fn link_sign_on(institution: &str, trace: u32, now: Timestamp) -> Message {
    let mut message = Message::new(Mti::NETWORK).with(11, format!("{trace:06}")).with(70, LINK_SIGN_ON);
    put_institution(&mut message, institution, now);
    message
}

/// The message that asks whether the host is there (0820, F60.3 301).
pub fn echo(key: &MessageKey, dialect: &Dialect) -> Result<Message, WireError> {
    management(Mti::NETWORK_ADVICE, ECHO, key, dialect)
}

/// The answer to a sign-on; with keys where they are given, else a refusal.
pub fn sign_on_answer(
    request: &Message,
    keys: Option<Vec<u8>>,
    refusal: ResponseCode,
    dialect: &Dialect,
) -> Message {
    let code = if keys.is_some() { ResponseCode::APPROVED } else { refusal };
    let mut answer = answer_frame(request, code, dialect);
    if let Some(keys) = keys {
        answer.put(62, keys);
    }
    answer
}

/// The keys of the answer to a sign-on.
pub fn signed_on(
    answer: &Message,
    request: &Message,
    master: &MasterKey,
    dialect: &Dialect,
) -> Result<WorkingKeys, WireError> {
    check_answers(answer, request)?;
    let code = code_of(answer)?;
    if !code.is_approved() {
        return Err(WireError::SignOnRefused { code: code.to_string() });
    }
    let keys =
        answer.bytes(62).ok_or(WireError::Missing { field: 62, what: "working keys", mti: answer.mti })?;
    WorkingKeys::from_download(keys, master, dialect)
}

/// Whether a message is a sign-on that asks for PIN and MAC keys.
pub(super) fn is_sign_on(message: &Message, dialect: &Dialect) -> bool {
    // An institution's has no F60.
    let code = if message.has(33) { message.text(70) } else { Some(management_of(message, dialect)) };
    message.mti == Mti::NETWORK && matches!(code, Some("001" | SIGN_ON | LINK_SIGN_ON))
}

fn management(mti: Mti, code: &str, key: &MessageKey, dialect: &Dialect) -> Result<Message, WireError> {
    let mut message = Message::new(mti);
    put_key(&mut message, key, ("00", code), Entry::Contact, dialect)?;
    Ok(message)
}

fn check_value(key: &[u8; 16], length: usize) -> [u8; CHECK_BYTES] {
    let block = match length {
        8 => des_encrypt_block(&std::array::from_fn(|i| key[i]), [0; 8]),
        _ => tdes_encrypt_block(key, [0; 8]),
    };
    std::array::from_fn(|i| block[i])
}

/// The PAN that a PIN belongs to: where another card pays for the load (F103), the payer's.
fn pan_of_pin(message: &Message) -> Result<&str, WireError> {
    let payer = message.text(103).and_then(|_| message.text(102));
    payer.or(message.text(2)).ok_or(WireError::Missing { field: 2, what: "PAN", mti: message.mti })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::air::host::request_message::tests::{NOW, any_request};
    use crate::air::host::{from_message, to_message};
    use crate::words::iso8583::{DIALECTS, dialect, parse};
    use proptest::prelude::*;

    fn keys(dialect: &Dialect) -> WorkingKeys {
        WorkingKeys::of_day(&Secret::new([7; 16]), "TERM0001", 20_261_121, dialect).unwrap()
    }

    #[test]
    fn keys_travel_under_the_master_key_and_are_checked() {
        for row in DIALECTS {
            let dialect = dialect(row.name).unwrap();
            let (keys, master) = (keys(dialect), MasterKey::new([0x2C; 16]));
            let download = keys.to_download(&master, dialect).unwrap();
            assert_eq!(download.len(), 40);
            assert_eq!(WorkingKeys::from_download(&download, &master, dialect), Ok(keys.clone()));
            let other = MasterKey::new([0x4C; 16]);
            let error = WorkingKeys::from_download(&download, &other, dialect);
            assert_eq!(error, Err(WireError::KeyCheck { key: "PIN" }));
            for end in 0..40 {
                assert!(WorkingKeys::from_download(&download[..end], &master, dialect).is_err());
            }
            for at in 0..40 {
                let mut changed = download.clone();
                changed[at] ^= 0x10;
                let read = WorkingKeys::from_download(&changed, &master, dialect);
                // What fills the place of a single-length key is not looked at.
                let is_filling = (28..36).contains(&at) && dialect.mac.key_bytes() == 8;
                assert_eq!(read.is_err(), !is_filling, "{} {at}", row.name);
            }
        }
    }

    #[test]
    fn keys_differ_by_day_and_terminal() {
        let pos = dialect("pos").unwrap();
        let of = |terminal, day| WorkingKeys::of_day(&Secret::new([7; 16]), terminal, day, pos).unwrap();
        assert_eq!(of("A", 1), of("A", 1));
        assert_ne!(of("A", 1), of("A", 2));
        assert_ne!(of("A", 1), of("B", 1));
        assert_eq!(format!("{:?}", of("A", 1)), "WorkingKeys { pin: Secret(..), mac: Secret(..) }");
    }

    proptest! {
        #[test]
        fn a_request_with_its_pin_comes_out_as_it_went_in(
            mut request in any_request(), pin in prop::option::of("[0-9]{4,12}"),
        ) {
            request.pin = pin.map(Secret::new);
            for row in DIALECTS {
                let dialect = dialect(row.name).unwrap();
                let keys = keys(dialect);
                let bytes = keys.seal(to_message(&request, dialect).unwrap(), request.pin.as_ref(), dialect).unwrap();
                let message = parse(&bytes, dialect).unwrap();
                prop_assert_eq!(keys.check(&bytes, &message, dialect), Ok(()));
                let mut read = from_message(&message, dialect, NOW).unwrap();
                read.pin = keys.pin(&message).unwrap();
                prop_assert_eq!(&read, &request);
                if let Some(pin) = &request.pin {
                    let clear = PIN_BLOCK.build(pin.expose(), request.pan.expose(), [0; 8]).unwrap();
                    prop_assert!(message.bytes(52) != Some(&clear.expose()[..]));
                }
            }
        }

        #[test]
        fn an_arbitrary_block_is_a_pin_or_refused(block: [u8; 8], pan in "[0-9]{0,19}") {
            let pos = dialect("pos").unwrap();
            let message = Message::new(Mti::FINANCIAL).with(2, pan).with(52, block);
            if let Ok(pin) = keys(pos).pin(&message) {
                prop_assert!(pin.is_some_and(|pin| (4..=12).contains(&pin.expose().len())));
            }
        }
    }
}

//! Secure channel protocol 02, option i = 15 (GlobalPlatform Card Specification 2.3.1
//! annex E): three keys, MACs over the command as it is changed, chained under an
//! enciphered ICV. Both ends; no time and no randomness but what comes in.

use super::command::{ExternalAuthenticate, InitializeUpdate, Initialized};
use crate::base::bytes::Secret;
use crate::base::crypto::{
    CryptoError, Padding, des_encrypt_block, mac_algorithm_3, pad, tdes_cbc_decrypt, tdes_cbc_encrypt,
    tdes_ecb_decrypt, tdes_ecb_encrypt,
};
use crate::words::iso7816::CommandApdu;

/// MAC alone.
const LEVEL_MAC: u8 = 0x01;
/// MAC and cipher.
const LEVEL_MAC_CIPHER: u8 = 0x03;
/// The class bit of secure messaging.
const SECURE: u8 = 0x04;
const MAC_BYTES: usize = 8;

/// The static keys of a card manager or security domain.
#[derive(Debug, Clone)]
pub struct ChannelKeys {
    /// For cryptograms and enciphering.
    pub enc: Secret<[u8; 16]>,
    /// For MACs.
    pub mac: Secret<[u8; 16]>,
    /// For keys within data.
    pub dek: Secret<[u8; 16]>,
}

/// Why a channel does not open, or a message of it is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChannelError {
    /// The other end does not have the keys.
    #[error("expected the {end} to prove itself, its cryptogram is wrong: compare the channel's keys")]
    Cryptogram {
        /// Which end.
        end: &'static str,
    },
    /// The MAC of a command is wrong, or there is none.
    #[error("expected a command under the channel's MAC, found another: the channel is of no more use")]
    Mac,
    /// A security level that is not spoken here.
    #[error("expected security level 01 or 03, found {found:02X}")]
    Level {
        /// What came.
        found: u8,
    },
    /// What was deciphered has no padding.
    #[error("expected enciphered data with padding 80, found none")]
    Padding,
    /// A command that the channel's MAC and padding make too long.
    #[error("expected at most {most} bytes of data in a command of the channel, found {found}")]
    TooLong {
        /// The most there may be.
        most: usize,
        /// What came.
        found: usize,
    },
    /// Data that are no whole blocks.
    #[error(transparent)]
    Crypto(#[from] CryptoError),
}

/// An open channel, at either end.
#[derive(Debug, Clone)]
pub struct Channel {
    keys: ChannelKeys,
    level: u8,
    icv: [u8; 8],
}

/// The host's end before it is open.
#[derive(Debug, Clone)]
pub struct HostChannel {
    keys: ChannelKeys,
    host_challenge: [u8; 8],
}

/// The card's end before it is open.
#[derive(Debug, Clone)]
pub struct CardChannel {
    session: ChannelKeys,
    answer: Initialized,
    host_challenge: [u8; 8],
}

impl HostChannel {
    /// Begins: the command to send first.
    pub fn begin(keys: ChannelKeys, host_challenge: [u8; 8]) -> (Self, InitializeUpdate) {
        (Self { keys, host_challenge }, InitializeUpdate { key_version: 0, host_challenge })
    }

    /// The card has answered: the command to send second, and the channel that is open
    /// once the card has taken it.
    pub fn authenticate(
        self,
        answer: &Initialized,
        enciphered: bool,
    ) -> Result<(Channel, ExternalAuthenticate), ChannelError> {
        let session = session_keys(&self.keys, answer.sequence)?;
        if card_cryptogram(&session, &self.host_challenge, answer)? != answer.card_cryptogram {
            return Err(ChannelError::Cryptogram { end: "card" });
        }
        let level = if enciphered { LEVEL_MAC_CIPHER } else { LEVEL_MAC };
        let host_cryptogram = host_cryptogram(&session, &self.host_challenge, answer)?;
        let mut command = ExternalAuthenticate { security_level: level, host_cryptogram, mac: [0; 8] };
        let mut channel = Channel { keys: session, level, icv: [0; 8] };
        let plain = CommandApdu::new(0x84, 0x82, level, 0x00).data(host_cryptogram);
        command.mac = channel.mac(&plain);
        Ok((channel, command))
    }
}

impl CardChannel {
    /// The card's answer to INITIALIZE UPDATE.
    pub fn begin(
        keys: &ChannelKeys,
        command: &InitializeUpdate,
        key_version: u8,
        sequence: [u8; 2],
        card_challenge: [u8; 6],
    ) -> Result<(Self, Initialized), ChannelError> {
        let session = session_keys(keys, sequence)?;
        let mut answer = Initialized {
            diversification: [0; 10],
            key_version,
            sequence,
            card_challenge,
            card_cryptogram: [0; 8],
        };
        answer.card_cryptogram = card_cryptogram(&session, &command.host_challenge, &answer)?;
        Ok((Self { session, answer, host_challenge: command.host_challenge }, answer))
    }

    /// The host proves itself: the channel is open.
    pub fn authenticate(self, command: &ExternalAuthenticate) -> Result<Channel, ChannelError> {
        if host_cryptogram(&self.session, &self.host_challenge, &self.answer)? != command.host_cryptogram {
            return Err(ChannelError::Cryptogram { end: "host" });
        }
        if ![LEVEL_MAC, LEVEL_MAC_CIPHER].contains(&command.security_level) {
            return Err(ChannelError::Level { found: command.security_level });
        }
        let mut channel = Channel { keys: self.session, level: command.security_level, icv: [0; 8] };
        let plain = CommandApdu::new(0x84, 0x82, channel.level, 0x00).data(command.host_cryptogram);
        match channel.mac(&plain) == command.mac {
            true => Ok(channel),
            false => Err(ChannelError::Mac),
        }
    }
}

impl Channel {
    /// The most data that a command may have so that it fits under the channel.
    pub const MOST_BYTES: usize = 239;

    /// Protects a command.
    pub fn wrap(&mut self, apdu: &CommandApdu) -> Result<CommandApdu, ChannelError> {
        if apdu.data.len() > Self::MOST_BYTES {
            return Err(ChannelError::TooLong { most: Self::MOST_BYTES, found: apdu.data.len() });
        }
        let mut secured = CommandApdu { cla: apdu.cla | SECURE, ..apdu.clone() };
        let mac = self.mac(&secured);
        if self.level == LEVEL_MAC_CIPHER && !secured.data.is_empty() {
            let padded = Secret::new(pad(&secured.data, 8, Padding::Method2));
            secured.data = tdes_cbc_encrypt(self.keys.enc.expose(), [0; 8], padded.expose())?;
        }
        secured.data.extend(mac);
        Ok(secured)
    }

    /// Checks a command and takes the protection off.
    pub fn unwrap_command(&mut self, apdu: &CommandApdu) -> Result<CommandApdu, ChannelError> {
        let Some((data, mac)) = apdu.data.split_last_chunk::<MAC_BYTES>() else {
            return Err(ChannelError::Mac);
        };
        if apdu.cla & SECURE == 0 {
            return Err(ChannelError::Mac);
        }
        let mut plain = CommandApdu { data: data.to_vec(), ..apdu.clone() };
        if self.level == LEVEL_MAC_CIPHER && !data.is_empty() {
            plain.data = tdes_cbc_decrypt(self.keys.enc.expose(), [0; 8], data)?;
            let end = plain.data.iter().rposition(|byte| *byte != 0).filter(|end| plain.data[*end] == 0x80);
            plain.data.truncate(end.ok_or(ChannelError::Padding)?);
        }
        if self.mac(&plain) != *mac {
            return Err(ChannelError::Mac);
        }
        Ok(CommandApdu { cla: plain.cla & !SECURE, ..plain })
    }

    /// Enciphers keys within data, whole blocks of 8 bytes.
    pub fn encipher_keys(&self, data: &[u8]) -> Result<Vec<u8>, ChannelError> {
        Ok(tdes_ecb_encrypt(self.keys.dek.expose(), data)?)
    }

    /// Deciphers keys within data.
    pub fn decipher_keys(&self, data: &[u8]) -> Result<Secret<Vec<u8>>, ChannelError> {
        Ok(Secret::new(tdes_ecb_decrypt(self.keys.dek.expose(), data)?))
    }

    /// The next MAC of the channel, over a command with its plain data.
    fn mac(&mut self, apdu: &CommandApdu) -> [u8; 8] {
        let length = (apdu.data.len() + MAC_BYTES) as u8;
        let message = [&[apdu.cla, apdu.ins, apdu.p1, apdu.p2, length], apdu.data.as_slice()].concat();
        let mut message = Secret::new(pad(&message, 8, Padding::Method2));
        let key = self.keys.mac.expose();
        // The ICV of the first command is zeros, as they are.
        let icv = match self.icv {
            [0, 0, 0, 0, 0, 0, 0, 0] => self.icv,
            earlier => des_encrypt_block(&std::array::from_fn(|i| key[i]), earlier),
        };
        message.expose_mut().iter_mut().zip(icv).for_each(|(byte, chained)| *byte ^= chained);
        self.icv = mac_algorithm_3(key, message.expose(), Padding::Method1);
        self.icv
    }
}

fn session_keys(keys: &ChannelKeys, sequence: [u8; 2]) -> Result<ChannelKeys, ChannelError> {
    Ok(ChannelKeys {
        enc: derive(&keys.enc, [0x01, 0x82], sequence)?,
        mac: derive(&keys.mac, [0x01, 0x01], sequence)?,
        dek: derive(&keys.dek, [0x01, 0x81], sequence)?,
    })
}

fn derive(
    key: &Secret<[u8; 16]>,
    constant: [u8; 2],
    sequence: [u8; 2],
) -> Result<Secret<[u8; 16]>, ChannelError> {
    let mut data = [0; 16];
    data[..2].copy_from_slice(&constant);
    data[2..4].copy_from_slice(&sequence);
    let made = Secret::new(tdes_cbc_encrypt(key.expose(), [0; 8], &data)?);
    Ok(Secret::new(std::array::from_fn(|i| made.expose().get(i).copied().unwrap_or(0))))
}

fn card_cryptogram(
    session: &ChannelKeys,
    host: &[u8; 8],
    answer: &Initialized,
) -> Result<[u8; 8], ChannelError> {
    cryptogram(session, &[host, &answer.sequence[..], &answer.card_challenge].concat())
}

fn host_cryptogram(
    session: &ChannelKeys,
    host: &[u8; 8],
    answer: &Initialized,
) -> Result<[u8; 8], ChannelError> {
    cryptogram(session, &[&answer.sequence[..], &answer.card_challenge, host].concat())
}

/// The last block of CBC under triple DES.
fn cryptogram(session: &ChannelKeys, data: &[u8]) -> Result<[u8; 8], ChannelError> {
    let blocks = tdes_cbc_encrypt(session.enc.expose(), [0; 8], &pad(data, 8, Padding::Method2))?;
    Ok(blocks.last_chunk().copied().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::bytes::parse_hex;

    fn key(text: &str) -> Secret<[u8; 16]> {
        Secret::new(parse_hex(text).unwrap().try_into().unwrap())
    }

    fn keys() -> ChannelKeys {
        let key = key("404142434445464748494A4B4C4D4E4F");
        ChannelKeys { enc: key.clone(), mac: key.clone(), dek: key }
    }

    fn open(enciphered: bool) -> (Channel, Channel) {
        let (host, initialize) = HostChannel::begin(keys(), [7; 8]);
        let (card, answer) = CardChannel::begin(&keys(), &initialize, 1, [0, 9], [3; 6]).unwrap();
        let (host, authenticate) = host.authenticate(&answer, enciphered).unwrap();
        (host, card.authenticate(&authenticate).unwrap())
    }

    // Published with the open card clients of the Keycard project (crypto tests).
    #[test]
    fn keys_and_cryptograms_of_the_published_examples() {
        let session = session_keys(&keys(), [0x00, 0x65]).unwrap();
        assert_eq!(session.enc, key("85E72AAF47874218A202BF5EF891DD21"));
        assert_eq!(session.mac, key("309CF99E164F3A97F3E5017FF540A79F"));
        assert_eq!(session.dek, key("93D08F8025242C4D775D69B9F16C939B"));
        let session = ChannelKeys { enc: key("16B5867FF50BE7239C2BF1245B83A362"), ..session };
        let host = [0x32, 0xDA, 0x07, 0x8D, 0x7A, 0xAC, 0x1C, 0xFF];
        let answer = Initialized {
            diversification: [0; 10],
            key_version: 1,
            sequence: [0x00, 0x72],
            card_challenge: [0x84, 0xF6, 0x4A, 0x7D, 0x64, 0x65],
            card_cryptogram: [0; 8],
        };
        let made = card_cryptogram(&session, &host, &answer).unwrap();
        assert_eq!(made, [0x05, 0xC4, 0xBB, 0x8A, 0x86, 0x01, 0x4E, 0x22]);
        let session = ChannelKeys { mac: key("5B02E75AD63190AECE0622936F11ABAB"), ..session };
        let mut channel = Channel { keys: session, level: LEVEL_MAC, icv: [0; 8] };
        let plain =
            CommandApdu::new(0x84, 0x82, 0x01, 0x00).data([0x81, 0x0B, 0x09, 0x8A, 0x8F, 0xBB, 0x88, 0xDA]);
        assert_eq!(channel.mac(&plain), [0x52, 0x71, 0xD7, 0x17, 0x4A, 0x5A, 0x16, 0x6A]);
    }

    #[test]
    fn both_ends_understand_each_other_at_both_levels() {
        for enciphered in [false, true] {
            let (mut host, mut card) = open(enciphered);
            for length in [1, 7, 8, 200, Channel::MOST_BYTES] {
                let apdu = CommandApdu::new(0x80, 0xE2, 0, 0).data(vec![0x80; length]);
                let wrapped = host.wrap(&apdu).unwrap();
                assert!(wrapped.data.len() <= 255);
                assert_eq!(enciphered, !wrapped.data.starts_with(&apdu.data));
                assert_eq!(card.unwrap_command(&wrapped).unwrap(), apdu);
            }
            let secret = host.encipher_keys(&[5; 16]).unwrap();
            assert_eq!(card.decipher_keys(&secret).unwrap().expose(), &[5; 16]);
        }
    }

    #[test]
    fn what_is_changed_repeated_or_from_elsewhere_is_not_taken() {
        let (mut host, mut card) = open(true);
        let wrapped = host.wrap(&CommandApdu::new(0x80, 0xE2, 0, 0).data([1, 2, 3])).unwrap();
        let mut changed = wrapped.clone();
        changed.p2 ^= 1;
        assert!(card.clone().unwrap_command(&changed).is_err());
        card.unwrap_command(&wrapped).unwrap();
        assert!(card.unwrap_command(&wrapped).is_err(), "a repeat");
        let other = ChannelKeys { enc: Secret::new([9; 16]), ..keys() };
        let (host, initialize) = HostChannel::begin(other, [7; 8]);
        let (_, answer) = CardChannel::begin(&keys(), &initialize, 1, [0, 9], [3; 6]).unwrap();
        assert!(matches!(host.authenticate(&answer, true), Err(ChannelError::Cryptogram { end: "card" })));
    }
}

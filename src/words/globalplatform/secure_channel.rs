//! Secure channel protocol 02, option i=55: GlobalPlatform Card Specification 2.3.1
//! Annex E. Both ends: the host wraps commands, the card unwraps them. Data are
//! enciphered and every command bears a MAC (security level 03).

use super::command::{ExternalAuthenticate, InitializeUpdate, UpdateAnswer};
use crate::base::bytes::Secret;
use crate::base::crypto::{
    CryptoError, Padding, des_encrypt_block, mac_algorithm_3, pad, tdes_decrypt_block, tdes_ecb_decrypt,
    tdes_ecb_encrypt, tdes_encrypt_block,
};
use crate::words::iso7816::{ApduCommand, CommandApdu};

/// Derivation constants of the session keys (E.4.1).
const C_MAC: [u8; 2] = [0x01, 0x01];
const DEK: [u8; 2] = [0x01, 0x81];
const S_ENC: [u8; 2] = [0x01, 0x82];

/// Bytes of a C-MAC.
const MAC_BYTES: usize = 8;

/// The three static keys of a security domain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChannelKeys {
    /// The key set's version number.
    pub version: u8,
    /// Enciphers data, and signs the cryptograms of both ends.
    pub enc: Secret<[u8; 16]>,
    /// Signs commands.
    pub mac: Secret<[u8; 16]>,
    /// Enciphers keys within data.
    pub dek: Secret<[u8; 16]>,
}

/// Why a channel is not opened, or a command not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChannelError {
    /// The other end does not know the keys.
    #[error("expected the {whose} cryptogram of the channel's keys, found another: check the keys")]
    Cryptogram {
        /// `card` or `host`.
        whose: &'static str,
    },
    /// The MAC of a command is absent or wrong.
    #[error("expected a command with the channel's next MAC, found another: open a new channel")]
    Mac,
    /// The data do not decipher to padded data.
    #[error("expected data enciphered and padded for this channel, found others")]
    Data,
    /// Keys that are no whole blocks.
    #[error(transparent)]
    Crypto(#[from] CryptoError),
}

/// An open channel, at either end.
#[derive(Debug)]
pub struct SecureChannel {
    enc: Secret<[u8; 16]>,
    mac: Secret<[u8; 16]>,
    dek: Secret<[u8; 16]>,
    last_mac: Option<[u8; 8]>,
}

impl SecureChannel {
    /// The host's end: checks the card's answer to INITIALIZE UPDATE, and gives the
    /// command that opens the channel.
    pub fn open(
        keys: &ChannelKeys,
        asked: &InitializeUpdate,
        answer: &UpdateAnswer,
    ) -> Result<(Self, ExternalAuthenticate), ChannelError> {
        let mut channel = Self::derive(keys, answer.sequence);
        let host = asked.host_challenge;
        if channel.card_cryptogram(host, answer.sequence, answer.card_challenge) != answer.cryptogram {
            return Err(ChannelError::Cryptogram { whose: "card" });
        }
        let cryptogram = channel.host_cryptogram(host, answer.sequence, answer.card_challenge);
        let mut command = ExternalAuthenticate { cryptogram, mac: [0; 8] };
        let bare = command.to_apdu();
        command.mac = channel.sign(bare.header(), &cryptogram);
        Ok((channel, command))
    }

    /// The card's end of a channel that waits for EXTERNAL AUTHENTICATE, and the answer
    /// to INITIALIZE UPDATE.
    pub fn answer(
        keys: &ChannelKeys,
        asked: &InitializeUpdate,
        sequence: u16,
        card_challenge: [u8; 6],
    ) -> (Self, UpdateAnswer) {
        let sequence = sequence.to_be_bytes();
        let channel = Self::derive(keys, sequence);
        let cryptogram = channel.card_cryptogram(asked.host_challenge, sequence, card_challenge);
        let answer = UpdateAnswer {
            diversification: [0; 10],
            key_version: keys.version,
            sequence,
            card_challenge,
            cryptogram,
        };
        (channel, answer)
    }

    /// The card's end checks the host.
    pub fn authenticate(
        &mut self,
        asked: &InitializeUpdate,
        answer: &UpdateAnswer,
        command: &ExternalAuthenticate,
    ) -> Result<(), ChannelError> {
        let wanted = self.host_cryptogram(asked.host_challenge, answer.sequence, answer.card_challenge);
        if command.cryptogram != wanted {
            return Err(ChannelError::Cryptogram { whose: "host" });
        }
        if self.sign(command.to_apdu().header(), &command.cryptogram) != command.mac {
            return Err(ChannelError::Mac);
        }
        Ok(())
    }

    /// The host's end: a command as it goes to the card.
    pub fn wrap(&mut self, command: &CommandApdu) -> CommandApdu {
        let [cla, ins, p1, p2] = command.header();
        let mac = self.sign([cla | 0x04, ins, p1, p2], &command.data);
        let mut data = self.encipher(&command.data);
        data.extend(mac);
        CommandApdu::new(cla | 0x04, ins, p1, p2).data(data)
    }

    /// The card's end: a command as it was before it was wrapped.
    pub fn unwrap(&mut self, command: &CommandApdu) -> Result<CommandApdu, ChannelError> {
        let (enciphered, mac) = command.data.split_last_chunk::<MAC_BYTES>().ok_or(ChannelError::Mac)?;
        let data = self.decipher(enciphered)?;
        if self.sign(command.header(), &data) != *mac {
            return Err(ChannelError::Mac);
        }
        let [cla, ins, p1, p2] = command.header();
        Ok(CommandApdu::new(cla & !0x04, ins, p1, p2).data(data))
    }

    /// Keys as they stand within data: under the key encryption key.
    pub fn encipher_keys(&self, keys: &Secret<Vec<u8>>) -> Result<Vec<u8>, ChannelError> {
        Ok(tdes_ecb_encrypt(self.dek.expose(), keys.expose())?)
    }

    /// The keys within data.
    pub fn decipher_keys(&self, data: &[u8]) -> Result<Secret<Vec<u8>>, ChannelError> {
        Ok(Secret::new(tdes_ecb_decrypt(self.dek.expose(), data)?))
    }

    /// Most bytes of data that one wrapped command carries.
    pub const LARGEST_DATA_BYTES: usize = 239;

    fn derive(keys: &ChannelKeys, sequence: [u8; 2]) -> Self {
        let session = |key: &Secret<[u8; 16]>, constant: [u8; 2]| {
            let mut data = [0; 16];
            data[..2].copy_from_slice(&constant);
            data[2..4].copy_from_slice(&sequence);
            let (first, second) = data.split_at(8);
            let first = tdes_encrypt_block(key.expose(), block(first));
            let second = tdes_encrypt_block(key.expose(), xor(first, block(second)));
            let mut out = [0; 16];
            out[..8].copy_from_slice(&first);
            out[8..].copy_from_slice(&second);
            Secret::new(out)
        };
        Self {
            enc: session(&keys.enc, S_ENC),
            mac: session(&keys.mac, C_MAC),
            dek: session(&keys.dek, DEK),
            last_mac: None,
        }
    }

    /// E.4.2.1: over both challenges with the host's first.
    fn card_cryptogram(&self, host: [u8; 8], sequence: [u8; 2], card: [u8; 6]) -> [u8; 8] {
        full_mac(self.enc.expose(), &[host.as_slice(), &sequence, &card].concat())
    }

    /// E.4.2.2: over both challenges with the card's first.
    fn host_cryptogram(&self, host: [u8; 8], sequence: [u8; 2], card: [u8; 6]) -> [u8; 8] {
        full_mac(self.enc.expose(), &[sequence.as_slice(), &card, &host].concat())
    }

    /// E.4.4: over the header with the length that the command will have, and the data in
    /// the clear. The MAC before, enciphered, begins the chain.
    fn sign(&mut self, [cla, ins, p1, p2]: [u8; 4], data: &[u8]) -> [u8; 8] {
        let header = [cla, ins, p1, p2, (data.len() + MAC_BYTES) as u8];
        let mut message = pad(&[header.as_slice(), data].concat(), 8, Padding::Method2);
        if let Some(last) = self.last_mac {
            let left = block(&self.mac.expose()[..8]);
            let chain = des_encrypt_block(&left, last);
            let first = xor(chain, block(&message[..8]));
            message[..8].copy_from_slice(&first);
        }
        let mac = mac_algorithm_3(self.mac.expose(), &message, Padding::Method1);
        self.last_mac = Some(mac);
        mac
    }

    fn encipher(&self, data: &[u8]) -> Vec<u8> {
        let mut chain = [0; 8];
        let mut out = Vec::with_capacity(data.len() + 8);
        for part in pad(data, 8, Padding::Method2).as_chunks::<8>().0 {
            chain = tdes_encrypt_block(self.enc.expose(), xor(chain, *part));
            out.extend(chain);
        }
        out
    }

    fn decipher(&self, data: &[u8]) -> Result<Vec<u8>, ChannelError> {
        let (blocks, rest) = data.as_chunks::<8>();
        if blocks.is_empty() || !rest.is_empty() {
            return Err(ChannelError::Data);
        }
        let mut chain = [0; 8];
        let mut out = Vec::with_capacity(data.len());
        for part in blocks {
            out.extend(xor(chain, tdes_decrypt_block(self.enc.expose(), *part)));
            chain = *part;
        }
        let end = out.iter().rposition(|byte| *byte != 0).filter(|end| out[*end] == 0x80);
        out.truncate(end.ok_or(ChannelError::Data)?);
        Ok(out)
    }
}

/// B.1.2.1: triple DES in CBC mode with IV 0, the last block.
fn full_mac(key: &[u8; 16], data: &[u8]) -> [u8; 8] {
    let padded = pad(data, 8, Padding::Method2);
    padded.as_chunks::<8>().0.iter().fold([0; 8], |chain, part| tdes_encrypt_block(key, xor(chain, *part)))
}

fn xor(a: [u8; 8], b: [u8; 8]) -> [u8; 8] {
    std::array::from_fn(|at| a[at] ^ b[at])
}

fn block(bytes: &[u8]) -> [u8; 8] {
    std::array::from_fn(|at| bytes.get(at).copied().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn keys() -> ChannelKeys {
        let key = |first: u8| Secret::new(std::array::from_fn(|at| first + at as u8));
        ChannelKeys { version: 1, enc: key(0x40), mac: key(0x50), dek: key(0x60) }
    }

    fn pair() -> (SecureChannel, SecureChannel) {
        let asked = InitializeUpdate { key_version: 0, host_challenge: [7; 8] };
        let (mut card, answer) = SecureChannel::answer(&keys(), &asked, 9, [3; 6]);
        let (host, command) = SecureChannel::open(&keys(), &asked, &answer).unwrap();
        card.authenticate(&asked, &answer, &command).unwrap();
        (host, card)
    }

    #[test]
    fn either_end_refuses_one_that_does_not_know_the_keys() {
        let asked = InitializeUpdate { key_version: 0, host_challenge: [7; 8] };
        let (mut card, answer) = SecureChannel::answer(&keys(), &asked, 9, [3; 6]);
        let other = ChannelKeys { enc: Secret::new([9; 16]), ..keys() };
        let refused = SecureChannel::open(&other, &asked, &answer).unwrap_err();
        assert_eq!(refused, ChannelError::Cryptogram { whose: "card" });
        let (_, mut command) = SecureChannel::open(&keys(), &asked, &answer).unwrap();
        command.mac[0] ^= 1;
        assert_eq!(card.authenticate(&asked, &answer, &command), Err(ChannelError::Mac));
        command.cryptogram[0] ^= 1;
        let wrong = card.authenticate(&asked, &answer, &command);
        assert_eq!(wrong, Err(ChannelError::Cryptogram { whose: "host" }));
    }

    #[test]
    fn a_command_is_taken_once_and_in_its_turn() {
        let (mut host, mut card) = pair();
        let plain = CommandApdu::new(0x80, 0xE2, 0, 0).data([1, 2, 3]);
        let (first, second) = (host.wrap(&plain), host.wrap(&plain));
        assert_ne!(first, second);
        assert_eq!(card.unwrap(&first).unwrap(), plain);
        let mut changed = second.clone();
        changed.p2 = 1;
        assert_eq!(card.unwrap(&changed), Err(ChannelError::Mac));
        let (mut host, mut card) = pair();
        let first = host.wrap(&plain);
        card.unwrap(&first).unwrap();
        assert_eq!(card.unwrap(&first), Err(ChannelError::Mac));
    }

    proptest! {
        #[test]
        fn what_is_wrapped_comes_out(data in prop::collection::vec(any::<u8>(), 0..=239), keys in prop::collection::vec(any::<u8>(), 48)) {
            let (mut host, mut card) = pair();
            let plain = CommandApdu::new(0x80, 0xE2, 0x60, 5).data(data);
            let wrapped = host.wrap(&plain);
            prop_assert!(wrapped.data.len() <= 255);
            prop_assert_eq!(card.unwrap(&wrapped).unwrap(), plain);
            let secret = Secret::new(keys);
            let hidden = host.encipher_keys(&secret).unwrap();
            prop_assert_eq!(card.decipher_keys(&hidden).unwrap(), secret);
        }

        #[test]
        fn arbitrary_commands_never_panic(data in prop::collection::vec(any::<u8>(), 0..255)) {
            let (_, mut card) = pair();
            let _ = card.unwrap(&CommandApdu::new(0x84, 0xE2, 0, 0).data(data));
        }
    }
}

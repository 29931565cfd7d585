//! Data groupings into STORE DATA commands and out of them (EMV Card Personalisation
//! Specification 2.0 clause 4). A grouping may run over several blocks; keys have
//! blocks of their own, since a block is enciphered whole or not.

use super::command::StoreData;
use super::{Channel, ChannelError, Dgi, DgiError};
use crate::base::bytes::Secret;

/// The commands that store these groupings, the last one marked.
pub fn store_commands(groupings: &[Dgi], channel: &Channel) -> Result<Vec<StoreData>, StoreError> {
    let mut commands = Vec::new();
    for run in groupings.chunk_by(|a, b| a.is_secret() == b.is_secret()) {
        let is_enciphered = run.first().is_some_and(Dgi::is_secret);
        let mut bytes = Secret::new(Vec::new());
        for grouping in run {
            let grouping = match is_enciphered {
                true => Dgi::new(grouping.identifier, channel.encipher_keys(grouping.data.expose())?),
                false => grouping.clone(),
            };
            bytes.expose_mut().extend_from_slice(grouping.to_bytes()?.expose());
        }
        for block in bytes.expose().chunks(Channel::MOST_BYTES) {
            commands.push(StoreData {
                is_last: false,
                is_enciphered,
                block: commands.len() as u8,
                data: Secret::new(block.to_vec()),
            });
        }
    }
    if let Some(last) = commands.last_mut() {
        last.is_last = true;
    }
    Ok(commands)
}

/// Why groupings cannot be stored, or blocks are no groupings.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The channel does not take them.
    #[error(transparent)]
    Channel(#[from] ChannelError),
    /// They are no groupings.
    #[error(transparent)]
    Dgi(#[from] DgiError),
    /// A block is missing or came twice.
    #[error("expected block {expected:02X} of STORE DATA, found {found:02X}")]
    Block {
        /// The number that follows.
        expected: u8,
        /// The number that came.
        found: u8,
    },
}

/// The card's end: blocks as they come, groupings once the last is there. Nothing may
/// be written before, so that a torn personalisation leaves nothing.
#[derive(Debug, Clone, Default)]
pub struct StoredGroupings {
    next: u8,
    runs: Vec<(bool, Secret<Vec<u8>>)>,
}

impl StoredGroupings {
    /// Takes a block; all groupings where it is the last.
    pub fn take(&mut self, command: &StoreData, channel: &Channel) -> Result<Option<Vec<Dgi>>, StoreError> {
        if command.block != self.next {
            return Err(StoreError::Block { expected: self.next, found: command.block });
        }
        self.next = self.next.wrapping_add(1);
        match self.runs.last_mut() {
            Some((enciphered, run)) if *enciphered == command.is_enciphered => {
                run.expose_mut().extend_from_slice(command.data.expose());
            }
            _ => self.runs.push((command.is_enciphered, command.data.clone())),
        }
        if !command.is_last {
            return Ok(None);
        }
        let mut all = Vec::new();
        for (enciphered, run) in std::mem::take(self).runs {
            for mut grouping in Dgi::parse_all(run.expose())? {
                if enciphered {
                    grouping.data = channel.decipher_keys(grouping.data.expose())?;
                }
                all.push(grouping);
            }
        }
        Ok(Some(all))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::globalplatform::{CardChannel, ChannelKeys, HostChannel};
    use crate::words::iso7816::ApduCommand;

    #[test]
    fn groupings_go_through_the_channel() {
        let keys = ChannelKeys { enc: [1; 16].into(), mac: [2; 16].into(), dek: [3; 16].into() };
        let (host, initialize) = HostChannel::begin(keys.clone(), [7; 8]);
        let (card, answer) = CardChannel::begin(&keys, &initialize, 1, [0, 9], [3; 6]).unwrap();
        let (mut host, authenticate) = host.authenticate(&answer, true).unwrap();
        let mut card = card.authenticate(&authenticate).unwrap();
        let groupings = [
            Dgi::record(1, 1, vec![0x70; 300]),
            Dgi::new(0x0D01, vec![1; 10]),
            Dgi::new(0x8000, vec![9; 48]),
            Dgi::new(0x9000, vec![4; 9]),
        ];
        let commands = store_commands(&groupings, &host).unwrap();
        assert!(
            commands.iter().all(|command| !command.data.expose().windows(48).any(|part| part == [9; 48]))
        );
        let mut stored = StoredGroupings::default();
        let mut out = None;
        for command in &commands {
            assert!(out.is_none(), "nothing is known before the last block");
            let plain = card.unwrap_command(&host.wrap(&command.to_apdu()).unwrap()).unwrap();
            out = stored.take(&StoreData::from_apdu(&plain).unwrap(), &card).unwrap();
        }
        assert_eq!(out.unwrap(), groupings);
        let mut stored = StoredGroupings::default();
        assert!(matches!(stored.take(&commands[1], &card), Err(StoreError::Block { .. })));
    }
}

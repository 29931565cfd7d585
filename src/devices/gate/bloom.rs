//! A Bloom filter over keyed hashes: it may say "perhaps" of what is not there, and never
//! "no" of what is. The hashes are as good as random, so it takes its places from their bits.

/// Bits for each entry: about 1 in 100 strangers pass on to the exact look-up.
const BITS_PER_ENTRY: usize = 10;
/// Places of an entry; all of them lie in one cache line of 512 bits.
const PLACES: u32 = 7;
const WORDS_PER_BLOCK: usize = 8;

/// A Bloom filter whose places of an entry stand in one block of 512 bits, so that a look-up
/// costs one access to memory.
#[derive(Debug, Clone)]
pub struct Bloom {
    blocks: Vec<[u64; WORDS_PER_BLOCK]>,
}

impl Bloom {
    /// One with room for so many entries; more make it say "perhaps" more often.
    pub fn with_room_for(entries: usize) -> Self {
        let blocks = (entries.max(1) * BITS_PER_ENTRY).div_ceil(512).next_power_of_two();
        Self { blocks: vec![[0; WORDS_PER_BLOCK]; blocks] }
    }

    /// Adds an entry.
    pub fn add(&mut self, entry: u64) {
        let block = self.block_of(entry);
        for (word, bit) in places(entry) {
            self.blocks[block][word] |= bit;
        }
    }

    /// Whether the entry may be there.
    pub fn may_hold(&self, entry: u64) -> bool {
        let block = &self.blocks[self.block_of(entry)];
        places(entry).all(|(word, bit)| block[word] & bit != 0)
    }

    /// Bytes of memory.
    pub fn bytes(&self) -> usize {
        self.blocks.len() * WORDS_PER_BLOCK * 8
    }

    fn block_of(&self, entry: u64) -> usize {
        // There is a power of two of them.
        (entry as usize) & (self.blocks.len() - 1)
    }
}

/// Word and bit of each place: nine bits of a product each, that the block's number is not of.
fn places(entry: u64) -> impl Iterator<Item = (usize, u64)> {
    let mixed = entry.wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_right(1);
    (0..PLACES).map(move |place| {
        let bits = (mixed >> (place * 9)) as usize & 0x1FF;
        (bits >> 6, 1 << (bits & 63))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::crypto::sha1;

    fn entry(number: u64) -> u64 {
        sha1(&[&number.to_be_bytes()]).first_chunk().map_or(0, |bytes| u64::from_be_bytes(*bytes))
    }

    #[test]
    fn it_never_denies_what_is_there_and_seldom_suspects_what_is_not() {
        let mut bloom = Bloom::with_room_for(10_000);
        (0..10_000).for_each(|number| bloom.add(entry(number)));
        assert!((0..10_000).all(|number| bloom.may_hold(entry(number))));
        let suspected = (10_000..110_000).filter(|number| bloom.may_hold(entry(*number))).count();
        assert!(suspected < 2_000, "{suspected} of 100000 strangers");
    }
}

//! Bytes in parts, for blocks and commands that hold only so many. Nothing of what they say
//! enters.

/// The parts of some bytes, each of at most `most` bytes, and whether another follows. No bytes are
/// one part, an empty one.
pub(super) fn parts(bytes: &[u8], most: usize) -> impl Iterator<Item = (&[u8], bool)> {
    let mut left = Some(bytes);
    std::iter::from_fn(move || {
        let bytes = left.take()?;
        let (part, rest) = bytes.split_at(bytes.len().min(most.max(1)));
        left = Some(rest).filter(|rest| !rest.is_empty());
        Some((part, left.is_some()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_part_says_so() {
        let of = |bytes: &'static [u8], most| parts(bytes, most).collect::<Vec<_>>();
        assert_eq!(of(&[], 3), [(&[][..], false)]);
        assert_eq!(of(&[1, 2, 3], 3), [(&[1, 2, 3][..], false)]);
        assert_eq!(of(&[1, 2, 3, 4], 3), [(&[1, 2, 3][..], true), (&[4][..], false)]);
        assert_eq!(of(&[1, 2], 0), [(&[1][..], true), (&[2][..], false)]);
    }
}

//! Bytes in parts, for blocks and commands that hold only so many, and whole again. Nothing of
//! what they say enters.

use super::LinkError;

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

/// Adds a part to those that came before, which may be `most` bytes in all.
///
/// # Errors
/// They are more: who sends them comes to no end.
pub(super) fn join(whole: &mut Vec<u8>, part: &[u8], most: usize, during: &str) -> Result<(), LinkError> {
    whole.extend_from_slice(part);
    match whole.len() {
        found if found > most => {
            let found = format!("{found} bytes and no end");
            Err(LinkError::protocol(during, format!("{most} bytes at most"), found))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_without_end_are_refused() {
        let mut whole = vec![0; 4];
        join(&mut whole, &[1], 5, "a test").unwrap();
        assert!(join(&mut whole, &[1], 5, "a test").is_err());
    }

    #[test]
    fn the_last_part_says_so() {
        let of = |bytes: &'static [u8], most| parts(bytes, most).collect::<Vec<_>>();
        assert_eq!(of(&[], 3), [(&[][..], false)]);
        assert_eq!(of(&[1, 2, 3], 3), [(&[1, 2, 3][..], false)]);
        assert_eq!(of(&[1, 2, 3, 4], 3), [(&[1, 2, 3][..], true), (&[4][..], false)]);
        assert_eq!(of(&[1, 2], 0), [(&[1][..], true), (&[2][..], false)]);
    }
}

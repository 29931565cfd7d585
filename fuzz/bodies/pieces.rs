//! Any bytes as pieces: a length in one byte, and so many bytes, or what is left of them.

/// The pieces.
pub fn of(mut data: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let (length, rest) = data.split_first()?;
        let (piece, behind) = rest.split_at(usize::from(*length).min(rest.len()));
        data = behind;
        Some(piece)
    })
}

/// Bytes that hold these pieces, each of at most 255 bytes.
#[allow(dead_code, reason = "a fuzz target only reads them")]
pub fn join(pieces: &[&[u8]]) -> Vec<u8> {
    pieces.iter().flat_map(|piece| [&[piece.len() as u8], *piece].concat()).collect()
}

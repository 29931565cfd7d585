//! Patterns of status words and of bytes: hexadecimal digits, `x` or `?` for any one
//! digit, `..` for any bytes.

use std::fmt;

/// A status word whose digits may be left open: `9000`, `61xx`, `6A8?`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StatusPattern([Option<u8>; 4]);

/// One part of a byte pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BytePart {
    /// One byte, either half of which may be open.
    Byte(Option<u8>, Option<u8>),
    /// Any bytes, none of them too.
    Any,
}

impl StatusPattern {
    /// Reads four digits.
    pub fn parse(text: &str) -> Option<Self> {
        let digits: Vec<Option<u8>> = text.chars().map(digit).collect::<Option<_>>()?;
        digits.try_into().ok().map(Self)
    }

    /// Whether a status word fits.
    pub fn fits(self, status: u16) -> bool {
        let digits = (0..4).map(|place| (status >> (12 - 4 * place) & 0x0F) as u8);
        self.0.iter().zip(digits).all(|(wanted, digit)| wanted.is_none_or(|wanted| wanted == digit))
    }
}

impl fmt::Display for StatusPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|half| write_half(f, *half))
    }
}

impl BytePart {
    /// Reads digits that stand together, two a byte.
    pub fn parse_run(text: &str) -> Option<Vec<Self>> {
        let digits: Vec<Option<u8>> = text.chars().map(digit).collect::<Option<_>>()?;
        let (pairs, rest) = digits.as_chunks::<2>();
        rest.is_empty().then(|| pairs.iter().map(|[high, low]| Self::Byte(*high, *low)).collect())
    }

    /// The parts of bytes as they are.
    pub fn of_bytes(bytes: &[u8]) -> impl Iterator<Item = Self> + '_ {
        bytes.iter().map(|byte| Self::Byte(Some(byte >> 4), Some(byte & 0x0F)))
    }

    fn fits(&self, byte: u8) -> bool {
        match self {
            Self::Byte(high, low) => {
                high.is_none_or(|half| half == byte >> 4) && low.is_none_or(|half| half == byte & 0x0F)
            }
            Self::Any => true,
        }
    }
}

/// Whether bytes fit a pattern, from the first to the last. Time is bytes times parts.
pub fn bytes_fit(parts: &[BytePart], bytes: &[u8]) -> bool {
    // Where in the pattern one may stand after the bytes so far.
    let mut places = vec![false; parts.len() + 1];
    places[0] = true;
    let spread = |places: &mut Vec<bool>| {
        for (at, part) in parts.iter().enumerate() {
            if *part == BytePart::Any && places[at] {
                places[at + 1] = true;
            }
        }
    };
    spread(&mut places);
    for byte in bytes {
        let mut next = vec![false; parts.len() + 1];
        for (at, part) in parts.iter().enumerate().filter(|(at, _)| places[*at]) {
            match part {
                BytePart::Any => next[at] = true,
                part => next[at + 1] |= part.fits(*byte),
            }
        }
        places = next;
        spread(&mut places);
    }
    places[parts.len()]
}

/// A part of a pattern as a script writes it.
pub fn shown_part(part: &BytePart) -> String {
    match part {
        BytePart::Any => "..".to_owned(),
        BytePart::Byte(high, low) => {
            let half = |half: &Option<u8>| half.map_or("x".to_owned(), |half| format!("{half:X}"));
            half(high) + &half(low)
        }
    }
}

fn digit(letter: char) -> Option<Option<u8>> {
    match letter {
        'x' | 'X' | '?' => Some(None),
        letter => letter.to_digit(16).map(|digit| Some(digit as u8)),
    }
}

fn write_half(f: &mut fmt::Formatter<'_>, half: Option<u8>) -> fmt::Result {
    match half {
        Some(half) => write!(f, "{half:X}"),
        None => f.write_str("x"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn status_words_fit_their_patterns() {
        let pattern = |text| StatusPattern::parse(text).unwrap();
        assert!(pattern("9000").fits(0x9000) && !pattern("9000").fits(0x6A82));
        assert!(pattern("61xx").fits(0x6125) && pattern("6A8?").fits(0x6A82));
        assert!(!pattern("6A8?").fits(0x6A92));
        assert_eq!(pattern("6a8?").to_string(), "6A8x");
        assert_eq!((StatusPattern::parse("900"), StatusPattern::parse("90G0")), (None, None));
    }

    #[test]
    fn bytes_fit_their_patterns() {
        let parts =
            |text: &str| -> Vec<BytePart> {
                let words = text.split(' ');
                words
                    .flat_map(|word| {
                        if word == ".." { vec![BytePart::Any] } else { BytePart::parse_run(word).unwrap() }
                    })
                    .collect()
            };
        let fits = |pattern: &str, bytes: &[u8]| bytes_fit(&parts(pattern), bytes);
        assert!(fits("6F .. 90 00", &[0x6F, 1, 2, 0x90, 0x00]) && fits("6F .. 90 00", &[0x6F, 0x90, 0x00]));
        assert!(!fits("6F .. 90 00", &[0x6F, 0x90]) && !fits("6F 84", &[0x6F, 0x84, 0]));
        assert!(fits("9x ?0", &[0x91, 0x30]) && fits("..", &[]) && !fits("9x", &[]));
        assert!(fits(".. 01 .. 02 ..", &[1, 1, 3, 2, 2]) && !fits(".. 02 .. 01", &[1, 2]));
        assert_eq!(parts("6f .. 9x").iter().map(shown_part).collect::<String>(), "6F..9x");
    }
}

//! Which items of two lists belong together: the longest common subsequence.

/// Pairs of places in both lists, in order; an item without its like has none on the other side.
pub(super) type Pairs = Vec<(Option<usize>, Option<usize>)>;

/// Most cells of the table; a cell is four bytes.
const MOST_CELLS: usize = 16_000_000;

/// Pairs equal items so that as many as can be are paired; `None` where the lists differ in too
/// much to be compared in memory. Equal ends cost nothing.
pub(super) fn align<K: PartialEq>(left: &[K], right: &[K]) -> Option<Pairs> {
    let head = left.iter().zip(right).take_while(|(l, r)| l == r).count();
    let (left_rest, right_rest) = (&left[head..], &right[head..]);
    let tail = left_rest.iter().rev().zip(right_rest.iter().rev()).take_while(|(l, r)| l == r).count();
    let (left_rest, right_rest) =
        (&left_rest[..left_rest.len() - tail], &right_rest[..right_rest.len() - tail]);
    let mut pairs: Pairs = (0..head).map(|at| (Some(at), Some(at))).collect();
    let shifted = |at: Option<usize>| at.map(|at| at + head);
    pairs.extend(middle(left_rest, right_rest)?.into_iter().map(|(l, r)| (shifted(l), shifted(r))));
    pairs.extend((1..=tail).rev().map(|back| (Some(left.len() - back), Some(right.len() - back))));
    Some(pairs)
}

fn middle<K: PartialEq>(left: &[K], right: &[K]) -> Option<Pairs> {
    let width = right.len() + 1;
    let cells = width.checked_mul(left.len() + 1).filter(|cells| *cells <= MOST_CELLS)?;
    // longest[l * width + r]: the most pairs of what follows in both.
    let mut longest = vec![0u32; cells];
    for l in (0..left.len()).rev() {
        for r in (0..right.len()).rev() {
            longest[l * width + r] = match left[l] == right[r] {
                true => longest[(l + 1) * width + r + 1] + 1,
                false => longest[(l + 1) * width + r].max(longest[l * width + r + 1]),
            };
        }
    }
    let (mut l, mut r) = (0, 0);
    let mut pairs = Vec::with_capacity(left.len().max(right.len()));
    while l < left.len() && r < right.len() {
        if left[l] == right[r] {
            pairs.push((Some(l), Some(r)));
            (l, r) = (l + 1, r + 1);
        } else if longest[(l + 1) * width + r] >= longest[l * width + r + 1] {
            pairs.push((Some(l), None));
            l += 1;
        } else {
            pairs.push((None, Some(r)));
            r += 1;
        }
    }
    pairs.extend((l..left.len()).map(|at| (Some(at), None)));
    pairs.extend((r..right.len()).map(|at| (None, Some(at))));
    Some(pairs)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(left: &str, right: &str) -> String {
        let (left, right): (Vec<char>, Vec<char>) = (left.chars().collect(), right.chars().collect());
        let show = |(l, r): (Option<usize>, Option<usize>)| match (l, r) {
            (Some(l), Some(r)) => {
                assert_eq!(left[l], right[r]);
                left[l].to_string()
            }
            (Some(l), None) => format!("-{}", left[l]),
            (None, Some(r)) => format!("+{}", right[r]),
            (None, None) => String::new(),
        };
        align(&left, &right).unwrap().into_iter().map(show).collect()
    }

    #[test]
    fn as_many_as_can_be_are_paired() {
        assert_eq!(shown("abc", "abc"), "abc");
        assert_eq!(shown("abxcd", "abycd"), "ab-x+ycd");
        assert_eq!(shown("aXbYc", "abc"), "a-Xb-Yc");
        assert_eq!(shown("", "ab"), "+a+b");
        assert_eq!(shown("aaa", "aa"), "aa-a");
    }

    #[test]
    fn lists_that_are_too_long_are_not_compared() {
        let (left, right) = (vec![0; 5000], vec![1; 5000]);
        assert!(align(&left, &right).is_none());
        assert_eq!(align(&left, &left).unwrap().len(), 5000);
    }
}

//! A story: numbered chapters of plain sentences, with what they rest on indented.

/// The format's name.
pub(super) const NAME: &str = "story";

/// Columns of a line of the story.
const WIDTH: usize = 78;

/// Tells chapters in order.
#[derive(Debug, Clone, Default)]
pub struct Story {
    chapter: usize,
}

impl Story {
    /// The head of the next chapter.
    pub fn chapter(&mut self, title: &str) -> String {
        self.chapter += 1;
        format!("\n{}. {title}\n", self.chapter)
    }

    /// A paragraph, broken between words.
    pub fn paragraph(&self, text: &str) -> String {
        let mut out = String::new();
        let mut column = 0;
        for word in text.split_whitespace() {
            let length = word.chars().count();
            if column > 0 && column + 1 + length > WIDTH {
                out.push('\n');
                column = 0;
            }
            if column > 0 {
                out.push(' ');
                column += 1;
            }
            out.push_str(word);
            column += length;
        }
        out.push('\n');
        out
    }

    /// Lines that the chapter rests on, indented.
    pub fn evidence(&self, text: &str) -> String {
        let line = |line: &str| if line.is_empty() { "\n".to_owned() } else { format!("   {line}\n") };
        text.lines().map(line).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chapters_are_numbered_and_lines_are_broken() {
        let mut story = Story::default();
        assert_eq!(story.chapter("The card"), "\n1. The card\n");
        assert_eq!(story.chapter("The load"), "\n2. The load\n");
        let text = story.paragraph(&"word ".repeat(40));
        assert!(text.lines().count() == 3 && text.lines().all(|line| line.len() <= WIDTH), "{text}");
        assert_eq!(story.evidence("a\n\nb"), "   a\n\n   b\n");
    }
}

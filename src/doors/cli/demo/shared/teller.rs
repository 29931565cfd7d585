//! Who tells a story: each chapter, paragraph and piece of evidence, as it happens.

use crate::doors::cli::shared::command::Call;
use crate::observers::report::Story;
use serde_json::Value;

/// The teller.
pub(in crate::doors::cli) struct Teller<'a, 'b> {
    /// The command that it speaks for.
    pub call: &'a mut Call<'b>,
    story: Story,
}

impl<'a, 'b> Teller<'a, 'b> {
    /// Before the first chapter.
    pub(in crate::doors::cli) fn new(call: &'a mut Call<'b>) -> Self {
        Self { call, story: Story::default() }
    }

    /// Begins a chapter.
    pub(in crate::doors::cli) fn chapter(&mut self, title: &str) {
        let text = self.story.chapter(title);
        self.say(&text);
    }

    /// What people are told.
    pub(in crate::doors::cli) fn paragraph(&mut self, text: &str) {
        let text = self.story.paragraph(text);
        self.say(&text);
    }

    /// What the chapter rests on, after an empty line.
    pub(in crate::doors::cli) fn evidence(&mut self, text: &str) {
        let text = format!("\n{}", self.story.evidence(text));
        self.say(&text);
    }

    /// What programs are told.
    pub(in crate::doors::cli) fn tell(&mut self, name: &str, value: Value) {
        self.call.output.tell(name, value);
    }

    /// Anything else.
    pub(in crate::doors::cli) fn say(&mut self, text: &str) {
        self.call.output.say(text);
    }
}

//! What a script says that plays the card or the host before a terminal under test: what
//! happens when something comes, what the terminal is asked, and what it must have sent.

use super::tree::{CommandCall, Expression, PatternPart, Statement};
use crate::air::host::{Kind, MessageClass};
use crate::roles::terminal::Verdict;
use crate::words::tlv::Tag;
use crate::world::Deed;

/// Which part a script plays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Part {
    /// The terminal, before a card.
    #[default]
    Terminal,
    /// The card, before a terminal under test.
    Card,
    /// The host behind a terminal under test.
    Host,
    /// Both.
    CardAndHost,
}

/// `on`: what happens when something comes.
#[derive(Debug, Clone)]
pub struct On {
    /// What must come.
    pub what: What,
    /// Which time, from 1; `None` is every time.
    pub nth: Option<usize>,
    /// What happens then.
    pub statements: Vec<Statement>,
}

/// Something that a terminal sends.
#[derive(Debug, Clone)]
pub enum What {
    /// A command in words, with as many of its parameters as matter.
    Command(Box<CommandCall>),
    /// A command as bytes, some of which are open.
    Bytes(Vec<PatternPart>),
    /// A message to the host.
    Message(&'static MessageWord),
}

/// Messages by their words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MessageWord {
    /// The words.
    pub words: &'static str,
    kind: Option<Kind>,
    class: Option<MessageClass>,
}

/// What is done to an answer.
#[derive(Debug, Clone)]
pub enum Action {
    /// It is this one: status word or response code, and the data.
    Answer(Expression, Option<Expression>),
    /// One of its elements is another.
    Edit(Edit),
    /// It comes so many milliseconds later.
    Delay(Expression),
    /// The link is lost, before the far side has acted or after.
    Lost {
        /// Whether it has acted.
        acted: bool,
    },
    /// It comes twice.
    Twice,
}

/// A change to one element.
#[derive(Debug, Clone)]
pub struct Edit {
    /// Which.
    pub place: EditPlace,
    /// What becomes of it.
    pub change: Change,
}

/// Where a change is made.
#[derive(Debug, Clone)]
pub enum EditPlace {
    /// At a path: one tag wherever it is, several from the top.
    Path(Vec<Tag>),
    /// At the tag that a variable holds.
    Named(Expression),
    /// In a field of a message.
    Field(u8),
}

/// What becomes of an element.
#[derive(Debug, Clone)]
pub enum Change {
    /// It has this value.
    Value(Expression),
    /// It is gone.
    Remove,
    /// It is there twice.
    Repeat,
    /// It is added, to this template where one is named.
    Add(Expression, Option<Tag>),
    /// Its last bit is another.
    Corrupt,
}

/// `terminal`: what the terminal under test is asked.
#[derive(Debug, Clone)]
pub struct Demand {
    /// What.
    pub deed: Deed,
    /// How much.
    pub amount: Option<Expression>,
    /// What of it is paid out in cash.
    pub cashback: Option<Expression>,
    /// Whether all of it is cash.
    pub is_cash: bool,
    /// Whether the merchant wants the issuer asked.
    pub forced_online: bool,
    /// The PINs that the holder enters; `none` gives up.
    pub pins: Vec<Expression>,
    /// Which application the holder takes.
    pub choice: Option<Expression>,
    /// Seconds that a terminal elsewhere is given.
    pub within: Option<Expression>,
}

/// `expect sent`: what the terminal must have sent, or must not.
#[derive(Debug, Clone)]
pub struct SentTest {
    /// What.
    pub what: What,
    /// How it is looked for.
    pub search: Search,
}

/// How something that was sent is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Search {
    /// After what was found last.
    After,
    /// Right after what was found last.
    Next,
    /// From the beginning.
    Anywhere,
    /// So often in all.
    Times(usize),
}

/// The end of a transaction, by its words.
#[derive(Debug)]
pub struct OutcomeWord {
    /// The words.
    pub words: &'static str,
    /// The ends that it stands for.
    pub verdicts: &'static [Verdict],
}

/// The end of what broke off.
pub const BROKEN_OFF: &str = "broken off";
/// The end of what is no transaction.
pub const DONE: &str = "done";

/// Every end. The words of the last two are no verdict of a transaction.
pub const OUTCOMES: &[OutcomeWord] = &[
    outcome("approved", &[Verdict::ApprovedOffline, Verdict::ApprovedOnline]),
    outcome("approved offline", &[Verdict::ApprovedOffline]),
    outcome("approved online", &[Verdict::ApprovedOnline]),
    outcome("loaded", &[Verdict::Loaded, Verdict::LoadedUnconfirmed]),
    outcome("unloaded", &[Verdict::Unloaded, Verdict::UnloadedUnconfirmed]),
    outcome("limit changed", &[Verdict::LimitChanged, Verdict::LimitChangedUnconfirmed]),
    outcome("declined", &[Verdict::Declined]),
    outcome("refused", &[Verdict::Refused]),
    outcome("unreachable", &[Verdict::HostUnreachable]),
    outcome("another interface", &[Verdict::TryAnotherInterface]),
    outcome("ended", &[Verdict::EndApplication]),
    outcome(DONE, &[]),
    outcome(BROKEN_OFF, &[]),
];

/// Every kind of message, by its words; without words it is any.
pub const MESSAGE_WORDS: &[MessageWord] = &[
    MessageWord { words: "", kind: None, class: None },
    MessageWord { words: "reversal", kind: None, class: Some(MessageClass::Reversal) },
    of_kind("purchase with cashback", Kind::PurchaseWithCashback),
    of_kind("purchase", Kind::Purchase),
    of_kind("cash", Kind::Cash),
    of_kind("load", Kind::LinkedLoad),
    of_kind("cash load", Kind::CashLoad),
    of_kind("pending load", Kind::PendingLoad),
    of_kind("offline sale", Kind::OfflineSale),
    of_kind("script result", Kind::ScriptResult),
    of_kind("decline", Kind::DeclineAdvice),
    of_kind("unload script", Kind::UnloadScript),
    of_kind("unload", Kind::Unload),
    of_kind("refund", Kind::EcashRefund),
    of_kind("inquiry", Kind::BalanceInquiry),
    of_kind("preauth", Kind::PreAuthorisation),
    of_kind("claim", Kind::SaleClaim),
];

const fn of_kind(words: &'static str, kind: Kind) -> MessageWord {
    MessageWord { words, kind: Some(kind), class: None }
}

const fn outcome(words: &'static str, verdicts: &'static [Verdict]) -> OutcomeWord {
    OutcomeWord { words, verdicts }
}

impl Part {
    /// The parts by the words of `role`.
    pub const NAMES: &'static [(&'static str, Self)] = &[
        ("terminal", Self::Terminal),
        ("card", Self::Card),
        ("host", Self::Host),
        ("card and host", Self::CardAndHost),
    ];

    /// Whether the script plays the card.
    pub fn is_card(self) -> bool {
        matches!(self, Self::Card | Self::CardAndHost)
    }

    /// Whether the script plays the host.
    pub fn is_host(self) -> bool {
        matches!(self, Self::Host | Self::CardAndHost)
    }
}

impl MessageWord {
    /// Whether a message of this kind and class is meant. A reversal has the kind of what it
    /// reverses, and is meant only where it is named.
    pub fn fits(&self, kind: Kind, class: MessageClass) -> bool {
        let is_reversal = class == MessageClass::Reversal;
        self.class.is_none_or(|wanted| wanted == class)
            && self.kind.is_none_or(|wanted| wanted == kind && !is_reversal)
    }

    /// The words of a message.
    pub fn of(kind: Kind, class: MessageClass) -> &'static str {
        let fits = |row: &&Self| !row.words.is_empty() && row.fits(kind, class);
        MESSAGE_WORDS.iter().find(fits).map_or("of another kind", |row| row.words)
    }
}

impl std::fmt::Display for What {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Command(wanted) => f.write_str(wanted.row.name),
            Self::Bytes(_) => f.write_str("these bytes"),
            Self::Message(word) if word.words.is_empty() => f.write_str("a message"),
            Self::Message(word) => write!(f, "message {}", word.words),
        }
    }
}

//! Events: what a speaker did and why. An event carries dictionary keys and
//! bytes, never a type of a role, so that any observer can read it.

use crate::base::env::Timestamp;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::sync::{Arc, Mutex, PoisonError};

/// The key of a dictionary row.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(untagged)]
pub enum ElementKey {
    /// A BER-TLV tag, its bytes as one big-endian number.
    Tag(u32),
    /// An element without a tag, by its name in the dictionary.
    Named(Cow<'static, str>),
}

/// A data element that an event mentions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Element {
    /// Which element; one that has no dictionary row is masked whole.
    pub key: ElementKey,
    /// Its bytes as they were on the wire.
    pub value: Vec<u8>,
}

impl Element {
    /// An element with a tag.
    pub fn tag(tag: u32, value: impl Into<Vec<u8>>) -> Self {
        Self { key: ElementKey::Tag(tag), value: value.into() }
    }

    /// An element without a tag.
    pub fn named(name: &'static str, value: impl Into<Vec<u8>>) -> Self {
        Self { key: ElementKey::Named(Cow::Borrowed(name)), value: value.into() }
    }
}

/// Something that happened. `reason` says which rule led here; it must hold no
/// sensitive value: those go into `elements`, where sinks mask them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// When; stamped by the context.
    pub at: Timestamp,
    /// Who: `terminal`, `card`, `issuer`, `link`, `journal` ...
    pub speaker: &'static str,
    /// What, in the specification's word.
    pub name: Cow<'static, str>,
    /// The clause that rules it, where there is one.
    pub clause: &'static str,
    /// Why.
    pub reason: Cow<'static, str>,
    /// The data it rests on.
    pub elements: Vec<Element>,
}

impl Event {
    /// An event of `speaker` called `name`.
    pub fn new(speaker: &'static str, name: impl Into<Cow<'static, str>>) -> Self {
        Self {
            at: Timestamp::default(),
            speaker,
            name: name.into(),
            clause: "",
            reason: Cow::Borrowed(""),
            elements: Vec::new(),
        }
    }

    /// Names the clause.
    #[must_use]
    pub fn clause(mut self, clause: &'static str) -> Self {
        self.clause = clause;
        self
    }

    /// Gives the reason.
    #[must_use]
    pub fn because(mut self, reason: impl Into<Cow<'static, str>>) -> Self {
        self.reason = reason.into();
        self
    }

    /// Adds an element with a tag.
    #[must_use]
    pub fn with_tag(mut self, tag: u32, value: impl Into<Vec<u8>>) -> Self {
        self.elements.push(Element::tag(tag, value));
        self
    }

    /// Adds an element without a tag.
    #[must_use]
    pub fn with_named(mut self, name: &'static str, value: impl Into<Vec<u8>>) -> Self {
        self.elements.push(Element::named(name, value));
        self
    }

    /// The value of an element without a tag.
    pub fn named_value(&self, name: &str) -> Option<&[u8]> {
        self.elements.iter().find_map(|element| match &element.key {
            ElementKey::Named(key) if key == name => Some(element.value.as_slice()),
            _ => None,
        })
    }
}

/// Takes events as they happen.
pub trait EventSink: Send {
    /// Takes one event.
    fn take(&mut self, event: Event);
}

/// Throws events away.
#[derive(Debug, Default, Clone, Copy)]
pub struct Discard;

impl EventSink for Discard {
    fn take(&mut self, _event: Event) {}
}

/// Keeps events in memory; clones share one list.
#[derive(Debug, Default, Clone)]
pub struct Collector(Arc<Mutex<Vec<Event>>>);

impl Collector {
    /// The events so far.
    pub fn events(&self) -> Vec<Event> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl EventSink for Collector {
    fn take(&mut self, event: Event) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(event);
    }
}

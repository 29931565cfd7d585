//! Commands, answers and records of fixed layout, written down as the standard's tables have
//! them: a field a line. How a field reads and writes itself stands here, once for all of them.

use crate::base::bytes::{Cursor, Truncated};
use crate::words::iso7816::{ArgumentError, Arguments, ParameterKind};

/// A field of fixed length.
pub trait Field: Sized {
    /// How many bytes it has.
    const BYTES: usize;
    /// How a script writes it.
    const KIND: ParameterKind;

    /// Its bytes, most significant first.
    fn put(&self, out: &mut Vec<u8>);
    /// Reads it; `what` is its name for people.
    fn take(cursor: &mut Cursor<'_>, what: &'static str) -> Result<Self, Truncated>;
    /// The value that a script gives.
    fn argument(arguments: &Arguments, name: &'static str) -> Result<Self, ArgumentError>;
}

macro_rules! number {
    ($($kind:ty),*) => {$(
        impl Field for $kind {
            const BYTES: usize = size_of::<$kind>();
            const KIND: ParameterKind = ParameterKind::Number(0, <$kind>::MAX as u32);

            fn put(&self, out: &mut Vec<u8>) {
                out.extend(self.to_be_bytes());
            }

            fn take(cursor: &mut Cursor<'_>, what: &'static str) -> Result<Self, Truncated> {
                Ok(Self::from_be_bytes(cursor.array(what)?))
            }

            fn argument(arguments: &Arguments, name: &'static str) -> Result<Self, ArgumentError> {
                let number = arguments.number(name).ok_or(arguments.missing(name))?;
                Self::try_from(number).map_err(|_| {
                    let expected = format!("a number up to {}", Self::MAX);
                    arguments.unfit(name, expected, number.to_string())
                })
            }
        }
    )*};
}

number!(u8, u16, u32);

impl<const N: usize> Field for [u8; N] {
    const BYTES: usize = N;
    const KIND: ParameterKind = ParameterKind::Bytes(N, N);

    fn put(&self, out: &mut Vec<u8>) {
        out.extend(self);
    }

    fn take(cursor: &mut Cursor<'_>, what: &'static str) -> Result<Self, Truncated> {
        cursor.array(what)
    }

    fn argument(arguments: &Arguments, name: &'static str) -> Result<Self, ArgumentError> {
        arguments.array(name)
    }
}

/// The fields of a record, one after the other.
pub trait Fixed: Sized {
    /// How many bytes it has.
    const BYTES: usize;

    /// Its bytes.
    fn to_bytes(&self) -> Vec<u8>;
    /// Reads it from the front.
    fn take(cursor: &mut Cursor<'_>) -> Result<Self, Truncated>;
    /// Its fields by their names in the dictionary.
    fn elements(&self) -> Vec<crate::base::event::Element>;
}

impl Fixed for () {
    const BYTES: usize = 0;

    fn to_bytes(&self) -> Vec<u8> {
        Vec::new()
    }

    fn take(_cursor: &mut Cursor<'_>) -> Result<Self, Truncated> {
        Ok(())
    }

    fn elements(&self) -> Vec<crate::base::event::Element> {
        Vec::new()
    }
}

/// A record: its fields in order, each with its type and its name in the dictionary.
macro_rules! fixed_record {
    (
        $(#[$doc:meta])*
        $name:ident { $( $(#[$field_doc:meta])* $field:ident: $kind:ty = $element:literal, )* }
    ) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub struct $name {
            $( $(#[$field_doc])* pub $field: $kind, )*
        }

        impl $crate::words::pboc::fixed::Fixed for $name {
            const BYTES: usize = 0 $( + <$kind as $crate::words::pboc::fixed::Field>::BYTES )*;

            fn to_bytes(&self) -> Vec<u8> {
                let mut out = Vec::with_capacity(Self::BYTES);
                $( $crate::words::pboc::fixed::Field::put(&self.$field, &mut out); )*
                out
            }

            fn take(
                cursor: &mut $crate::base::bytes::Cursor<'_>,
            ) -> Result<Self, $crate::base::bytes::Truncated> {
                Ok(Self { $( $field: $crate::words::pboc::fixed::Field::take(cursor, $element)?, )* })
            }

            fn elements(&self) -> Vec<$crate::base::event::Element> {
                vec![$({
                    let mut value = Vec::new();
                    $crate::words::pboc::fixed::Field::put(&self.$field, &mut value);
                    $crate::base::event::Element::named($element, value)
                }),*]
            }
        }
    };
}

/// A command of fixed layout: name and clause, the worst that it does, its header, which bytes
/// of the header are parameters and in which range, its data, and what it answers.
macro_rules! fixed_command {
    (
        $(#[$doc:meta])*
        $name:ident: $title:literal, $clause:literal, $effect:ident, [$($byte:literal),*]
        header { $( $(#[$parameter_doc:meta])* $parameter:ident at $place:literal in $range:expr, )* }
        data { $( $(#[$field_doc:meta])* $field:ident: $kind:ty = $element:literal, )* }
        answer $answer:ty
    ) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub struct $name {
            $( $(#[$parameter_doc])* pub $parameter: u8, )*
            $( $(#[$field_doc])* pub $field: $kind, )*
        }

        impl $name {
            const HEADER: [u8; 4] = [$($byte),*];
            const DATA_BYTES: usize = 0 $( + <$kind as $crate::words::pboc::fixed::Field>::BYTES )*;
        }

        impl $crate::words::iso7816::ApduCommand for $name {
            const NAME: &'static str = $title;
            const CLAUSE: &'static str = $clause;
            const PARAMETERS: &'static [$crate::words::iso7816::Parameter] = &[
                $( $crate::words::iso7816::Parameter::required(
                    stringify!($parameter),
                    $crate::words::iso7816::ParameterKind::Number(
                        *$range.start() as u32,
                        *$range.end() as u32,
                    ),
                ), )*
                $( $crate::words::iso7816::Parameter::required(
                    stringify!($field),
                    <$kind as $crate::words::pboc::fixed::Field>::KIND,
                ), )*
            ];
            type Response = $answer;

            fn matches(apdu: &$crate::words::iso7816::CommandApdu) -> bool {
                #[allow(unused_mut, reason = "a header without parameters is compared as it is")]
                let mut found = apdu.header();
                $(
                    if !$range.contains(&found[$place]) {
                        return false;
                    }
                    found[$place] = Self::HEADER[$place];
                )*
                found == Self::HEADER
            }

            fn effect(&self) -> $crate::words::iso7816::Effect {
                $crate::words::iso7816::Effect::$effect
            }

            fn from_arguments(
                arguments: &$crate::words::iso7816::Arguments,
            ) -> Result<Self, $crate::words::iso7816::ArgumentError> {
                let _ = arguments;
                Ok(Self {
                    $( $parameter: arguments.needed_byte(stringify!($parameter))?, )*
                    $( $field: $crate::words::pboc::fixed::Field::argument(
                        arguments,
                        stringify!($field),
                    )?, )*
                })
            }

            fn to_apdu(&self) -> $crate::words::iso7816::CommandApdu {
                #[allow(unused_mut, reason = "a header without parameters is sent as it is")]
                let mut header = Self::HEADER;
                $( header[$place] = self.$parameter; )*
                let [cla, ins, p1, p2] = header;
                #[allow(unused_mut, reason = "a command without data carries none")]
                let mut data = Vec::with_capacity(Self::DATA_BYTES);
                $( $crate::words::pboc::fixed::Field::put(&self.$field, &mut data); )*
                let apdu = $crate::words::iso7816::CommandApdu::new(cla, ins, p1, p2).data(data);
                match <$answer as $crate::words::pboc::fixed::Fixed>::BYTES {
                    0 => apdu,
                    length => apdu.le(length as u32),
                }
            }

            fn from_apdu(
                apdu: &$crate::words::iso7816::CommandApdu,
            ) -> Result<Self, $crate::words::iso7816::CommandError> {
                if !Self::matches(apdu) {
                    return Err($crate::words::iso7816::CommandError::Header {
                        command: Self::NAME,
                        expected: "the header of its specification",
                        found: apdu.clone(),
                    });
                }
                if apdu.data.len() != Self::DATA_BYTES {
                    return Err($crate::words::iso7816::CommandError::Length {
                        command: Self::NAME,
                        what: "command data",
                        expected: const { $crate::words::pboc::fixed::in_words(Self::DATA_BYTES) },
                        found: apdu.data.len(),
                    });
                }
                #[allow(unused_variables, unused_mut, reason = "a command without data reads none")]
                let mut cursor = $crate::base::bytes::Cursor::new(&apdu.data);
                #[allow(unused_variables, reason = "a command without data cannot be cut short")]
                let cut = |source| $crate::words::iso7816::CommandError::Truncated {
                    command: Self::NAME,
                    source,
                };
                Ok(Self {
                    $( $parameter: apdu.header()[$place], )*
                    $( $field: $crate::words::pboc::fixed::Field::take(&mut cursor, $element)
                        .map_err(cut)?, )*
                })
            }

            fn encode_response(response: &Self::Response) -> Vec<u8> {
                $crate::words::pboc::fixed::Fixed::to_bytes(response)
            }

            fn decode_response(
                &self,
                data: &[u8],
            ) -> Result<Self::Response, $crate::words::iso7816::CommandError> {
                use $crate::words::pboc::fixed::Fixed;
                let mut cursor = $crate::base::bytes::Cursor::new(data);
                let response = <$answer>::take(&mut cursor).map_err(|source| {
                    $crate::words::iso7816::CommandError::Truncated { command: Self::NAME, source }
                })?;
                match cursor.is_empty() {
                    true => Ok(response),
                    false => Err($crate::words::iso7816::CommandError::Length {
                        command: Self::NAME,
                        what: "answer",
                        expected: const { $crate::words::pboc::fixed::in_words(<$answer>::BYTES) },
                        found: data.len(),
                    }),
                }
            }

            fn elements(&self) -> Vec<$crate::base::event::Element> {
                vec![$({
                    let mut value = Vec::new();
                    $crate::words::pboc::fixed::Field::put(&self.$field, &mut value);
                    $crate::base::event::Element::named($element, value)
                }),*]
            }

            fn response_elements(&self, response: &Self::Response) -> Vec<$crate::base::event::Element> {
                $crate::words::pboc::fixed::Fixed::elements(response)
            }
        }
    };
}

pub(super) use {fixed_command, fixed_record};

/// A number of bytes for an error, up to 48.
pub const fn in_words(bytes: usize) -> &'static str {
    const WORDS: [&str; 49] = [
        "0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12", "13", "14", "15", "16", "17",
        "18", "19", "20", "21", "22", "23", "24", "25", "26", "27", "28", "29", "30", "31", "32", "33", "34",
        "35", "36", "37", "38", "39", "40", "41", "42", "43", "44", "45", "46", "47", "48",
    ];
    if bytes < WORDS.len() { WORDS[bytes] } else { "the length of its specification" }
}

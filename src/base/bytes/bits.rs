//! Named bits. One table row per bit gives the constant, the printer and the
//! name in scripts; bits without a row (RFU) survive in the bytes.

use std::marker::PhantomData;

/// One named bit of the field `F`. Bytes count from 1, bits from 8 down to 1,
/// as the specifications number them.
pub struct Bit<F> {
    /// Byte, from 1.
    pub byte: u8,
    /// Bit, 8 (most significant) to 1.
    pub bit: u8,
    /// The constant's name, which is also its name in scripts.
    pub name: &'static str,
    /// What the bit says when it is set.
    pub words: &'static str,
    field: PhantomData<fn() -> F>,
}

impl<F> Bit<F> {
    /// A row of a bit table.
    pub const fn new(byte: u8, bit: u8, name: &'static str, words: &'static str) -> Self {
        Self { byte, bit, name, words, field: PhantomData }
    }

    /// The bit's mask within its byte.
    pub const fn mask(&self) -> u8 {
        1 << (self.bit - 1)
    }
}

impl<F> Clone for Bit<F> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<F> Copy for Bit<F> {}

/// Declares a newtype over bytes with one row per named bit.
macro_rules! bit_field {
    (
        $(#[$meta:meta])*
        pub struct $name:ident[$length:literal] {
            $( $constant:ident = $byte:literal / $bit:literal, $words:literal; )*
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
        pub struct $name(pub [u8; $length]);

        #[allow(dead_code, reason = "every field gets the same verbs")]
        impl $name {
            $(
                #[doc = $words]
                pub const $constant: $crate::base::bytes::Bit<Self> =
                    $crate::base::bytes::Bit::new($byte, $bit, stringify!($constant), $words);
            )*

            /// Every named bit, in the order of the specification.
            pub const ROWS: &'static [$crate::base::bytes::Bit<Self>] = &[$(Self::$constant),*];

            /// Length of the field in bytes.
            pub const LENGTH_BYTES: usize = $length;

            /// Takes the field from bytes of exactly its length.
            pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
                bytes.try_into().ok().map(Self)
            }

            /// Whether the bit is set.
            pub const fn has(&self, bit: $crate::base::bytes::Bit<Self>) -> bool {
                self.0[bit.byte as usize - 1] & bit.mask() != 0
            }

            /// Sets the bit.
            pub const fn set(&mut self, bit: $crate::base::bytes::Bit<Self>) {
                self.0[bit.byte as usize - 1] |= bit.mask();
            }

            /// Clears the bit.
            pub const fn clear(&mut self, bit: $crate::base::bytes::Bit<Self>) {
                self.0[bit.byte as usize - 1] &= !bit.mask();
            }

            /// The same field with the bit set.
            #[must_use]
            pub const fn with(mut self, bit: $crate::base::bytes::Bit<Self>) -> Self {
                self.set(bit);
                self
            }

            /// What the set bits say, in the order of the table.
            pub fn words(&self) -> impl Iterator<Item = &'static str> + '_ {
                Self::ROWS.iter().filter(|row| self.has(**row)).map(|row| row.words)
            }
        }

        impl ::std::fmt::Debug for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                write!(f, "{}({})", stringify!($name), $crate::base::bytes::Hex(&self.0))
            }
        }

        impl ::std::fmt::Display for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                write!(f, "{}", $crate::base::bytes::Hex(&self.0))?;
                for (index, words) in self.words().enumerate() {
                    f.write_str(if index == 0 { ": " } else { "; " })?;
                    f.write_str(words)?;
                }
                Ok(())
            }
        }
    };
}
pub(crate) use bit_field;

#[cfg(test)]
mod tests {
    bit_field! {
        /// A field for the test.
        pub struct Sample[2] {
            FIRST = 1 / 8, "the first bit";
            LAST = 2 / 1, "the last bit";
        }
    }

    #[test]
    fn rfu_bits_survive() {
        let mut sample = Sample([0x40, 0x00]);
        sample.set(Sample::LAST);
        assert_eq!(sample.0, [0x40, 0x01]);
        assert_eq!(sample.to_string(), "4001: the last bit");
        sample.clear(Sample::LAST);
        assert!(!sample.has(Sample::LAST) && sample.0[0] == 0x40);
        assert!(sample.with(Sample::FIRST).has(Sample::FIRST));
    }
}

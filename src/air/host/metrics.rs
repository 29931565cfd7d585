//! What a server counts, and its text for Prometheus.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};

macro_rules! metrics {
    ($( $name:ident $kind:literal $words:literal; )*) => {
        /// Counters of a server since it started; `lines_open` goes down too.
        #[derive(Debug, Default)]
        pub struct Metrics {
            $( #[doc = $words] pub $name: AtomicU64, )*
        }

        impl Metrics {
            /// All of them in the Prometheus text format.
            pub fn to_prometheus(&self) -> String {
                let mut out = String::new();
                $(
                    let name = concat!("cardwright_host_", stringify!($name));
                    let value = self.$name.load(Ordering::Relaxed);
                    // Writing to a string does not fail.
                    let _ = writeln!(out, "# HELP {name} {}\n# TYPE {name} {}\n{name} {value}", $words, $kind);
                )*
                out
            }
        }
    };
}

metrics! {
    lines_open "gauge" "Lines that are open now.";
    lines_accepted "counter" "Lines that were opened.";
    lines_refused "counter" "Lines that were closed at once since there are too many.";
    accept_errors "counter" "Times that no line could be accepted, as when no descriptor is free.";
    messages "counter" "Whole messages that came.";
    answers "counter" "Answers that were sent.";
    refusals "counter" "Messages of unknown terminals or with a wrong authentication code.";
    bad_messages "counter" "Frames and messages that cannot be read.";
    timeouts "counter" "Lines that were closed for being idle or slow.";
    host_failures "counter" "Messages that the host failed on, and that got no answer.";
}

/// One more.
pub(super) fn add(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

/// One less.
pub(super) fn sub(gauge: &AtomicU64) {
    gauge.fetch_sub(1, Ordering::Relaxed);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_text_that_prometheus_reads() {
        let metrics = Metrics::default();
        add(&metrics.messages);
        let text = metrics.to_prometheus();
        assert!(
            text.contains("# TYPE cardwright_host_messages counter\ncardwright_host_messages 1\n"),
            "{text}"
        );
        assert!(
            text.contains("# TYPE cardwright_host_lines_open gauge\ncardwright_host_lines_open 0\n"),
            "{text}"
        );
    }
}

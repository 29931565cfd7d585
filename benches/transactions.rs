//! Benchmarks: each of ours beside its rival or floor, in one run.

fn main() {
    divan::main();
}

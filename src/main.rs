//! The command `cardwright`: everything it does is in `doors::cli`.

fn main() -> std::process::ExitCode {
    cardwright::doors::cli::run(std::env::args_os())
}

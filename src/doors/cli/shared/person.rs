//! The person at the command line: enters the PIN, chooses an application.

use super::failure::Failure;
use super::switches::is_pin;
use crate::base::bytes::Secret;
use crate::roles::terminal::{ApplicationName, Cardholder, Message, PinCheck, PinPrompt};
use crate::world::DEFAULT_PIN;
use std::io::{BufRead, IsTerminal};

/// How often a person may mistype before the transaction is given up. No PIN try of
/// the card is spent by it.
const ATTEMPTS: usize = 3;

/// The person at the command line.
pub(in crate::doors::cli) enum Person {
    /// The PIN is known already; remembers whether it was entered.
    Knows {
        /// The PIN.
        pin: Secret<String>,
        /// Whether it was entered.
        entered: bool,
    },
    /// It is asked for, without echo.
    Asked,
    /// Nobody can be asked; remembers whether it was wanted.
    Away {
        /// Whether a PIN was wanted.
        wanted: bool,
    },
}

impl Person {
    /// Who is there: a PIN that was given is known, and so is that of a fresh card.
    pub(in crate::doors::cli) fn at(pin: Option<Secret<String>>, fresh: bool) -> Self {
        let known = pin.or_else(|| fresh.then(|| Secret::new(DEFAULT_PIN.into())));
        match known {
            Some(pin) => Self::Knows { pin, entered: false },
            None if std::io::stdin().is_terminal() => Self::Asked,
            None => Self::Away { wanted: false },
        }
    }

    /// Whether a PIN was entered that was known before.
    pub(in crate::doors::cli) fn entered_a_pin(&self) -> bool {
        matches!(self, Self::Knows { entered: true, .. })
    }

    /// The error for a PIN that nobody could enter.
    pub(in crate::doors::cli) fn away() -> Failure {
        Failure::Usage(
            "a PIN is wanted and there is no terminal to ask for it: name a file that holds it, \
             --pin-file FILE"
                .into(),
        )
    }
}

/// What a person should know before typing.
fn warning(prompt: &PinPrompt) -> &'static str {
    match prompt.check {
        PinCheck::Offline { tries_left: Some(1) } => "The last try before the PIN is blocked. ",
        PinCheck::Offline { .. } if prompt.attempt > 1 => "The card says that the PIN is wrong. ",
        _ => "",
    }
}

/// What the holder does before the card comes again; `false` gives up.
pub(in crate::doors::cli) type Hand = Box<dyn FnMut(Message) -> bool + Send>;

/// The person, with a hand that does as the reader says.
pub(in crate::doors::cli) struct Holding<'a> {
    /// The person.
    pub person: &'a mut Person,
    /// Without one, whoever is at the terminal is asked.
    pub hand: Option<Hand>,
}

impl Cardholder for Holding<'_> {
    fn enter_pin(&mut self, prompt: &PinPrompt) -> Option<Secret<String>> {
        self.person.enter_pin(prompt)
    }

    fn present_again(&mut self, message: Message) -> bool {
        match &mut self.hand {
            Some(hand) => hand(message),
            None => self.person.present_again(message),
        }
    }

    fn choose(&mut self, applications: &[ApplicationName]) -> Option<usize> {
        self.person.choose(applications)
    }

    fn confirm(&mut self, application: &ApplicationName) -> bool {
        self.person.confirm(application)
    }

    fn show(&mut self, message: Message, language: &str) {
        self.person.show(message, language);
    }
}

impl Cardholder for Person {
    /// Only who is at the terminal can say that the card is there again.
    fn present_again(&mut self, message: Message) -> bool {
        let question =
            format!("The reader shows: {}. Press Enter when it is there; q gives up. ", message.words());
        std::io::stdin().is_terminal() && ask(&question).is_some_and(|typed| typed != "q")
    }

    fn enter_pin(&mut self, prompt: &PinPrompt) -> Option<Secret<String>> {
        match self {
            // The same wrong PIN again would only cost the card another try.
            Self::Knows { pin, entered } => {
                *entered = true;
                (prompt.attempt == 1).then(|| pin.clone())
            }
            Self::Away { wanted } => {
                *wanted = true;
                None
            }
            Self::Asked => (0..ATTEMPTS).find_map(|_| {
                let question = format!(
                    "{}PIN of {} for {} (4 to 12 digits): ",
                    warning(prompt),
                    prompt.pan,
                    prompt.amount
                );
                let typed = Secret::new(rpassword::prompt_password(question).ok()?);
                is_pin(typed.expose()).then_some(typed)
            }),
        }
    }

    /// Where nobody can be asked, the card's preference counts.
    fn choose(&mut self, applications: &[ApplicationName]) -> Option<usize> {
        if !std::io::stdin().is_terminal() {
            return Some(0);
        }
        for (number, application) in applications.iter().enumerate() {
            eprintln!("{:3}  {}  ({})", number + 1, application.text, application.aid);
        }
        (0..ATTEMPTS).find_map(|_| {
            let typed = ask(&format!("Application, 1 to {}: ", applications.len()))?;
            let number: usize = typed.parse().ok()?;
            (1..=applications.len()).contains(&number).then(|| number - 1)
        })
    }

    fn confirm(&mut self, application: &ApplicationName) -> bool {
        if !std::io::stdin().is_terminal() {
            return true;
        }
        let question = format!("Use {} ({})? [y/n] ", application.text, application.aid);
        ask(&question).is_some_and(|typed| matches!(typed.as_str(), "y" | "Y" | "yes"))
    }

    /// How it ends is told by the command itself; what is wrong with a PIN, by its prompt.
    fn show(&mut self, message: Message, language: &str) {
        if message == Message::TryAgain {
            eprintln!("{}", message.words_in(language));
        }
    }
}

/// Asks for a line.
fn ask(question: &str) -> Option<String> {
    eprint!("{question}");
    let mut typed = String::new();
    std::io::stdin().lock().read_line(&mut typed).ok().filter(|read| *read > 0)?;
    Some(typed.trim().to_owned())
}

//! When there are colours: as the command line says, else on a terminal whose user does not object.

use std::ffi::OsString;
use std::io::IsTerminal;

use clap::{ColorChoice, ValueEnum};

use crate::conf::root::Colour;
use crate::conf::source::objects_to_colour;

/// What `--color` says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum Color {
    /// When a terminal reads it
    #[default]
    Auto,
    Always,
    Never,
}

/// Who reads what is written, by where it goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reader {
    /// Somebody before a terminal who wants colours.
    Person,
    /// Somebody who wants none, or a program.
    Plain,
}

impl Reader {
    pub(super) fn of(stream: &impl IsTerminal) -> Self {
        if stream.is_terminal() && !objects_to_colour() { Self::Person } else { Self::Plain }
    }
}

impl Color {
    /// What the arguments say before anything else has read them. What cannot be read is reported later.
    pub(super) fn asked(arguments: impl IntoIterator<Item = OsString>) -> Self {
        let arguments: Vec<String> = arguments.into_iter().filter_map(|one| one.into_string().ok()).collect();
        let apart = arguments.windows(2).filter(|pair| pair[0] == "--color").map(|pair| pair[1].as_str());
        let joined = arguments.iter().filter_map(|one| one.strip_prefix("--color="));
        apart.chain(joined).find_map(|word| Self::from_str(word, false).ok()).unwrap_or_default()
    }

    /// Whether this reader sees colours.
    pub(super) fn shows(self, reader: Reader) -> bool {
        match self {
            Self::Auto => reader == Reader::Person,
            Self::Always => true,
            Self::Never => false,
        }
    }

    /// Whether log lines are coloured: the command line says it for this run, configuration for all of them, the
    /// environment where neither does.
    pub(super) fn of_log(self, configured: Colour, reader: Reader) -> Colour {
        match (self, configured, reader) {
            (Self::Always, _, _) => Colour::Always,
            (Self::Never, _, _) | (_, Colour::Auto, Reader::Plain) => Colour::Never,
            (Self::Auto, configured, _) => configured,
        }
    }
}

impl From<Color> for ColorChoice {
    fn from(color: Color) -> Self {
        match color {
            Color::Auto => Self::Auto,
            Color::Always => Self::Always,
            Color::Never => Self::Never,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_wins_and_a_person_is_asked_otherwise() {
        let shown = |color: Color| [Reader::Person, Reader::Plain].map(|reader| color.shows(reader));
        assert_eq!(shown(Color::Auto), [true, false]);
        assert_eq!(shown(Color::Always), [true, true]);
        assert_eq!(shown(Color::Never), [false, false]);
    }

    #[test]
    fn log_lines_have_the_colours_of_the_command_line_then_of_the_configuration_then_of_the_environment() {
        assert_eq!(Color::Never.of_log(Colour::Always, Reader::Person), Colour::Never);
        assert_eq!(Color::Always.of_log(Colour::Never, Reader::Plain), Colour::Always);
        assert_eq!(Color::Auto.of_log(Colour::Always, Reader::Plain), Colour::Always);
        assert_eq!(Color::Auto.of_log(Colour::Auto, Reader::Plain), Colour::Never);
        assert_eq!(Color::Auto.of_log(Colour::Auto, Reader::Person), Colour::Auto);
    }

    #[test]
    fn what_the_arguments_say_is_known_before_they_are_read() {
        let asked = |line: &str| Color::asked(line.split(' ').map(OsString::from));
        assert_eq!(asked("check --color never"), Color::Never);
        assert_eq!(asked("--color=always --help"), Color::Always);
        assert_eq!(asked("check --color"), Color::Auto);
        assert_eq!(asked("check --color=blue"), Color::Auto);
    }
}

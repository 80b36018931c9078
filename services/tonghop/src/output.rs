//! Lines to stdout and stderr. A reader that has gone away (`| head`) is no reason to fail.

use std::fmt::Display;
use std::io::Write;

/// A line on stdout.
pub fn say(text: impl Display) {
    let _ = writeln!(std::io::stdout().lock(), "{text}");
}

/// A line on stderr.
pub fn complain(text: impl Display) {
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}

/// Lines on stdout, the empty ones too.
pub fn say_all<T: Display>(lines: impl IntoIterator<Item = T>) {
    for line in lines {
        say(line);
    }
}

//! What went wrong, in words a person can act on.

use std::process::ExitCode;

use tonic::Status;
use tonic_types::StatusExt;

/// Why a command did not do what was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// Refused, or found wrong.
    Refused {
        /// Why, in one line.
        reason: String,
        /// Everything more there is to say, a line each.
        findings: Vec<String>,
    },
    /// What was typed does not go together.
    Usage(String),
}

impl Trouble {
    /// Refused for a reason.
    pub fn refused(reason: impl Into<String>) -> Trouble {
        Trouble::Refused { reason: one_line(&reason.into()), findings: vec![] }
    }

    /// With everything more there is to say.
    #[must_use]
    pub fn with_findings(self, more: Vec<String>) -> Trouble {
        match self {
            Trouble::Refused { reason, .. } => Trouble::Refused { reason, findings: more },
            usage @ Trouble::Usage(_) => usage,
        }
    }

    /// With the place it concerns before the reason.
    #[must_use]
    pub fn at(self, place: &str) -> Trouble {
        match self {
            Trouble::Refused { reason, findings } => {
                Trouble::Refused { reason: format!("{place}: {reason}"), findings }
            }
            usage @ Trouble::Usage(_) => usage,
        }
    }

    /// The lines that are shown, the reason first.
    pub fn lines(&self) -> Vec<String> {
        match self {
            Trouble::Refused { reason, findings } => {
                std::iter::once(reason.clone()).chain(findings.iter().map(|f| format!("  {f}"))).collect()
            }
            Trouble::Usage(message) => vec![message.clone()],
        }
    }
}

impl From<Status> for Trouble {
    fn from(status: Status) -> Trouble {
        let reason = match status.message() {
            "" => status.code().description().to_owned(),
            message => message.to_owned(),
        };
        let findings = status
            .get_details_bad_request()
            .map(|bad| bad.field_violations)
            .unwrap_or_default()
            .into_iter()
            // One that only says the reason again says nothing; one that says where does.
            .filter(|v| !v.field.is_empty() || !v.description.contains(&reason))
            .map(|v| match v.field.as_str() {
                "" => v.description,
                place => format!("{place}: {}", v.description),
            })
            .collect();
        Trouble::refused(reason).with_findings(findings)
    }
}

/// An error with all it rests on, as one line.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let more = cause.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        source = cause.source();
    }
    one_line(&text)
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Shows what went wrong on stderr, and says how the process exits.
pub fn report(trouble: &Trouble) -> ExitCode {
    match trouble {
        Trouble::Usage(message) => {
            let mut command = <crate::arguments::Arguments as clap::CommandFactory>::command();
            let error = command.error(clap::error::ErrorKind::ArgumentConflict, message);
            let _ = error.print();
            ExitCode::from(2)
        }
        Trouble::Refused { .. } => {
            for line in trouble.lines() {
                crate::output::complain(line);
            }
            ExitCode::from(1)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tonghop_runtime::{Failure, FailureKind, Finding, Text};

    #[test]
    fn a_refusal_shows_its_reason_first_and_then_every_finding_with_its_place() {
        let failure = Failure::new(FailureKind::Unprocessable, Text::same("2 findings; nothing was stored"))
            .with_findings(vec![
                Finding {
                    code: "unknown_unit".into(),
                    line: Some(3),
                    column: "unit_code".into(),
                    got: Text::same("99999"),
                    expected: Text::same("a unit in force on 2024-05-14"),
                    hint: Text::same("see tonghop totals --by children"),
                    ..Finding::default()
                },
                Finding {
                    code: "fraction".into(),
                    path: "figures[0].value".into(),
                    got: Text::same("2.2"),
                    expected: Text::same("a whole number"),
                    hint: Text::same("count whole things"),
                    ..Finding::default()
                },
            ]);
        let trouble = Trouble::from(Status::from(failure)).at("report.csv");
        assert_eq!(
            trouble.lines(),
            [
                "report.csv: 2 findings; nothing was stored",
                "  line 3, unit_code: unknown_unit: got \"99999\", expected a unit in force on 2024-05-14; \
                 see tonghop totals --by children",
                "  figures[0].value: fraction: got \"2.2\", expected a whole number; count whole things",
            ]
        );
    }

    #[test]
    fn a_status_without_words_says_what_its_code_means() {
        let lines = Trouble::from(Status::new(tonic::Code::NotFound, "")).lines();
        assert_eq!(lines, [tonic::Code::NotFound.description()]);
    }

    #[test]
    fn a_reason_is_one_line() {
        assert_eq!(Trouble::refused("first\n  second").lines(), ["first second"]);
    }
}

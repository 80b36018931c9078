//! What can be typed.

use std::convert::Infallible;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use clap::{Args, Parser, Subcommand};
use tonghop_runtime::tls::TlsClientArguments;

use crate::commands::compliance::ComplianceArguments;
use crate::commands::demo::DemoArguments;
use crate::commands::explain::ExplainArguments;
use crate::commands::form::FormArguments;
use crate::commands::key::KeyCommand;
use crate::commands::load::LoadMonthArguments;
use crate::commands::map::MapCommand;
use crate::commands::push::PushArguments;
use crate::commands::registry::RegistryCommand;
use crate::commands::report::ReportCommand;
use crate::commands::review::ReviewCommand;
use crate::commands::totals::TotalsArguments;
use crate::commands::up::UpArguments;
use crate::spoken::Asked;
use crate::trouble::Trouble;

/// What was typed.
#[derive(Debug, Parser)]
#[command(
    name = "tonghop",
    version,
    about = "Rolls up what communes, districts and provinces report into national totals",
    after_help = "Exit codes: 0 done; 1 refused or found wrong, the reason first on stderr; 2 wrong usage."
)]
pub struct Arguments {
    /// Which command.
    #[command(subcommand)]
    pub command: Command,
    /// The language that findings and refusals are told in; left out, that of LC_ALL, LC_MESSAGES or LANG where it is
    /// Vietnamese, else English.
    #[arg(long, global = true, value_enum)]
    pub lang: Option<Asked>,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// The main job in one go, on temporary data: registry, real report, roll-up, national view.
    Demo(DemoArguments),
    /// All three services in one process.
    Up(UpArguments),
    /// Push reports, as XLSX, CSV or JSON.
    Push(PushArguments),
    /// Write forms to fill in, as XLSX, which are then pushed.
    Form(FormArguments),
    /// Ask for totals.
    Totals(TotalsArguments),
    /// Where a total comes from, down to the submissions.
    Explain(ExplainArguments),
    /// Walk the ledger's chain again, recompute every total from scratch, and compare.
    Verify(ServerArguments),
    /// Units, indicators, dimensions, programmes and calendars.
    #[command(subcommand)]
    Registry(RegistryCommand),
    /// Administrative maps, and what became of units.
    #[command(subcommand)]
    Map(MapCommand),
    /// Reviews: names for what the totals were, which stay as they are.
    #[command(subcommand)]
    Review(ReviewCommand),
    /// Units' reports: handed in, approved level by level, returned, reopened; periods closed and opened.
    #[command(subcommand)]
    Report(ReportCommand),
    /// Who owes a report, by when, and what became of it.
    Compliance(ComplianceArguments),
    /// Keys of reporting systems: who may push, for which units and sides.
    #[command(subcommand)]
    Key(KeyCommand),
    /// Push one month of SYNTHETIC figures for every commune and core indicator, and measure.
    LoadMonth(LoadMonthArguments),
}

/// Where the services are.
#[derive(Clone, Debug, Args)]
pub struct ServerArguments {
    /// Address of the services.
    #[arg(long, env = "TONGHOP_URL", default_value = "http://127.0.0.1:8080")]
    pub url: String,
    /// With which key.
    #[command(flatten)]
    pub key: KeyArguments,
    /// TLS of an https:// address.
    #[command(flatten)]
    pub tls: TlsClientArguments,
}

/// Who asks.
#[derive(Clone, Debug, Default, Args)]
pub struct KeyArguments {
    /// The key to send. A file or the environment is the better place: what is typed can be seen by others on this
    /// machine.
    #[arg(
        long,
        value_name = "KEY",
        env = "TONGHOP_KEY",
        hide_env_values = true,
        conflicts_with = "key_file"
    )]
    pub key: Option<TypedKey>,
    /// A file with the key to send.
    #[arg(long, value_name = "FILE", env = "TONGHOP_KEY_FILE")]
    pub key_file: Option<PathBuf>,
}

/// A key as it was typed; it is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct TypedKey(pub String);

impl fmt::Debug for TypedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TypedKey(…)")
    }
}

impl FromStr for TypedKey {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<TypedKey, Infallible> {
        Ok(TypedKey(text.trim().to_owned()))
    }
}

impl KeyArguments {
    /// The key to send; none where none was named.
    ///
    /// # Errors
    /// Where its file cannot be read.
    pub fn read(&self) -> Result<Option<String>, Trouble> {
        match (&self.key, &self.key_file) {
            (Some(TypedKey(key)), _) => Ok(Some(key.clone()).filter(|key| !key.is_empty())),
            (None, Some(file)) => {
                let text = std::fs::read_to_string(file).map_err(|error| {
                    Trouble::refused(format!("the key file {} cannot be read: {error}", file.display()))
                })?;
                Ok(Some(text.trim().to_owned()).filter(|key| !key.is_empty()))
            }
            (None, None) => Ok(None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    fn parse(line: &str) -> Result<Command, clap::error::ErrorKind> {
        Arguments::try_parse_from(line.split(' ')).map(|a| a.command).map_err(|e| e.kind())
    }

    #[test]
    fn the_definition_holds_together() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn a_question_reads_with_its_options() {
        let line = "tonghop totals --indicator tg01 --unit VN --period 2013..2023 --by children --at-least 7";
        let Ok(Command::Totals(totals)) = parse(line) else { panic!("not read") };
        assert_eq!(totals.question.indicator.as_deref(), Some("tg01"));
        assert_eq!(totals.question.unit, "VN");
        assert_eq!(totals.at_least, 7);
        assert_eq!(totals.question.map, "reported");
        assert_eq!(totals.server.url, "http://127.0.0.1:8080");
    }

    #[test]
    fn a_push_takes_several_files_and_one_key_at_most_for_one() {
        let Ok(Command::Push(push)) = parse("tonghop push a.csv b.json --dry-run") else {
            panic!("not read")
        };
        assert_eq!(push.files.len(), 2);
        assert!(push.dry_run && push.idempotency_key.is_none());
        assert!(parse("tonghop push a.csv --idempotency-key k --key th_0").is_ok());
    }

    #[test]
    fn a_form_is_for_a_unit_and_periods() {
        let line = "tonghop form out --unit 06 --children --period 2024-M01,2024-M02 --programme CTPH-09";
        let Ok(Command::Form(form)) = parse(line) else { panic!("not read") };
        assert_eq!((form.unit.as_str(), form.children, form.period.len()), ("06", true, 2));
        assert_eq!((form.scope.as_str(), form.programme.as_deref()), ("own", Some("CTPH-09")));
        assert!(parse("tonghop form out --unit 06").is_err());
        assert!(parse("tonghop form out --unit 06 --period 2024 --scope all").is_err());
    }

    #[test]
    fn a_map_diff_takes_two_days() {
        let Ok(Command::Map(MapCommand::Diff(diff))) =
            parse("tonghop map diff 2025-06-30 2025-07-01 --unit 06")
        else {
            panic!("not read")
        };
        assert_eq!((diff.from.as_str(), diff.to.as_str()), ("2025-06-30", "2025-07-01"));
        assert_eq!((diff.unit.as_str(), diff.json), ("06", false));
        assert!(parse("tonghop map diff 2025-06-30").is_err());
    }

    #[test]
    fn a_review_is_frozen_by_its_name() {
        let Ok(Command::Review(ReviewCommand::Freeze(freeze))) =
            parse("tonghop review freeze so-ket-2028 --position 12 --note x")
        else {
            panic!("not read")
        };
        assert_eq!((freeze.name.as_str(), freeze.position, freeze.note.as_str()), ("so-ket-2028", 12, "x"));
        assert!(matches!(parse("tonghop review list --json"), Ok(Command::Review(ReviewCommand::List(_)))));
        let Ok(Command::Explain(explain)) =
            parse("tonghop explain --indicator tg01 --unit 06 --period 2024 --depth 3 --review so-ket-2028")
        else {
            panic!("not read")
        };
        assert_eq!((explain.depth, explain.parts, explain.question.review.as_str()), (3, 20, "so-ket-2028"));
    }

    #[test]
    fn an_act_names_units_or_the_one_above_them() {
        let line = "tonghop report approve --regime r --period 2025-M10 --units 1,2 --level province";
        let Ok(Command::Report(ReportCommand::Approve(approve))) = parse(line) else { panic!("not read") };
        assert_eq!((approve.level.as_str(), approve.act.units.len()), ("province", 2));
        assert!(parse("tonghop report submit --regime r --period 2025-M10 --below 19").is_ok());
        assert!(parse("tonghop report submit --regime r --period 2025-M10").is_err());
        assert!(parse("tonghop report submit --regime r --period 2025-M10 --below 19 --units 1").is_err());
    }

    #[test]
    fn a_key_is_given_for_units_and_sides_and_shown_in_no_message() {
        let line = "tonghop key create --source congan-backan --unit 06,19 --side cong-an --key th_secret";
        let Ok(Command::Key(KeyCommand::Create(create))) = parse(line) else { panic!("not read") };
        assert_eq!((create.role, create.unit), (vec!["report".to_owned()], vec!["06".into(), "19".into()]));
        assert!(!format!("{:?}", create.making.server).contains("th_secret"));
        assert_eq!(create.making.server.key.read(), Ok(Some("th_secret".to_owned())));
        assert!(matches!(
            parse("tonghop key rotate 0123 --overlap 2"),
            Ok(Command::Key(KeyCommand::Rotate(_)))
        ));
        assert!(matches!(parse("tonghop key revoke 0123"), Ok(Command::Key(KeyCommand::Revoke(_)))));
        assert!(matches!(parse("tonghop key list"), Ok(Command::Key(KeyCommand::List(_)))));
    }

    #[test]
    fn what_cannot_be_meant_is_wrong_usage() {
        use clap::error::ErrorKind;
        assert_eq!(
            parse("tonghop totals --indicator tg01 --unit VN --period 2024 --as-of 3 --review r")
                .unwrap_err(),
            ErrorKind::ArgumentConflict
        );
        assert_eq!(
            parse("tonghop totals --indicator tg01 --unit VN --period 2024 --by children,units").unwrap_err(),
            ErrorKind::MissingRequiredArgument
        );
        assert_eq!(parse("tonghop push").unwrap_err(), ErrorKind::MissingRequiredArgument);
        assert_eq!(
            parse("tonghop totals --unit VN --period 2024 --json --csv").unwrap_err(),
            ErrorKind::ArgumentConflict
        );
        assert_eq!(
            parse("tonghop totals --indicator tg01 --unit VN --period 2024 --by breakdown").unwrap_err(),
            ErrorKind::MissingRequiredArgument
        );
        assert_eq!(
            parse("tonghop totals --indicator tg01 --unit VN --period 2024 --by side").unwrap_err(),
            ErrorKind::InvalidValue
        );
        assert_eq!(parse("tonghop keys").unwrap_err(), ErrorKind::InvalidSubcommand);
        assert_eq!(
            parse("tonghop push a.csv --key a --key-file b").unwrap_err(),
            ErrorKind::ArgumentConflict
        );
        assert_eq!(parse("tonghop up --listen nowhere").unwrap_err(), ErrorKind::ValueValidation);
    }

    #[test]
    fn up_and_demo_have_defaults() {
        let Ok(Command::Up(up)) = parse("tonghop up") else { panic!("not read") };
        assert!(up.data_dir.is_none() && up.listen.is_none(), "what is not typed is left to the settings");
        let Ok(Command::Demo(demo)) = parse("tonghop demo --json") else { panic!("not read") };
        assert!(demo.json && !demo.keep && demo.data.is_none());
    }
}

//! `tonghop totals`: questions about totals.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use serde_json::json;
use tonghop_proto::query::{GetTotalsRequest, Total};

use crate::arguments::ServerArguments;
use crate::client::Client;
use crate::output::{say, say_all};
use crate::rows::{self, Names, Shown};
use crate::trouble::Trouble;
use crate::words;
use crate::{file, json};

/// What a question names.
#[derive(Clone, Debug, Args)]
pub struct QuestionArguments {
    /// Indicator, by code or by the part of it before the first hyphen: tg01. Where totals are asked for, several
    /// may stand with commas between.
    #[arg(long)]
    pub indicator: Option<String>,
    /// Unit, by code on the map of the period's last day, or on that of --map: VN, 06.
    #[arg(long)]
    pub unit: String,
    /// Period: 2024-M03, 2024-Q1, 2024-H1, 2024-9M, 2024, 2013..2023, or a day.
    #[arg(long)]
    pub period: String,
    /// Members: 'reporter=cong-an|topic=online-fraud'. Dimensions left out are totalled over.
    #[arg(long, default_value = "")]
    pub breakdown: String,
    /// As reported, or restated to the map of a day: 2025-07-01.
    #[arg(long, default_value = "reported")]
    pub map: String,
    /// As of this position of the ledger, in place of now.
    #[arg(long, default_value_t = 0, value_name = "POSITION")]
    pub as_of: i64,
    /// As of a frozen review.
    #[arg(long, default_value = "", conflicts_with = "as_of")]
    pub review: String,
    /// Of approved figures only.
    #[arg(long)]
    pub approved: bool,
}

/// By what a question is spread out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum By {
    /// The units directly below.
    Children,
    /// All units of a level.
    Units,
    /// The periods within.
    Periods,
    /// The members of a dimension.
    Breakdown,
    /// All core indicators, or those of a programme.
    Indicators,
}

/// What `totals` takes.
#[derive(Debug, Args)]
pub struct TotalsArguments {
    /// What is asked for.
    #[command(flatten)]
    pub question: QuestionArguments,
    /// A row for each of these, in place of one total; several with commas between, the slowest first.
    #[arg(long, value_enum, value_delimiter = ',')]
    pub by: Vec<By>,
    /// Of which level, with --by units: commune.
    #[arg(long, required_if_eq("by", "units"), default_value = "", hide_default_value = true)]
    pub level: String,
    /// With --by periods: so many periods, the one asked for last, in place of those within it.
    #[arg(long, default_value_t = 0, value_name = "NUMBER", hide_default_value = true)]
    pub last: u32,
    /// Beside each total that of the period before, or of the year before: previous,last_year.
    #[arg(long, default_value = "", hide_default_value = true)]
    pub compare: String,
    /// How much of the nation's total each is, in percent.
    #[arg(long)]
    pub share: bool,
    /// Which place each has among the units of its level below the same unit.
    #[arg(long)]
    pub rank: bool,
    /// Which dimension, with --by breakdown.
    #[arg(long, required_if_eq("by", "breakdown"))]
    pub dimension: Option<String>,
    /// Whose indicators, with --by indicators.
    #[arg(long)]
    pub programme: Option<String>,
    /// Wait until everything up to this position of the ledger is in.
    #[arg(long, default_value_t = 0)]
    pub at_least: i64,
    /// JSON in the shape of the REST interface.
    #[arg(long, conflicts_with = "csv")]
    pub json: bool,
    /// CSV.
    #[arg(long)]
    pub csv: bool,
    /// Into a file: .csv, .json, .ndjson, .xlsx, .parquet or .arrow.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["json", "csv"])]
    pub out: Option<PathBuf>,
    /// Where the services are.
    #[command(flatten)]
    pub server: ServerArguments,
}

/// Asks, and shows the answer.
///
/// # Errors
/// Where the question is refused.
pub async fn run(arguments: TotalsArguments) -> Result<(), Trouble> {
    let request = request(&arguments)?;
    arguments.out.as_deref().map(file::format).transpose()?;
    let client = Client::connect(&arguments.server).await?;
    if let Some(out) = &arguments.out {
        let bytes = file::fetch(client.channel(), &request, out).await?;
        say(format_args!("{}: {bytes} bytes", out.display()));
        return Ok(());
    }
    let (as_of, totals) = client.totals(request).await?;
    if arguments.json {
        say(json::pretty(&totals.iter().map(json::total).collect()));
    } else if arguments.csv {
        say(json::csv(&totals).trim_end());
    } else {
        let names = Names::new(&client.indicators().await.unwrap_or_default());
        show(&arguments, &totals, &names);
        if let Some(as_of) = as_of {
            say(words::as_of(&as_of));
        }
    }
    Ok(())
}

fn request(arguments: &TotalsArguments) -> Result<GetTotalsRequest, Trouble> {
    let of_several = arguments.by.contains(&By::Indicators) || arguments.programme.is_some();
    if arguments.question.indicator.is_none() && !of_several {
        let detail = "--indicator may be left out only with --by indicators or --programme";
        return Err(Trouble::Usage(detail.to_owned()));
    }
    let by = arguments.by.iter().filter_map(|by| by.to_possible_value());
    let by: Vec<String> = by.map(|by| by.get_name().to_owned()).collect();
    Ok(GetTotalsRequest {
        indicator: arguments.question.indicator.clone().unwrap_or_default(),
        unit: arguments.question.unit.clone(),
        period: arguments.question.period.clone(),
        breakdown: arguments.question.breakdown.clone(),
        by: by.join(","),
        by_dimension: arguments.dimension.clone().unwrap_or_default(),
        map: arguments.question.map.clone(),
        at_least: arguments.at_least,
        programme: arguments.programme.clone().unwrap_or_default(),
        level: arguments.level.clone(),
        last: arguments.last,
        compare: arguments.compare.clone(),
        share: if arguments.share { "nation" } else { "" }.to_owned(),
        rank: arguments.rank,
        as_of: arguments.question.as_of,
        review: arguments.question.review.clone(),
        figures: figures(&arguments.question),
        ..GetTotalsRequest::default()
    })
}

/// Which figures are asked.
pub fn figures(question: &QuestionArguments) -> String {
    if question.approved { "approved" } else { "" }.to_owned()
}

fn show(arguments: &TotalsArguments, totals: &[Total], names: &Names) {
    let several = totals.iter().any(|t| t.indicator != totals[0].indicator);
    let shown = Shown { indicator: several || arguments.by.contains(&By::Indicators), ..Shown::ALL };
    if let Some(first) = totals.first().filter(|_| !shown.indicator) {
        say(names.of(&first.indicator));
    }
    say_all(rows::totals(totals, names, shown));
    say_all(given(totals));
}

/// What was given where it does not add up.
pub fn given(totals: &[Total]) -> Vec<String> {
    let mut lines = vec![];
    for figure in totals.iter().flat_map(|t| &t.given) {
        lines.push(format!(
            "  given: {} {} {} {} {}",
            rows::unit(figure.unit.as_ref()),
            figure.period,
            words::scope(&figure.scope),
            rows::breakdown(&figure.breakdown),
            words::value(&figure.value, &figure.qualifier)
        ));
    }
    lines
}

/// Totals as the JSON document that `--json` of the demo prints.
pub fn document(totals: impl IntoIterator<Item = serde_json::Value>) -> serde_json::Value {
    json!({"totals": totals.into_iter().collect::<Vec<_>>()})
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    fn asked(line: &str) -> Result<GetTotalsRequest, Trouble> {
        let parsed = crate::arguments::Arguments::try_parse_from(line.split(' ')).unwrap();
        let crate::arguments::Command::Totals(arguments) = parsed.command else { panic!("not totals") };
        request(&arguments)
    }

    #[test]
    fn a_question_goes_on_the_wire_as_it_was_typed() {
        let line = "tonghop totals --indicator tt04 --unit 06 --period 2013..2023 --by breakdown \
                    --dimension topic --map 2025-07-01 --breakdown reporter=cong-an";
        assert_eq!(
            asked(line).unwrap(),
            GetTotalsRequest {
                indicator: "tt04".into(),
                unit: "06".into(),
                period: "2013..2023".into(),
                breakdown: "reporter=cong-an".into(),
                by: "breakdown".into(),
                by_dimension: "topic".into(),
                map: "2025-07-01".into(),
                ..GetTotalsRequest::default()
            }
        );
    }

    #[test]
    fn several_axes_and_what_stands_beside_go_on_the_wire_as_they_were_typed() {
        let line = "tonghop totals --indicator tg01,tg02 --unit VN --period 2024-M05 --by children,periods --last 12 \
                    --compare previous,last_year --share --rank --review so-ket";
        let asked = asked(line).unwrap();
        assert_eq!(
            (asked.indicator.as_str(), asked.by.as_str(), asked.last),
            ("tg01,tg02", "children,periods", 12)
        );
        assert_eq!((asked.compare.as_str(), asked.share.as_str()), ("previous,last_year", "nation"));
        assert_eq!((asked.rank, asked.review.as_str(), asked.as_of), (true, "so-ket", 0));
    }

    #[test]
    fn the_indicator_may_be_left_out_only_where_all_are_asked_for() {
        assert!(asked("tonghop totals --unit VN --period 2024 --by indicators").is_ok());
        assert!(matches!(asked("tonghop totals --unit VN --period 2024"), Err(Trouble::Usage(_))));
    }
}

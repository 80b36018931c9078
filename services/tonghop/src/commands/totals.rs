//! `tonghop totals`: questions about totals.

use clap::{Args, ValueEnum};
use serde_json::json;
use tonghop_proto::query::{GetTotalsRequest, Total};

use crate::arguments::ServerArguments;
use crate::client::Client;
use crate::json;
use crate::output::{say, say_all};
use crate::rows::{self, Names, Shown};
use crate::trouble::Trouble;
use crate::words;

/// What a question names.
#[derive(Clone, Debug, Args)]
pub struct QuestionArguments {
    /// Indicator, by code or by the part of it before the first hyphen: tg01.
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
}

/// By what a question is spread out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum By {
    /// The units directly below.
    Children,
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
    /// A row for each of these, in place of one total.
    #[arg(long, value_enum)]
    pub by: Option<By>,
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
    let client = Client::connect(&arguments.server.url).await?;
    let (as_of, totals) = client.totals(request).await?;
    if arguments.json {
        say(json::pretty(&totals.iter().map(json::total).collect()));
    } else if arguments.csv {
        say(json::csv(&totals).trim_end());
    } else {
        let names = Names::new(&client.indicators().await.unwrap_or_default());
        show(&arguments, &totals, &names);
        if let Some(as_of) = as_of {
            say(format_args!("as of position {}, {}", as_of.position, as_of.time));
        }
    }
    Ok(())
}

fn request(arguments: &TotalsArguments) -> Result<GetTotalsRequest, Trouble> {
    if arguments.question.indicator.is_none() && arguments.by != Some(By::Indicators) {
        return Err(Trouble::Usage("--indicator may be left out only with --by indicators".to_owned()));
    }
    let by = arguments.by.and_then(|by| by.to_possible_value());
    Ok(GetTotalsRequest {
        indicator: arguments.question.indicator.clone().unwrap_or_default(),
        unit: arguments.question.unit.clone(),
        period: arguments.question.period.clone(),
        breakdown: arguments.question.breakdown.clone(),
        by: by.map(|b| b.get_name().to_owned()).unwrap_or_default(),
        by_dimension: arguments.dimension.clone().unwrap_or_default(),
        map: arguments.question.map.clone(),
        at_least: arguments.at_least,
        programme: arguments.programme.clone().unwrap_or_default(),
        ..GetTotalsRequest::default()
    })
}

fn show(arguments: &TotalsArguments, totals: &[Total], names: &Names) {
    let by = |wanted| arguments.by == Some(wanted);
    let shown = Shown { indicator: by(By::Indicators), ..Shown::ALL };
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
    fn the_indicator_may_be_left_out_only_where_all_are_asked_for() {
        assert!(asked("tonghop totals --unit VN --period 2024 --by indicators").is_ok());
        assert!(matches!(asked("tonghop totals --unit VN --period 2024"), Err(Trouble::Usage(_))));
    }
}

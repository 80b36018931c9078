//! `tonghop form`: forms to fill in, for units and periods, from the catalogue of running services.

use std::path::{Path, PathBuf};

use clap::Args;
use tonghop_core::Date;
use tonghop_core::period::{Grain, Period};
use tonghop_proto::registry::{Dimension, Indicator, Unit};
use tonghop_proto::registry_draft::FREQUENCIES;

use crate::arguments::ServerArguments;
use crate::client::Client;
use crate::commands::load::plan::{calendars, in_force, leaf_of};
use crate::form_sheet::{Form, FormRow};
use crate::output::say;
use crate::trouble::Trouble;

/// What `form` takes.
#[derive(Debug, Args)]
pub struct FormArguments {
    /// Where the forms are written, a file a unit: 06_2024-M05.xlsx.
    pub dir: PathBuf,
    /// Code of the unit that fills it in.
    #[arg(long)]
    pub unit: String,
    /// A form for every unit directly below instead.
    #[arg(long)]
    pub children: bool,
    /// The period, as 2024-M05; several, separated by commas, are columns side by side.
    #[arg(long, required = true, value_delimiter = ',')]
    pub period: Vec<String>,
    /// Codes of indicators, or their parts before the first hyphen; left out, the core indicators.
    #[arg(long, value_delimiter = ',', conflicts_with = "programme")]
    pub indicator: Vec<String>,
    /// The indicators of a programme, under which the figures are then reported.
    #[arg(long)]
    pub programme: Option<String>,
    /// own: the unit's own activity; territory: its whole territory, with what is below it.
    #[arg(long, default_value = "own", value_parser = ["own", "territory"])]
    pub scope: String,
    /// The side that reports, as cong-an; left out, the first that reports the indicator.
    #[arg(long)]
    pub reporter: Option<String>,
    /// Where the services are.
    #[command(flatten)]
    pub server: ServerArguments,
}

/// Writes the forms.
///
/// # Errors
/// Where unit, period or indicators are not known, there is nothing to report, or files cannot be written.
pub async fn run(arguments: FormArguments) -> Result<(), Trouble> {
    let periods = arguments.period.iter().map(|text| period(text)).collect::<Result<Vec<_>, _>>()?;
    let client = Client::connect(&arguments.server).await?;
    let (indicators, dimensions) = (client.indicators().await?, client.dimensions().await?);
    let asked = asked(&indicators, &arguments)?;
    let rows = rows(&asked, &dimensions, &periods, arguments.reporter.as_deref())?;
    if rows.is_empty() {
        return Err(Trouble::refused(
            "none of these indicators is reported for this period: name a longer one, or other indicators",
        ));
    }
    let day = last_day(&asked, &periods)?;
    let units = units(&client, &arguments, day).await?;
    std::fs::create_dir_all(&arguments.dir).map_err(|error| unwritten(&arguments.dir, &error.to_string()))?;
    for unit in units {
        let form = Form {
            unit: unit.code.clone(),
            unit_name: unit.name.clone(),
            periods: periods.iter().map(Period::to_string).collect(),
            scope: arguments.scope.clone(),
            programme: arguments.programme.clone().unwrap_or_default(),
            rows: rows.clone(),
        };
        let path = arguments.dir.join(file_name(&form));
        let bytes = form.write(|_, _| None).map_err(|error| unwritten(&path, &error.to_string()))?;
        std::fs::write(&path, bytes).map_err(|error| unwritten(&path, &error.to_string()))?;
        say(format!("{}: {} {}, {} rows", path.display(), unit.code, unit.name, form.rows.len()));
    }
    Ok(())
}

fn unwritten(path: &Path, why: &str) -> Trouble {
    Trouble::refused(format!("cannot be written: {why}")).at(&path.display().to_string())
}

fn period(text: &str) -> Result<Period, Trouble> {
    Period::parse(text).map_err(|error| Trouble::refused(error.to_string()).at(text))
}

/// The indicators that are asked for and reported, in the catalogue's order.
fn asked<'i>(indicators: &'i [Indicator], arguments: &FormArguments) -> Result<Vec<&'i Indicator>, Trouble> {
    let named = |indicator: &Indicator, code: &str| {
        indicator.code == code || indicator.code.split('-').next() == Some(code)
    };
    for code in &arguments.indicator {
        if !indicators.iter().any(|indicator| named(indicator, code)) {
            return Err(Trouble::refused(format!("there is no indicator {code}")));
        }
    }
    if let Some(programme) = &arguments.programme
        && !indicators.iter().any(|indicator| indicator.programmes.contains(programme))
    {
        return Err(Trouble::refused(format!("no indicator is reported under the programme {programme}")));
    }
    let wanted = |indicator: &&Indicator| match &arguments.programme {
        Some(programme) => indicator.programmes.contains(programme),
        None if arguments.indicator.is_empty() => indicator.core,
        None => arguments.indicator.iter().any(|code| named(indicator, code)),
    };
    // What is worked out is not reported.
    let reported = |indicator: &&Indicator| !indicator.from_map && indicator.kind != "ratio";
    let side = |indicator: &&Indicator| match &arguments.reporter {
        Some(side) => indicator.reporters.contains(side),
        None => true,
    };
    Ok(indicators.iter().filter(wanted).filter(reported).filter(side).collect())
}

/// What is reported for all of the periods.
fn rows(
    indicators: &[&Indicator],
    dimensions: &[Dimension],
    periods: &[Period],
    reporter: Option<&str>,
) -> Result<Vec<FormRow>, Trouble> {
    let calendars = calendars()?;
    let mut rows = vec![];
    for indicator in indicators {
        let calendar = calendars.get(&indicator.calendar);
        let calendar = calendar.ok_or_else(|| {
            Trouble::refused(format!("the calendar {} is not known here", indicator.calendar))
        })?;
        let takes = |period: &Period| {
            let grain = match period.grain() {
                Grain::Instant => indicator.kind == "stock",
                Grain::Year | Grain::Span => true,
                shorter => !calendar.year_only && shorter >= shortest(indicator),
            };
            grain && in_force(indicator, calendar.last_day(*period))
        };
        if !periods.iter().all(takes) {
            continue;
        }
        let side = reporter.or_else(|| indicator.reporters.first().map(String::as_str));
        rows.push(FormRow {
            indicator: indicator.code.clone(),
            name: [indicator.name_vi.clone(), indicator.name_en.clone()],
            unit_of_measure: [indicator.unit_vi.clone(), indicator.unit_en.clone()],
            breakdown: leaf_of(indicator, dimensions, side),
        });
    }
    Ok(rows)
}

fn shortest(indicator: &Indicator) -> Grain {
    let found = FREQUENCIES.iter().find(|(code, _)| *code == indicator.frequency);
    found.map_or(Grain::Year, |(_, frequency)| frequency.shortest_grain())
}

/// The day on whose map the units are taken: the last of the periods, in the calendar of the first indicator.
fn last_day(indicators: &[&Indicator], periods: &[Period]) -> Result<Date, Trouble> {
    let calendars = calendars()?;
    let calendar = indicators.first().and_then(|indicator| calendars.get(&indicator.calendar));
    let days =
        calendar.into_iter().flat_map(|calendar| periods.iter().map(|period| calendar.last_day(*period)));
    days.max().ok_or_else(|| Trouble::refused("there is no indicator to report"))
}

async fn units(client: &Client, arguments: &FormArguments, day: Date) -> Result<Vec<Unit>, Trouble> {
    let date = day.to_string();
    if arguments.children {
        let below = client.units(&date, &arguments.unit).await?;
        if below.is_empty() {
            return Err(Trouble::refused(format!("there is no unit below {} on {date}", arguments.unit)));
        }
        return Ok(below);
    }
    let mut found = client.units_of_code(&date, &arguments.unit).await?;
    found.truncate(1);
    if found.is_empty() {
        return Err(Trouble::refused(format!("no unit has the code {} on {date}", arguments.unit)));
    }
    Ok(found)
}

fn file_name(form: &Form) -> String {
    match form.periods.as_slice() {
        [first, .., last] => format!("{}_{first}_{last}.xlsx", form.unit),
        [one] => format!("{}_{one}.xlsx", form.unit),
        [] => format!("{}.xlsx", form.unit),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_named_by_its_unit_and_periods() {
        let form = |periods: &[&str]| Form {
            unit: "06".into(),
            periods: periods.iter().map(|p| (*p).to_owned()).collect(),
            ..Form::default()
        };
        assert_eq!(file_name(&form(&["2024-M05"])), "06_2024-M05.xlsx");
        assert_eq!(file_name(&form(&["2024-M01", "2024-M02", "2024-M03"])), "06_2024-M01_2024-M03.xlsx");
    }
}

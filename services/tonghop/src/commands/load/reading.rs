//! How long it takes to read a national month: every core indicator in every commune and province, as it was reported
//! on today's map, and one of before the reform restated to it.

use std::time::{Duration, Instant};

use tonghop_core::period::Period;
use tonghop_proto::query::{GetTotalsRequest, Total};

use super::plan::Plan;
use crate::client::Client;
use crate::output::say;
use crate::trouble::Trouble;
use crate::words;

/// The day on whose map both months are read.
const TODAY: &str = "2025-07-01";
/// How often each is read, in turn.
const TIMES: usize = 5;

/// The month a year later, which lies on today's map where the given one does not.
pub(super) fn a_year_later(month: Period) -> Period {
    match month {
        Period::Month(year, month) => Period::Month(year + 1, month),
        other => other,
    }
}

/// Reads both months in turn, and says how long each took.
///
/// # Errors
/// Where a question is refused.
pub(super) async fn compare(
    client: &Client,
    before: &Plan,
    after: &Plan,
    position: i64,
) -> Result<(), Trouble> {
    let (mut restated, mut reported) = (vec![], vec![]);
    let mut read = (0, 0);
    for _ in 0..TIMES {
        let (took, totals) = national_month(client, after, "reported", position).await?;
        reported.push(took);
        read.0 = totals;
        let (took, totals) = national_month(client, before, TODAY, position).await?;
        restated.push(took);
        read.1 = totals;
    }
    let (reported, restated) = (median(reported), median(restated));
    say(format_args!(
        "read          {} totals of {} indicators as reported in {}, {} restated in {}: {} % of that",
        words::number(&read.0.to_string()),
        after.lines.len(),
        words::seconds(reported),
        words::number(&read.1.to_string()),
        words::seconds(restated),
        restated.as_micros() * 100 / reported.as_micros().max(1)
    ));
    Ok(())
}

/// Reads the nation, its provinces, and what lies directly below each of them, for every line of a month.
async fn national_month(
    client: &Client,
    plan: &Plan,
    map: &str,
    position: i64,
) -> Result<(Duration, usize), Trouble> {
    let began = Instant::now();
    let mut read = 0;
    for (line, breakdown) in plan.lines.iter().zip(&plan.sides) {
        let question = |unit: &str, by: &str| GetTotalsRequest {
            indicator: line.indicator.clone(),
            unit: unit.to_owned(),
            period: line.period.clone(),
            breakdown: breakdown.clone(),
            by: by.to_owned(),
            map: map.to_owned(),
            at_least: position,
            ..GetTotalsRequest::default()
        };
        let nation = client.totals(question("VN", "")).await?.1;
        let provinces = client.totals(question("VN", "children")).await?.1;
        read += nation.len() + provinces.len();
        for province in &provinces {
            let code = province.unit.as_ref().map_or("", |unit| unit.code.as_str());
            // What is collected by provinces has nothing below them.
            let below: Vec<Total> = client.totals(question(code, "children")).await?.1;
            read += below.len();
        }
    }
    Ok((began.elapsed(), read))
}

fn median(mut all: Vec<Duration>) -> Duration {
    all.sort();
    all.get(all.len() / 2).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_month_compared_with_is_a_year_later() {
        assert_eq!(a_year_later(Period::Month(2024, 8)), Period::Month(2025, 8));
    }
}

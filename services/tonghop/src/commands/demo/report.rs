//! The real report: pushed as the file it is, and read back row by row.

use std::path::Path;

use tonghop_proto::ingestion::{Document, SubmitRequest};
use tonghop_proto::query::{GetTotalsRequest, ListFiguresRequest, Total};

use super::{Catalogue, Teller, YEARS};
use crate::client::Client;
use crate::commands::push::{key_of, receipt};
use crate::rows;
use crate::shipped::{self, ReportRow};
use crate::table::{Align, Table};
use crate::trouble::Trouble;
use crate::words;

/// What was pushed.
pub(super) struct Report {
    rows: Vec<ReportRow>,
    /// The programmes it was for.
    pub(super) programmes: Vec<String>,
}

/// Pushes the report through the public API, with an idempotency key.
pub(super) async fn push(
    client: &Client,
    directory: Option<&Path>,
    teller: Teller,
) -> Result<Report, Trouble> {
    let mut rows = vec![];
    for file in shipped::reports(directory)? {
        rows.extend(shipped::rows(&file)?);
        let (name, content) = file;
        let response = client
            .submit(SubmitRequest {
                idempotency_key: key_of(&content),
                source: name.trim_end_matches(".csv").to_owned(),
                note: "real report".to_owned(),
                document: Some(Document {
                    media_type: "text/csv".to_owned(),
                    content,
                    ..Document::default()
                }),
                ..SubmitRequest::default()
            })
            .await
            .map_err(|trouble| trouble.at(&name))?;
        teller.say_all(receipt(&name, &response, false));
    }
    let mut programmes: Vec<String> = rows.iter().flat_map(|r| r.programmes.clone()).collect();
    programmes.sort();
    programmes.dedup();
    Ok(Report { rows, programmes })
}

/// Shows every row as the services give it back, and returns the totals of the units that reported.
pub(super) async fn show(
    client: &Client,
    catalogue: &Catalogue,
    report: &Report,
    at_least: i64,
    teller: Teller,
) -> Result<Vec<Total>, Trouble> {
    let (l, r) = (Align::Left, Align::Right);
    let mut units: Vec<&str> = report.rows.iter().map(|r| r.unit.as_str()).collect();
    units.sort_unstable();
    units.dedup();
    let mut totals = vec![];
    for code in units {
        let pushed: Vec<&ReportRow> = report.rows.iter().filter(|r| r.unit == code).collect();
        let mut indicators: Vec<&str> = pushed.iter().map(|r| r.indicator.as_str()).collect();
        indicators.sort_unstable();
        indicators.dedup();
        let mut table = Table::new(&[
            ("indicator", l),
            ("value", r),
            ("of", l),
            ("scope", l),
            ("side", l),
            ("period", l),
            ("breakdown", l),
        ]);
        let (mut count, mut name) = (0, code.to_owned());
        for indicator in indicators {
            let request = ListFiguresRequest {
                indicator: indicator.to_owned(),
                unit: code.to_owned(),
                period: YEARS.to_owned(),
                at_least,
                ..ListFiguresRequest::default()
            };
            let figures = client.figures(request).await?;
            for figure in figures.iter().filter(|f| f.current) {
                count += 1;
                name = rows::unit(figure.unit.as_ref());
                let measure = catalogue.indicator(&figure.indicator).map(|i| i.unit_vi.clone());
                let pairs: Vec<(&str, &str)> =
                    figure.breakdown.split('|').filter_map(|pair| pair.split_once('=')).collect();
                let side = pairs.iter().find(|(d, _)| *d == "reporter").map_or("", |(_, m)| *m);
                let rest: Vec<String> =
                    pairs.iter().filter(|(d, _)| *d != "reporter").map(|(d, m)| format!("{d}={m}")).collect();
                table.push(vec![
                    catalogue.names.of(&figure.indicator),
                    rows::stated(figure),
                    measure.unwrap_or_default(),
                    words::scope(&figure.scope).to_owned(),
                    catalogue.member("reporter", side).to_owned(),
                    figure.period.clone(),
                    rest.join(" "),
                ]);
            }
            totals.extend(of_unit(client, code, indicator, &figures_sides(&figures), at_least).await?);
        }
        teller.heading(&format!("{name}: its own report, read back row by row"));
        teller.say_all(table.lines(0));
        teller.say(format_args!("{count} figures read back of {} pushed", pushed.len()));
        if count != pushed.len() {
            return Err(Trouble::refused(format!(
                "{} figures of {name} were pushed and {count} are read back",
                pushed.len()
            )));
        }
    }
    Ok(totals)
}

/// The breakdowns under which figures were given, without their partitions.
fn figures_sides(figures: &[tonghop_proto::query::FigureRevision]) -> Vec<String> {
    let keeps = |pair: &&str| pair.starts_with("reporter=") || pair.starts_with("topic=");
    let mut sides: Vec<String> = figures
        .iter()
        .filter(|f| f.current)
        .map(|f| f.breakdown.split('|').filter(keeps).collect::<Vec<_>>().join("|"))
        .collect();
    sides.sort();
    sides.dedup();
    sides
}

async fn of_unit(
    client: &Client,
    unit: &str,
    indicator: &str,
    sides: &[String],
    at_least: i64,
) -> Result<Vec<Total>, Trouble> {
    let mut totals = vec![];
    for side in sides {
        let request = GetTotalsRequest {
            indicator: indicator.to_owned(),
            unit: unit.to_owned(),
            period: YEARS.to_owned(),
            breakdown: side.clone(),
            at_least,
            ..GetTotalsRequest::default()
        };
        totals.extend(client.totals(request).await?.1);
    }
    Ok(totals)
}

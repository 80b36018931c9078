//! A month of SYNTHETIC commune figures of one real province, and what becomes of them.
//!
//! What is made up is chosen to show every way a total can come about: complete parts, complete parts beside a
//! declaration that says otherwise, a declaration over parts with a gap, and parts with a gap alone.

use serde_json::Value;
use tonghop_proto::ingestion::{Figure, SubmitRequest};
use tonghop_proto::query::{GetTotalsRequest, Total};
use tonghop_proto::registry::Unit;

use super::{Catalogue, Teller};
use crate::client::Client;
use crate::json;
use crate::rows::{self, Shown};
use crate::synthetic::{self, Line, NOTE, SEED, SOURCE};
use crate::trouble::Trouble;

/// Thái Nguyên before July 2025, the neighbour of Bắc Kạn.
const PROVINCE: &str = "19";
/// The month, in the calendar of the coordination programmes.
const MONTH: &str = "2024-M05";
/// Its last day: stocks are as of then.
const LAST_DAY: &str = "2024-05-14";
/// The collection period of the stocks that the day lies in.
const HALF: &str = "2024-H1";

/// What is made up of one indicator.
struct Made {
    indicator: &'static str,
    /// Members that communes give, apart from the reporter.
    leaves: &'static [&'static str],
    reporter: &'static str,
    stock: bool,
    most: u64,
    /// Which other of these it is a part of.
    part_of: Option<usize>,
    qualifier: Option<(&'static str, u64)>,
    /// Of the two communes that leave gaps, how many leave one here.
    gaps: usize,
    /// The province's declaration: its members apart from the reporter, and how much more it declares than
    /// its communes have.
    declared: Option<(&'static str, u64)>,
}

const NOT_SPLIT: &[&str] = &[""];
const VENUES: &[&str] = &["channel=in-person|venue=residential-area", "channel=in-person|venue=school"];

const MADE: [Made; 8] = [
    made("tg01", &["channel=in-person", "channel=telephone", "channel=tip-box"], "cong-an", 12)
        .declared("channel=undivided", 37),
    Made { part_of: Some(0), ..made("tg02", NOT_SPLIT, "cong-an", 12) },
    Made { qualifier: Some(("at_least", 9)), gaps: 1, ..made("tt01", VENUES, "cong-an", 8) }
        .declared("channel=undivided|venue=undivided", 14),
    Made { qualifier: Some(("about", 6)), gaps: 2, ..made("tt02", VENUES, "cong-an", 400) },
    Made { stock: true, ..made("ll03", NOT_SPLIT, "lien-nganh", 9) }.declared("", 5),
    Made { stock: true, ..made("ll04", NOT_SPLIT, "lien-nganh", 45) },
    Made { stock: true, gaps: 1, ..made("ll07", NOT_SPLIT, "lien-nganh", 14) }.declared("", 0),
    Made { stock: true, gaps: 2, ..made("tg04", NOT_SPLIT, "lien-nganh", 14) },
];

const fn made(
    indicator: &'static str,
    leaves: &'static [&'static str],
    reporter: &'static str,
    most: u64,
) -> Made {
    Made {
        indicator,
        leaves,
        reporter,
        stock: false,
        most,
        part_of: None,
        qualifier: None,
        gaps: 0,
        declared: None,
    }
}

impl Made {
    const fn declared(self, members: &'static str, more: u64) -> Made {
        Made { declared: Some((members, more)), ..self }
    }

    /// A breakdown with the reporter; dimensions stand in order.
    fn breakdown(&self, members: &str) -> String {
        let reporter = format!("reporter={}", self.reporter);
        let mut pairs: Vec<&str> = members.split('|').filter(|p| !p.is_empty()).collect();
        pairs.push(&reporter);
        pairs.sort_unstable();
        pairs.join("|")
    }

    fn period(&self) -> &'static str {
        if self.stock { LAST_DAY } else { MONTH }
    }
}

/// What was pushed.
pub(super) struct Month {
    /// Position of the last submission.
    pub(super) position: i64,
    province: String,
}

/// Pushes the month: a submission for each district, and one of the province's own.
pub(super) async fn push(client: &Client, catalogue: &Catalogue, teller: Teller) -> Result<Month, Trouble> {
    let lines = lines(catalogue)?;
    let province = client.units(LAST_DAY, "VN").await?.into_iter().find(|u| u.code == PROVINCE);
    let province = province
        .ok_or_else(|| Trouble::refused(format!("there is no unit {PROVINCE} on the map of {LAST_DAY}")))?;
    let mut districts = vec![];
    for district in client.units(LAST_DAY, PROVINCE).await? {
        let communes = client.units(LAST_DAY, &district.code).await?;
        districts.push((district, communes));
    }
    let communes: Vec<&Unit> = districts.iter().flat_map(|(_, c)| c).collect();
    // Two of them, apart from one another.
    let gaps: Vec<String> = [communes.len() / 3, communes.len() * 2 / 3]
        .into_iter()
        .filter_map(|i| communes.get(i).map(|u| u.code.clone()))
        .collect();
    let (mut position, mut count, mut submissions) = (0, 0, 0);
    let declared = declarations(&lines, &communes);
    let mut batches: Vec<(String, Vec<Figure>)> = districts
        .iter()
        .map(|(district, communes)| (district.code.clone(), of_communes(&lines, communes, &gaps)))
        .collect();
    batches.push((PROVINCE.to_owned(), declared));
    for (unit, figures) in batches.into_iter().filter(|(_, figures)| !figures.is_empty()) {
        let request = SubmitRequest {
            idempotency_key: format!("{SOURCE}-{MONTH}-{unit}"),
            source: SOURCE.to_owned(),
            note: NOTE.to_owned(),
            figures,
            ..SubmitRequest::default()
        };
        let response = client.submit(request).await.map_err(|t| t.at(&format!("SYNTHETIC {unit}")))?;
        let receipt = response.receipt.unwrap_or_default();
        position = position.max(receipt.position);
        count += receipt.figures;
        submissions += 1;
    }
    teller.say(format_args!(
        "SYNTHETIC month {MONTH} of {} ({PROVINCE}): {submissions} submissions, {count} figures of {} communes",
        province.name,
        communes.len()
    ));
    Ok(Month { position, province: province.name })
}

fn lines(catalogue: &Catalogue) -> Result<Vec<Line>, Trouble> {
    MADE.iter()
        .map(|made| {
            let indicator = catalogue.indicator(made.indicator).ok_or_else(|| {
                Trouble::refused(format!("the registry has no indicator {}", made.indicator))
            })?;
            Ok(Line {
                indicator: indicator.code.clone(),
                period: made.period().to_owned(),
                breakdowns: made.leaves.iter().map(|members| made.breakdown(members)).collect(),
                decimals: u8::try_from(indicator.decimals).unwrap_or(0),
                least: 0,
                most: made.most,
                part_of: made.part_of.into_iter().collect(),
                qualifier: made.qualifier,
            })
        })
        .collect()
}

fn of_communes(lines: &[Line], communes: &[Unit], gaps: &[String]) -> Vec<Figure> {
    let mut figures = vec![];
    for commune in communes {
        for (at, made) in MADE.iter().enumerate() {
            if !gaps.iter().take(made.gaps).any(|gap| *gap == commune.code) {
                figures.extend(synthetic::figures(SEED, lines, at, &commune.code));
            }
        }
    }
    figures
}

/// What the province declares for its whole territory.
fn declarations(lines: &[Line], communes: &[&Unit]) -> Vec<Figure> {
    let mut figures = vec![];
    for (at, made) in MADE.iter().enumerate() {
        if let Some((members, more)) = made.declared {
            let sum: u64 = communes.iter().map(|c| synthetic::value(SEED, lines, at, &c.code)).sum();
            let breakdown = made.breakdown(members);
            figures.push(synthetic::figure(
                &lines[at],
                PROVINCE,
                "territory",
                &breakdown,
                sum + more,
                "exact",
            ));
        }
    }
    figures
}

/// What is asked of the month: everything made up, and two ratios of it.
fn asked(catalogue: &Catalogue) -> impl Iterator<Item = (&'static str, &'static str, String)> {
    let made = MADE.iter().map(|m| {
        let period = if m.stock { HALF } else { MONTH };
        let indicator = catalogue.indicator(m.indicator);
        let apart = indicator.is_some_and(|i| i.reporter_overlap == "overlapping");
        (m.indicator, period, if apart { m.breakdown("") } else { String::new() })
    });
    let ratios = [("tg03", MONTH, String::new()), ("tt08", MONTH, "reporter=cong-an".to_owned())];
    made.chain(ratios)
}

/// Shows the month for the nation and for the province, and returns its totals as JSON, each marked.
pub(super) async fn show(
    client: &Client,
    catalogue: &Catalogue,
    month: &Month,
    teller: Teller,
) -> Result<Vec<Value>, Trouble> {
    let mut marked = vec![];
    for (unit, name) in [("VN", "Việt Nam"), (PROVINCE, month.province.as_str())] {
        let mut totals: Vec<Total> = vec![];
        for (indicator, period, breakdown) in asked(catalogue) {
            let request = GetTotalsRequest {
                indicator: indicator.to_owned(),
                unit: unit.to_owned(),
                period: period.to_owned(),
                breakdown,
                at_least: month.position,
                ..GetTotalsRequest::default()
            };
            totals.extend(client.totals(request).await?.1);
        }
        teller
            .heading(&format!("SYNTHETIC month {MONTH}: {name} ({unit}), declared, computed and difference"));
        let shown = Shown { unit: false, ..Shown::ALL };
        teller.say_all(rows::totals(&totals, &catalogue.names, shown));
        marked.extend(totals.iter().map(|total| {
            let mut value = json::total(total);
            if let Some(object) = value.as_object_mut() {
                object.insert("note".to_owned(), Value::from(NOTE));
            }
            value
        }));
    }
    Ok(marked)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn breakdowns_name_the_reporter_in_its_place() {
        assert_eq!(
            MADE[2].breakdown("channel=in-person|venue=school"),
            "channel=in-person|reporter=cong-an|venue=school"
        );
        assert_eq!(MADE[4].breakdown(""), "reporter=lien-nganh");
    }

    #[test]
    fn everything_made_up_is_of_the_catalogue_with_every_partition_named() {
        let tables = crate::shipped::registry(None).unwrap();
        let table = |name: &str| {
            let mut reader = csv::Reader::from_reader(tables[name].as_slice());
            let headers = reader.headers().unwrap().clone();
            let rows: Vec<std::collections::HashMap<String, String>> = reader
                .records()
                .map(|r| {
                    headers.iter().map(str::to_owned).zip(r.unwrap().iter().map(str::to_owned)).collect()
                })
                .collect();
            rows
        };
        let partitions: Vec<String> = table("dimensions.csv")
            .into_iter()
            .filter(|d| d["kind"] == "partition")
            .map(|d| d["code"].clone())
            .collect();
        let members = table("dimension_members.csv");
        for made in &MADE {
            let indicators = table("indicators.csv");
            let indicator =
                indicators.iter().find(|i| i["code"].starts_with(&format!("{}-", made.indicator))).unwrap();
            assert_eq!(indicator["kind"] == "stock", made.stock, "{}", made.indicator);
            for leaf in made.leaves.iter().copied().chain(made.declared.map(|(members, _)| members)) {
                let breakdown = made.breakdown(leaf);
                let pairs: Vec<_> = breakdown.split('|').map(|p| p.split_once('=').unwrap()).collect();
                let expected: Vec<&str> = indicator["dimensions"]
                    .split('|')
                    .filter(|d| *d == "reporter" || partitions.iter().any(|p| p == d))
                    .collect();
                assert_eq!(pairs.iter().map(|(d, _)| *d).collect::<Vec<_>>(), expected, "{}", made.indicator);
                for (dimension, member) in pairs {
                    assert!(members.iter().any(|m| m["dimension"] == dimension && m["code"] == member));
                }
            }
        }
    }
}

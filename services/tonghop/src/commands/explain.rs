//! `tonghop explain`: where a total comes from.

use clap::Args;
use tonghop_proto::query::{ExplainRequest, ExplainResponse, ExplainTreeRequest, Total};

use crate::arguments::ServerArguments;
use crate::branches;
use crate::client::Client;
use crate::commands::totals::{QuestionArguments, figures, given};
use crate::json;
use crate::output::{say, say_all};
use crate::rows::{self, Names, Shown};
use crate::trouble::Trouble;
use crate::words;

/// What `explain` takes.
#[derive(Debug, Args)]
pub struct ExplainArguments {
    /// What is asked for.
    #[command(flatten)]
    pub question: QuestionArguments,
    /// Wait until everything up to this position of the ledger is in.
    #[arg(long, default_value_t = 0)]
    pub at_least: i64,
    /// Open the parts in their turn, so many levels down to figures and submissions, at most 8; more of a level with
    /// --parts.
    #[arg(long, default_value_t = 0, value_name = "LEVELS", hide_default_value = true)]
    pub depth: u32,
    /// With --depth: parts shown of one total at most, up to 200.
    #[arg(long, default_value_t = 20, value_name = "NUMBER", requires = "depth")]
    pub parts: u32,
    /// JSON in the shape of the REST interface.
    #[arg(long)]
    pub json: bool,
    /// Where the services are.
    #[command(flatten)]
    pub server: ServerArguments,
}

/// Explains a total.
///
/// # Errors
/// Where the question is refused.
pub async fn run(arguments: ExplainArguments) -> Result<(), Trouble> {
    let figures = figures(&arguments.question);
    if arguments.depth > 0 && arguments.question.approved {
        return Err(Trouble::Usage("--depth opens totals of all figures: leave out --approved".to_owned()));
    }
    let Some(indicator) = arguments.question.indicator else {
        return Err(Trouble::Usage("--indicator is needed: one total is explained at a time".to_owned()));
    };
    let client = Client::connect(&arguments.server).await?;
    if arguments.depth > 0 {
        let request = ExplainTreeRequest {
            indicator,
            unit: arguments.question.unit,
            period: arguments.question.period,
            breakdown: arguments.question.breakdown,
            at_least: arguments.at_least,
            map: arguments.question.map,
            as_of: arguments.question.as_of,
            review: arguments.question.review,
            depth: arguments.depth,
            width: arguments.parts,
            page_token: String::new(),
        };
        let explained = client.query().explain_tree(request).await?.into_inner();
        if arguments.json {
            say(json::pretty(&json::explained_tree(&explained)));
        } else {
            let names = Names::new(&client.indicators().await.unwrap_or_default());
            say_all(branches::whole(&explained, &names));
        }
        return Ok(());
    }
    let request = ExplainRequest {
        indicator,
        unit: arguments.question.unit,
        period: arguments.question.period,
        breakdown: arguments.question.breakdown,
        at_least: arguments.at_least,
        map: arguments.question.map,
        as_of: arguments.question.as_of,
        review: arguments.question.review,
        figures,
    };
    let explained = client.query().explain(request).await?.into_inner();
    if arguments.json {
        say(json::pretty(&json::explanation(&explained)));
    } else {
        let names = Names::new(&client.indicators().await.unwrap_or_default());
        say_all(tree(&explained, &names));
    }
    Ok(())
}

/// The explanation as a tree: the total, and a branch for everything it rests on.
fn tree(explained: &ExplainResponse, names: &Names) -> Vec<String> {
    let total = explained.total.clone().unwrap_or_default();
    let members = if total.breakdown.is_empty() { String::new() } else { format!(" · {}", total.breakdown) };
    let mut lines = vec![
        format!(
            "{} · {} · {}{members}",
            names.of(&total.indicator),
            rows::unit(total.unit.as_ref()),
            total.period
        ),
        format!(
            "{} {} · {}",
            rows::headline(&total),
            total.unit_of_measure_vi,
            rows::basis_or_reason(&total)
        ),
    ];
    let mut branches = vec![numbers(&total)];
    let origins: Vec<Total> = explained.origins.iter().filter_map(|o| o.total.clone()).collect();
    let made_of = Shown { indicator: false, period: false, ..Shown::ALL };
    branches.push(parts("put together from, as reported", &origins, names, made_of));
    let here = Shown { indicator: false, period: false, ..Shown::ALL };
    branches.push(parts("children, over the same period", &explained.children, names, here));
    let there = Shown { unit: false, indicator: false, ..Shown::ALL };
    branches.push(parts(
        "the unit itself, over the periods that tile this one",
        &explained.tiles,
        names,
        there,
    ));
    if !explained.figures.is_empty() {
        let mut branch = vec!["figures, with their revisions and submissions".to_owned()];
        branch.extend(rows::figures(&explained.figures).lines(0));
        branches.push(branch);
    }
    if !explained.set_aside.is_empty() {
        branches
            .push(["set aside".to_owned()].into_iter().chain(explained.set_aside.iter().cloned()).collect());
    }
    let given = given(std::slice::from_ref(&total));
    if !given.is_empty() {
        branches.push(["given, and not added".to_owned()].into_iter().chain(given).collect());
    }
    if !explained.along.is_empty()
        && total.parts.is_some()
        && let Some(first) = branches.first_mut()
    {
        first.push(format!("parts are taken along {}", explained.along));
    }
    branches.retain(|b| !b.is_empty());
    let last = branches.len().saturating_sub(1);
    for (i, branch) in branches.iter().enumerate() {
        for (j, text) in branch.iter().enumerate() {
            let limb = match (j, i == last) {
                (0, false) => "├─ ",
                (0, true) => "└─ ",
                (_, false) => "│    ",
                (_, true) => "     ",
            };
            lines.push(format!("{limb}{text}"));
        }
    }
    if let Some(as_of) = &explained.as_of {
        lines.push(words::as_of(as_of));
    }
    lines
}

fn numbers(total: &Total) -> Vec<String> {
    let or_none = |value: &Option<String>| value.as_deref().map_or("–".to_owned(), words::number);
    let mut lines = vec![format!(
        "whole {} · parts {} · difference {}",
        or_none(&total.whole),
        or_none(&total.parts),
        or_none(&total.difference)
    )];
    lines.push(format!(
        "covered {} · reported {} · without a value {}",
        words::coverage(total.covered, total.expected),
        words::number(&total.reported.to_string()),
        words::number(&total.unavailable.to_string())
    ));
    if let Some(exact) = &total.exact_part {
        lines.push(format!("of which exact {}", words::number(exact)));
    }
    if let (Some(n), Some(d)) = (&total.numerator, &total.denominator) {
        lines.push(format!("{} over {}", words::number(n), words::number(d)));
    }
    if !total.oldest.is_empty() {
        lines.push(format!("dates from {} to {}", total.oldest, total.newest));
    }
    lines
}

/// Parts that have anything, and how many have nothing.
fn parts(heading: &str, totals: &[Total], names: &Names, shown: Shown) -> Vec<String> {
    let there: Vec<Total> = totals.iter().filter(|t| rows::has_anything(t)).cloned().collect();
    if totals.is_empty() {
        return vec![];
    }
    let nothing = totals.len() - there.len();
    let mut branch = vec![match nothing {
        0 => heading.to_owned(),
        _ => format!("{heading}: {} with something, {nothing} without", there.len()),
    }];
    if !there.is_empty() {
        branch.extend(rows::totals(&there, names, shown));
    }
    branch
}

#[cfg(test)]
mod tests {
    use super::*;
    use tonghop_proto::query::{FigureRevision, UnitRef};

    fn unit(code: &str, name: &str) -> Option<UnitRef> {
        Some(UnitRef { code: code.into(), name: name.into(), level: String::new() })
    }

    #[test]
    fn an_explanation_reads_as_a_tree() {
        let explained = ExplainResponse {
            total: Some(Total {
                unit: unit("B", "Huyện B"),
                indicator: "tg01".into(),
                period: "2024-M05".into(),
                value: Some("30".into()),
                qualifier: "exact".into(),
                basis: "declared".into(),
                whole: Some("30".into()),
                parts: Some("7".into()),
                difference: Some("23".into()),
                reported: 1,
                covered: 3,
                expected: 3,
                unit_of_measure_vi: "tin".into(),
                ..Total::default()
            }),
            along: "units".into(),
            children: vec![
                Total { unit: unit("b1", "Xã b1"), value: Some("7".into()), ..Total::default() },
                Total { unit: unit("b2", "Xã b2"), reason: "missing".into(), ..Total::default() },
            ],
            figures: vec![FigureRevision {
                scope: "territory".into(),
                value: Some("30".into()),
                position: 4,
                current: true,
                source: "b".into(),
                ..FigureRevision::default()
            }],
            set_aside: vec!["an own figure of 2024".into()],
            ..ExplainResponse::default()
        };
        assert_eq!(
            tree(&explained, &Names::default()),
            [
                "tg01 · Huyện B (B) · 2024-M05",
                "30 tin · declared · khai toàn địa bàn",
                "├─ whole 30 · parts 7 · difference 23",
                "│    covered 3 / 3 · reported 1 · without a value 0",
                "│    parts are taken along units",
                "├─ children, over the same period: 1 with something, 1 without",
                "│    unit        total",
                "│    ──────────  ─────",
                "│    Xã b1 (b1)      7",
                "├─ figures, with their revisions and submissions",
                "│    scope                     value  position  source",
                "│    ────────────────────────  ─────  ────────  ──────",
                "│    territory · toàn địa bàn     30         4  b",
                "└─ set aside",
                "     an own figure of 2024",
            ]
        );
    }
}

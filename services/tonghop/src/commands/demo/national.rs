//! The national view by indicator.

use std::collections::BTreeMap;

use tonghop_proto::query::{GetTotalsRequest, Total, UnitRef};
use tonghop_proto::registry::Indicator;

use super::{Catalogue, Teller, YEARS};
use crate::client::Client;
use crate::rows::{self, Shown};
use crate::trouble::Trouble;

/// Shows every indicator that has anything, and returns the totals shown.
pub(super) async fn show(
    client: &Client,
    catalogue: &Catalogue,
    programmes: &[String],
    at_least: i64,
    teller: Teller,
) -> Result<Vec<Total>, Trouble> {
    let ask = Ask { client, catalogue, at_least };
    let mut found = vec![];
    for (code, rows) in ask.all(programmes).await? {
        match catalogue.indicator(&code) {
            Some(indicator) => found.extend(ask.widened(indicator, rows).await?),
            None => found.extend(rows.into_iter().filter(rows::has_anything).map(Found::total)),
        }
    }
    teller.heading(&format!("National view, {YEARS}: Việt Nam, every indicator that has anything"));
    let rows: Vec<Total> = found.iter().map(Found::as_shown).collect();
    let shown = Shown { unit: false, period: false, ..Shown::ALL };
    teller.say_all(rows::totals(&rows, &catalogue.names, shown));
    Ok(found.into_iter().map(|f| f.total).collect())
}

/// A total, and whether it speaks for a tag only.
struct Found {
    total: Total,
    tag_only: bool,
}

impl Found {
    fn total(total: Total) -> Found {
        Found { total, tag_only: false }
    }

    /// As it is shown: what speaks for one topic only says so.
    fn as_shown(&self) -> Total {
        let mut shown = self.total.clone();
        if self.tag_only {
            shown.breakdown = format!("only {}", shown.breakdown);
        }
        shown
    }
}

struct Ask<'a> {
    client: &'a Client,
    catalogue: &'a Catalogue,
    at_least: i64,
}

impl Ask<'_> {
    async fn totals(&self, request: GetTotalsRequest) -> Result<Vec<Total>, Trouble> {
        let request = GetTotalsRequest {
            unit: "VN".to_owned(),
            period: YEARS.to_owned(),
            at_least: self.at_least,
            ..request
        };
        Ok(self.client.totals(request).await?.1)
    }

    /// The core indicators and those of the programmes, by code; a row for each side where sides overlap.
    async fn all(&self, programmes: &[String]) -> Result<BTreeMap<String, Vec<Total>>, Trouble> {
        let mut totals: BTreeMap<String, Vec<Total>> = BTreeMap::new();
        for programme in std::iter::once("").chain(programmes.iter().map(String::as_str)) {
            let request = GetTotalsRequest {
                by: "indicators".to_owned(),
                programme: programme.to_owned(),
                ..GetTotalsRequest::default()
            };
            for total in self.totals(request).await? {
                let rows = totals.entry(total.indicator.clone()).or_default();
                if rows.iter().all(|t| t.breakdown != total.breakdown) {
                    rows.push(total);
                }
            }
        }
        Ok(totals)
    }

    /// What there is of an indicator: its total, or those of its sides; and where nothing stands for all, what
    /// stands for single topics. Where sides have no common total, that is said first.
    async fn widened(&self, indicator: &Indicator, rows: Vec<Total>) -> Result<Vec<Found>, Trouble> {
        let mut found = vec![];
        let mut common = None;
        for total in rows {
            if !total.refused.is_empty() {
                for reporter in &indicator.reporters {
                    found.extend(self.of_members(indicator, &format!("reporter={reporter}")).await?);
                }
                common = Some(total);
            } else if rows::has_anything(&total) {
                found.push(Found::total(total));
            } else {
                found.extend(self.of_tags(indicator, &total.breakdown).await?);
            }
        }
        if found.is_empty() {
            return Ok(found);
        }
        if common.is_none() && indicator.reporter_overlap == "overlapping" {
            common = self.common_total(indicator).await?;
        }
        found.splice(0..0, common.map(Found::total));
        Ok(found)
    }

    /// The total over sides that overlap: none, and the services say why.
    async fn common_total(&self, indicator: &Indicator) -> Result<Option<Total>, Trouble> {
        let request = GetTotalsRequest { indicator: indicator.code.clone(), ..GetTotalsRequest::default() };
        match self.totals(request).await {
            Ok(_) => Ok(None),
            Err(Trouble::Refused { reason, .. }) => Ok(Some(Total {
                indicator: indicator.code.clone(),
                unit: Some(UnitRef { code: "VN".into(), name: "Việt Nam".into(), level: "nation".into() }),
                period: YEARS.to_owned(),
                map: "reported".to_owned(),
                refused: reason,
                unit_of_measure_vi: indicator.unit_vi.clone(),
                unit_of_measure_en: indicator.unit_en.clone(),
                ..Total::default()
            })),
            Err(usage) => Err(usage),
        }
    }

    async fn of_members(&self, indicator: &Indicator, members: &str) -> Result<Vec<Found>, Trouble> {
        let request = GetTotalsRequest {
            indicator: indicator.code.clone(),
            breakdown: members.to_owned(),
            ..GetTotalsRequest::default()
        };
        let mut found: Vec<Found> =
            self.totals(request).await?.into_iter().filter(rows::has_anything).map(Found::total).collect();
        if found.is_empty() {
            found = self.of_tags(indicator, members).await?;
        }
        Ok(found)
    }

    async fn of_tags(&self, indicator: &Indicator, members: &str) -> Result<Vec<Found>, Trouble> {
        let overlapping = |code: &&String| {
            *code != "reporter"
                && self.catalogue.dimensions.iter().any(|d| d.code == **code && d.kind == "overlapping")
        };
        let mut found = vec![];
        for dimension in indicator.dimensions.iter().filter(overlapping) {
            let request = GetTotalsRequest {
                indicator: indicator.code.clone(),
                breakdown: members.to_owned(),
                by: "breakdown".to_owned(),
                by_dimension: dimension.clone(),
                ..GetTotalsRequest::default()
            };
            let of_tag = format!("{dimension}=");
            let totals = self.totals(request).await?.into_iter();
            let there = totals.filter(|t| rows::has_anything(t) && t.breakdown.contains(&of_tag));
            found.extend(there.map(|total| Found { total, tag_only: true }));
        }
        Ok(found)
    }
}

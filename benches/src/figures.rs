//! The SYNTHETIC figures that everybody is measured on: 120 counts a commune and month, on the map of 2024.

use std::collections::HashMap;
use std::ops::Range;
use std::path::Path;

use prost::Message;
use serde_json::json;
use tonghop_proto::ingestion::figure::Statement;
use tonghop_proto::ingestion::{Figure, SubmitRequest};

use crate::Outcome;

/// Under which the figures are pushed.
pub(crate) const SOURCE: &str = "synthetic-bench";
/// What every submission of them says.
pub(crate) const NOTE: &str = "SYNTHETIC figures for measuring";
/// From which the values follow.
const SEED: u64 = 0x746f_6e67_2068_6f70;

/// A unit with its place among those of its level.
#[derive(Clone, Debug)]
pub(crate) struct Commune {
    pub(crate) code: String,
    pub(crate) district: usize,
    pub(crate) province: usize,
}

/// The country on the map of 2024, its units in an order in which each province and district is one run of communes.
#[derive(Debug)]
pub(crate) struct Country {
    pub(crate) communes: Vec<Commune>,
    pub(crate) districts: Vec<String>,
    pub(crate) provinces: Vec<String>,
    /// How many indicators there are.
    pub(crate) indicators: usize,
}

/// A month of the data set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Month {
    pub(crate) year: i32,
    /// 1 to 12.
    pub(crate) month: u32,
}

impl Month {
    /// The `n`th month from January of a year on.
    pub(crate) fn of(first_year: i32, n: usize) -> Month {
        Month { year: first_year + (n / 12) as i32, month: (n % 12) as u32 + 1 }
    }

    /// As the API writes it.
    pub(crate) fn period(self) -> String {
        format!("{}-M{:02}", self.year, self.month)
    }

    /// A number for peers' tables.
    pub(crate) fn number(self) -> i32 {
        self.year * 12 + self.month as i32 - 1
    }
}

fn mixed(words: [u64; 3]) -> u64 {
    let mut z = SEED;
    for word in words {
        z = z.wrapping_add(word.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^= z >> 31;
    }
    z
}

/// What a commune reports of an indicator in a month: a small count, often none, of a size that differs by indicator.
pub(crate) fn value(commune: usize, indicator: usize, month: Month) -> i64 {
    let bits = mixed([commune as u64, indicator as u64, month.number() as u64]);
    let most = [9, 24, 60, 240, 1800][indicator % 5];
    if bits.is_multiple_of(6) { 0 } else { (bits >> 8) as i64 % (most + 1) }
}

/// The code of an indicator.
pub(crate) fn indicator(at: usize) -> String {
    format!("bm{at:03}-synthetic-count")
}

impl Country {
    /// From the registry's table of units.
    pub(crate) fn read(registry: &Path, indicators: usize) -> Outcome<Country> {
        let path = registry.join("units.csv");
        let mut reader = csv::Reader::from_path(&path).map_err(|e| format!("{}: {e}", path.display()))?;
        let mut by_level: HashMap<String, Vec<(String, String)>> = HashMap::new();
        for row in reader.deserialize::<HashMap<String, String>>() {
            let row = row.map_err(|e| format!("{}: {e}", path.display()))?;
            let cell = |name: &str| row.get(name).cloned().unwrap_or_default();
            if cell("valid_from").is_empty() {
                by_level.entry(cell("level")).or_default().push((cell("code"), cell("parent_code")));
            }
        }
        let mut of = |level: &str| by_level.remove(level).unwrap_or_default();
        let (provinces, districts, communes) = (of("province"), of("district"), of("commune"));
        let provinces: Vec<String> = provinces.into_iter().map(|(code, _)| code).collect();
        let place = |codes: &[String]| -> HashMap<String, usize> {
            codes.iter().enumerate().map(|(i, code)| (code.clone(), i)).collect()
        };
        let province_at = place(&provinces);
        let mut districts: Vec<(usize, String)> = districts
            .into_iter()
            .map(|(code, parent)| {
                Ok((*province_at.get(&parent).ok_or("a district without its province")?, code))
            })
            .collect::<Outcome<_>>()?;
        districts.sort();
        let codes: Vec<String> = districts.iter().map(|(_, code)| code.clone()).collect();
        let district_at = place(&codes);
        let mut communes: Vec<Commune> = communes
            .into_iter()
            .map(|(code, parent)| {
                let district = *district_at.get(&parent).ok_or("a commune without its district")?;
                Ok(Commune { code, district, province: districts[district].0 })
            })
            .collect::<Outcome<_>>()?;
        communes.sort_by(|a, b| (a.district, &a.code).cmp(&(b.district, &b.code)));
        Ok(Country { communes, districts: codes, provinces, indicators })
    }

    /// How many values a month has.
    pub(crate) fn values(&self) -> usize {
        self.communes.len() * self.indicators
    }

    /// The communes, cut into submissions of about `most` figures, each within one province.
    pub(crate) fn submissions(&self, most: usize) -> Vec<Range<usize>> {
        let mut out = Vec::new();
        let mut from = 0;
        while from < self.communes.len() {
            let province = self.communes[from].province;
            let run = self.communes[from..].iter().take_while(|c| c.province == province).count();
            let parts = (run * self.indicators).div_ceil(most).max(1);
            for part in 0..parts {
                out.push(from + run * part / parts..from + run * (part + 1) / parts);
            }
            from += run;
        }
        out.retain(|range| !range.is_empty());
        out
    }

    /// The figures of some communes, as messages.
    pub(crate) fn figures(&self, communes: Range<usize>, month: Month) -> Vec<Figure> {
        self.figures_plus(communes, month, 0)
    }

    /// The same, each value so much more.
    fn figures_plus(&self, communes: Range<usize>, month: Month, more: i64) -> Vec<Figure> {
        let period = month.period();
        let figure = |commune: usize, at: usize| Figure {
            unit: self.communes[commune].code.clone(),
            indicator: indicator(at),
            period: period.clone(),
            scope: "own".to_owned(),
            statement: Some(Statement::Value((value(commune, at, month) + more).to_string())),
            ..Figure::default()
        };
        let all = communes.flat_map(|commune| (0..self.indicators).map(move |at| (commune, at)));
        all.map(|(commune, at)| figure(commune, at)).collect()
    }

    /// A submission of some communes' figures as it goes over gRPC.
    pub(crate) fn message(&self, communes: Range<usize>, month: Month, key: &str) -> Vec<u8> {
        self.message_plus(communes, month, key, 0)
    }

    /// The same, of another source.
    pub(crate) fn message_of(
        &self,
        source: &str,
        communes: Range<usize>,
        month: Month,
        key: &str,
    ) -> Vec<u8> {
        let request = SubmitRequest {
            idempotency_key: key.to_owned(),
            source: source.to_owned(),
            note: NOTE.to_owned(),
            figures: self.figures(communes, month),
            ..SubmitRequest::default()
        };
        request.encode_to_vec()
    }

    /// The same, each value so much more: a revision.
    pub(crate) fn message_plus(&self, communes: Range<usize>, month: Month, key: &str, more: i64) -> Vec<u8> {
        let request = SubmitRequest {
            idempotency_key: key.to_owned(),
            source: SOURCE.to_owned(),
            note: NOTE.to_owned(),
            figures: self.figures_plus(communes, month, more),
            ..SubmitRequest::default()
        };
        request.encode_to_vec()
    }

    /// The same as a JSON document.
    pub(crate) fn document(&self, communes: Range<usize>, month: Month) -> Vec<u8> {
        let figures = self.figures(communes, month).into_iter().map(|f| {
            let Some(Statement::Value(value)) = f.statement else { return json!(null) };
            json!({"unit": f.unit, "indicator": f.indicator, "period": f.period, "scope": f.scope, "value": value})
        });
        let figures: Vec<_> = figures.collect();
        json!({"source": SOURCE, "note": NOTE, "figures": figures}).to_string().into_bytes()
    }

    /// The sums that everybody must come to for some months: of the nation, and of each province, by indicator.
    pub(crate) fn expected(&self, months: &[Month]) -> Expected {
        let mut provinces = vec![vec![0_i64; self.indicators]; self.provinces.len()];
        for (at, commune) in self.communes.iter().enumerate() {
            for (indicator, sum) in provinces[commune.province].iter_mut().enumerate() {
                *sum += months.iter().map(|month| value(at, indicator, *month)).sum::<i64>();
            }
        }
        let nation = (0..self.indicators).map(|i| provinces.iter().map(|p| p[i]).sum()).collect();
        Expected { nation, provinces, cells: (self.communes.len() * months.len()) as u64 }
    }
}

/// What the sums are.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Expected {
    /// By indicator.
    pub(crate) nation: Vec<i64>,
    /// By province, then indicator.
    pub(crate) provinces: Vec<Vec<i64>>,
    /// Cells that a national total covers.
    pub(crate) cells: u64,
}

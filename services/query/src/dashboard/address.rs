//! A view is its address: everything that a page shows follows from the address and the figures.

use serde::Deserialize;
use url::form_urlencoded::Serializer;

use super::locale::Lang;

/// The pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Page {
    /// Every indicator of a programme for one unit and period.
    Overview,
    /// One indicator: over time, over the units below, by its breakdowns.
    Indicator,
    /// A unit: what it is, and what it reported.
    Unit,
    /// Who has reported, and who has not.
    Coverage,
    /// Where declared and computed part.
    Differences,
    /// Where a number comes from.
    Explain,
    /// Units and indicators by name.
    Find,
}

impl Page {
    /// All of them.
    pub(super) const ALL: [Page; 7] = [
        Page::Overview,
        Page::Indicator,
        Page::Unit,
        Page::Coverage,
        Page::Differences,
        Page::Explain,
        Page::Find,
    ];

    /// Where it is.
    pub(super) fn path(self) -> &'static str {
        match self {
            Page::Overview => "/",
            Page::Indicator => "/indicator",
            Page::Unit => "/unit",
            Page::Coverage => "/coverage",
            Page::Differences => "/differences",
            Page::Explain => "/explain",
            Page::Find => "/find",
        }
    }

    /// Whether it is of one indicator.
    pub(super) fn is_of_indicator(self) -> bool {
        matches!(self, Page::Indicator | Page::Explain)
    }
}

/// The parameters of an address. What a page has no use for is passed over.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(super) struct Address {
    /// Code of a programme; empty: the core indicators.
    pub(super) programme: String,
    /// Code of a unit.
    pub(super) unit: String,
    /// A period in its written form.
    pub(super) period: String,
    /// Code of an indicator.
    pub(super) indicator: String,
    /// `dimension=member|…`.
    pub(super) breakdown: String,
    /// By which dimension an indicator is split on its page.
    pub(super) dimension: String,
    /// The day to whose map totals are restated; empty: as reported.
    pub(super) map: String,
    /// The name of a frozen review; empty: as it is now.
    pub(super) review: String,
    /// What the dots of a map show: `coverage`; empty: values.
    pub(super) show: String,
    /// What is looked for.
    pub(super) q: String,
    /// `vi` or `en`; empty: as the browser prefers.
    pub(super) lang: String,
    /// The position that has to be in.
    pub(super) at_least: i64,
}

impl Address {
    /// The same for another unit.
    pub(super) fn unit(&self, code: &str) -> Address {
        Address { unit: code.to_owned(), ..self.clone() }
    }

    /// The same for another period.
    pub(super) fn period(&self, period: impl ToString) -> Address {
        Address { period: period.to_string(), ..self.clone() }
    }

    /// The same for another indicator, by a breakdown of it.
    pub(super) fn indicator(&self, code: &str, breakdown: &str) -> Address {
        let (indicator, breakdown) = (code.to_owned(), breakdown.to_owned());
        Address { indicator, breakdown, dimension: String::new(), ..self.clone() }
    }

    /// The same on another map.
    pub(super) fn map(&self, map: &str) -> Address {
        Address { map: map.to_owned(), ..self.clone() }
    }

    /// The same in a language.
    pub(super) fn lang(&self, lang: Lang) -> Address {
        Address { lang: lang.code().to_owned(), ..self.clone() }
    }

    /// The parameters that a page has a use for, in the order they are written in.
    pub(super) fn parameters(&self, page: Page) -> Vec<(&'static str, &str)> {
        let of_indicator = page.is_of_indicator();
        let on_its_page = page == Page::Indicator;
        let all = [
            ("programme", &self.programme, true),
            ("indicator", &self.indicator, of_indicator || page == Page::Coverage),
            ("unit", &self.unit, true),
            ("period", &self.period, true),
            ("breakdown", &self.breakdown, of_indicator),
            ("dimension", &self.dimension, on_its_page),
            ("map", &self.map, true),
            ("review", &self.review, true),
            ("show", &self.show, on_its_page),
            ("q", &self.q, page == Page::Find),
            ("lang", &self.lang, true),
        ];
        let used = all.into_iter().filter(|(_, value, used)| *used && !value.is_empty());
        used.map(|(name, value, _)| (name, value.as_str())).collect()
    }

    /// The address of a page.
    pub(super) fn href(&self, page: Page) -> String {
        written(page.path(), &self.parameters(page))
    }
}

/// A path with parameters.
pub(super) fn written(path: &str, parameters: &[(&'static str, &str)]) -> String {
    if parameters.is_empty() {
        return path.to_owned();
    }
    let mut query = Serializer::new(String::new());
    query.extend_pairs(parameters);
    format!("{path}?{}", query.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_holds_what_its_page_needs_and_nothing_else() {
        let address = Address {
            programme: "CTPH-09".into(),
            indicator: "tg02".into(),
            unit: "06".into(),
            period: "2013..2023".into(),
            breakdown: "reporter=cong-an|topic=a&b".into(),
            at_least: 7,
            ..Address::default()
        };
        assert_eq!(address.href(Page::Overview), "/?programme=CTPH-09&unit=06&period=2013..2023");
        assert_eq!(
            address.href(Page::Explain),
            "/explain?programme=CTPH-09&indicator=tg02&unit=06&period=2013..2023&breakdown=reporter%3Dcong-an%7Ctopic%3Da%26b"
        );
        assert_eq!(Address::default().href(Page::Find), "/find");
    }
}

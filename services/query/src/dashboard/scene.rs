//! What a page has at hand: who reads, what the address says, the registry, and the query to ask.

use std::sync::Arc;

use tonghop_access::Caller;
use tonghop_core::Date;
use tonghop_core::calendar::Calendar;
use tonghop_core::indicator::Indicator;
use tonghop_core::period::Period;
use tonghop_core::registry::{Registry, UnitLookup};
use tonghop_core::unit::UnitId;
use tonghop_proto::query as pb;
use tonghop_runtime::{Failure, FailureKind, Text};

use super::address::{Address, Page};
use super::locale::{Lang, vietnam};
use crate::{Query, ask};

/// The calendar that units and days of a page are read in where no indicator says another.
const CALENDAR: &str = "nd09";
/// Totals that one page asks for at most, over all pages of the answer.
const MOST_TOTALS: usize = 20_000;

/// What a page has at hand.
#[derive(Debug)]
pub(super) struct Scene {
    query: Arc<Query>,
    /// Who reads.
    pub(super) caller: Caller,
    /// Names, maps, calendars.
    pub(super) registry: Arc<Registry>,
    /// Which page it is.
    pub(super) page: Page,
    /// The address, with a unit and a period.
    pub(super) address: Address,
    /// The reader's language.
    pub(super) lang: Lang,
    /// The period.
    pub(super) period: Period,
    /// Its last day.
    pub(super) day: Date,
    /// To which map totals are restated.
    pub(super) map: Option<Date>,
    /// The unit.
    pub(super) unit: UnitId,
    /// Today.
    pub(super) today: Date,
    /// Up to where every answer on the page includes everything.
    pub(super) as_of: Option<pb::AsOf>,
}

impl Scene {
    /// Understands an address.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn of(
        query: Arc<Query>,
        caller: Caller,
        registry: Arc<Registry>,
        page: Page,
        address: Address,
        lang: Lang,
    ) -> Result<Scene, Failure> {
        let period = ask::period(&address.period)?;
        let map = ask::map(&address.map)?;
        if !address.programme.is_empty() && registry.programme(&address.programme).is_none() {
            let hint =
                Text::of("bỏ trống để xem các chỉ tiêu cốt lõi", "leave it out for the core indicators");
            return Err(ask::unknown_programme(&address.programme, hint));
        }
        let day = calendar(&registry)?.last_day(period);
        let unit = match registry.unit_on(&address.unit, map.unwrap_or(day)) {
            UnitLookup::Found(unit) => unit,
            UnitLookup::OtherTime(ids) => {
                let on = map.unwrap_or(day);
                return Err(ask::finding(
                    FailureKind::Unprocessable,
                    "unit_not_in_force",
                    "unit",
                    &address.unit,
                    Text::of(format!("đơn vị có hiệu lực vào ngày {on}"), format!("a unit in force on {on}")),
                    ask::text(registry.code_at_other_times(&ids, on)),
                ));
            }
            UnitLookup::Unknown => {
                return Err(ask::finding(
                    FailureKind::NotFound,
                    "unknown_unit",
                    "unit",
                    &address.unit,
                    ask::code_of_unit(),
                    Text::of("tìm theo tên đơn vị", "look for it by its name"),
                ));
            }
        };
        let today = vietnam(query.now()).date();
        Ok(Scene { query, caller, registry, page, address, lang, period, day, map, unit, today, as_of: None })
    }

    /// The query that answers.
    pub(super) fn query(&self) -> &Arc<Query> {
        &self.query
    }

    /// The day whose map the units of the page are of.
    pub(super) fn map_day(&self) -> Date {
        self.map.unwrap_or(self.day)
    }

    /// The units directly below the unit of the page.
    pub(super) fn below(&self) -> &[UnitId] {
        self.registry.map_on(self.map_day()).children(self.unit)
    }

    /// A unit's name, as it is called on the map of the page.
    pub(super) fn name(&self, unit: UnitId) -> &str {
        let unit = self.registry.unit(unit);
        unit.stage(self.map_day()).map_or(unit.name(), |stage| stage.name.as_str())
    }

    /// The indicator of the address.
    ///
    /// # Errors
    /// Where there is none of that code.
    pub(super) fn indicator(&self) -> Result<Arc<Indicator>, Failure> {
        ask::known_indicator(&self.registry, &self.address.indicator)
    }

    /// The name of an indicator in the reader's language.
    pub(super) fn indicator_name(&self, code: &str) -> String {
        match self.registry.indicator(code) {
            Some(indicator) => self.lang.of(&indicator.name_vi, &indicator.name_en).clone(),
            None => code.to_owned(),
        }
    }

    /// A breakdown in words: `Bên báo cáo: Công an`.
    pub(super) fn breakdown_in_words(&self, breakdown: &str) -> String {
        let parts = breakdown.split('|').filter_map(|part| part.split_once('='));
        let said = parts.map(|(dimension, member)| {
            let known = self.registry.dimension(dimension);
            let named = known.map_or(dimension, |d| self.lang.of(&d.name_vi, &d.name_en));
            let member = known
                .and_then(|d| d.member(member))
                .map_or(member, |m| self.lang.of(m.name_vi.as_str(), m.name_en.as_str()));
            format!("{named}: {member}")
        });
        said.collect::<Vec<_>>().join(" · ")
    }

    /// A request for the page's unit, period and map.
    pub(super) fn request(&self) -> pb::GetTotalsRequest {
        pb::GetTotalsRequest {
            unit: self.address.unit.clone(),
            period: self.address.period.clone(),
            map: self.address.map.clone(),
            at_least: self.address.at_least,
            review: self.address.review.clone(),
            ..pb::GetTotalsRequest::default()
        }
    }

    /// All totals of a request, page after page.
    ///
    /// # Errors
    /// Those of the request, or that it asks for too many.
    pub(super) async fn totals(
        &mut self,
        mut request: pb::GetTotalsRequest,
    ) -> Result<Vec<pb::Total>, Failure> {
        let mut all = Vec::new();
        loop {
            let answer = self.query.totals(&self.caller, &request).await?;
            self.include(answer.as_of);
            all.extend(answer.totals);
            if answer.next_page_token.is_empty() {
                return Ok(all);
            }
            if all.len() > MOST_TOTALS {
                let detail = Text::of(
                    format!("trang này sẽ hỏi hơn {MOST_TOTALS} số tổng hợp"),
                    format!("this page would ask for more than {MOST_TOTALS} totals"),
                );
                return Err(Failure::new(FailureKind::TooLarge, detail));
            }
            request.page_token = answer.next_page_token;
        }
    }

    /// An answer that the page shows: all of it is as of the earliest.
    pub(super) fn include(&mut self, as_of: Option<pb::AsOf>) {
        let Some(as_of) = as_of else { return };
        if self.as_of.as_ref().is_none_or(|known| as_of.position < known.position) {
            self.as_of = Some(as_of);
        }
    }

    /// The unit that is or was, on another day, what a unit of the page's map is: itself, or what it mostly went on as
    /// or came from; the nation where there is none.
    pub(super) fn counterpart(&self, unit: UnitId, day: Date) -> UnitId {
        let registry = &self.registry;
        let mut at = unit;
        // A chain of reforms is followed this far.
        for _ in 0..16 {
            let known = registry.unit(at);
            if known.in_force(day) {
                return at;
            }
            let goes_on = known.to() <= day;
            // Of several that went on whole, the one of the same code.
            let has_its_code = |other: UnitId| registry.unit(other).code == known.code;
            let next = if goes_on {
                let heirs = registry.successors(at).filter(|s| s.to != at);
                heirs.max_by_key(|s| (s.share, has_its_code(s.to))).map(|s| s.to)
            } else {
                let sources = registry.predecessors(at).filter(|s| s.from != at && s.day == known.from());
                sources.max_by_key(|s| (s.share, has_its_code(s.from))).map(|s| s.from)
            };
            match next {
                Some(next) => at = next,
                None => break,
            }
        }
        registry.nation()
    }

    /// The same view of another period, for the unit that then was or is.
    pub(super) fn at_period(&self, period: Period) -> Address {
        let map = self.map.filter(|map| *map >= self.last_day(period));
        let unit = self.counterpart(self.unit, map.unwrap_or_else(|| self.last_day(period)));
        let address = self.address.period(period).unit(&self.registry.unit(unit).code);
        address.map(&map.map(|m| m.to_string()).unwrap_or_default())
    }

    /// The same view on another map; none: as reported.
    pub(super) fn on_map(&self, map: Option<Date>) -> Address {
        let unit = self.counterpart(self.unit, map.unwrap_or(self.day));
        let address = self.address.unit(&self.registry.unit(unit).code);
        address.map(&map.map(|m| m.to_string()).unwrap_or_default())
    }

    /// The last day of a period.
    pub(super) fn last_day(&self, period: Period) -> Date {
        calendar(&self.registry).map_or(self.day, |calendar| calendar.last_day(period))
    }

    /// The name of a level.
    pub(super) fn level(&self, code: &str) -> String {
        let english = match code {
            "nation" => "Nation",
            "province" => "Province",
            "district" => "District",
            "commune" => "Commune",
            other => other,
        };
        let known = self.registry.levels().iter().find(|l| l.code == code);
        self.lang.of(known.map_or(code, |l| &l.name_vi), english).to_owned()
    }
}

/// The calendar of pages: that of the programmes, or the first there is.
pub(super) fn calendar(registry: &Registry) -> Result<&Calendar, Failure> {
    let known = registry.calendar(CALENDAR).or_else(|| registry.calendars().first());
    known.map(AsRef::as_ref).ok_or_else(|| Failure::internal("the registry has no calendar"))
}

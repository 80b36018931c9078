//! Every figure of a submission against the registry, with everything that is wrong in one answer.
//!
//! A submission is taken whole or not at all, and whoever sent it corrects it once. So a check goes on after
//! what it finds, and one mistake is one finding: what depends on a thing that is wrong is not complained of.
//!
//! A submission of many figures has few distinct texts; what is known of a text is kept.

mod alike;
mod breakdown;
mod closed;
mod named;
pub(crate) mod nearest;
mod part;
mod statement;
mod subject;
mod texts;
pub(crate) mod unit;
mod written;
mod yours;

use std::borrow::Cow;
use std::collections::HashMap;
use std::rc::Rc;

use jiff::Timestamp;
use tonghop_access::Grant;
use tonghop_core::figure::{Figure, Scope};
use tonghop_core::indicator::Indicator;
use tonghop_core::period::{Period, PeriodError};
use tonghop_core::registry::Registry;
use tonghop_core::unit::UnitId;
use tonghop_proto::record::AcceptedFigure;
use tonghop_runtime::{Finding, Got, Text};

use crate::alike::KINDS_AT_FIRST;
use crate::finding::{Code, Findings, Spot, finding, one_of, too_many_figures};
use crate::locks::Locks;
use crate::submission::{Field, Fields, Limits, Place, RawBreakdown, RawFigure, RawSubmission};
use breakdown::{Placed, Wrong};

pub use alike::{Accepted, accept, accept_from, accept_under};

/// A submission that may be taken.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Checked {
    /// Its figures, in the order given.
    pub figures: Vec<AcceptedFigure>,
    /// What is remarkable and does not hinder.
    pub warnings: Vec<Finding>,
}

/// Checks a submission of somebody who may report everything.
///
/// # Errors
/// Everything found wrong, first what was wrong in reading, then by figure. Of very many findings the first
/// [`Findings::LISTED`] are there, and a last one that says how many more.
pub fn check(registry: &Registry, raw: &RawSubmission, limits: &Limits) -> Result<Checked, Vec<Finding>> {
    check_from(&Grant::all(), registry, raw, limits)
}

/// [`check`]s a submission of somebody who may report for the units and sides of a grant only.
///
/// # Errors
/// As there; nothing that is found tells anything of units outside the grant, not even whether they are there.
pub fn check_from(
    grant: &Grant,
    registry: &Registry,
    raw: &RawSubmission,
    limits: &Limits,
) -> Result<Checked, Vec<Finding>> {
    check_under(&Under { grant, registry, locks: &Locks::default(), now: Timestamp::MIN }, raw, limits)
}

/// What a submission is checked under.
#[derive(Clone, Copy, Debug)]
pub struct Under<'r> {
    /// What may be reported.
    pub grant: &'r Grant,
    /// What its words mean.
    pub registry: &'r Registry,
    /// Periods that are closed.
    pub locks: &'r Locks,
    /// When it was received: some periods are open until a time.
    pub now: Timestamp,
}

/// [`check_from`] where periods may be closed.
///
/// # Errors
/// As there.
pub fn check_under(under: &Under<'_>, raw: &RawSubmission, limits: &Limits) -> Result<Checked, Vec<Finding>> {
    let registry = under.registry;
    let mut checker = Checker::new(*under, limits, raw.reading.clone());
    checker.warnings = raw.remarks.clone();
    checker.by_name = raw.by_name;
    checker.submission(raw);
    if raw.figures.len() > limits.max_figures {
        return Err(checker.findings.into_vec());
    }
    let mut figures = Vec::with_capacity(raw.figures.len());
    let mut parts = part::Parts::within_a_submission(registry);
    for raw in &raw.figures {
        if let Some(one) = checker.figure(raw) {
            if !one.tagged {
                part::note(&mut parts, &one.accepted.figure, &raw.place);
            }
            figures.push(one.accepted);
        }
    }
    part::check(parts, registry, &mut checker.findings, &mut checker.warnings);
    if !checker.findings.is_empty() {
        return Err(checker.findings.into_vec());
    }
    Ok(Checked { figures, warnings: checker.warnings.into_vec() })
}

/// What identifies a figure: unit, place of its breakdown in its series, period and scope.
type Key = (UnitId, u32, Period, Scope);

type ReadBreakdown = Result<Placed, Vec<Wrong>>;

/// A figure with which nothing is wrong by itself.
struct One<'r> {
    accepted: AcceptedFigure,
    indicator: &'r Indicator,
    /// The number of its place among all series.
    place: u32,
    /// Whether it is for a member of an overlapping dimension.
    tagged: bool,
}

struct Checker<'r, 'a> {
    /// What may be reported.
    grant: &'r Grant,
    registry: &'r Registry,
    under: Under<'r>,
    limits: &'a Limits,
    findings: Findings,
    warnings: Findings,
    indicators: HashMap<&'a str, Option<&'r Indicator>>,
    periods: HashMap<&'a str, Result<Period, PeriodError>>,
    /// By the indicator's code.
    breakdowns: HashMap<(&'r str, &'a RawBreakdown), Rc<ReadBreakdown>>,
    /// Numbers of places within series.
    places: HashMap<breakdown::Address, u32>,
    keys: HashMap<Key, &'a Place>,
    /// Whether names stand for codes.
    by_name: bool,
    /// Names of units, once one is asked for.
    unit_names: Option<Rc<named::UnitNames>>,
}

impl<'r, 'a> Checker<'r, 'a> {
    fn new(under: Under<'r>, limits: &'a Limits, findings: Findings) -> Checker<'r, 'a> {
        Checker {
            grant: under.grant,
            registry: under.registry,
            under,
            limits,
            findings,
            warnings: Findings::default(),
            indicators: HashMap::new(),
            periods: HashMap::new(),
            breakdowns: HashMap::new(),
            places: HashMap::new(),
            keys: HashMap::new(),
            by_name: false,
            unit_names: None,
        }
    }

    /// What concerns the submission as a whole.
    fn submission(&mut self, raw: &RawSubmission) {
        // Most submissions of a few figures have as many kinds of them.
        let kinds = raw.figures.len().min(KINDS_AT_FIRST);
        self.indicators.reserve(kinds);
        self.breakdowns.reserve(kinds);
        self.places.reserve(kinds);
        self.keys.reserve(kinds);
        let read = |key: &str| raw.reading.listed().iter().all(|f| f.path != key);
        if raw.source.is_empty() && read("source") {
            self.findings.add(|| {
                let expected = Text::of("hệ thống báo cáo", "the reporting system");
                let hint = Text::of(
                    "nêu tên hệ thống báo cáo, ví dụ congan-backan",
                    "name the system that reports, as congan-backan",
                );
                finding(Code::MissingField, Spot::path("source"), Got::nothing(), expected, hint)
            });
        }
        texts::check(&mut self.findings, || Spot::path("source"), &raw.source, self.limits.max_text);
        texts::check(&mut self.findings, || Spot::path("note"), &raw.note, self.limits.max_note);
        if raw.figures.is_empty() && raw.reading.is_empty() {
            self.findings.add(|| {
                let got = Text::of("không có số liệu nào", "no figures");
                let expected = Text::of("ít nhất một số liệu", "at least one figure");
                let hint = Text::of(
                    "chỉ gửi báo cáo khi có gì để báo cáo; số 0 cũng là một số liệu",
                    "send a submission when there is something to report; zero is a figure, too",
                );
                finding(Code::EmptySubmission, Spot::path("figures"), got, expected, hint)
            });
        }
        let (count, most) = (raw.figures.len(), self.limits.max_figures);
        if count > most {
            self.findings.add(|| {
                let got = Text::of(format!("{count} số liệu"), format!("{count} figures"));
                too_many_figures(got, most)
            });
        }
    }

    /// A figure; nothing where a finding says what is wrong with it.
    fn figure(&mut self, raw: &'a RawFigure) -> Option<One<'r>> {
        let bad = self.texts(raw);
        let indicator = self.indicator(raw, bad);
        let period = self.period(raw, bad);
        let scope = self.scope(raw, bad);
        let in_time = match (indicator, period) {
            (Some(indicator), Some(period)) => self.period_of(raw, indicator, period),
            _ => None,
        };
        let unit = self.unit(raw, bad, indicator, period, scope);
        let placed = self.breakdown(raw, bad, indicator).filter(|placed| self.of_your_sides(raw, placed));
        let programmes = self.programmes(raw, bad, indicator);
        if let (Some(unit), Some(placed), Some(period), Some(scope)) = (unit, &placed, in_time, scope) {
            self.once((unit, placed.number, period, scope), &raw.place);
        }
        if let (Some(unit), Some(indicator), Some(period)) = (unit, indicator, in_time) {
            self.closed(raw, indicator, unit, period);
        }
        let statement = self.statement(raw, bad, indicator);
        let (placed, indicator) = (placed?, indicator?);
        let figure = Figure {
            unit: unit?,
            indicator: indicator.code.clone(),
            breakdown: placed.breakdown,
            period: in_time?,
            scope: scope?,
            statement: statement?,
        };
        let unit_code = self.registry.unit(figure.unit).code.clone();
        let accepted = AcceptedFigure { figure, unit_code, programmes: programmes? };
        Some(One { accepted, indicator, place: placed.number, tagged: placed.tagged })
    }

    /// Texts that are too long or have control characters; whatever could not be read is with them.
    fn texts(&mut self, raw: &RawFigure) -> Fields {
        let mut bad = raw.unreadable;
        let short = self.limits.max_text;
        let note = self.limits.max_note;
        let place = &raw.place;
        let mut check = |field: Field, text: &str, most: usize| {
            if !texts::check(&mut self.findings, || place.at(field), text, most) {
                bad.insert(field);
            }
        };
        check(Field::Unit, &raw.unit, short);
        check(Field::Indicator, &raw.indicator, short);
        check(Field::Period, &raw.period, short);
        check(Field::Scope, &raw.scope, short);
        match &raw.breakdown {
            RawBreakdown::Text(text) => check(Field::Breakdown, text, note),
            RawBreakdown::Pairs(pairs) => {
                for (dimension, member) in pairs {
                    check(Field::Breakdown, dimension, short);
                    check(Field::Breakdown, member, short);
                }
            }
        }
        let optional = [
            (Field::Value, &raw.value, short),
            (Field::Qualifier, &raw.qualifier, short),
            (Field::NotAvailable, &raw.not_available, note),
            (Field::MapDate, &raw.map_date, short),
        ];
        for (field, text, most) in optional {
            check(field, text.as_deref().unwrap_or_default(), most);
        }
        for programme in &raw.programmes {
            check(Field::Programmes, programme, short);
        }
        bad
    }

    /// One submission says one thing of one key.
    fn once(&mut self, key: Key, place: &'a Place) {
        if let Some(first) = self.keys.insert(key, place) {
            self.keys.insert(key, first);
            self.findings.add(|| {
                let (place_vi, first_vi) = (place.in_vietnamese(), first.in_vietnamese());
                let got = Text::of(
                    format!("{place_vi} trùng đơn vị, chỉ tiêu, phân tổ, kỳ và phạm vi với {first_vi}"),
                    format!("{place} has the same unit, indicator, breakdown, period and scope as {first}"),
                );
                let expected = Text::of("mỗi khóa một số liệu", "one figure of one key");
                let hint = Text::of(
                    format!("giữ {first_vi} hoặc {place_vi}; muốn sửa số liệu thì gửi báo cáo sau"),
                    format!("keep {first} or {place}; a revision is a later submission"),
                );
                finding(Code::DuplicateFigure, place.whole(), got, expected, hint)
            });
        }
    }

    fn breakdown(
        &mut self,
        raw: &'a RawFigure,
        bad: Fields,
        indicator: Option<&'r Indicator>,
    ) -> Option<Placed> {
        if bad.has(Field::Breakdown) {
            return None;
        }
        let code = indicator.map_or("", |i| i.code.as_str());
        let known = match self.breakdowns.get(&(code, &raw.breakdown)) {
            Some(known) => Rc::clone(known),
            None => {
                let by_code = if self.by_name {
                    named::breakdown(self.registry, &raw.breakdown)
                } else {
                    Cow::Borrowed(&raw.breakdown)
                };
                let made = Rc::new(breakdown::read(self.registry, indicator, &by_code, &mut self.places));
                self.breakdowns.insert((code, &raw.breakdown), Rc::clone(&made));
                made
            }
        };
        match known.as_ref() {
            Ok(placed) => Some(placed.clone()),
            Err(all) => {
                for wrong in all {
                    self.findings.add(|| wrong.finding(raw));
                }
                None
            }
        }
    }

    fn programmes(
        &mut self,
        raw: &RawFigure,
        bad: Fields,
        indicator: Option<&Indicator>,
    ) -> Option<Vec<String>> {
        if bad.has(Field::Programmes) {
            return None;
        }
        let mut good = true;
        let mut codes: Vec<String> = Vec::new();
        let spot = || raw.place.at(Field::Programmes);
        for code in &raw.programmes {
            if self.registry.programme(code).is_none() {
                good = false;
                self.findings.add(|| {
                    let known: Vec<_> = self.registry.programmes().iter().map(|p| p.code.as_str()).collect();
                    let hint = Text::of(
                        "ghi mã của một chương trình có trong danh mục, hoặc bỏ trống: chương trình không thuộc khóa",
                        "write the code of a known programme, or leave it out: it is no part of the key",
                    );
                    let expected = one_of(&known);
                    finding(Code::UnknownProgramme, spot(), code, expected, hint)
                });
            } else if let Some(indicator) = indicator
                && !indicator.programmes.contains(code)
            {
                self.warnings.add(|| {
                    let (of, under) = (&indicator.code, indicator.programmes.join(", "));
                    let expected = match under.as_str() {
                        "" => Text::of(
                            format!("{of} không được báo cáo theo chương trình nào"),
                            format!("{of} is reported under no programme"),
                        ),
                        _ => Text::of(
                            format!("{of} được báo cáo theo {under}"),
                            format!("{of} is reported under {under}"),
                        ),
                    };
                    let hint = Text::of(
                        "số liệu vẫn được nhận và chương trình vẫn được ghi; hãy kiểm tra có đúng chương trình không",
                        "the figure is taken and the mark is kept; check that the programme is meant",
                    );
                    finding(Code::ProgrammeNotOfIndicator, spot(), code, expected, hint)
                });
            }
            if !codes.contains(code) {
                codes.push(code.clone());
            }
        }
        good.then_some(codes)
    }
}

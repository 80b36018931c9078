//! Figures in columns: what many figures have in common is there once.

use std::collections::HashMap;
use std::sync::Arc;

use tonghop_core::Date;
use tonghop_core::decimal::MAX_FIGURE;
use tonghop_core::dimension::Breakdown;
use tonghop_core::figure::{Figure, Scope, Statement};
use tonghop_core::indicator::Indicator;
use tonghop_core::period::Period;
use tonghop_core::quantity::Qualifier;
use tonghop_core::registry::{Registry, UnitLookup};
use tonghop_core::unit::UnitId;

use super::{AcceptedFigure, RecordError};

/// What a figure says, but for the value itself.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Said {
    /// A value, put so.
    Value(Qualifier),
    /// No value, with the reason.
    NotAvailable(String),
    /// The key goes back to missing.
    Withdrawn,
}

/// All that a figure is and says, but for its unit and its value. A submission has few of them.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Heading {
    /// Full code of the indicator.
    pub indicator: String,
    /// Dimensions and members.
    pub breakdown: Breakdown,
    /// The period, in the indicator's calendar.
    pub period: Period,
    /// The scope.
    pub scope: Scope,
    /// What is said.
    pub said: Said,
    /// Programmes it was reported under.
    pub programmes: Vec<String>,
}

/// The figures of one submission, in the order given: the `i`-th of each column speaks of the `i`-th figure.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Columns {
    units: Vec<String>,
    headings: Vec<Heading>,
    unit: Vec<u32>,
    heading: Vec<u32>,
    value: Vec<i64>,
}

impl Columns {
    /// From dictionaries and columns.
    ///
    /// # Errors
    /// Where the columns differ in length, point past their dictionary, or hold a value that no figure has: below
    /// zero, above [`MAX_FIGURE`], or other than zero under a heading without a value.
    pub fn new(
        units: Vec<String>,
        headings: Vec<Heading>,
        unit: Vec<u32>,
        heading: Vec<u32>,
        value: Vec<i64>,
    ) -> Result<Columns, RecordError> {
        if unit.len() != heading.len() || unit.len() != value.len() {
            return Err(RecordError::new("columns of different lengths"));
        }
        let past = |column: &[u32], words: usize| column.iter().find(|i| **i as usize >= words).copied();
        if let Some(i) = past(&unit, units.len()) {
            return Err(RecordError::new(format!("no unit {i}")));
        }
        if let Some(i) = past(&heading, headings.len()) {
            return Err(RecordError::new(format!("no heading {i}")));
        }
        let most: Vec<i64> =
            headings.iter().map(|h| if matches!(h.said, Said::Value(_)) { MAX_FIGURE } else { 0 }).collect();
        if let Some((value, _)) =
            value.iter().zip(&heading).find(|(v, h)| !(0..=most[**h as usize]).contains(*v))
        {
            return Err(RecordError::new(format!("the value {value}")));
        }
        Ok(Columns { units, headings, unit, heading, value })
    }

    /// From figures one by one.
    pub fn of(figures: &[AcceptedFigure]) -> Columns {
        let mut columns = Columns::default();
        let mut units: HashMap<&str, u32> = HashMap::new();
        let mut headings: HashMap<Heading, u32> = HashMap::new();
        for accepted in figures {
            let figure = &accepted.figure;
            let (said, value) = match &figure.statement {
                Statement::Value(value, qualifier) => (Said::Value(*qualifier), *value),
                Statement::NotAvailable(reason) => (Said::NotAvailable(reason.clone()), 0),
                Statement::Withdrawn => (Said::Withdrawn, 0),
            };
            let heading = Heading {
                indicator: figure.indicator.clone(),
                breakdown: figure.breakdown.clone(),
                period: figure.period,
                scope: figure.scope,
                said,
                programmes: accepted.programmes.clone(),
            };
            let unit = *units.entry(&accepted.unit_code).or_insert_with(|| {
                columns.units.push(accepted.unit_code.clone());
                columns.units.len() as u32 - 1
            });
            let heading = match headings.get(&heading) {
                Some(known) => *known,
                None => {
                    let next = columns.headings.len() as u32;
                    columns.headings.push(heading.clone());
                    headings.insert(heading, next);
                    next
                }
            };
            columns.unit.push(unit);
            columns.heading.push(heading);
            columns.value.push(value);
        }
        columns
    }

    /// How many figures.
    pub fn len(&self) -> usize {
        self.unit.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.unit.is_empty()
    }

    /// Codes of units as submitted: which unit a code is, the map of the period's last day says.
    pub fn units(&self) -> &[String] {
        &self.units
    }

    /// What [`Columns::heading`] points to.
    pub fn headings(&self) -> &[Heading] {
        &self.headings
    }

    /// Of each figure, its unit's place among [`Columns::units`].
    pub fn unit(&self) -> &[u32] {
        &self.unit
    }

    /// Of each figure, its heading's place among [`Columns::headings`].
    pub fn heading(&self) -> &[u32] {
        &self.heading
    }

    /// Of each figure, its value in units of the indicator's last decimal; 0 where its heading has none.
    pub fn value(&self) -> &[i64] {
        &self.value
    }

    /// The indicator of each heading.
    ///
    /// # Errors
    /// Where the registry does not know one.
    pub fn indicators<'r>(&self, registry: &'r Registry) -> Result<Vec<&'r Arc<Indicator>>, RecordError> {
        let known = |heading: &Heading| {
            registry
                .indicator(&heading.indicator)
                .ok_or_else(|| RecordError::new(format!("unknown indicator {:?}", heading.indicator)))
        };
        self.headings.iter().map(known).collect()
    }

    /// The unit of each figure, on the map of its period's last day; none where its code is no unit's on that day.
    ///
    /// # Errors
    /// Where the registry does not know an indicator.
    pub fn units_on(&self, registry: &Registry) -> Result<Vec<Option<UnitId>>, RecordError> {
        let indicators = self.indicators(registry)?;
        // Few days, most often one: a row of units for each.
        let mut days: Vec<Date> = Vec::new();
        let mut found: Vec<Vec<Option<UnitId>>> = Vec::new();
        let mut row_of = Vec::with_capacity(self.headings.len());
        for (heading, indicator) in self.headings.iter().zip(indicators) {
            let day = indicator.calendar.last_day(heading.period);
            let row = match days.iter().position(|d| *d == day) {
                Some(row) => row,
                None => {
                    let on_day = |code: &String| match registry.unit_on(code, day) {
                        UnitLookup::Found(unit) => Some(unit),
                        UnitLookup::Unknown | UnitLookup::OtherTime(_) => None,
                    };
                    days.push(day);
                    found.push(self.units.iter().map(on_day).collect());
                    days.len() - 1
                }
            };
            row_of.push(row);
        }
        let of = |(unit, heading): (&u32, &u32)| found[row_of[*heading as usize]][*unit as usize];
        Ok(self.unit.iter().zip(&self.heading).map(of).collect())
    }

    /// What the `i`-th figure says.
    ///
    /// # Panics
    /// Where there is no such figure.
    pub fn statement(&self, i: usize) -> Statement {
        match &self.headings[self.heading[i] as usize].said {
            Said::Value(qualifier) => Statement::Value(self.value[i], *qualifier),
            Said::NotAvailable(reason) => Statement::NotAvailable(reason.clone()),
            Said::Withdrawn => Statement::Withdrawn,
        }
    }

    /// The figures one by one, their units found on a registry; a figure whose code is no unit's on its day is left
    /// out: a registry that would leave one so is refused, unless the figure was withdrawn and says nothing any more.
    ///
    /// # Errors
    /// Where the registry does not know an indicator.
    pub fn figures(&self, registry: &Registry) -> Result<Vec<AcceptedFigure>, RecordError> {
        let units = self.units_on(registry)?;
        let figures = units.into_iter().enumerate().filter_map(|(i, unit)| {
            let heading = &self.headings[self.heading[i] as usize];
            Some(AcceptedFigure {
                figure: Figure {
                    unit: unit?,
                    indicator: heading.indicator.clone(),
                    breakdown: heading.breakdown.clone(),
                    period: heading.period,
                    scope: heading.scope,
                    statement: self.statement(i),
                },
                unit_code: self.units[self.unit[i] as usize].clone(),
                programmes: heading.programmes.clone(),
            })
        });
        Ok(figures.collect())
    }
}

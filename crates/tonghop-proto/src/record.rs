//! Submissions as the ledger keeps them for rolling up.

use std::collections::HashMap;

use prost::Message;
use tonghop_core::dimension::Breakdown;
use tonghop_core::figure::{Figure, Scope, Statement};
use tonghop_core::period::Period;
use tonghop_core::quantity::Qualifier;
use tonghop_core::registry::{Registry, UnitLookup};

use crate::ledger::SubmissionRecord;

/// A figure that passed every check, with the words it was submitted in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AcceptedFigure {
    /// The figure, its unit resolved.
    pub figure: Figure,
    /// The unit's code.
    pub unit_code: String,
    /// Programmes it was reported under.
    pub programmes: Vec<String>,
}

/// A record that makes no sense: the ledger is damaged, or another version wrote it.
#[derive(Debug, thiserror::Error)]
#[error("a submission record of the ledger makes no sense: {0}")]
pub struct RecordError(String);

/// Writes a record, figures in the order given.
pub fn encode(figures: &[AcceptedFigure]) -> Vec<u8> {
    let mut record = SubmissionRecord::default();
    let mut words: [HashMap<String, u32>; 6] = Default::default();
    fn word(seen: &mut HashMap<String, u32>, list: &mut Vec<String>, text: &str) -> u32 {
        if let Some(i) = seen.get(text) {
            return *i;
        }
        let i = list.len() as u32;
        seen.insert(text.to_owned(), i);
        list.push(text.to_owned());
        i
    }
    for accepted in figures {
        let figure = &accepted.figure;
        let [units, indicators, breakdowns, periods, reasons, programmes] = &mut words;
        record.unit.push(word(units, &mut record.units, &accepted.unit_code));
        record.indicator.push(word(indicators, &mut record.indicators, &figure.indicator));
        record.breakdown.push(word(breakdowns, &mut record.breakdowns, &figure.breakdown.to_string()));
        record.period.push(word(periods, &mut record.periods, &figure.period.to_string()));
        let (kind, qualifier, value) = match &figure.statement {
            Statement::Value(value, qualifier) => (0, *qualifier, value.unsigned_abs()),
            Statement::NotAvailable(reason) => {
                (1, Qualifier::Exact, u64::from(word(reasons, &mut record.reasons, reason)))
            }
            Statement::Withdrawn => (2, Qualifier::Exact, 0),
        };
        record.flags.push(kind + 4 * qualifier as u32 + 16 * u32::from(figure.scope == Scope::Territory));
        record.value.push(value);
        record.programme.push(match accepted.programmes.as_slice() {
            [] => 0,
            all => 1 + word(programmes, &mut record.programmes, &all.join("|")),
        });
    }
    record.encode_to_vec()
}

/// Reads a record. Units are found on the registry given, so that a registry loaded later moves figures to
/// where they belong. A figure whose code is no unit's on its day is left out: a registry that would leave one
/// so is refused, unless the figure was withdrawn and says nothing any more.
///
/// # Errors
/// Where the record is not what [`encode`] writes, or the registry does not know its indicators.
pub fn decode(registry: &Registry, bytes: &[u8]) -> Result<Vec<AcceptedFigure>, RecordError> {
    let record = SubmissionRecord::decode(bytes).map_err(|e| RecordError(e.to_string()))?;
    let parsed = |texts: &[String]| {
        texts
            .iter()
            .map(|t| Breakdown::parse(t).map_err(|e| RecordError(format!("breakdown {e:?}"))))
            .collect::<Result<Vec<_>, _>>()
    };
    let breakdowns = parsed(&record.breakdowns)?;
    let periods = record
        .periods
        .iter()
        .map(|t| Period::parse(t).map_err(|e| RecordError(format!("period {t:?}: {e}"))))
        .collect::<Result<Vec<_>, _>>()?;
    let indicators = record
        .indicators
        .iter()
        .map(|c| registry.indicator(c).ok_or_else(|| RecordError(format!("unknown indicator {c:?}"))))
        .collect::<Result<Vec<_>, _>>()?;
    let columns = [
        record.indicator.len(),
        record.breakdown.len(),
        record.period.len(),
        record.flags.len(),
        record.value.len(),
        record.programme.len(),
    ];
    if columns.iter().any(|n| *n != record.unit.len()) {
        return Err(RecordError("columns of different lengths".into()));
    }
    fn at<T>(list: &[T], i: u32) -> Result<&T, RecordError> {
        list.get(i as usize).ok_or_else(|| RecordError(format!("no word {i}")))
    }
    let figures = (0..record.unit.len()).map(|i| {
        let unit_code = at(&record.units, record.unit[i])?;
        let indicator = at(&indicators, record.indicator[i])?;
        let period = *at(&periods, record.period[i])?;
        let day = indicator.calendar.last_day(period);
        let UnitLookup::Found(unit) = registry.unit_on(unit_code, day) else {
            return Ok(None);
        };
        let flags = record.flags[i];
        let qualifier = [Qualifier::Exact, Qualifier::AtLeast, Qualifier::AtMost, Qualifier::About]
            [(flags / 4 % 4) as usize];
        let statement = match flags % 4 {
            0 => Statement::Value(
                i64::try_from(record.value[i]).map_err(|_| RecordError("a value too large".into()))?,
                qualifier,
            ),
            1 => Statement::NotAvailable(at(&record.reasons, record.value[i] as u32)?.clone()),
            2 => Statement::Withdrawn,
            _ => return Err(RecordError("an unknown kind of statement".into())),
        };
        Ok(Some(AcceptedFigure {
            figure: Figure {
                unit,
                indicator: indicator.code.clone(),
                breakdown: at(&breakdowns, record.breakdown[i])?.clone(),
                period,
                scope: if flags / 16 == 1 { Scope::Territory } else { Scope::Own },
                statement,
            },
            unit_code: unit_code.clone(),
            programmes: match record.programme[i] {
                0 => vec![],
                n => at(&record.programmes, n - 1)?.split('|').map(str::to_owned).collect(),
            },
        }))
    });
    figures.filter_map(Result::transpose).collect()
}

//! The first version of a record: a protobuf message of columns with dictionaries.

use std::collections::HashMap;

use prost::Message;
use tonghop_core::dimension::Breakdown;
use tonghop_core::figure::Scope;
use tonghop_core::period::Period;
use tonghop_core::quantity::Qualifier;

use super::RecordError;
use super::columns::{Columns, Heading, Said};
use crate::ledger::SubmissionRecord;

/// Writes a record of the first version.
pub(super) fn encode(columns: &Columns) -> Vec<u8> {
    let mut record = SubmissionRecord { units: columns.units().to_vec(), ..SubmissionRecord::default() };
    let mut words: [HashMap<String, u32>; 5] = Default::default();
    fn word(seen: &mut HashMap<String, u32>, list: &mut Vec<String>, text: String) -> u32 {
        *seen.entry(text).or_insert_with_key(|text| {
            list.push(text.clone());
            list.len() as u32 - 1
        })
    }
    struct Numbers {
        indicator: u32,
        breakdown: u32,
        period: u32,
        flags: u32,
        reason: Option<u32>,
        programme: u32,
    }
    let mut numbers = Vec::with_capacity(columns.headings().len());
    for heading in columns.headings() {
        let [indicators, breakdowns, periods, reasons, programmes] = &mut words;
        let (kind, qualifier, reason) = match &heading.said {
            Said::Value(qualifier) => (0, *qualifier, None),
            Said::NotAvailable(reason) => {
                (1, Qualifier::Exact, Some(word(reasons, &mut record.reasons, reason.clone())))
            }
            Said::Withdrawn => (2, Qualifier::Exact, None),
        };
        numbers.push(Numbers {
            indicator: word(indicators, &mut record.indicators, heading.indicator.clone()),
            breakdown: word(breakdowns, &mut record.breakdowns, heading.breakdown.to_string()),
            period: word(periods, &mut record.periods, heading.period.to_string()),
            flags: kind + 4 * qualifier as u32 + 16 * u32::from(heading.scope == Scope::Territory),
            reason,
            programme: match heading.programmes.as_slice() {
                [] => 0,
                all => 1 + word(programmes, &mut record.programmes, all.join("|")),
            },
        });
    }
    record.unit = columns.unit().to_vec();
    for (heading, value) in columns.heading().iter().zip(columns.value()) {
        let of = &numbers[*heading as usize];
        record.indicator.push(of.indicator);
        record.breakdown.push(of.breakdown);
        record.period.push(of.period);
        record.flags.push(of.flags);
        record.value.push(of.reason.map_or(value.unsigned_abs(), u64::from));
        record.programme.push(of.programme);
    }
    record.encode_to_vec()
}

/// Reads a record of the first version.
pub(super) fn decode(bytes: &[u8]) -> Result<Columns, RecordError> {
    let record = SubmissionRecord::decode(bytes).map_err(|e| RecordError::new(e.to_string()))?;
    let breakdowns = record
        .breakdowns
        .iter()
        .map(|t| Breakdown::parse(t).map_err(|e| RecordError::new(format!("breakdown {e:?}"))))
        .collect::<Result<Vec<_>, _>>()?;
    let periods = record
        .periods
        .iter()
        .map(|t| Period::parse(t).map_err(|e| RecordError::new(format!("period {t:?}: {e}"))))
        .collect::<Result<Vec<_>, _>>()?;
    let lengths = [
        record.indicator.len(),
        record.breakdown.len(),
        record.period.len(),
        record.flags.len(),
        record.value.len(),
        record.programme.len(),
    ];
    if lengths.iter().any(|n| *n != record.unit.len()) {
        return Err(RecordError::new("columns of different lengths"));
    }
    fn at<T>(list: &[T], i: u64) -> Result<&T, RecordError> {
        let word = usize::try_from(i).ok().and_then(|i| list.get(i));
        word.ok_or_else(|| RecordError::new(format!("no word {i}")))
    }
    let mut headings = Vec::new();
    let mut known: HashMap<[u64; 6], u32> = HashMap::new();
    let mut heading_of = Vec::with_capacity(record.unit.len());
    let mut values = Vec::with_capacity(record.unit.len());
    for i in 0..record.unit.len() {
        let flags = record.flags[i];
        let reason = if flags % 4 == 1 { record.value[i] } else { 0 };
        let key = [
            record.indicator[i].into(),
            record.breakdown[i].into(),
            record.period[i].into(),
            flags.into(),
            record.programme[i].into(),
            reason,
        ];
        let number = match known.get(&key) {
            Some(number) => *number,
            None => {
                let qualifier = [Qualifier::Exact, Qualifier::AtLeast, Qualifier::AtMost, Qualifier::About]
                    [(flags / 4 % 4) as usize];
                headings.push(Heading {
                    indicator: at(&record.indicators, key[0])?.clone(),
                    breakdown: at(&breakdowns, key[1])?.clone(),
                    period: *at(&periods, key[2])?,
                    scope: if flags / 16 == 1 { Scope::Territory } else { Scope::Own },
                    said: match flags % 4 {
                        0 => Said::Value(qualifier),
                        1 => Said::NotAvailable(at(&record.reasons, reason)?.clone()),
                        2 => Said::Withdrawn,
                        _ => return Err(RecordError::new("an unknown kind of statement")),
                    },
                    programmes: match record.programme[i] {
                        0 => vec![],
                        n => {
                            let joined = at(&record.programmes, u64::from(n) - 1)?;
                            joined.split('|').map(str::to_owned).collect()
                        }
                    },
                });
                let number = headings.len() as u32 - 1;
                known.insert(key, number);
                number
            }
        };
        heading_of.push(number);
        values.push(if flags % 4 == 0 {
            i64::try_from(record.value[i]).map_err(|_| RecordError::new("a value too large"))?
        } else {
            0
        });
    }
    Columns::new(record.units, headings, record.unit, heading_of, values)
}

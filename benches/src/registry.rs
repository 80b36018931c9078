//! The registry that is measured with: the units, calendars and dimensions that ship, and indicators of our own.
//!
//! The catalogue that ships has four counts that communes report by the month. A national month of 120 counts needs
//! 120: simple flows, collected monthly of each commune, without breakdowns.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::path::Path;

use crate::Outcome;
use crate::figures::indicator;

/// Of what ships, as it is.
const KEPT: [&str; 7] = [
    "levels.csv",
    "units.csv",
    "successions.csv",
    "calendars.csv",
    "dimensions.csv",
    "dimension_members.csv",
    "programmes.csv",
];
/// The programme that all indicators are of.
pub(crate) const PROGRAMME: &str = "CTPH-07";

/// Its tables.
pub(crate) fn tables(shipped: &Path, indicators: usize) -> Outcome<HashMap<String, Vec<u8>>> {
    let mut tables = HashMap::new();
    for name in KEPT {
        let path = shipped.join(name);
        let bytes = std::fs::read(&path).map_err(|e| format!("{}: {e}", path.display()))?;
        tables.insert(name.to_owned(), bytes);
    }
    let mut rows = String::from(
        "code,name_vi,name_en,unit_vi,unit_en,decimals,kind,numerator,denominator,numerator_is_part,\
         collection_level,frequency,calendar,reporter_overlap,reporters,dimensions,precedence,programmes,\
         valid_from,valid_to,core,aggregable,from_map,sensitivity\n",
    );
    for at in 0..indicators {
        let code = indicator(at);
        writeln!(
            rows,
            "{code},Số liệu thử {at} (SYNTHETIC),Synthetic count {at},lượt,count,0,flow,,,,commune,month,nd09,\
             single,,,bottom_up,{PROGRAMME},,,true,sum,false,public"
        )
        .map_err(|e| e.to_string())?;
    }
    tables.insert("indicators.csv".to_owned(), rows.into_bytes());
    Ok(tables)
}

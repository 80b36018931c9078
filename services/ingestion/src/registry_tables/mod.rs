//! The registry, or a reform of it, out of CSV tables.
//!
//! A registry is loaded as the files that people keep it in: one table a kind of thing, further columns and
//! files for people passed over. A reform is what changes on the map. Here cells become messages; what they mean together is
//! [`registry_draft::draft`](tonghop_proto::registry_draft::draft)'s and
//! [`Registry::build`](tonghop_core::registry::Registry::build)'s to say.

mod cells;
mod rows;

use std::collections::BTreeMap;

use tonghop_proto::registry as pb;
use tonghop_runtime::{Finding, Text};

use crate::csv_form::table::{Row, Table};
use crate::finding::{Code, Findings, Spot, finding, shown};
use cells::Cells;

/// What tables say.
#[derive(Clone, Debug, PartialEq)]
pub enum Given {
    /// A whole registry, with a reform put on it where `changes.csv` is among its tables.
    Whole(Box<pb::Registry>, Option<pb::Reform>),
    /// A reform of the registry that is there.
    Reform(pb::Reform),
}

/// Tables of a whole registry, all needed, and of a reform.
const WHOLE: [&str; 8] = [
    "levels.csv",
    "units.csv",
    "successions.csv",
    "calendars.csv",
    "dimensions.csv",
    "dimension_members.csv",
    "indicators.csv",
    "programmes.csv",
];
/// A table that a registry can do without.
const PLAUSIBILITY: &str = "plausibility.csv";
const REFORM: [&str; 3] = ["changes.csv", "successions.csv", "levels.csv"];

/// Reads the tables, by file name. With a `units.csv` they are a whole registry: `levels.csv`, `units.csv`,
/// `successions.csv`, `calendars.csv`, `dimensions.csv`, `dimension_members.csv`, `indicators.csv`,
/// `programmes.csv`, and perhaps `plausibility.csv`, `regimes.csv` and `changes.csv`. Without it `changes.csv` is a reform, with `successions.csv`
/// where something goes on as something else and `levels.csv` where there are new ones.
///
/// Shares are read exactly, into millionths. Dates and codes stay as written.
///
/// # Errors
/// Everything that cannot be read, with the file's name as path, and its line and column.
pub fn read(tables: &BTreeMap<String, Vec<u8>>) -> Result<Given, Vec<Finding>> {
    let mut reader = Reader { tables, findings: Findings::default() };
    let given = if tables.contains_key("changes.csv") && !tables.contains_key("units.csv") {
        for name in WHOLE
            .into_iter()
            .chain(["regimes.csv"])
            .filter(|n| tables.contains_key(*n) && !REFORM.contains(n))
        {
            reader.findings.add(|| {
                let tables = REFORM.join(", ");
                let got = Text::of("một bảng của danh mục đầy đủ", "a table of a whole registry");
                let expected = Text::of(
                    format!("chỉ {tables} của một đợt sắp xếp"),
                    format!("nothing but {tables} of a reform"),
                );
                let hint = Text::of(
                    "bỏ bảng này, hoặc nạp tất cả các bảng của danh mục, có cả units.csv",
                    "leave it out, or load all tables of the registry with units.csv among them",
                );
                finding(Code::UnexpectedTable, Spot::path(name), got, expected, hint)
            });
        }
        Given::Reform(reader.reform(&["successions.csv", "levels.csv"]))
    } else {
        let registry = reader.whole();
        let reform = tables.contains_key("changes.csv").then(|| reader.reform(&[]));
        Given::Whole(Box::new(registry), reform)
    };
    if reader.findings.is_empty() { Ok(given) } else { Err(reader.findings.into_vec()) }
}

struct Reader<'t> {
    tables: &'t BTreeMap<String, Vec<u8>>,
    findings: Findings,
}

impl Reader<'_> {
    fn whole(&mut self) -> pb::Registry {
        let mut registry = pb::Registry {
            levels: self.levels(),
            units: self.table(
                "units.csv",
                &["code", "level", "name", "kind", "parent_code", "valid_from", "valid_to"],
                rows::unit,
            ),
            successions: self.successions(),
            calendars: self.table(
                "calendars.csv",
                &["code", "name_vi", "year_start_month_day", "month_start_day", "year_only"],
                rows::calendar,
            ),
            dimensions: self.table(
                "dimensions.csv",
                &["code", "name_vi", "name_en", "kind"],
                rows::dimension,
            ),
            indicators: self.table("indicators.csv", &rows::INDICATOR, rows::indicator),
            programmes: self.table("programmes.csv", &["code", "title_vi", "title_en"], rows::programme),
            plausibility: match self.tables.contains_key(PLAUSIBILITY) {
                true => {
                    self.table(PLAUSIBILITY, &["code", "expression", "severity", "note"], rows::plausibility)
                }
                false => vec![],
            },
            regimes: self.regimes(),
        };
        let columns = ["dimension", "code", "name_vi", "name_en"];
        let no_dimensions = registry.dimensions.is_empty();
        self.table("dimension_members.csv", &columns, |cells| {
            let (dimension, member) = rows::member(cells);
            let known = registry.dimensions.iter_mut().find(|d| d.code == dimension);
            match known {
                Some(known) => known.members.push(member),
                // Without the table itself that is what is missing, not its every row.
                None if no_dimensions => {}
                None => cells.wrong(
                    Code::UnknownDimension,
                    "dimension",
                    &dimension,
                    Text::of(
                        "mã của một tiêu thức phân tổ trong dimensions.csv",
                        "the code of a dimension of dimensions.csv",
                    ),
                    Text::of(
                        "thêm tiêu thức phân tổ vào đó, hoặc sửa mã",
                        "add the dimension there, or correct the code",
                    ),
                ),
            }
            (Some(format!("{dimension}={}", cells.text("code"))), ())
        });
        registry
    }

    /// `regimes.csv`, which a registry can do without.
    fn regimes(&mut self) -> Vec<pb::Regime> {
        match self.tables.contains_key("regimes.csv") {
            true => self.table("regimes.csv", &rows::REGIME, rows::regime),
            false => vec![],
        }
    }

    /// `changes.csv`, and those of its further tables that are there.
    fn reform(&mut self, further: &[&str]) -> pb::Reform {
        let has = |reader: &Self, name| further.contains(&name) && reader.tables.contains_key(name);
        pb::Reform {
            changes: self.table(
                "changes.csv",
                &["date", "change", "code", "level", "name", "kind", "parent_code"],
                rows::change,
            ),
            successions: if has(self, "successions.csv") { self.successions() } else { vec![] },
            levels: if has(self, "levels.csv") { self.levels() } else { vec![] },
        }
    }

    fn levels(&mut self) -> Vec<pb::Level> {
        self.table("levels.csv", &["code", "name_vi"], rows::level)
    }

    fn successions(&mut self) -> Vec<pb::Succession> {
        let columns = ["date", "from_code", "to_code", "share", "basis"];
        self.table("successions.csv", &columns, rows::succession)
    }

    /// Reads a table row by row. `make` answers with the row's key, which no other row has, where it has one.
    fn table<T>(
        &mut self,
        name: &str,
        columns: &[&str],
        mut make: impl FnMut(&mut Cells<'_>) -> (Option<String>, T),
    ) -> Vec<T> {
        let Some(bytes) = self.tables.get(name) else {
            self.findings.add(|| {
                let got = Text::of("không có tệp này", "no such file");
                let expected = Text::of(format!("bảng {name}"), format!("the table {name}"));
                let hint = Text::of(
                    "gửi cùng lúc tất cả các bảng của danh mục: mỗi lần nạp là đầy đủ",
                    "send all tables of the registry together: a load is complete",
                );
                finding(Code::MissingTable, Spot::path(name), got, expected, hint)
            });
            return vec![];
        };
        let Some(table) = Table::open(name, bytes, b',', columns, &[], &mut self.findings) else {
            return vec![];
        };
        let mut rows = Vec::new();
        let mut lines: BTreeMap<String, u32> = BTreeMap::new();
        table.each_row(&mut self.findings, |row, findings| {
            let (key, made) = make(&mut Cells::new(&row, findings));
            if let Some(key) = key {
                twice(&row, columns, key, &mut lines, findings);
            }
            rows.push(made);
            true
        });
        rows
    }
}

fn twice(
    row: &Row<'_>,
    columns: &[&str],
    key: String,
    lines: &mut BTreeMap<String, u32>,
    findings: &mut Findings,
) {
    let Some(first) = lines.get(&key) else {
        lines.insert(key, row.line);
        return;
    };
    findings.add(|| {
        let key = shown(&key);
        let got = Text::of(
            format!("{key}, đã có ở dòng {first}"),
            format!("{key}, which is in line {first} already"),
        );
        let spot = row.spot(columns.first().copied().unwrap_or_default());
        let expected = Text::of("mỗi khóa một lần", "every key once");
        let hint = Text::of("chỉ giữ một trong hai dòng", "keep one of the two rows");
        finding(Code::DuplicateRow, spot, got, expected, hint)
    });
}

//! A table of figures, a row for each revision.

use std::borrow::Cow;

use serde_json::Value;
use tonghop_proto::json;
use tonghop_proto::query::FigureRevision;

use crate::about::About;
use crate::column::Kind::{Count, Decimal, Flag, Text, Time};
use crate::column::{Cell, Column, Row, column};

impl Row for FigureRevision {
    const NAME: &'static str = "figures";

    const COLUMNS: &'static [Column] = &[
        column("unit_code", Text, "Mã đơn vị", "Unit code"),
        column("unit_name", Text, "Đơn vị hành chính", "Unit"),
        column("level", Text, "Cấp", "Level"),
        column("indicator", Text, "Mã chỉ tiêu", "Indicator code"),
        column("indicator_name", Text, "Chỉ tiêu", "Indicator"),
        column("breakdown", Text, "Phân tổ", "Breakdown"),
        column("period", Text, "Kỳ báo cáo", "Period"),
        column("scope", Text, "Phạm vi", "Scope"),
        column("value", Decimal, "Giá trị", "Value"),
        column("qualifier", Text, "Mức chính xác", "Qualifier"),
        column("not_available", Text, "Vì sao không có số liệu", "Why it is not available"),
        column("withdrawn", Flag, "Đã rút", "Withdrawn"),
        column("current", Flag, "Đang có hiệu lực", "Stands now"),
        column("programmes", Text, "Chương trình", "Programmes"),
        column("position", Count, "Vị trí của báo cáo trong sổ cái", "Ledger position of its submission"),
        column("submission", Text, "Mã báo cáo", "Submission"),
        column("source", Text, "Hệ thống gửi", "Source"),
        column("received_at", Time, "Nhận lúc", "Received at"),
        column("digest", Text, "Mã băm của sổ cái", "Ledger digest"),
        column("as_of", Count, "Vị trí trong sổ cái", "Ledger position"),
    ];

    fn cells<'a>(&'a self, about: &'a About) -> Vec<Cell<'a>> {
        let (code, name, level) = match &self.unit {
            Some(unit) => (unit.code.as_str(), unit.name.as_str(), unit.level.as_str()),
            None => ("", "", ""),
        };
        let programmes = match self.programmes.as_slice() {
            [] => Cell::Nothing,
            [one] => Cell::text(one),
            more => Cell::Text(Cow::Owned(more.join("|"))),
        };
        vec![
            Cell::text(code),
            Cell::text(name),
            Cell::text(level),
            Cell::text(&self.indicator),
            Cell::text(about.name(&self.indicator)),
            Cell::text(&self.breakdown),
            Cell::text(&self.period),
            Cell::text(&self.scope),
            Cell::some(self.value.as_ref()),
            Cell::text(&self.qualifier),
            Cell::text(&self.not_available_reason),
            Cell::Flag(self.withdrawn),
            Cell::Flag(self.current),
            programmes,
            Cell::Count(self.position),
            Cell::text(&self.submission),
            Cell::text(&self.source),
            Cell::text(&self.received_at),
            Cell::text(&self.digest),
            Cell::Count(about.position),
        ]
    }

    fn json(&self) -> Value {
        json::revision(self)
    }
}

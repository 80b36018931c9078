//! A table of totals.

use serde_json::Value;
use tonghop_proto::json;
use tonghop_proto::query::{Comparison, Rank, Total};

use crate::about::About;
use crate::column::Kind::{Count, Day, Decimal, Flag, Percent, Side, Text};
use crate::column::{Cell, Column, Row, column};

impl Row for Total {
    const NAME: &'static str = "totals";

    const COLUMNS: &'static [Column] = &[
        column("unit_code", Text, "Mã đơn vị", "Unit code"),
        column("unit_name", Text, "Đơn vị hành chính", "Unit"),
        column("level", Text, "Cấp", "Level"),
        column("indicator", Text, "Mã chỉ tiêu", "Indicator code"),
        column("indicator_name", Text, "Chỉ tiêu", "Indicator"),
        column("breakdown", Text, "Phân tổ", "Breakdown"),
        column("period", Text, "Kỳ báo cáo", "Period"),
        column("map", Text, "Bản đồ hành chính", "Map"),
        column("value", Decimal, "Giá trị", "Value"),
        column("unit_of_measure", Text, "Đơn vị tính", "Unit of measure"),
        column("reason", Text, "Vì sao không có giá trị", "Why there is no value"),
        column("refused", Text, "Vì sao không trả lời được", "Why it is not answered"),
        column("qualifier", Text, "Mức chính xác", "Qualifier"),
        column("exact_part", Decimal, "Phần chính xác", "Exact part"),
        column("basis", Text, "Căn cứ", "Basis"),
        column("parts", Decimal, "Cộng từ các phần", "Sum of parts"),
        column("whole", Decimal, "Số khai cho toàn đơn vị", "Declared whole"),
        column("difference", Decimal, "Chênh lệch", "Difference"),
        column("reported", Count, "Số ô đã báo cáo", "Cells reported"),
        column("covered", Count, "Số ô đã có trong số tổng hợp", "Cells covered"),
        column("expected", Count, "Số ô phải có", "Cells expected"),
        column("unavailable", Count, "Số ô không có số liệu", "Cells not available"),
        column("approved", Count, "Số ô có số liệu đã duyệt", "Cells of approved figures"),
        column("oldest", Day, "Ngày số liệu cũ nhất", "Oldest date in it"),
        column("newest", Day, "Ngày số liệu mới nhất", "Newest date in it"),
        column("numerator", Side, "Tử số", "Numerator"),
        column("denominator", Side, "Mẫu số", "Denominator"),
        column("map_from", Day, "Bản đồ có từ ngày", "Map since"),
        column("break", Flag, "Địa giới khác kỳ trước", "Territory differs from the point before"),
        column("estimated", Flag, "Có phần ước tính theo tỷ lệ", "Estimated by shares"),
        column("carried", Flag, "Có số liệu của bản đồ trước", "Carried from the map before"),
        column("previous_period", Text, "Kỳ trước", "Period before"),
        column("previous_value", Decimal, "Giá trị kỳ trước", "Value of the period before"),
        column(
            "previous_difference",
            Decimal,
            "Tăng giảm so với kỳ trước",
            "Difference from the period before",
        ),
        column("previous_change_percent", Percent, "% so với kỳ trước", "Change from the period before, %"),
        column(
            "previous_not_comparable",
            Text,
            "Vì sao không so được với kỳ trước",
            "Why not comparable with it",
        ),
        column("last_year_period", Text, "Cùng kỳ năm trước", "Same period of last year"),
        column("last_year_value", Decimal, "Giá trị cùng kỳ năm trước", "Value of last year"),
        column("last_year_difference", Decimal, "Tăng giảm so với cùng kỳ", "Difference from last year"),
        column("last_year_change_percent", Percent, "% so với cùng kỳ", "Change from last year, %"),
        column(
            "last_year_not_comparable",
            Text,
            "Vì sao không so được với cùng kỳ",
            "Why not comparable with last year",
        ),
        column("share_percent", Percent, "% của cả nước", "Share of the nation, %"),
        column("share_of", Decimal, "Giá trị cả nước", "Value of the nation"),
        column("share_not_comparable", Text, "Vì sao không tính được tỷ trọng", "Why there is no share"),
        column("rank_place", Count, "Thứ hạng", "Place"),
        column("rank_of", Count, "Trong số đơn vị có giá trị", "Among units with a value"),
        column("rank_peers", Count, "Số đơn vị cùng cấp", "Units of its level"),
        column("as_of", Count, "Vị trí trong sổ cái", "Ledger position"),
    ];

    fn cells<'a>(&'a self, about: &'a About) -> Vec<Cell<'a>> {
        let (code, name, level) = match &self.unit {
            Some(unit) => (unit.code.as_str(), unit.name.as_str(), unit.level.as_str()),
            None => ("", "", ""),
        };
        let mut cells = vec![
            Cell::text(code),
            Cell::text(name),
            Cell::text(level),
            Cell::text(&self.indicator),
            Cell::text(about.name(&self.indicator)),
            Cell::text(&self.breakdown),
            Cell::text(&self.period),
            Cell::text(&self.map),
            Cell::some(self.value.as_ref()),
            Cell::text(about.language.of(&self.unit_of_measure_vi, &self.unit_of_measure_en)),
            Cell::text(&self.reason),
            Cell::text(&self.refused),
            Cell::text(&self.qualifier),
            Cell::some(self.exact_part.as_ref()),
            Cell::text(&self.basis),
            Cell::some(self.parts.as_ref()),
            Cell::some(self.whole.as_ref()),
            Cell::some(self.difference.as_ref()),
            Cell::count(self.reported),
            Cell::count(self.covered),
            Cell::count(self.expected),
            Cell::count(self.unavailable),
            self.approved.map_or(Cell::Nothing, Cell::count),
            Cell::text(&self.oldest),
            Cell::text(&self.newest),
            Cell::some(self.numerator.as_ref()),
            Cell::some(self.denominator.as_ref()),
            Cell::text(&self.map_from),
            Cell::Flag(self.territory_break),
            Cell::Flag(self.estimated),
            Cell::Flag(self.carried),
        ];
        for with in ["previous", "last_year"] {
            cells.extend(compared(self.compared.iter().find(|c| c.with == with)));
        }
        let (share, rank) = (self.share.as_ref(), self.rank.as_ref());
        let place = |rank: &Rank| rank.place.map_or(Cell::Nothing, |place| Cell::count(place.into()));
        cells.extend([
            Cell::some(share.and_then(|s| s.percent.as_ref())),
            Cell::some(share.and_then(|s| s.of.as_ref())),
            Cell::text(share.map_or("", |s| &s.not_comparable)),
            rank.map_or(Cell::Nothing, place),
            rank.map_or(Cell::Nothing, |r| Cell::count(r.of.into())),
            rank.map_or(Cell::Nothing, |r| Cell::count(r.peers.into())),
            Cell::Count(about.position),
        ]);
        cells
    }

    fn json(&self) -> Value {
        json::total(self)
    }
}

/// A total beside the same of another period: five cells.
fn compared(comparison: Option<&Comparison>) -> [Cell<'_>; 5] {
    let Some(comparison) = comparison else { return [const { Cell::Nothing }; 5] };
    [
        Cell::text(&comparison.period),
        Cell::some(comparison.value.as_ref()),
        Cell::some(comparison.difference.as_ref()),
        Cell::some(comparison.change_percent.as_ref()),
        Cell::text(&comparison.not_comparable),
    ]
}

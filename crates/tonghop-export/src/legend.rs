//! What the codes in a table mean, in both languages; the standard terms are those of `docs/semantics.md`.

use crate::about::Language;

/// A word of a table and its meaning: code, Vietnamese, English.
type Meaning = (&'static str, &'static str, &'static str);

/// What stands over a group of words, and the words.
pub(crate) const LEGEND: [(&str, &str, &[Meaning]); 5] = [
    (
        "Mức chính xác",
        "Qualifier",
        &[
            ("exact", "đúng như nguồn báo cáo", "as the source counted it"),
            (
                "at_least",
                "trên, hơn, ít nhất: không thấp hơn giá trị này",
                "over, at least: not below the value",
            ),
            ("at_most", "gần, dưới: không cao hơn giá trị này", "nearly, under: not above the value"),
            ("about", "khoảng, xấp xỉ; hoặc gộp cả trên và dưới", "about; or both over and under in one sum"),
        ],
    ),
    (
        "Căn cứ",
        "Basis",
        &[
            (
                "reported",
                "chính đơn vị thu thập báo cáo cho cả kỳ",
                "the collecting unit reported it for the whole period",
            ),
            (
                "declared",
                "đơn vị khai cho toàn địa bàn, gồm cả cấp dưới",
                "the unit declared it for its whole territory",
            ),
            ("computed", "cộng từ các phần, đủ mọi ô", "summed from parts that cover all cells"),
            (
                "partial",
                "cộng từ các phần, CHƯA ĐỦ: xem số ô",
                "summed from parts, INCOMPLETE: see the cells",
            ),
        ],
    ),
    (
        "Vì sao không có giá trị",
        "Why there is no value",
        &[
            ("missing", "chưa có báo cáo nào; không phải số không", "nothing was reported; this is not zero"),
            ("not_available", "đã báo cáo là không có số liệu", "reported as not available"),
            (
                "not_aggregable",
                "chỉ tiêu không cộng được qua các đơn vị",
                "the indicator does not add up over units",
            ),
            ("undefined", "mẫu số bằng không", "the denominator is zero"),
        ],
    ),
    (
        "Mức đầy đủ",
        "Coverage",
        &[
            (
                "expected",
                "số ô phải có: mỗi đơn vị ở cấp thu thập trong mỗi kỳ thu thập là một ô",
                "cells there should be: each unit of the collection level in each collection period is one",
            ),
            (
                "covered",
                "số ô đã có trong giá trị, kể cả qua số khai của cấp trên",
                "cells in the value, also by a declaration above them",
            ),
            ("reported", "số ô mà chính đơn vị của ô đã báo cáo", "cells whose own unit reported"),
            (
                "unavailable",
                "số ô đã có trong giá trị nhưng không có số liệu",
                "covered cells without a value",
            ),
        ],
    ),
    (
        "Bản đồ và phạm vi",
        "Map and scope",
        &[
            (
                "reported (map)",
                "mỗi số liệu tính theo bản đồ của kỳ báo cáo",
                "each figure counts on the map of its own period",
            ),
            ("2025-07-01 (map)", "tính lại theo bản đồ của ngày này", "restated to the map of that day"),
            ("own", "hoạt động của chính đơn vị", "the unit's own activity"),
            (
                "territory",
                "đơn vị khai cho toàn địa bàn, gồm cả cấp dưới",
                "declared for the whole territory, units below included",
            ),
        ],
    ),
];

/// What is said where some of it may be made up.
pub(crate) fn synthetic(language: Language) -> &'static str {
    language.of(
        "SYNTHETIC: hệ thống này có nhận số liệu GIẢ LẬP (nguồn synthetic…); số liệu dưới đây có thể gồm cả số giả lập",
        "SYNTHETIC: this system has taken made-up figures (sources synthetic…); they may be in what follows",
    )
}

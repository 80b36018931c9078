//! Values as people write them.

use std::borrow::Cow;

use tonghop_core::decimal::parse_decimal;
use tonghop_core::indicator::{Indicator, Kind};
use tonghop_core::quantity::Qualifier;
use tonghop_core::registry::Registry;
use tonghop_runtime::Text;
use tonghop_written::{Decimal, Locale, Number, Why, Written, read_number};

use super::Checker;
use crate::finding::{Code, finding};
use crate::submission::{Field, Numbers, RawFigure};

/// What a value says: a plain decimal, and how it was put where the value itself says so.
pub(super) type Said<'t> = (Cow<'t, str>, Option<Qualifier>);

impl Checker<'_, '_> {
    /// A value as a plain decimal; nothing where a finding says why it is none.
    pub(super) fn as_written<'t>(
        &mut self,
        raw: &RawFigure,
        text: &'t str,
        indicator: Option<&Indicator>,
    ) -> Option<Said<'t>> {
        let locale = match raw.numbers {
            Numbers::Plain => return Some((Cow::Borrowed(text), None)),
            // Three decimals are nothing remarkable where the indicator has them.
            Numbers::LikeThousands if indicator.is_none_or(|i| i.decimals >= 3) => {
                return Some((Cow::Borrowed(text), None));
            }
            Numbers::LikeThousands => {
                self.like_thousands(raw, text);
                return None;
            }
            Numbers::Written(locale) => locale,
        };
        // Digits say the same however they are read.
        if text.bytes().all(|b| b.is_ascii_digit()) && !text.is_empty() {
            return Some((Cow::Borrowed(text), None));
        }
        let Written { number, qualifier, elsewhere } = match read_number(text, locale) {
            Ok(written) => written,
            Err(why) => {
                self.refuse(raw, text, locale, &why);
                return None;
            }
        };
        match number {
            Number::Plain(plain) => {
                if let (Some(elsewhere), Some(locale), Some(indicator)) = (elsewhere, locale, indicator)
                    && self.reads_elsewhere_only(raw, text, locale, indicator, plain, elsewhere)
                {
                    return None;
                }
                Some((Cow::Owned(plain.to_string()), Some(qualifier)))
            }
            Number::Percent(percent) => {
                let indicator = indicator?;
                if indicator.is_percent() {
                    return Some((Cow::Owned(percent.to_string()), Some(qualifier)));
                }
                self.percent(raw, text, indicator);
                None
            }
            Number::Of { part, whole } => {
                self.part_and_whole(raw, text, indicator, part, whole);
                None
            }
        }
    }

    /// How a figure is put that has a qualifier of its own, or in the words of its value, or both alike.
    pub(super) fn put(
        &mut self,
        raw: &RawFigure,
        own: Qualifier,
        in_words: Option<Qualifier>,
    ) -> Option<Qualifier> {
        let Some(in_words) = in_words.filter(|q| *q != Qualifier::Exact) else { return Some(own) };
        // Exact is also what is said where nothing is.
        if raw.qualifier.is_none() || own == in_words {
            return Some(in_words);
        }
        self.findings.add(|| {
            let value = raw.value.as_deref().unwrap_or_default();
            let got = format!("{} / {value}", own.code());
            let expected = Text::of(
                format!("{}, như giá trị nêu bằng lời", in_words.code()),
                format!("{}, as the words of the value say", in_words.code()),
            );
            let hint = Text::of(
                "chỉ nêu mức độ ở một chỗ: ở cột qualifier hoặc bằng lời trong giá trị",
                "say how exact it is in one place: in the qualifier, or in the words of the value",
            );
            finding(Code::SeveralQualifiers, raw.place.at(Field::Qualifier), got, expected, hint)
        });
        None
    }

    /// Whether the number is none of the indicator as it was declared, and is one in the other locale.
    fn reads_elsewhere_only(
        &mut self,
        raw: &RawFigure,
        text: &str,
        locale: Locale,
        indicator: &Indicator,
        plain: Decimal,
        elsewhere: Decimal,
    ) -> bool {
        let takes = |number: Decimal| parse_decimal(&number.to_string(), indicator.decimals).is_ok();
        if takes(plain) || !takes(elsewhere) {
            return false;
        }
        self.other_locale(raw, text, locale, Some(plain), elsewhere);
        true
    }

    fn other_locale(
        &mut self,
        raw: &RawFigure,
        text: &str,
        locale: Locale,
        here: Option<Decimal>,
        there: Decimal,
    ) {
        let (mark, point) = (locale.group_mark(), locale.decimal_mark());
        self.findings.add(|| {
            let (name_vi, name_en) = names(locale);
            let (other_vi, other_en) = names(locale.other());
            let expected = Text::of(
                format!("số viết theo cách {name_vi}: {mark:?} ngăn hàng nghìn, {point:?} trước phần thập phân"),
                format!("a number as written in {name_en}: {mark:?} between thousands, {point:?} before decimals"),
            );
            let (here_vi, here_en) = match here {
                Some(here) => (format!("đọc theo cách {name_vi} là {here}; "), format!("in {name_en} it is {here}; ")),
                None => (String::new(), String::new()),
            };
            let hint = Text::of(
                format!("{here_vi}theo cách {other_vi} là {there}: ghi lại cho đúng giá trị, hoặc khai báo locale khác"),
                format!("{here_en}in {other_en} it is {there}: write the one that is meant, or declare the other locale"),
            );
            finding(Code::NumberOfOtherLocale, raw.place.at(Field::Value), text, expected, hint)
        });
    }

    fn like_thousands(&mut self, raw: &RawFigure, text: &str) {
        self.findings.add(|| {
            let got = format!("{text} ({text}.000)");
            let expected = Text::of("ô hiển thị đúng số mà nó chứa", "a cell that shows the number it holds");
            let hint = Text::of(
                format!("ô chứa {text} nhưng hiển thị ba chữ số thập phân, dễ đọc thành {text} nghìn: đặt định dạng \
                         General, rồi kiểm tra và gõ lại số"),
                format!("the cell holds {text} and shows three decimals, which reads as {text} thousand: set the format \
                         General, check the number and type it again"),
            );
            finding(Code::ShownOtherwise, raw.place.at(Field::Value), got, expected, hint)
        });
    }

    fn percent(&mut self, raw: &RawFigure, text: &str, indicator: &Indicator) {
        let ratios = ratios_of(self.registry, indicator);
        self.findings.add(|| {
            let expected = Text::of(
                format!("số lượng, tính theo {}", indicator.unit_vi),
                format!("a number, in {}", indicator.unit_en),
            );
            let hint = match ratios.as_slice() {
                [] => Text::of("ghi số lượng thay cho tỷ lệ", "write the count in place of its share"),
                ratios => Text::of(
                    format!("ghi số lượng; tỷ lệ được tính từ hai số ({})", ratios.join(", ")),
                    format!(
                        "write the count; the share is worked out from two counts ({})",
                        ratios.join(", ")
                    ),
                ),
            };
            finding(Code::PercentForCount, raw.place.at(Field::Value), text, expected, hint)
        });
    }

    fn part_and_whole(
        &mut self,
        raw: &RawFigure,
        text: &str,
        indicator: Option<&Indicator>,
        part: Decimal,
        whole: Decimal,
    ) {
        let registry = self.registry;
        let wholes: Vec<&str> = indicator
            .into_iter()
            .flat_map(|indicator| {
                registry.indicators().iter().filter_map(move |ratio| match &ratio.kind {
                    Kind::Ratio(of) if of.numerator.contains(&indicator.code) => Some(&of.denominator),
                    _ => None,
                })
            })
            .flatten()
            .map(String::as_str)
            .collect();
        self.findings.add(|| {
            let expected = Text::of("một số", "one number");
            let code = indicator.map_or("", |i| i.code.as_str());
            let hint = match wholes.as_slice() {
                [] => Text::of(
                    format!("đây là hai số: ghi {part} ở đây, và {whole} ở chỉ tiêu đếm tổng số"),
                    format!(
                        "these are two numbers: write {part} here, and {whole} where all of them are counted"
                    ),
                ),
                wholes => Text::of(
                    format!("đây là hai số: ghi {part} cho {code}, và {whole} cho {}", wholes.join(" hoặc ")),
                    format!(
                        "these are two numbers: write {part} for {code}, and {whole} for {}",
                        wholes.join(" or ")
                    ),
                ),
            };
            finding(Code::PartAndWhole, raw.place.at(Field::Value), text, expected, hint)
        });
    }

    fn refuse(&mut self, raw: &RawFigure, text: &str, locale: Option<Locale>, why: &Why) {
        if let (Why::OtherLocale { reads }, Some(locale)) = (why, locale) {
            return self.other_locale(raw, text, locale, None, *reads);
        }
        let example = match locale {
            Some(Locale::Vietnamese) => Text::of("một số, ví dụ 37.853", "a number, as 37.853"),
            Some(Locale::English) => Text::of("một số, ví dụ 37,853", "a number, as 37,853"),
            None => Text::of("một số, ví dụ 37853", "a number, as 37853"),
        };
        self.findings.add(|| {
            let (code, expected, hint) = refusal(why, example);
            finding(code, raw.place.at(Field::Value), text, expected, hint)
        });
    }
}

/// The ratios of which an indicator is above the line.
fn ratios_of<'r>(registry: &'r Registry, indicator: &Indicator) -> Vec<&'r str> {
    let is_above = |kind: &Kind| matches!(kind, Kind::Ratio(of) if of.numerator.contains(&indicator.code));
    registry.indicators().iter().filter(|i| is_above(&i.kind)).map(|i| i.code.as_str()).collect()
}

/// The names of locales, in Vietnamese and in English.
fn names(locale: Locale) -> (&'static str, &'static str) {
    match locale {
        Locale::Vietnamese => ("Việt Nam", "Vietnamese"),
        Locale::English => ("Anh", "English"),
    }
}

fn refusal(why: &Why, number: Text) -> (Code, Text, Text) {
    match why {
        Why::NotANumber | Why::OtherLocale { .. } => (
            Code::NotANumber,
            number,
            Text::of(
                "ghi số bằng chữ số; không có số liệu thì để trống giá trị và nêu lý do",
                "write it in digits; where there is no value leave it empty and give the reason",
            ),
        ),
        Why::NeedsLocale { vietnamese, english } => {
            let reading = |vi: &str, en: &str| {
                let said = |number: &Option<Decimal>, none: &str| {
                    number.as_ref().map_or_else(|| none.to_owned(), Decimal::to_string)
                };
                Text::of(
                    format!(
                        "viết kiểu Việt Nam là {}, kiểu Anh là {}: {vi}",
                        said(vietnamese, "không đọc được"),
                        said(english, "không đọc được")
                    ),
                    format!(
                        "in Vietnamese it is {}, in English {}: {en}",
                        said(vietnamese, "nothing"),
                        said(english, "nothing")
                    ),
                )
            };
            (
                Code::NumberNeedsLocale,
                Text::of("số chỉ đọc được theo một cách", "a number that reads in one way only"),
                reading(
                    "khai báo locale=vi hoặc locale=en, hoặc ghi liền các chữ số với dấu chấm trước phần thập phân",
                    "declare locale=vi or locale=en, or write plain digits with a point before decimals",
                ),
            )
        }
        Why::Grouping | Why::SpaceBetweenDigits => (
            Code::MalformedGrouping,
            number,
            Text::of(
                "ngăn hàng nghìn theo từng nhóm ba chữ số bằng một loại dấu, hoặc ghi liền các chữ số",
                "separate thousands in threes by one kind of mark, or write the digits without marks",
            ),
        ),
        Why::Words { words } => (
            Code::WordsBesideNumber,
            number,
            Text::of(
                format!("bỏ {words:?}: đơn vị tính và ghi chú có cột riêng"),
                format!("leave out {words:?}: units of measure and notes have places of their own"),
            ),
        ),
        Why::SeveralQualifiers => (
            Code::SeveralQualifiers,
            Text::of("nhiều nhất một từ chỉ mức độ", "at most one word for how exact it is"),
            Text::of(
                "chỉ giữ từ đúng ý: gần, hơn, khoảng …",
                "keep the one that is meant: nearly, over, about …",
            ),
        ),
        Why::Negative => (
            Code::Negative,
            Text::of("số 0 hoặc lớn hơn", "zero or more"),
            Text::of(
                "muốn đính chính thì gửi báo cáo sau với giá trị đúng, không dùng số âm",
                "a correction is a later submission with the right value, never a negative one",
            ),
        ),
        Why::FullWidthDigits => digits(Text::of("chữ số toàn khổ (full-width)", "full-width digits")),
        Why::ArabicIndicDigits => digits(Text::of("chữ số Ả Rập-Ấn Độ", "Arabic-Indic digits")),
        Why::OtherDigits => digits(Text::of(
            "ký tự số không phải chữ số từ 0 đến 9 (chỉ số trên, phân số, chữ số của hệ chữ khác)",
            "characters that are no digits from 0 to 9 (superscripts, fractions, other scripts)",
        )),
        Why::TooLarge => (
            Code::TooLarge,
            Text::of(
                "nhiều nhất 999999999999999 tính theo chữ số thập phân cuối",
                "at most 999999999999999 in units of the last decimal",
            ),
            Text::of("kiểm tra các chữ số và đơn vị tính", "check the digits, and the unit of measure"),
        ),
    }
}

fn digits(found: Text) -> (Code, Text, Text) {
    use tonghop_runtime::Language::{English, Vietnamese};
    (
        Code::ForeignDigits,
        Text::of("các chữ số từ 0 đến 9", "the digits 0 to 9"),
        Text::of(
            format!("gõ lại bằng chữ số từ 0 đến 9: ở đây có {}", found.in_language(Vietnamese)),
            format!("type it again in digits 0 to 9: these are {}", found.in_language(English)),
        ),
    )
}

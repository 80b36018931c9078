//! The frame of every page: where one is, where one can go, up to when everything is in.

use maud::{DOCTYPE, Markup, html};
use tonghop_access::{Caller, Identity};
use tonghop_core::Date;
use tonghop_core::period::Period;
use tonghop_core::unit::UnitId;
use tonghop_runtime::Finding;

use super::address::{Address, Page};
use super::assets;
use super::locale::Lang;
use super::periods;
use super::scene::Scene;
use super::{chart, figure, sign_in};

/// A page's own part.
pub(super) struct Body {
    /// Its heading.
    pub(super) title: String,
    /// What stands below it.
    pub(super) main: Markup,
}

/// The name of a page.
pub(super) fn name(lang: Lang, page: Page) -> &'static str {
    match page {
        Page::Overview => lang.of("Tổng quan", "Overview"),
        Page::Indicator => lang.of("Chỉ tiêu", "Indicator"),
        Page::Unit => lang.of("Đơn vị", "Unit"),
        Page::Coverage => lang.of("Tình hình báo cáo", "Reporting"),
        Page::Differences => lang.of("Chênh lệch", "Differences"),
        Page::Explain => lang.of("Giải trình số liệu", "Explanation"),
        Page::Find => lang.of("Tìm kiếm", "Search"),
    }
}

/// The name of a page where there is little room.
fn short_name(lang: Lang, page: Page) -> &'static str {
    match page {
        Page::Coverage => lang.of("Tiến độ", "Reporting"),
        other => name(lang, other),
    }
}

/// A whole page.
pub(super) fn page(scene: &Scene, body: &Body, has_synthetic: bool) -> Markup {
    let lang = scene.lang;
    let unit = scene.name(scene.unit);
    let title = format!("{} – {unit}, {}", body.title, lang.period(scene.period));
    let shown = html! {
        (context(scene))
        @if has_synthetic { (synthetic(lang)) }
        main #main tabindex="-1" { h1 { (body.title) } (body.main) }
        (footer(scene))
    };
    let position = scene.as_of.as_ref().map_or(0, |a| a.position);
    document(lang, &title, Some(position), &scene.caller, &scene.address, scene.page, &shown)
}

/// A page that says what is wrong.
pub(super) fn trouble(
    lang: Lang,
    caller: &Caller,
    address: &Address,
    page: Page,
    detail: &str,
    findings: &[Finding],
    trace: Option<&str>,
) -> Markup {
    let title = lang.of("Không hiển thị được", "This cannot be shown");
    let shown = html! {
        main #main tabindex="-1" {
            h1 { (title) }
            @if findings.is_empty() { p { (detail) } }
            @for finding in findings {
                dl.finding {
                    dt { (lang.of("Mục", "Where")) } dd { code { (finding.path) } }
                    dt { (lang.of("Nhận được", "Got")) } dd { code { (finding.got) } }
                    dt { (lang.of("Cần", "Expected")) } dd { (finding.expected) }
                    dt { (lang.of("Gợi ý", "What to do")) } dd { (finding.hint) }
                }
            }
            @if let Some(trace) = trace {
                p { (lang.of("Mã để tra trong nhật ký:", "To look for in the log:")) " " code { (trace) } }
            }
            p { a href=(Address { lang: address.lang.clone(), ..Address::default() }.href(Page::Overview)) {
                (lang.of("Về trang tổng quan", "To the overview"))
            } }
        }
    };
    document(lang, title, None, caller, address, page, &shown)
}

/// What is shown where a browser was asked for a key and gave none.
pub(super) fn signed_out(lang: Lang, back: &str) -> Markup {
    let title = lang.of("Chưa đăng nhập", "Not signed in");
    let shown = html! {
        main #main tabindex="-1" {
            h1 { (title) }
            p { (lang.of(
                "Để xem số liệu nội bộ, hãy nhập khóa API vào ô mật khẩu; tên người dùng để tùy ý. Số liệu công khai xem được mà không cần đăng nhập.",
                "To see internal figures, give an API key as the password; any user name will do. Public figures are shown to anybody.",
            )) }
            p { a href=(back) { (lang.of("Quay lại", "Back")) } }
        }
    };
    let address = Address { lang: lang.code().to_owned(), ..Address::default() };
    document(lang, title, None, &Caller::anonymous(), &address, Page::Overview, &shown)
}

/// Who reads, or the way to say so.
fn reader(lang: Lang, caller: &Caller, address: &Address, page: Page) -> Markup {
    html! {
        @match (caller.identity(), caller.source()) {
            (Identity::Anonymous, _) => {
                a.reader href=(sign_in::href(address, page)) rel="nofollow" { (lang.of("Đăng nhập", "Sign in")) }
            }
            (Identity::Open, _) => {}
            (_, source) => {
                span.reader { (lang.of("Khóa: ", "Key: ")) (source.unwrap_or(lang.of("quản trị", "administrator"))) }
            }
        }
    }
}

fn document(
    lang: Lang,
    title: &str,
    position: Option<i64>,
    caller: &Caller,
    address: &Address,
    page: Page,
    shown: &Markup,
) -> Markup {
    html! {
        (DOCTYPE)
        html lang=(lang.code()) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) " · tonghop" }
                link rel="stylesheet" href=(assets::style().href());
                link rel="icon" type="image/svg+xml" href=(assets::icon().href());
                link rel="alternate" hreflang=(lang.other().code()) href=(address.lang(lang.other()).href(page));
                @if position.is_some() { script defer src=(assets::script().href()) {} }
            }
            body {
                (chart::patterns())
                a.skip href="#main" { (lang.of("Đến nội dung chính", "Skip to the content")) }
                header.top {
                    a.brand href=(address.href(Page::Overview)) {
                        span.mark aria-hidden="true" { "Σ" } "tonghop"
                    }
                    nav aria-label=(lang.of("Các trang", "Pages")) {
                        ul {
                            @for to in [Page::Overview, Page::Unit, Page::Coverage, Page::Differences] {
                                li { a href=(address.href(to)) aria-current=[(to == page).then_some("page")] { (short_name(lang, to)) } }
                            }
                        }
                    }
                    form.find action=(Page::Find.path()) role="search" {
                        (hidden(address, Page::Find, &["q"]))
                        label.unseen for="q" { (lang.of("Tìm đơn vị hoặc chỉ tiêu", "Find a unit or an indicator")) }
                        input #q type="search" name="q" maxlength="100" value=(if page == Page::Find { &address.q } else { "" })
                            placeholder=(lang.of("Đơn vị, chỉ tiêu", "Unit, indicator"));
                        button { (lang.of("Tìm", "Find")) }
                    }
                    (reader(lang, caller, address, page))
                    a.lang href=(address.lang(lang.other()).href(page)) lang=(lang.other().code()) hreflang=(lang.other().code()) {
                        (lang.other().of("Tiếng Việt", "English"))
                    }
                }
                div #view data-position=[position] { (shown) }
                p #told role="status" class="unseen" data-said=(lang.of("Số liệu vừa được cập nhật", "The figures were updated")) {}
            }
        }
    }
}

/// The parameters that a form carries on, without those it asks for itself.
fn hidden(address: &Address, page: Page, without: &[&str]) -> Markup {
    html! {
        @for (name, value) in address.parameters(page) {
            @if !without.contains(&name) { input type="hidden" name=(name) value=(value); }
        }
    }
}

/// Where one is: the unit with all above it, the period with those beside it, the map.
fn context(scene: &Scene) -> Markup {
    let lang = scene.lang;
    let map = scene.registry.map_on(scene.map_day());
    let mut above: Vec<UnitId> = map.ancestry(scene.unit).collect();
    above.reverse();
    html! {
        section.context aria-label=(lang.of("Đang xem", "What is shown")) {
            nav aria-label=(lang.of("Đơn vị cấp trên", "Units above")) {
                ol.trail {
                    @for unit in &above {
                        @let href = scene.address.unit(&scene.registry.unit(*unit).code).href(scene.page);
                        li {
                            a href=(href) aria-current=[(*unit == scene.unit).then_some("location")] lang="vi" { (scene.name(*unit)) }
                        }
                    }
                }
            }
            (stepper(scene))
            form.choices action=(scene.page.path()) aria-label=(lang.of("Chọn chương trình, kỳ, bản đồ", "Choose programme, period, map")) {
                (hidden(&scene.address, scene.page, &["programme", "period", "map"]))
                (programmes(scene))
                (choice_of_period(scene))
                (maps(scene))
                button { (lang.of("Xem", "Show")) }
            }
        }
    }
}

/// The period, and the way to those beside it and around it.
fn stepper(scene: &Scene) -> Markup {
    let lang = scene.lang;
    let link = |to: Option<Period>, sign: &str| {
        html! {
            @if let Some(to) = to {
                a.step href=(scene.at_period(to).href(scene.page)) title=(lang.period(to)) {
                    span aria-hidden="true" { (sign) } span.unseen { (lang.period(to)) }
                }
            }
        }
    };
    html! {
        p.period {
            (link(periods::shifted(scene.period, -1), "‹"))
            strong { (lang.period(scene.period)) }
            (link(periods::shifted(scene.period, 1), "›"))
        }
    }
}

fn programmes(scene: &Scene) -> Markup {
    let lang = scene.lang;
    html! {
        label {
            span { (lang.of("Chương trình", "Programme")) }
            select name="programme" {
                option value="" selected[scene.address.programme.is_empty()] { (lang.of("Chỉ tiêu cốt lõi", "Core indicators")) }
                @for programme in scene.registry.programmes() {
                    option value=(programme.code) selected[programme.code == scene.address.programme] {
                        (programme.code) " – " (shortened(lang.of(&programme.title_vi, &programme.title_en)))
                    }
                }
            }
        }
    }
}

/// A title that fits a list of choices.
fn shortened(title: &str) -> String {
    const MOST: usize = 70;
    if title.chars().count() <= MOST {
        return title.to_owned();
    }
    let cut: String = title.chars().take(MOST).collect();
    format!("{}…", cut.rsplit_once(' ').map_or(cut.as_str(), |(whole_words, _)| whole_words))
}

/// Years, the periods of the year, spans.
fn choice_of_period(scene: &Scene) -> Markup {
    let lang = scene.lang;
    let year = periods::year_of(scene.period);
    let newest = year.max(scene.today.year());
    let years: Vec<Period> = (newest - 11..=newest).rev().map(Period::Year).collect();
    let within = periods::of_year(year);
    let mut spans = vec![Period::Span(newest - 4, newest), periods::ten_years(Period::Year(newest))];
    if !years.contains(&scene.period) && !within.contains(&scene.period) && !spans.contains(&scene.period) {
        spans.insert(0, scene.period);
    }
    let option = |period: &Period| {
        html! { option value=(period) selected[*period == scene.period] { (lang.period(*period)) } }
    };
    html! {
        label {
            span { (lang.of("Kỳ báo cáo", "Period")) }
            select name="period" {
                optgroup label=(lang.of(format!("Trong năm {year}"), format!("Within {year}"))) {
                    @for period in &within { (option(period)) }
                }
                optgroup label=(lang.of("Năm", "Years")) { @for period in &years { (option(period)) } }
                optgroup label=(lang.of("Kỳ khác", "Others")) { @for period in &spans { (option(period)) } }
            }
        }
    }
}

/// The maps that totals of the period can be told on: that of its own day, and later ones.
fn maps(scene: &Scene) -> Markup {
    let lang = scene.lang;
    let own = scene.registry.epoch(scene.day);
    let later: Vec<Date> = scene.registry.maps().iter().skip(own + 1).filter_map(|map| map.from).collect();
    html! {
        @if !later.is_empty() || scene.map.is_some() {
            label {
                span { (lang.of("Bản đồ hành chính", "Map")) }
                select name="map" {
                    option value="" selected[scene.map.is_none()] { (lang.of("Như khi báo cáo", "As reported")) }
                    @for day in &later {
                        option value=(day) selected[scene.map == Some(*day)] {
                            (lang.of("Quy về ngày ", "Restated to ")) (lang.date(*day))
                        }
                    }
                    @if let Some(day) = scene.map.filter(|day| !later.contains(day)) {
                        option value=(day) selected { (lang.of("Quy về ngày ", "Restated to ")) (lang.date(day)) }
                    }
                }
            }
        }
    }
}

/// That not everything is real.
fn synthetic(lang: Lang) -> Markup {
    html! {
        aside.synthetic aria-label=(lang.of("Số liệu giả lập", "Synthetic figures")) {
            strong { (lang.of("SỐ LIỆU GIẢ LẬP (SYNTHETIC).", "SYNTHETIC FIGURES.")) } " "
            (lang.of(
                "Hệ thống này có số liệu được tạo tự động để thử nghiệm; các tổng có thể chứa số liệu đó.",
                "This system holds figures that were made up for trials; totals may contain them.",
            ))
        }
    }
}

fn footer(scene: &Scene) -> Markup {
    let lang = scene.lang;
    html! {
        footer {
            (legend(lang))
            p.as-of {
                @if let Some(as_of) = &scene.as_of {
                    (lang.of("Gồm mọi báo cáo đến vị trí ", "Includes every submission up to position "))
                    strong { (lang.number(&as_of.position.to_string())) }
                    @if !as_of.time.is_empty() { " (" (lang.time(&as_of.time)) ")" }
                    @if let Some(seconds) = as_of.stale_seconds {
                        ". " strong { (lang.of("Chưa được xác nhận là mới nhất trong ", "Not confirmed to be the newest for ")) (seconds) " s" }
                    }
                    "."
                }
            }
        }
    }
}

/// How numbers are read.
fn legend(lang: Lang) -> Markup {
    let sign = |code: &str| figure::qualifier(lang, code).unwrap_or_default();
    html! {
        details.legend {
            summary { (lang.of("Cách đọc số liệu", "How to read the numbers")) }
            dl {
                dt { (figure::coverage(lang, 4, 6, 10)) }
                dd { (lang.of(
                    "Độ phủ: phần đậm là ô đã có báo cáo, phần nhạt là ô chỉ có số khai chung của cấp trên, phần gạch là ô còn thiếu. Một ô là một đơn vị ở một kỳ thu thập.",
                    "Coverage: dark is what was reported, light is what only a declared figure above stands for, hatched is what is missing. A cell is one unit in one collection period.",
                )) }
                dt { span.tag { (lang.of("chưa đủ", "partial")) } }
                dd { (lang.of(
                    "Tổng của những gì đã có; chưa phải tổng của cả địa bàn.",
                    "The sum of what is there; not the total of the whole territory.",
                )) }
                dt { (sign("at_least").0) " " (sign("at_most").0) " " (sign("about").0) }
                dd { (lang.of("Nguồn nói: ít nhất, nhiều nhất, khoảng.", "The source says: at least, at most, about.")) }
                dt { (lang.of("khác độ phủ", "other coverage")) ", " (lang.of("đổi địa giới", "territory changed")) }
                dd { (lang.of(
                    "Không so được với kỳ kia: hai số không nói về cùng những ô, hoặc không cùng một lãnh thổ.",
                    "Not comparable with the other period: the two do not speak of the same cells, or not of the same territory.",
                )) }
                dt { "–" }
                dd { (lang.of("Không có số. Số 0 là một giá trị, và được viết là 0.", "There is no number. Zero is a value, and is written as 0.")) }
            }
        }
    }
}

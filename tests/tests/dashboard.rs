//! The dashboard as it is sent: what pages say, where they lead, what they never let through. How they look and work in a
//! browser is in `dashboard_browser.rs`.

use std::collections::BTreeSet;

use serde_json::json;
use tonghop_tests::server::shipped;
use tonghop_tests::showcase::{MONTH, Showcase, Size};
use tonghop_tests::{Reply, Server};

const PAGES: [&str; 7] = ["/", "/indicator", "/unit", "/coverage", "/differences", "/explain", "/find"];

/// A page of a unit and the month that everything was reported for.
async fn page(server: &Server, path: &str, unit: &str, more: &[(&str, &str)]) -> Reply {
    let mut parameters = vec![("unit", unit), ("period", MONTH), ("indicator", "tg02-useful-tips")];
    parameters.extend(more);
    server.get(path, &parameters).await
}

async fn reported() -> Server {
    let server = Server::start().await;
    Showcase::new(Size::Small).report(&server).await;
    server
}

/// What the attributes of a page refer to.
fn references(html: &str, attribute: &str) -> BTreeSet<String> {
    let before = format!(" {attribute}=\"");
    html.split(&before)
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .map(|v| v.replace("&amp;", "&"))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_speaks_both_languages_and_guards_its_reader() {
    let server = reported().await;
    for path in PAGES {
        for lang in ["vi", "en"] {
            let reply = page(&server, path, "06", &[("lang", lang), ("q", "bac kan")]).await;
            let html = reply.text();
            assert_eq!(reply.status, 200, "{path}: {html}");
            assert_eq!(reply.header("content-type"), "text/html; charset=utf-8", "{path}");
            assert_eq!(reply.header("content-language"), lang, "{path}");
            assert!(html.starts_with(&format!("<!DOCTYPE html><html lang=\"{lang}\">")), "{path}");
            assert_eq!(
                reply.header("content-security-policy"),
                "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; \
                 form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
                "{path}"
            );
            assert_eq!(reply.header("x-content-type-options"), "nosniff", "{path}");
            // Nothing that the policy would refuse, and nothing from elsewhere.
            for inline in [" style=\"", " onclick", " onload", "<style", "javascript:"] {
                assert!(!html.contains(inline), "{path}: {inline}");
            }
            assert_eq!(html.matches("<script").count(), html.matches("<script defer src=\"/assets/").count());
            for reference in references(&html, "src").union(&references(&html, "href")) {
                let is_own = reference.starts_with('/') && !reference.starts_with("//");
                assert!(is_own || reference == "#main", "{path}: {reference}");
            }
            // A chart never stands alone, and landmarks are there once.
            if html.contains("<svg class=\"chart\"") {
                assert!(html.contains("<details class=\"beside\">"), "{path}");
            }
            assert_eq!((html.matches("<main ").count(), html.matches("<h1>").count()), (1, 1), "{path}");
        }
    }
    let preferring = |lang: &'static str| {
        let request = reqwest::Client::builder().no_proxy().build().expect("a client");
        let url = server.url("/", &[("unit", "VN"), ("period", MONTH)]);
        async move { request.get(url).header("accept-language", lang).send().await.expect("an answer") }
    };
    assert_eq!(preferring("en-GB, vi;q=0.5").await.headers()["content-language"], "en");
    assert_eq!(preferring("fr").await.headers()["content-language"], "vi");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_link_on_every_page_leads_somewhere() {
    let server = reported().await;
    let mut links = BTreeSet::new();
    for path in PAGES {
        let html = page(&server, path, "06", &[("q", "bac kan"), ("lang", "en")]).await.text();
        links.extend(references(&html, "href"));
        links.extend(references(&html, "src"));
    }
    // Every kind of link, but not every indicator and member of the catalogue on every page.
    let mut seen = std::collections::BTreeMap::<String, usize>::new();
    let (mut followed, mut kinds) = (0, BTreeSet::new());
    for link in links.into_iter().filter(|link| link.starts_with('/')) {
        let url = server.url("", &[]).join(&link).expect("an address");
        let names: Vec<String> = url.query_pairs().map(|(name, _)| name.into_owned()).collect();
        let kind = format!("{} {}", url.path(), names.join(" "));
        let count = seen.entry(kind.clone()).or_default();
        *count += 1;
        if *count > 6 {
            continue;
        }
        let reply = server.get(&link_of(&url), &[]).await;
        // What nobody answers is taken for gRPC, and refused with 200.
        assert_eq!((reply.status, reply.header("grpc-status")), (200, ""), "{link}");
        followed += 1;
        kinds.insert(url.path().to_owned());
    }
    assert!(followed > 80, "{followed}");
    for path in PAGES {
        assert!(kinds.contains(path), "no link to {path}: {kinds:?}");
    }
}

fn link_of(url: &reqwest::Url) -> String {
    url.query().map_or_else(|| url.path().to_owned(), |query| format!("{}?{query}", url.path()))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_page_says_is_what_the_api_says() {
    let server = reported().await;
    // Communes of Bắc Kạn are late, so that its own declaration stands.
    let total = server.total("tg02", "06", MONTH, "").await;
    let shown = |value: &serde_json::Value| {
        let text = value.as_str().expect("a decimal").to_owned();
        let digits: Vec<char> = text.chars().rev().collect();
        let groups: Vec<String> = digits.chunks(3).map(|c| c.iter().rev().collect()).collect();
        groups.into_iter().rev().collect::<Vec<_>>().join(".")
    };
    assert_eq!(total["basis"], "declared", "{total}");
    let html = page(&server, "/", "06", &[("lang", "vi")]).await.text();
    for text in [
        shown(&total["value"]),
        format!("{}/{}", total["covered"], total["expected"]),
        "số khai cho cả địa bàn".to_owned(),
        "SYNTHETIC".to_owned(),
    ] {
        assert!(html.contains(&text), "{text} is not in {html}");
    }
    // The nation has three of its provinces: its total is never shown as a whole.
    let nation = page(&server, "/explain", "VN", &[("lang", "vi")]).await.text();
    let total = server.total("tg02", "VN", MONTH, "").await;
    assert_eq!(total["basis"], "partial", "{total}");
    assert!(nation.contains(&shown(&total["value"])), "{nation}");
    assert!(nation.contains("<span class=\"tag\">chưa đủ</span>"), "{nation}");
    assert!(nation.contains("chưa phải tổng của cả địa bàn"), "{nation}");
    // What the province declared and what its communes reported part, and the page says by how much.
    let province = server.total("tg02", "06", MONTH, "").await;
    let differences = page(&server, "/differences", "VN", &[("lang", "vi")]).await.text();
    for text in [shown(&province["whole"]), shown(&province["parts"]), shown(&province["difference"])] {
        assert!(differences.contains(&text), "{text} is not in {differences}");
    }
    // A position of the ledger that the page says it includes.
    let head = server.head().await;
    assert!(html.contains(&format!("data-position=\"{}\"", head.position)), "{html}");
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_s_name_becomes_a_page_s_own_words() {
    const HOSTILE: &str = "\"\"><script>alert(1)</script>'&amp;<img src=x onerror=alert(2)>";
    let server = Server::empty(256).await;
    let mut tables = shipped();
    for (file, from) in [
        ("units.csv", "Tỉnh Bắc Kạn"),
        ("indicators.csv", "Of which useful tips"),
        ("programmes.csv", "Action programme 22"),
        ("dimension_members.csv", "Useful"),
    ] {
        let table = tables.get_mut(file).expect("the table");
        let text = String::from_utf8(std::mem::take(table)).expect("text");
        // A cell of its own, in quotes whatever it was in before.
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record(reader.headers().expect("a header")).expect("written");
        for row in reader.records() {
            let row = row.expect("a row");
            let cells = row
                .iter()
                .map(|cell| if cell.contains(from) { format!("{cell} {HOSTILE}") } else { cell.to_owned() });
            writer.write_record(cells).expect("written");
        }
        *table = writer.into_inner().expect("written");
    }
    let answer = server.load("hostile", tables, false).await.expect("it loads");
    server.wait(answer.position).await;
    let figures = json!([{
        "unit": "06", "indicator": "tg02", "period": MONTH, "scope": "territory", "value": "7", "qualifier": "about",
        "breakdown": { "reporter": "cong-an" },
    }]);
    let document = json!({ "source": "<script>alert(3)</script>", "figures": figures });
    let reply = server.push_json("hostile", &document).await;
    // A source of that form may be refused; what is taken is escaped.
    if reply.status == 201 {
        server.wait(reply.position()).await;
    } else {
        server.report("tame", figures).await;
    }
    let mut escaped = 0;
    for path in PAGES {
        for (lang, q) in [("vi", HOSTILE), ("en", "bac kan")] {
            let html =
                page(&server, path, "06", &[("lang", lang), ("q", q), ("programme", "CTHD-22")]).await.text();
            for raw in ["<script>", "<img", "onerror=alert(2)>"] {
                assert!(!html.contains(raw), "{path}: {raw} in {html}");
            }
            escaped += html.matches("&lt;script&gt;alert(1)").count();
        }
    }
    assert!(escaped >= 20, "{escaped}");
    let html = server
        .get("/indicator", &[("indicator", "<script>x</script>"), ("unit", "<b>"), ("period", "<i>")])
        .await;
    assert_eq!(html.status, 400);
    assert!(!html.text().contains("<script>x") && !html.text().contains("<i>"), "{}", html.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_shown_is_said_with_the_api_s_status_and_what_to_do() {
    let server = Server::start().await;
    for (path, unit, period, status, hint) in [
        ("/", "VN", "2024-M13", 400, "2024-M03, 2024-Q1"),
        ("/", "nowhere", MONTH, 404, "the code of a unit; VN is the nation"),
        // Bắc Kạn went on in Thái Nguyên on 1 July 2025.
        ("/", "06", "2025", 422, "2025-07-01"),
        ("/explain", "VN", MONTH, 400, "a value"),
    ] {
        let reply = server.get(path, &[("unit", unit), ("period", period), ("lang", "en")]).await;
        let html = reply.text();
        assert_eq!((reply.status, html.contains(hint)), (status, true), "{path} {unit} {period}: {html}");
        assert_eq!(reply.header("content-type"), "text/html; charset=utf-8");
        assert!(!reply.header("content-security-policy").is_empty());
    }
    assert_eq!(
        server.get("/", &[("unit", "VN"), ("period", MONTH), ("programme", "none")]).await.status,
        404
    );
    assert_eq!(server.get("/", &[("at_least", "x")]).await.status, 400);
    assert_eq!(server.get("/assets/nothing.css", &[]).await.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_without_period_leads_to_the_newest_year_and_a_page_known_already_is_not_sent_again() {
    let server = reported().await;
    let client = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build();
    let client = client.expect("a client");
    let reply = client.get(server.url("/", &[("lang", "en")])).send().await.expect("an answer");
    assert_eq!(reply.status().as_u16(), 303);
    assert_eq!(reply.headers()["location"], "/?unit=VN&period=2024&lang=en");

    let parameters = [("unit", "VN"), ("period", MONTH)];
    let first = server.get("/", &parameters).await;
    let tag = first.header("etag").to_owned();
    let again = server.get_unless(&tag, "/", &parameters).await;
    // How old an answer is may have come to be remarkable in between, on a busy machine.
    assert!(again.status == 304 || again.text().contains("Chưa được xác nhận"), "{}", again.status);
    let head = server.head().await.position;
    let figure = json!([{ "unit": "24", "indicator": "tg02", "period": MONTH, "scope": "territory", "value": "1",
                          "breakdown": { "reporter": "cong-an" } }]);
    server.report("newer", figure).await;
    let newer = server.get_unless(&tag, "/", &parameters).await;
    assert_eq!(newer.status, 200);
    assert!(newer.text().contains(&format!("data-position=\"{}\"", head + 1)));
}

#[tokio::test(flavor = "multi_thread")]
async fn both_maps_are_one_click_apart_and_a_change_of_map_is_crossed_with_the_unit_that_goes_on() {
    let server = reported().await;
    // Bắc Kạn went on in Thái Nguyên on 1 July 2025; June ends before it, July after.
    let before = server.get("/", &[("unit", "06"), ("period", "2025-M06"), ("lang", "vi")]).await;
    before_is(&before, "Tỉnh Bắc Kạn");
    let links = references(&before.text(), "href");
    assert!(links.contains("/?unit=19&period=2025-M07&lang=vi"), "{links:?}");
    assert!(before.text().contains("<option value=\"2025-07-01\">Quy về ngày 01/07/2025</option>"));
    // Back again: Thái Nguyên was made of both, and goes back to the one of its own code.
    let after = server.get("/", &[("unit", "19"), ("period", "2025-M07"), ("lang", "vi")]).await;
    before_is(&after, "Tỉnh Thái Nguyên");
    let links = references(&after.text(), "href");
    assert!(links.contains("/?unit=19&period=2025-M06&lang=vi"), "{links:?}");
    // A month of before, on the map of after.
    let restated =
        [("unit", "19"), ("period", MONTH), ("map", "2025-07-01"), ("indicator", "tg02"), ("lang", "vi")];
    let explained = server.get("/explain", &restated).await.text();
    for origin in ["Tỉnh Bắc Kạn", "Tỉnh Thái Nguyên"] {
        assert!(explained.contains(&format!("lang=\"vi\">{origin}</a>")), "{explained}");
    }
    let total = server.get("/v1/totals", &restated[..4]).await.expect(200);
    let value = total["totals"][0]["value"].as_str().expect("a value").to_owned();
    assert!(explained.contains(&value) || value.len() > 3, "{explained}");
    let unit = server.get("/unit", &[("unit", "19"), ("period", "2025"), ("lang", "vi")]).await.text();
    assert!(unit.contains("Được lập từ") && unit.contains("/unit?unit=06&amp;period="), "{unit}");
}

#[track_caller]
fn before_is(reply: &Reply, unit: &str) {
    let html = reply.text();
    assert_eq!(reply.status, 200, "{html}");
    assert!(html.contains(&format!("aria-current=\"location\" lang=\"vi\">{unit}</a>")), "{html}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_overview_reads_the_database_three_times() {
    let server = reported().await;
    let statements = async || {
        let text = server.get("/metrics", &[]).await.text();
        let line = text
            .lines()
            .find(|l| l.starts_with("tonghop_query_statements_total"))
            .expect("the counter")
            .to_owned();
        line.rsplit(' ').next().and_then(|n| n.parse::<u64>().ok()).expect("a count")
    };
    // Once for what is kept from one page to the next.
    page(&server, "/", "VN", &[]).await;
    let before = statements().await;
    assert_eq!(page(&server, "/", "VN", &[]).await.status, 200);
    let took = statements().await - before;
    assert!(took <= 3, "{took} statements");
}

#[tokio::test(flavor = "multi_thread")]
async fn synthetic_figures_are_labelled_and_their_absence_is_not() {
    let server = Server::start().await;
    let label = "SYNTHETIC";
    let figure = |value: &str| {
        json!([{ "unit": "24", "indicator": "tg02", "period": MONTH, "scope": "territory", "value": value,
                 "breakdown": { "reporter": "cong-an" } }])
    };
    server.report("real", figure("1")).await;
    for path in PAGES {
        assert!(!page(&server, path, "24", &[]).await.text().contains(label), "{path}");
    }
    let document = json!({ "source": "synthetic-test", "figures": figure("2") });
    let reply = server.push_json("made-up", &document).await;
    reply.expect(201);
    server.wait(reply.position()).await;
    for path in PAGES.into_iter().filter(|path| *path != "/find") {
        assert!(page(&server, path, "24", &[]).await.text().contains(label), "{path}");
    }
    let explained = page(&server, "/explain", "24", &[]).await.text();
    assert!(
        explained.contains("synthetic-test") && explained.contains("<span class=\"tag\">SYNTHETIC</span>")
    );
    assert!(explained.contains("đã thay"), "the revision that was replaced is there too: {explained}");
}

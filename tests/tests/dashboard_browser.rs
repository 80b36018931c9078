//! The dashboard in a real browser: the way from the nation to one figure, in both languages, without scripts, with the
//! keyboard alone, while figures come in; and what an accessibility checker says of every page.
//!
//! `cargo test --workspace --test dashboard_browser -- --ignored` makes the screenshots of `docs/dashboard/`.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use fantoccini::Locator;
use fantoccini::key::Key;
use serde_json::{Value, json};
use tokio::sync::{Mutex, MutexGuard, OnceCell};
use tonghop_tests::Server;
use tonghop_tests::browser::{Browser, Options, pass_over};
use tonghop_tests::showcase::{MONTH, Showcase, Size};

/// How long a page may take to show what it is waited for.
const PATIENCE: Duration = Duration::from_secs(60);

/// One browser at a time: several on a small machine only wait for one another.
async fn one_at_a_time() -> MutexGuard<'static, ()> {
    static ONE: Mutex<()> = Mutex::const_new(());
    ONE.lock().await
}

const VIETNAMESE: Options = Options { language: "vi", scripts: true };
const ENGLISH: Options = Options { language: "en", scripts: true };
const WITHOUT_SCRIPTS: Options = Options { language: "vi", scripts: false };

async fn reported() -> Server {
    let server = Server::start().await;
    Showcase::new(Size::Small).report(&server).await;
    server
}

impl Eyes<'_> {
    async fn open(&self, path: &str, parameters: &[(&str, &str)]) {
        let url = self.server.url(path, parameters);
        self.browser.client.goto(url.as_str()).await.expect("the page opens");
    }

    /// Waits for an element.
    async fn see(&self, selector: &str) -> fantoccini::elements::Element {
        let waited = self.browser.client.wait().at_most(PATIENCE).for_element(Locator::Css(selector)).await;
        match waited {
            Ok(element) => element,
            Err(error) => panic!("no {selector}: {error}\n{}", self.text().await),
        }
    }

    async fn text(&self) -> String {
        let body = self.browser.client.find(Locator::Css("body")).await.expect("a page");
        body.text().await.expect("its text")
    }

    /// Follows the link with this text, and waits until another page is there.
    async fn follow(&self, text: &str) {
        let link = self.browser.client.find(Locator::LinkText(text)).await;
        let link = match link {
            Ok(link) => link,
            Err(error) => panic!("no link {text:?}: {error}\n{}", self.text().await),
        };
        link.click().await.expect("a click");
    }

    async fn heading(&self) -> String {
        self.see("h1").await.text().await.expect("a heading")
    }

    async fn here(&self) -> String {
        self.browser.client.current_url().await.expect("an address").to_string()
    }
}

/// A browser in front of a server.
struct Eyes<'a> {
    server: &'a Server,
    browser: &'a Browser,
}

/// From the overview to an indicator, down to a commune, and to where its number comes from; by clicks alone.
async fn walk(eyes: &Eyes<'_>, words: &Words) {
    eyes.open("/", &[("unit", "VN"), ("period", MONTH)]).await;
    assert_eq!(eyes.heading().await, words.core);
    let lang = eyes.browser.client.find(Locator::Css("html")).await.expect("a page").attr("lang").await;
    assert_eq!(lang.expect("an attribute").as_deref(), Some(words.lang));
    assert!(eyes.text().await.contains(words.synthetic), "{}", eyes.text().await);
    eyes.follow(words.indicator).await;
    eyes.see(".big").await;
    assert_eq!(eyes.heading().await, words.indicator);
    // Down: the province, a district, a commune.
    eyes.follow("Tỉnh Bắc Kạn").await;
    eyes.see(".trail li:nth-child(2) [aria-current]").await;
    let district = eyes.see(".ranked tbody tr th a").await;
    district.click().await.expect("a click");
    eyes.see(".trail li:nth-child(3) [aria-current]").await;
    let commune = eyes.see(".ranked tbody tr th a").await;
    let name = commune.text().await.expect("a name");
    commune.click().await.expect("a click");
    let here = eyes.see(".trail li:nth-child(4) [aria-current]").await;
    assert_eq!(here.text().await.expect("a name"), name);
    // What it is made of: the one figure, its source and its place in the ledger.
    let number = eyes.see(".big .value").await;
    let value = number.text().await.expect("a number");
    number.click().await.expect("a click");
    eyes.see(".revisions").await;
    let text = eyes.text().await;
    assert!(eyes.here().await.contains("/explain?"), "{}", eyes.here().await);
    for said in [value.trim(), words.own, "synthetic-showcase", "SYNTHETIC"] {
        assert!(text.contains(said), "{said:?} is not in {text}");
    }
    // And back up to the nation, still of the indicator and the month.
    eyes.follow("Việt Nam").await;
    eyes.see(".trail li:only-child [aria-current]").await;
    assert!(eyes.here().await.contains("indicator=tg02"), "{}", eyes.here().await);
}

/// What pages say in a language.
struct Words {
    lang: &'static str,
    core: &'static str,
    indicator: &'static str,
    own: &'static str,
    synthetic: &'static str,
}

const VI: Words = Words {
    lang: "vi",
    core: "Chỉ tiêu cốt lõi",
    indicator: "Trong đó: số tin có giá trị",
    own: "hoạt động của chính đơn vị",
    synthetic: "SỐ LIỆU GIẢ LẬP",
};
const EN: Words = Words {
    lang: "en",
    core: "Core indicators",
    indicator: "Of which useful tips",
    own: "the unit's own activity",
    synthetic: "SYNTHETIC FIGURES",
};

#[tokio::test(flavor = "multi_thread")]
async fn from_the_nation_to_one_figure_in_vietnamese() {
    let _one = one_at_a_time().await;
    let Some(browser) = Browser::start(&VIETNAMESE).await else { return };
    let server = reported().await;
    walk(&Eyes { server: &server, browser: &browser }, &VI).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn from_the_nation_to_one_figure_in_english_and_over_to_vietnamese() {
    let _one = one_at_a_time().await;
    let Some(browser) = Browser::start(&ENGLISH).await else { return };
    let server = reported().await;
    let eyes = Eyes { server: &server, browser: &browser };
    walk(&eyes, &EN).await;
    eyes.follow("Tiếng Việt").await;
    eyes.see("html[lang=vi]").await;
    assert!(eyes.here().await.contains("lang=vi"), "{}", eyes.here().await);
    // What was chosen stays chosen.
    eyes.follow("Tổng quan").await;
    eyes.see(".overview").await;
    assert_eq!(eyes.heading().await, VI.core);
}

#[tokio::test(flavor = "multi_thread")]
async fn from_the_nation_to_one_figure_without_scripts() {
    let _one = one_at_a_time().await;
    let Some(browser) = Browser::start(&WITHOUT_SCRIPTS).await else { return };
    let server = reported().await;
    let eyes = Eyes { server: &server, browser: &browser };
    // Scripts do not run: the page's own would say so here.
    browser
        .client
        .goto("data:text/html,<title>off</title><script>document.title='on'</script>")
        .await
        .expect("a page");
    assert_eq!(browser.client.title().await.expect("a title"), "off");
    walk(&eyes, &VI).await;
    // Another period is chosen in the form.
    eyes.open("/", &[("unit", "06"), ("period", MONTH)]).await;
    let choice = browser.client.find(Locator::Css("select[name=period]")).await.expect("the choice");
    choice.select_by_value("2024-M04").await.expect("chosen");
    browser
        .client
        .find(Locator::Css("form.choices button"))
        .await
        .expect("a button")
        .click()
        .await
        .expect("sent");
    assert!(eyes.here().await.contains("period=2024-M04"), "{}", eyes.here().await);
    assert!(eyes.see(".period strong").await.text().await.expect("text").contains("Tháng 4/2024"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_push_shows_on_an_open_page_and_takes_nothing_from_its_reader() {
    let _one = one_at_a_time().await;
    let Some(browser) = Browser::start(&VIETNAMESE).await else { return };
    let server = reported().await;
    let eyes = Eyes { server: &server, browser: &browser };
    eyes.open("/indicator", &[("indicator", "tg02"), ("unit", "24"), ("period", MONTH)]).await;
    eyes.see(".big .value").await;
    // The reader has opened the table, and stands on the way up.
    browser
        .client
        .find(Locator::Css("details.beside summary"))
        .await
        .expect("a table")
        .click()
        .await
        .expect("opened");
    browser.client.execute("document.querySelector('.trail a').focus()", vec![]).await.expect("focused");
    browser.client.execute("window.stays = true", vec![]).await.expect("marked");
    let position = browser.value("document.getElementById('view').dataset.position").await;
    let figure = json!([{ "unit": "24", "indicator": "tg02", "period": MONTH, "scope": "territory", "value": "987654",
                          "breakdown": { "reporter": "cong-an" } }]);
    let pushed = server.report("live", figure).await;
    eyes.see(&format!("#view[data-position='{}']", pushed.position())).await;
    assert_ne!(position, json!(pushed.position().to_string()));
    let shown = eyes.see(".big .value").await.text().await.expect("text");
    assert!(shown.contains("987.654"), "{shown}");
    assert_eq!(browser.value("window.stays === true").await, json!(true), "the page was not loaded again");
    assert_eq!(browser.value("document.querySelector('details.beside').open").await, json!(true));
    assert_eq!(
        browser.value("document.activeElement === document.querySelector('.trail a')").await,
        json!(true)
    );
    assert_eq!(browser.value("document.getElementById('told').getAttribute('role')").await, json!("status"));
}

/// Presses a key, as a reader does.
async fn press(browser: &Browser, key: Key) {
    let at = browser.client.active_element().await.expect("an element");
    at.send_keys(&char::from(key).to_string()).await.expect("a key");
}

/// Goes on with the tab key until the focus is on what a condition holds for; at most so many times.
async fn tab_until(browser: &Browser, condition: &str) {
    for _ in 0..120 {
        press(browser, Key::Tab).await;
        let seen = "(() => { const at = document.activeElement, look = getComputedStyle(at); \
                    return [at.matches(':focus-visible') && look.outlineStyle !== 'none' && parseFloat(look.outlineWidth) >= 2, at.textContent.trim()]; })()";
        let seen = browser.value(seen).await;
        assert_eq!(seen[0], json!(true), "the focus is not seen on {}", seen[1]);
        if browser.value(&format!("(at => {condition})(document.activeElement)")).await == json!(true) {
            return;
        }
    }
    panic!("the focus never came to {condition}");
}

#[tokio::test(flavor = "multi_thread")]
async fn from_the_nation_to_an_explanation_with_the_keyboard_alone() {
    let _one = one_at_a_time().await;
    let Some(browser) = Browser::start(&VIETNAMESE).await else { return };
    let server = reported().await;
    let eyes = Eyes { server: &server, browser: &browser };
    eyes.open("/", &[("unit", "VN"), ("period", MONTH)]).await;
    // The first stop leads past everything to the content.
    tab_until(&browser, "at.classList.contains('skip')").await;
    press(&browser, Key::Enter).await;
    assert_eq!(browser.value("location.hash").await, json!("#main"));
    tab_until(&browser, "at.matches('.overview th a')").await;
    press(&browser, Key::Enter).await;
    eyes.see(".big").await;
    tab_until(&browser, "at.classList.contains('skip')").await;
    press(&browser, Key::Enter).await;
    tab_until(&browser, "at.matches('.big .value')").await;
    press(&browser, Key::Enter).await;
    eyes.see(".because").await;
    assert!(eyes.here().await.contains("/explain?"), "{}", eyes.here().await);
    // Maps can be left out: they hold no stop of their own, since the table beside leads to the same places.
    eyes.open("/indicator", &[("indicator", "tg02"), ("unit", "VN"), ("period", MONTH)]).await;
    eyes.see("svg.map").await;
    tab_until(&browser, "at.matches('.ranked th a')").await;
    assert_eq!(
        browser.value("document.querySelectorAll('svg.map a:not([tabindex=\"-1\"])').length").await,
        json!(0)
    );
}

/// The name of a picture, a page, and what is asked of it.
type Page = (&'static str, &'static str, &'static [(&'static str, &'static str)]);

/// All pages, as the tests and the screenshots look at them.
const PAGES: [Page; 8] = [
    ("overview", "/", &[("unit", "VN")]),
    ("indicator", "/indicator", &[("unit", "VN"), ("indicator", "tg02")]),
    ("province", "/indicator", &[("unit", "06"), ("indicator", "tg02"), ("show", "coverage")]),
    ("unit", "/unit", &[("unit", "06")]),
    ("coverage", "/coverage", &[("unit", "VN")]),
    ("differences", "/differences", &[("unit", "VN")]),
    ("explain", "/explain", &[("unit", "06"), ("indicator", "tg02")]),
    ("find", "/find", &[("unit", "VN"), ("q", "bac kan")]),
];

/// The checker's script, from PyPI: fetched once into the target directory, at one version.
async fn axe() -> Option<&'static str> {
    const PACKAGE: &str = "axe-playwright-python==0.1.8";
    static SCRIPT: OnceCell<Option<String>> = OnceCell::const_new();
    let fetch = || async {
        let target = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("axe");
        let script = target.join("axe_playwright_python/axe.min.js");
        if !script.is_file() {
            let to = target.display().to_string();
            let arguments = [
                "-m",
                "pip",
                "install",
                "--quiet",
                "--no-deps",
                "--disable-pip-version-check",
                "--root-user-action=ignore",
                "--target",
                &to,
                PACKAGE,
            ];
            // The one that other tests use, if it is there.
            let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/python/bin/python");
            let pythons = [own, PathBuf::from("python3")];
            let fetch =
                |python: &PathBuf| Command::new(python).args(arguments).status().is_ok_and(|s| s.success());
            if !pythons.iter().any(fetch) {
                pass_over(&format!("{PACKAGE} cannot be had with pip"));
                return None;
            }
        }
        Some(std::fs::read_to_string(script).expect("the checker"))
    };
    SCRIPT.get_or_init(fetch).await.as_deref()
}

/// What the checker finds against WCAG 2.2, levels A and AA.
async fn violations(browser: &Browser, axe: &str) -> Vec<String> {
    browser.client.execute(axe, vec![]).await.expect("the checker is there");
    let run = "const done = arguments[arguments.length - 1]; \
               axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] }).then(done, e => done({ error: String(e) }));";
    let answer: Value = browser.client.execute_async(run, vec![]).await.expect("the checker runs");
    assert!(answer["passes"].as_array().is_some_and(|passes| passes.len() > 15), "{answer}");
    let found = answer["violations"].as_array().cloned().unwrap_or_default();
    let said = |v: &Value| {
        let nodes: Vec<String> =
            v["nodes"].as_array().into_iter().flatten().take(4).map(|n| n["html"].to_string()).collect();
        format!("{}: {} at {}", v["id"], v["help"], nodes.join("; "))
    };
    found.iter().map(said).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_passes_the_accessibility_checker_and_fits_its_screen() {
    let _one = one_at_a_time().await;
    let Some(browser) = Browser::start(&VIETNAMESE).await else { return };
    let Some(axe) = axe().await else { return };
    let server = reported().await;
    let eyes = Eyes { server: &server, browser: &browser };
    let mut trouble = Vec::new();
    for (width, lang) in [(360, "vi"), (1920, "en")] {
        browser.resize(width, 900).await.expect("resized");
        for (name, path, parameters) in PAGES {
            let mut parameters = parameters.to_vec();
            parameters.extend([("period", MONTH), ("lang", lang)]);
            eyes.open(path, &parameters).await;
            eyes.see("h1").await;
            // Everything is looked at, what is folded up too.
            browser
                .client
                .execute("document.querySelectorAll('details').forEach(d => d.open = true)", vec![])
                .await
                .expect("opened");
            let found = violations(&browser, axe).await;
            trouble.extend(found.into_iter().map(|v| format!("{name} at {width}: {v}")));
            let beyond = browser.value(BEYOND).await;
            trouble.extend(
                beyond
                    .as_array()
                    .into_iter()
                    .flatten()
                    .map(|e| format!("{name} at {width}: beyond the edge: {e}")),
            );
        }
    }
    assert!(trouble.is_empty(), "{}", trouble.join("\n"));
}

/// Elements with text that reach beyond the edge of the page, or whose text is cut.
const BEYOND: &str = "[...document.querySelectorAll('#view *, header *')].filter(e => { \
    if (e.closest('.unseen, .skip, svg') || !e.getClientRects().length) return false; \
    const box = e.getBoundingClientRect(); \
    const cut = getComputedStyle(e).overflowX !== 'visible' && e.scrollWidth > e.clientWidth + 1 && !e.matches('input, select'); \
    return box.right > document.documentElement.clientWidth + 1 || box.left < -1 || cut; \
}).slice(0, 5).map(e => e.outerHTML.slice(0, 160))";

#[tokio::test(flavor = "multi_thread")]
#[ignore = "makes the screenshots of docs/dashboard"]
async fn screenshots() {
    let Some(browser) = Browser::start(&VIETNAMESE).await else { return };
    let server = Server::start().await;
    Showcase::new(Size::Full).report(&server).await;
    let eyes = Eyes { server: &server, browser: &browser };
    let folder =
        Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace").join("docs/dashboard");
    std::fs::create_dir_all(&folder).expect("a folder");
    let more: [Page; 3] = [
        ("reform", "/indicator", &[("unit", "19"), ("indicator", "tg02"), ("period", "2025-M12")]),
        ("restated", "/explain", &[("unit", "19"), ("indicator", "tg02"), ("map", "2025-07-01")]),
        ("english", "/", &[("unit", "VN"), ("period", "2025"), ("lang", "en")]),
    ];
    for (name, path, parameters) in PAGES.into_iter().chain(more) {
        let mut parameters = parameters.to_vec();
        if !parameters.iter().any(|(key, _)| *key == "period") {
            parameters.push(("period", MONTH));
        }
        for width in [360, 1920] {
            browser.resize(width, 900).await.expect("resized");
            eyes.open(path, &parameters).await;
            eyes.see("h1").await;
            let high =
                browser.value("document.documentElement.scrollHeight").await.as_u64().expect("a height");
            // A long page is shown as far as its beginning tells what the rest is like.
            let high = u32::try_from(high).expect("a height").min(if width == 360 { 2400 } else { 1500 });
            browser.resize(width, high).await.expect("resized");
            let shot = browser.client.screenshot().await.expect("a screenshot");
            let file = folder.join(format!("{name}-{width}.png"));
            std::fs::write(&file, shot).expect("written");
            // Fewer colours are enough for a page, and a fraction of the bytes.
            let smaller = Command::new("pngquant")
                .args(["--force", "--ext", ".png", "--speed", "1", "64"])
                .arg(&file)
                .status();
            assert!(smaller.expect("pngquant (Debian: pngquant)").success());
            let bytes = std::fs::metadata(&file).expect("the file").len();
            assert!(bytes < 150 * 1024, "{}: {bytes} bytes", file.display());
        }
    }
}

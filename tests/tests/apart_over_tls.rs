//! The services as processes of their own that speak TLS to one another and to everybody, each side showing a certificate:
//! what is pushed comes to the totals, from the command line as well, and who shows no certificate, or another's, is not let
//! in by any of them.

use std::time::{Duration, Instant};

use jsonwebtoken::Algorithm;
use serde_json::{Value, json};
use tonghop_testkit::postgres::On;
use tonghop_tests::certificates::{Authority, Files};
use tonghop_tests::issuer::{AUDIENCE, Issuer, Signing};
use tonghop_tests::process::{Process, free_address, typed};
use tonghop_tests::server::KeyFiles;

/// How long something may take to come about.
const PATIENCE: Duration = Duration::from_secs(60);

/// The command line's word for TLS: whom it believes, and what it shows.
struct Typed {
    keys: KeyFiles,
    ca: String,
    certificate: String,
    key: String,
}

impl Typed {
    /// Types a command at a service, as the administrator.
    async fn at(&self, url: &str, command: &[&str]) -> (Option<i32>, String, String) {
        let administrator = self.keys.administrator().display().to_string();
        let tls = ["--tls-ca", &self.ca, "--tls-certificate", &self.certificate, "--tls-key", &self.key];
        let to = [&["--url", url, "--key-file", &administrator], &tls[..]].concat();
        typed("tonghop", &[command, &to].concat()).await
    }

    /// The same, which has to do what it is told.
    async fn does(&self, url: &str, command: &[&str]) -> String {
        let (code, out, err) = self.at(url, command).await;
        assert_eq!(code, Some(0), "{command:?}: {out:.1000}\n{err:.1000}");
        out
    }
}

fn tips(unit: &str) -> Value {
    let figure = json!({
        "unit": unit, "indicator": "tg02-useful-tips", "period": "2024-M05", "scope": "own", "value": "12",
        "breakdown": { "reporter": "cong-an" },
    });
    json!({ "figures": [figure] })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_services_apart_speak_tls_and_let_nobody_in_without_a_certificate() {
    let Some(On::Postgres(postgres)) = On::postgres() else { return };
    let (files, authority, stranger) = (Files::new(), Authority::new(), Authority::new());
    let (ca, other_ca) = (files.put("ca.pem", &authority.pem), files.put("stranger.pem", &stranger.pem));
    let (own, others) = (authority.issue(), stranger.issue());
    let (port, client, wrong) =
        (files.pair("port", &authority.issue()), files.pair("client", &own), files.pair("wrong", &others));
    let text = |path: &std::path::Path| path.display().to_string();
    let (issuer, signing) = (Issuer::start().await, Signing::new("one", Algorithm::ES256));
    issuer.publish(&[&signing]);
    let (keys, database) = (KeyFiles::new(), postgres.database());
    let settings = [
        ("TONGHOP_DATABASE", database.url()),
        ("TONGHOP_LOG", "warn".to_owned()),
        ("TONGHOP_TLS_CERTIFICATE", text(&port.0)),
        ("TONGHOP_TLS_KEY", text(&port.1)),
        ("TONGHOP_TLS_CLIENT_CA", text(&ca)),
        ("TONGHOP_TLS_CA", text(&ca)),
        ("TONGHOP_OIDC_ISSUER", issuer.url().to_owned()),
        ("TONGHOP_OIDC_AUDIENCE", AUDIENCE.to_owned()),
    ];
    let settings: Vec<(&str, &str)> = settings.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let start = |name: &str, arguments: &[&str]| Process::guarded(name, arguments, &settings, &keys);
    let (any, at) = ("127.0.0.1:0", free_address());
    let aggregation_url = format!("https://{at}");
    let ingestion = start("tonghop-ingestion", &["--listen", any, "--aggregation", &aggregation_url]);
    let aggregation = start("tonghop-aggregation", &["--listen", &at, "--ingestion", &ingestion.url]);
    let query = start("tonghop-query", &["--listen", any, "--aggregation", &aggregation_url]);
    for service in [&ingestion, &aggregation, &query] {
        assert!(service.url.starts_with("https://"), "{}", service.url);
    }

    // From the command line.
    let administrator = Typed { keys, ca: text(&ca), certificate: text(&client.0), key: text(&client.1) };
    administrator.does(&ingestion.url, &["registry", "load"]).await;
    let report = files.put(
        "report.csv",
        "unit_code,indicator,breakdown,period,scope,value\n01840,tg02,reporter=cong-an,2024-M05,own,7\n",
    );
    let taken = administrator.does(&ingestion.url, &["push", &text(&report), "--source", "test"]).await;
    assert!(taken.contains("taken at position 2"), "{taken}");

    // With a token, over REST; ingestion asks aggregation what became of it.
    let token = signing.sign(&issuer.claims());
    let http = authority.believer(Some(&own));
    let push = http.post(format!("{}/v1/submissions", ingestion.url)).bearer_auth(&token);
    let push = push.header("Idempotency-Key", "a").header("Content-Type", "application/json");
    let answer = push.body(tips("01864").to_string()).send().await.expect("an answer");
    assert_eq!(answer.status(), 201);
    let receipt: Value = answer.json().await.expect("JSON");
    let path = format!("{}/v1/submissions/{}", ingestion.url, receipt["id"].as_str().expect("an id"));
    let begun = Instant::now();
    loop {
        let answer = http.get(&path).bearer_auth(&token).send().await.expect("an answer");
        let told: Value = answer.json().await.expect("JSON");
        if told["state"] == "rolled_up" {
            break;
        }
        assert!(begun.elapsed() < PATIENCE, "it is never rolled up: {told}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let question = [
        "totals",
        "--indicator",
        "tg02",
        "--unit",
        "06",
        "--period",
        "2024-M05",
        "--at-least",
        "3",
        "--json",
    ];
    let totals: Value = serde_json::from_str(&administrator.does(&query.url, &question).await).expect("JSON");
    assert_eq!(totals[0]["value"], "19", "{totals}");

    // Who shows no certificate, or that of another authority, speaks to none of them; nor does who believes another.
    for service in [&ingestion, &aggregation, &query] {
        for identity in [None, Some(&others)] {
            let asked = authority.believer(identity).get(format!("{}/healthz", service.url)).send().await;
            assert!(asked.is_err(), "{}: {asked:?}", service.url);
        }
        let asked = stranger.believer(Some(&own)).get(format!("{}/healthz", service.url)).send().await;
        assert!(asked.is_err(), "{}: {asked:?}", service.url);
        let asked = http.get(format!("{}/healthz", service.url)).send().await.expect("an answer");
        assert_eq!(asked.status(), 200);
    }
    let administrator_key = text(&administrator.keys.administrator());
    let with = ["push", &text(&report), "--source", "test", "--key-file", &administrator_key];
    let plain = ingestion.url.replace("https://", "http://");
    for (what, url, tls) in [
        ("no certificate", &ingestion.url, vec!["--tls-ca".to_owned(), text(&ca)]),
        (
            "another's certificate",
            &ingestion.url,
            ["--tls-ca", &text(&ca), "--tls-certificate", &text(&wrong.0), "--tls-key", &text(&wrong.1)]
                .map(str::to_owned)
                .to_vec(),
        ),
        (
            "another authority is believed",
            &ingestion.url,
            [
                "--tls-ca",
                &text(&other_ca),
                "--tls-certificate",
                &text(&client.0),
                "--tls-key",
                &text(&client.1),
            ]
            .map(str::to_owned)
            .to_vec(),
        ),
        ("no TLS", &plain, vec![]),
    ] {
        let tls: Vec<&str> = tls.iter().map(String::as_str).collect();
        let (code, out, err) = typed("tonghop", &[&with[..], &["--url", url], &tls].concat()).await;
        assert_eq!((code, out.as_str()), (Some(1), ""), "{what}: {err:.1000}");
        assert!(!err.trim().is_empty() && !err.contains("panicked"), "{what}: {err:.1000}");
    }

    // Each says of itself that it is ready, over TLS too.
    for (name, service) in
        [("tonghop-ingestion", &ingestion), ("tonghop-aggregation", &aggregation), ("tonghop-query", &query)]
    {
        let (listen, files) =
            (service.url.replace("https://", ""), [text(&port.0), text(&port.1), text(&ca)]);
        let of_port = ["--tls-certificate", &files[0], "--tls-key", &files[1], "--tls-client-ca", &files[2]];
        let asked = [&["--check", "--listen", listen.as_str()], &of_port[..]].concat();
        let (code, out, err) = typed(name, &asked).await;
        assert_eq!(code, Some(0), "{name}: {out} {err}");
    }
    for service in [query, aggregation, ingestion] {
        let (code, log) = service.stop().await;
        assert_eq!(code, Some(0), "{log:.2000}");
    }
}

//! Keys: what they hold for, how they come and go, and that nobody learns what is not theirs to know.

use std::time::Duration;

use serde_json::{Value, json};
use tonghop_access::Access;
use tonghop_proto::access::{IssueKeyRequest, RevokeKeyRequest};
use tonghop_proto::aggregation::GetStatusRequest;
use tonghop_proto::ingestion::SubmitRequest;
use tonghop_proto::ingestion::figure::Statement;
use tonghop_proto::record::document::{rewrite, rewrites};
use tonghop_store::{Ledger, Rewrite};
use tonghop_testkit::on_both;
use tonghop_testkit::postgres::On;
use tonghop_tests::exposition::Exposition;
use tonghop_tests::process::{Process, free_address};
use tonghop_tests::server::{ADMINISTRATOR, KeyFiles, SERVICE, shipped};
use tonghop_tests::{Api, Reply, Server};
use tonic::Code;

on_both! {
    a_key_is_given_replaced_and_revoked,
}

/// For how long it is looked whether something has come to be known everywhere.
const PATIENCE: Duration = Duration::from_secs(15);

/// A key of the police of Bắc Kạn.
async fn key(administrator: &Api, units: &[&str]) -> (String, String) {
    let wanted = json!({
        "source": "congan-backan", "roles": ["report"], "units": units, "sides": ["cong-an"],
    });
    let headers = [("idempotency-key", "a key"), ("content-type", "application/json")];
    let given = administrator.send("/v1/keys", &[], &headers, wanted.to_string()).await.expect(201);
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    (text(&given["key"]["key"]), text(&given["secret"]))
}

fn figure(unit: &str, period: &str, reporter: &str) -> Value {
    json!({
        "unit": unit, "indicator": "tg02-useful-tips", "period": period, "scope": "own", "value": "12",
        "breakdown": { "reporter": reporter },
    })
}

async fn push(api: &Api, key: &str, figures: &[Value]) -> Reply {
    api.push_json(key, &json!({ "source": "", "figures": figures })).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_figure_is_taken_where_the_key_holds_for_its_unit_in_its_period_and_for_its_side() {
    let server = Server::guarded(On::Sqlite, Access::Keys).await;
    let administrator = server.holding(ADMINISTRATOR);
    let (id, secret) = key(&administrator, &["06"]).await;
    let api = server.holding(&secret);
    let good = push(&api, "good", &[figure("01864", "2024-M05", "cong-an")]).await;
    good.expect(201);

    // Its submissions bear its source, named or not, and are its deed.
    let id_of_good = good.json()["id"].as_str().expect("an id").to_owned();
    let seen = api.get(&format!("/v1/submissions/{id_of_good}"), &[]).await.expect(200);
    assert_eq!(seen["source"], "congan-backan");
    let audit = administrator.get("/v1/audit", &[("kind", "submission")]).await.expect(200);
    assert_eq!(audit["entries"][0]["actor"], format!("key:{id}"));
    assert_eq!(audit["entries"][0]["position"], good.json()["position"]);
    let document = json!({ "source": "congan-hanoi", "figures": [figure("01864", "2024-M05", "cong-an")] });
    let other = api.push_json("s", &document).await;
    assert_eq!((other.status, other.codes()), (403, vec!["source_not_yours".to_owned()]));

    // A unit of another province; no unit at all; another side; and of several each.
    let outside = push(&api, "o", &[figure("00001", "2024-M05", "cong-an")]).await;
    assert_eq!((outside.status, outside.codes()), (403, vec!["outside_your_units".to_owned()]));
    let nowhere = push(&api, "n", &[figure("99999", "2024-M05", "cong-an")]).await;
    let plain = |reply: &Reply, code: &str| {
        let text = reply.text();
        text.replace(&format!("\\\"{code}\\\""), "CODE").replace(&format!("\"{code}\""), "CODE")
    };
    assert_eq!(
        plain(&outside, "00001"),
        plain(&nowhere, "99999"),
        "whether there is such a unit is not told"
    );
    // The province's code is no more after the merger; that of another that is no more is not told apart either.
    let merged = push(&api, "m", &[figure("10", "2025-M10", "cong-an")]).await;
    let never = push(&api, "v", &[figure("999", "2025-M10", "cong-an")]).await;
    assert_eq!(plain(&merged, "10"), plain(&never, "999"));
    let of_the_front = json!({
        "unit": "01864", "indicator": "nh03-festival-attendances", "period": "2024", "scope": "own",
        "value": "12", "breakdown": { "reporter": "mttq" },
    });
    let side = push(&api, "d", std::slice::from_ref(&of_the_front)).await;
    assert_eq!((side.status, side.codes()), (403, vec!["not_your_side".to_owned()]));
    let several = [figure("00001", "2024-M05", "cong-an"), of_the_front];
    let several = push(&api, "b", &several).await;
    assert_eq!(several.status, 403);
    assert_eq!(several.codes(), ["outside_your_units", "not_your_side"]);
    // With something else wrong it is the usual refusal.
    let mixed = [figure("00001", "2024-M05", "cong-an"), json!({ "unit": "01864", "indicator": "none" })];
    assert_eq!(push(&api, "x", &mixed).await.status, 422);
    for reply in [&outside, &merged, &side] {
        for name in ["Hà Nội", "Phúc Xá", "Lào Cai"] {
            assert!(!reply.text().contains(name), "{}", reply.text());
        }
    }
    // Leading zeros that a spreadsheet has cut are still seen, within one's own units.
    let cut = push(&api, "c", &[figure("1864", "2024-M05", "cong-an")]).await;
    assert!(cut.text().contains("01864"), "{}", cut.text());

    // The same over gRPC, figures in messages.
    let submit = |key: &str, unit: &str| SubmitRequest {
        idempotency_key: key.into(),
        figures: vec![tonghop_proto::ingestion::Figure {
            unit: unit.into(),
            indicator: "tg02-useful-tips".into(),
            breakdown: "reporter=cong-an".into(),
            period: "2024-M07".into(),
            scope: "own".into(),
            statement: Some(Statement::Value("7".into())),
            ..Default::default()
        }],
        ..Default::default()
    };
    let refused = api.ingestion().submit(submit("g", "00001")).await.expect_err("outside");
    assert_eq!(refused.code(), Code::PermissionDenied);
    api.ingestion().submit(submit("g", "01864")).await.expect("its own");
    administrator.assert_clean().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_submission_of_another_source_is_for_others_as_if_it_were_not_there() {
    let server = Server::guarded(On::Sqlite, Access::Keys).await;
    let administrator = server.holding(ADMINISTRATOR);
    let (_, secret) = key(&administrator, &["06"]).await;
    let api = server.holding(&secret);
    let document = json!({ "source": "congan-hanoi", "figures": [figure("00001", "2024-M05", "cong-an")] });
    let other = administrator.push_json("other", &document).await.expect(201);
    let other = other["id"].as_str().expect("an id");
    let none = "0193f0a0-0000-7000-8000-000000000000";
    for path in ["", "/document"] {
        let hidden = api.get(&format!("/v1/submissions/{other}{path}"), &[]).await;
        let absent = api.get(&format!("/v1/submissions/{none}{path}"), &[]).await;
        assert_eq!((hidden.status, absent.status), (404, 404));
        assert_eq!(hidden.text().replace(other, "ID"), absent.text().replace(none, "ID"));
        // Entries that are no submissions are nobody's but the administrator's.
        let audit = administrator.get("/v1/audit", &[("kind", "access")]).await.expect(200);
        let entry = audit["entries"][0]["id"].as_str().expect("an id");
        assert_eq!(api.get(&format!("/v1/submissions/{entry}{path}"), &[]).await.status, 404);
    }
}

async fn a_key_is_given_replaced_and_revoked(on: On) {
    let server = Server::guarded(on, Access::Keys).await;
    let administrator = server.holding(ADMINISTRATOR);
    let mut access = administrator.access();
    let wanted = IssueKeyRequest {
        idempotency_key: "first".into(),
        source: "congan-backan".into(),
        roles: vec!["report".into()],
        units: vec!["06".into()],
        sides: vec!["cong-an".into()],
        note: "trung tâm".into(),
        ..Default::default()
    };
    let given = access.issue_key(wanted.clone()).await.expect("a key").into_inner();
    let first = given.key.clone().expect("a key");
    assert_eq!((first.state.as_str(), given.replayed), ("active", false));
    let again = access.issue_key(wanted.clone()).await.expect("the same").into_inner();
    assert_eq!((again.replayed, again.secret.as_str(), again.key), (true, "", given.key.clone()));
    let other = IssueKeyRequest { units: vec!["01".into()], ..wanted.clone() };
    let refused = access.issue_key(other).await.expect_err("another under the same name");
    assert_eq!(refused.code(), Code::AlreadyExists);
    // Everything wrong at once.
    let wrong = IssueKeyRequest {
        idempotency_key: "wrong".into(),
        roles: vec!["reporter".into(), "report".into()],
        units: vec!["06".into(), "99999".into()],
        sides: vec!["ai-do".into()],
        expires_at: "2020-01-01".into(),
        overlap_hours: Some(3),
        ..wanted.clone()
    };
    let refused = access.issue_key(wrong).await.expect_err("wrong");
    assert_eq!(refused.code(), Code::InvalidArgument);
    let said = String::from_utf8_lossy(refused.details()).into_owned();
    for code in ["unknown_role", "unknown_unit", "unknown_member", "malformed_date", "overlap_hours"] {
        assert!(said.contains(code), "{code}: {said}");
    }

    // Replaced: the one before goes on for the overlap, then is none.
    let rotate = |name: &str, replaces: &str, hours| IssueKeyRequest {
        idempotency_key: name.into(),
        replaces: replaces.into(),
        overlap_hours: Some(hours),
        ..Default::default()
    };
    let second = access.issue_key(rotate("second", &first.key, 1)).await.expect("another").into_inner();
    let second_key = second.key.clone().expect("a key");
    assert_eq!((&second_key.units, &second_key.sides), (&first.units, &first.sides));
    assert_eq!(
        (second_key.source.as_str(), second_key.replaces.as_str()),
        ("congan-backan", first.key.as_str())
    );
    let figures = [figure("01864", "2024-M05", "cong-an")];
    push(&server.holding(&given.secret), "a", &figures).await.expect(201);
    push(&server.holding(&second.secret), "b", &figures).await.expect(201);
    let third = access.issue_key(rotate("third", &second_key.key, 0)).await.expect("another").into_inner();
    let gone = push(&server.holding(&second.secret), "c", &figures).await;
    assert_eq!(gone.status, 401, "{}", gone.text());
    let late = access.issue_key(rotate("fourth", &second_key.key, 0)).await.expect_err("it is none any more");
    assert_eq!(late.code(), Code::InvalidArgument);
    push(&server.holding(&third.secret), "d", &figures).await.expect(201);

    // Revoked: at once, and once.
    let revoke = RevokeKeyRequest { key: third.key.clone().expect("a key").key, note: "lost".into() };
    let revoked = access.revoke_key(revoke.clone()).await.expect("revoked").into_inner();
    assert_eq!((revoked.replayed, revoked.key.clone().expect("a key").state.as_str()), (false, "revoked"));
    let gone = push(&server.holding(&third.secret), "e", &figures).await;
    assert_eq!((gone.status, gone.header("www-authenticate")), (401, "Bearer"));
    let again = access.revoke_key(revoke).await.expect("it was").into_inner();
    assert_eq!((again.replayed, again.position), (true, revoked.position));
    let none = RevokeKeyRequest { key: "0000000000000000".into(), ..Default::default() };
    assert_eq!(access.revoke_key(none).await.expect_err("none").code(), Code::NotFound);

    let listed = administrator.get("/v1/keys", &[("source", "congan-backan")]).await.expect(200);
    let states: Vec<_> = listed["keys"].as_array().expect("keys").iter().map(|k| &k["state"]).collect();
    assert_eq!(states, ["active", "expired", "revoked"]);
    for secret in ["salt", "digest", "secret", &given.secret] {
        assert!(!listed.to_string().contains(secret), "{listed}");
    }
    // All of it is in the audit log, the last first, page by page.
    let page = administrator.get("/v1/audit", &[("kind", "access"), ("limit", "2")]).await.expect(200);
    let what = |entry: &Value| entry["what"].as_str().expect("words").to_owned();
    assert!(what(&page["entries"][0]).contains("revoked"), "{page}");
    assert!(what(&page["entries"][1]).contains("in the place of"), "{page}");
    assert_eq!(page["entries"][0]["actor"], "administrator");
    let cursor = page["next"].as_str().expect("more");
    let next = administrator.get("/v1/audit", &[("kind", "access"), ("cursor", cursor)]).await.expect(200);
    assert_eq!((next["entries"].as_array().expect("entries").len(), &next["next"]), (2, &Value::Null));
    let by_key = [("actor", format!("key:{}", first.key))];
    let by_key: Vec<(&str, &str)> = by_key.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let by_key = administrator.get("/v1/audit", &by_key).await.expect(200);
    assert_eq!(by_key["entries"].as_array().expect("entries").len(), 1);
    administrator.assert_clean().await;

    let read = Exposition::read(&server.get("/metrics", &[]).await.text()).expect("metrics");
    let labels = [("reason", "unauthenticated"), ("transport", "rest")];
    assert_eq!(read.value("tonghop_access_refusals_total", &labels), 2.);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_holder_sends_is_nowhere_in_the_ledger() {
    let server = Server::guarded(On::Sqlite, Access::Keys).await;
    let administrator = server.holding(ADMINISTRATOR);
    let (id, secret) = key(&administrator, &["06"]).await;
    let taken = push(&server.holding(&secret), "a", &[figure("01864", "2024-M05", "cong-an")]).await;
    taken.expect(201);
    administrator.wait(taken.position()).await;
    let part = secret.rsplit('_').next().expect("its secret part").to_owned();
    let files = server.files().expect("files").to_owned();
    let holds = |bytes: &[u8], text: &str| bytes.windows(text.len()).any(|window| window == text.as_bytes());
    // As they are on the disk, and as they are written out again.
    for entry in std::fs::read_dir(&files).expect("the directory") {
        let path = entry.expect("a file").path();
        let bytes = std::fs::read(&path).expect("its bytes");
        for text in [&part, ADMINISTRATOR, SERVICE] {
            assert!(!holds(&bytes, text), "{}", path.display());
        }
    }
    let data = server.stop().await;
    let ledger = Ledger::open(&format!("sqlite://{}", files.join("ledger.sqlite").display())).await;
    let ledger = ledger.expect("the ledger").rewriting(Rewrite {
        write: |of| rewrite(of.skeleton, of.record).map_err(|e| e.to_string()),
        gives: |of, document| rewrites(of.skeleton, of.record, document).map_err(|e| e.to_string()),
    });
    let entries = ledger.read_after(1, 100, usize::MAX).await.expect("entries");
    assert_eq!(entries.len(), 2);
    for entry in &entries {
        assert!(!holds(&entry.document, &part) && !holds(&entry.record, &part), "{:?}", entry.receipt);
        assert!(!format!("{:?}", entry.receipt).contains(&part));
    }
    assert!(holds(&entries[0].record, &id), "what it is known by is");
    drop(data);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_log_shows_what_a_holder_sends() {
    let keys = KeyFiles::new();
    let data = tempfile::tempdir().expect("a directory");
    let directory = data.path().display().to_string();
    let arguments = ["up", "--listen", "127.0.0.1:0", "--data-dir", directory.as_str()];
    let up = Process::guarded("tonghop", &arguments, &[("TONGHOP_LOG", "debug")], &keys);
    let api = Api::at(up.url.clone());
    let administrator = api.holding(ADMINISTRATOR);
    administrator.load("registry", shipped(), false).await.expect("a registry");
    let (id, secret) = key(&administrator, &["06"]).await;
    let holder = api.holding(&secret);
    push(&holder, "a", &[figure("01864", "2024-M05", "cong-an")]).await.expect(201);
    assert_eq!(push(&holder, "b", &[figure("00001", "2024-M05", "cong-an")]).await.status, 403);
    let wrong = format!("{}{}", &secret[..secret.len() - 1], if secret.ends_with('0') { '1' } else { '0' });
    assert_eq!(push(&api.holding(&wrong), "c", &[]).await.status, 401);
    assert_eq!(holder.get("/v1/audit", &[]).await.status, 403);
    let (code, log) = up.stop().await;
    assert_eq!(code, Some(0), "{log}");
    for text in [ADMINISTRATOR, SERVICE, secret.as_str(), &secret[21..], &wrong[21..]] {
        assert!(!log.contains(text), "{log}");
    }
    // Who was refused is there, by what the key is known by.
    assert!(log.contains(&format!("key:{id}")) && log.contains("forbidden"), "{log}");
    assert!(log.contains("unauthenticated"), "{log}");
}

/// Asks again until it is answered as it has to be in the end.
async fn in_the_end(what: &str, mut asked: impl AsyncFnMut() -> bool) {
    let waited = tokio::time::timeout(PATIENCE, async {
        while !asked().await {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    });
    assert!(waited.await.is_ok(), "{what}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_key_that_is_revoked_through_one_replica_is_none_for_the_others() {
    let Some(On::Postgres(postgres)) = On::postgres() else { return };
    let (database, keys) = (postgres.database(), KeyFiles::new());
    let (url, any, at) = (database.url(), "127.0.0.1:0", free_address());
    let environment = [("TONGHOP_DATABASE", url.as_str()), ("TONGHOP_LOG", "warn")];
    let aggregation_url = format!("http://{at}");
    let start = |name: &str, arguments: &[&str]| Process::guarded(name, arguments, &environment, &keys);
    let of_aggregation = ["--listen", any, "--aggregation", aggregation_url.as_str()];
    let (first, second) =
        (start("tonghop-ingestion", &of_aggregation), start("tonghop-ingestion", &of_aggregation));
    // The services know one another by their key.
    let aggregation = start("tonghop-aggregation", &["--listen", &at, "--ingestion", &first.url]);
    let (one, other) = (Api::at(first.url.clone()), Api::at(second.url.clone()));
    let aggregation_api = Api::at(aggregation.url.clone());
    let administrator = one.holding(ADMINISTRATOR);
    administrator.load("registry", shipped(), false).await.expect("a registry");
    let (id, secret) = key(&administrator, &["06"]).await;
    let (here, there) = (one.holding(&secret), other.holding(&secret));
    let there_too = aggregation_api.holding(&secret);
    let figures = [figure("01864", "2024-M05", "cong-an")];
    push(&here, "a", &figures).await.expect(201);
    in_the_end("the other ingestion learns of the key", async || {
        push(&there, "b", &figures).await.status < 300
    })
    .await;
    in_the_end("so does aggregation", async || {
        there_too.aggregation().get_status(GetStatusRequest {}).await.is_ok()
    })
    .await;
    // What is asked of aggregation is answered to who serves.
    let taken = push(&here, "c", &figures).await;
    let path = format!("/v1/submissions/{}", taken.json()["id"].as_str().expect("an id"));
    in_the_end("it is rolled up", async || here.get(&path, &[]).await.json()["state"] == "rolled_up").await;

    let revoke = RevokeKeyRequest { key: id, ..Default::default() };
    administrator.access().revoke_key(revoke).await.expect("revoked");
    // A push is refused at once wherever it comes: it would be appended after the revocation.
    let late = push(&there, "d", &figures).await;
    assert_eq!(late.status, 401, "{}", late.text());
    assert_eq!(push(&here, "e", &figures).await.status, 401);
    // All else within seconds.
    in_the_end("the other ingestion", async || there.get(&path, &[]).await.status == 401).await;
    in_the_end("aggregation", async || {
        let answer = there_too.aggregation().get_status(GetStatusRequest {}).await;
        answer.err().map(|status| status.code()) == Some(Code::Unauthenticated)
    })
    .await;
}

#[test]
fn services_do_not_start_without_the_keys_they_need() {
    for (name, missing) in [
        ("tonghop-ingestion", "--service-key-file"),
        ("tonghop-aggregation", "--service-key-file"),
        ("tonghop-query", "--service-key-file"),
    ] {
        let mut command = std::process::Command::new(tonghop_tests::binary::binary(name));
        command.args(["--database", "sqlite:///nowhere/at/all", "--access", "keys"]);
        let output = command.output().expect("it ends");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.code() == Some(1) && said.contains(missing), "{name}: {said}");
    }
    let keys = KeyFiles::new();
    let mut command = std::process::Command::new(tonghop_tests::binary::binary("tonghop-ingestion"));
    command.args(["--database", "sqlite:///nowhere/at/all", "--service-key-file"]);
    let output = command.arg(keys.service()).output().expect("it ends");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.code() == Some(1) && said.contains("--admin-key-file"), "{said}");
}

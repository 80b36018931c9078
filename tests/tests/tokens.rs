//! Tokens of an issuer, through a running server: they hold for what they say and no longer, over both transports and from
//! the command line, and keys that the issuer replaces are let go of.

use std::time::Duration;

use jsonwebtoken::Algorithm;
use serde_json::{Value, json};
use tonghop_proto::ingestion::figure::Statement;
use tonghop_proto::ingestion::{Figure, SubmitRequest};
use tonghop_tests::issuer::{Issuer, Signing, from_now};
use tonghop_tests::process::typed;
use tonghop_tests::server::ADMINISTRATOR;
use tonghop_tests::{Api, Reply, Server};
use tonic::{Code, Status};
use tonic_types::StatusExt;

/// How long something may take to come about: an issuer is asked for its keys no more than every ten seconds.
const PATIENCE: Duration = Duration::from_secs(90);

/// A commune of Bắc Kạn, for which the tokens here hold, and one of Hà Nội.
const HERE: &str = "01864";
const THERE: &str = "00001";

async fn push(api: &Api, key: &str, unit: &str) -> Reply {
    let figure = json!({
        "unit": unit, "indicator": "tg02-useful-tips", "period": "2024-M05", "scope": "own", "value": "12",
        "breakdown": { "reporter": "cong-an" },
    });
    api.push_json(key, &json!({ "figures": [figure] })).await
}

async fn push_over_grpc(api: &Api, key: &str, unit: &str) -> Result<i64, Status> {
    let figure = Figure {
        unit: unit.into(),
        indicator: "tg02-useful-tips".into(),
        breakdown: "reporter=cong-an".into(),
        period: "2024-M05".into(),
        scope: "own".into(),
        statement: Some(Statement::Value("12".into())),
        ..Figure::default()
    };
    let request =
        SubmitRequest { idempotency_key: key.into(), figures: vec![figure], ..SubmitRequest::default() };
    let answer = api.ingestion().submit(request).await?.into_inner();
    Ok(answer.receipt.expect("a receipt").position)
}

/// That a token is none, over both transports and for whatever is asked.
async fn is_none(api: &Api, what: &str) {
    let reply = push(api, what, HERE).await;
    assert_eq!((reply.status, reply.header("www-authenticate")), (401, "Bearer"), "{what}: {}", reply.text());
    let refused = push_over_grpc(api, what, HERE).await.expect_err(what);
    assert_eq!(refused.code(), Code::Unauthenticated, "{what}: {refused:?}");
    // What is public is not for those who say falsely who they are.
    assert_eq!(api.get("/v1/reviews", &[]).await.status, 401, "{what}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_holds_for_what_it_says_over_both_transports() {
    let issuer = Issuer::start().await;
    let keys = [
        Signing::new("one", Algorithm::RS256),
        Signing::new("two", Algorithm::ES256),
        Signing::new("three", Algorithm::EdDSA),
    ];
    issuer.publish(&[&keys[0], &keys[1], &keys[2]]);
    let server = Server::believing(issuer.settings()).await;
    let administrator = server.holding(ADMINISTRATOR);
    for (nth, key) in keys.iter().enumerate() {
        let api = server.holding(&key.sign(&issuer.claims()));
        let taken = push(&api, &format!("REST {nth}"), HERE).await;
        let id = taken.expect(201)["id"].as_str().expect("an id").to_owned();
        // It is the source's own, and the subject's deed.
        let seen = api.get(&format!("/v1/submissions/{id}"), &[]).await.expect(200);
        assert_eq!(seen["source"], "congan-backan");
        let audit = administrator.get("/v1/audit", &[("kind", "submission")]).await.expect(200);
        assert_eq!(audit["entries"][0]["actor"], format!("token:{}#system-06", issuer.url()));
        let position = push_over_grpc(&api, &format!("gRPC {nth}"), HERE).await.expect("taken");
        assert_eq!(position, taken.position() + 1);

        // Outside of it nothing is taken, and whether there is such a unit is not told.
        for unit in [THERE, "99999"] {
            let outside = push(&api, "outside", unit).await;
            assert_eq!((outside.status, outside.codes()), (403, vec!["outside_your_units".to_owned()]));
            let refused = push_over_grpc(&api, "outside", unit).await.expect_err("outside");
            assert_eq!(refused.code(), Code::PermissionDenied, "{refused:?}");
        }
        assert_eq!(api.get("/v1/audit", &[]).await.status, 403, "a role that it does not say");
    }
    let with = |claim: &str, value: Value| {
        let mut claims = issuer.claims();
        claims[claim] = value;
        server.holding(&keys[1].sign(&claims))
    };
    let approver = with("tonghop_roles", json!(["approve"]));
    assert_eq!(push(&approver, "another role", HERE).await.status, 403);
    let front = push(&with("tonghop_sides", json!(["mttq"])), "another side", HERE).await;
    assert_eq!((front.status, front.codes()), (403, vec!["not_your_side".to_owned()]));
    // A clock may be a minute late, and no more.
    for (what, claim, value) in [
        ("over", "exp", json!(from_now(-120))),
        ("not yet", "nbf", json!(from_now(300))),
        ("for others", "aud", json!("https://other.example")),
        ("of another issuer", "iss", json!("https://other.example")),
    ] {
        is_none(&with(claim, value), what).await;
    }
    let stranger = Signing::new("one", Algorithm::RS256);
    is_none(&server.holding(&stranger.sign(&issuer.claims())), "signed by somebody else").await;
    administrator.assert_clean().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_that_ends_is_none_from_then_on() {
    let issuer = Issuer::start().await;
    let key = Signing::new("one", Algorithm::ES256);
    issuer.publish(&[&key]);
    let server = Server::believing(issuer.settings()).await;
    let mut claims = issuer.claims();
    // With the minute that clocks may be apart it holds for some seconds more.
    claims["exp"] = json!(from_now(-45));
    let api = server.holding(&key.sign(&claims));
    push(&api, "in time", HERE).await.expect(201);
    until("it ends", async || push(&api, "in time", HERE).await.status == 401).await;
    is_none(&api, "over").await;
}

/// Waits until something is so.
async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let waited = tokio::time::timeout(PATIENCE, async {
        while !is_so().await {
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    });
    assert!(waited.await.is_ok(), "{what}: not in time");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_that_the_issuer_replaces_are_learnt_and_those_of_before_let_go_of() {
    let issuer = Issuer::start().await;
    let (before, after) = (Signing::new("before", Algorithm::ES256), Signing::new("after", Algorithm::EdDSA));
    let server = Server::believing(issuer.settings()).await;
    let (old, new) =
        (server.holding(&before.sign(&issuer.claims())), server.holding(&after.sign(&issuer.claims())));
    // While nothing of the issuer is known nobody is told that their token is none.
    let reply = push(&old, "a", HERE).await;
    assert_eq!(reply.status, 503, "{}", reply.text());
    assert!(reply.header("retry-after").parse::<u64>().is_ok_and(|seconds| seconds > 0));
    let refused = push_over_grpc(&old, "a", HERE).await.expect_err("the issuer is away");
    assert_eq!(refused.code(), Code::Unavailable, "{refused:?}");
    assert!(refused.get_details_retry_info().is_some_and(|info| info.retry_delay.is_some()));

    issuer.publish(&[&before]);
    until("the first key is learnt", async || push(&old, "a", HERE).await.status < 300).await;
    is_none(&new, "not published yet").await;
    // One takes the place of the other at once, as where a key has leaked.
    issuer.publish(&[&after]);
    until("the new key is learnt", async || push(&new, "b", HERE).await.status < 300).await;
    is_none(&old, "not published any more").await;
    push_over_grpc(&new, "c", HERE).await.expect("taken");
    server.holding(ADMINISTRATOR).assert_clean().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_command_line_pushes_with_a_token_under_the_source_that_it_says() {
    let issuer = Issuer::start().await;
    let key = Signing::new("one", Algorithm::ES256);
    issuer.publish(&[&key]);
    let server = Server::believing(issuer.settings()).await;
    let folder = tempfile::tempdir().expect("a directory");
    let put = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).expect("written");
        path.display().to_string()
    };
    let token = put("token", &key.sign(&issuer.claims()));
    let header = "unit_code,indicator,breakdown,period,scope,value\n";
    let inside = put("inside.csv", &format!("{header}{HERE},tg02,reporter=cong-an,2024-M05,own,7\n"));
    let outside = put("outside.csv", &format!("{header}{THERE},tg02,reporter=cong-an,2024-M05,own,7\n"));
    let push = async |file: &str| {
        typed("tonghop", &["push", file, "--url", server.base(), "--key-file", &token]).await
    };
    let (code, out, err) = push(&inside).await;
    assert!(code == Some(0) && out.contains("taken at position 2"), "{code:?} {out} {err}");
    let (code, out, err) = push(&outside).await;
    assert!(code == Some(1) && err.contains("outside_your_units"), "{code:?} {out} {err}");
    let audit = server.holding(ADMINISTRATOR).get("/v1/audit", &[("kind", "submission")]).await.expect(200);
    assert_eq!(audit["entries"][0]["source"], "congan-backan", "{audit}");
}

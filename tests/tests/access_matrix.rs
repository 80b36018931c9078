//! Every operation, asked by everybody: the same decision over REST and gRPC, and the one that is written down here.
//!
//! [`OPERATIONS`] is the table. It is held against the services' descriptions and the OpenAPI document, so that no
//! operation can be forgotten.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};

use prost::Message;
use reqwest::Method;
use serde_json::{Value, json};
use tonghop_access::Access;
use tonghop_proto::ingestion::figure::Statement;
use tonghop_proto::{access, aggregation, ingestion, query, registry};
use tonghop_testkit::on_both;
use tonghop_testkit::postgres::On;
use tonghop_tests::operation::call;
use tonghop_tests::server::{ADMINISTRATOR, REGISTRY_KEY, SERVICE, shipped};
use tonghop_tests::{Api, Server};
use tonic::Code;

on_both! {
    every_operation_decides_the_same_for_everybody_over_both_transports,
}

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Who {
    /// Nobody in particular.
    Anonymous,
    /// With what is no key of this system.
    Wrong,
    /// With a key whose time is over.
    Expired,
    /// With a key that was taken back.
    Revoked,
    /// Reports for Bắc Kạn, side of the police.
    Reporter,
    /// Reports for Hà Nội.
    Neighbour,
    /// Approves for Bắc Kạn.
    Approver,
    /// Reads what is not public, of Bắc Kạn.
    Reader,
    /// Reads what is not public, of the nation.
    NationalReader,
    /// Holds a key with the role administer, of the nation.
    Administering,
    /// Sends the administrator's key.
    Administrator,
    /// Another service.
    Service,
}

use Who::*;

const EVERYBODY: [Who; 12] = [
    Anonymous,
    Wrong,
    Expired,
    Revoked,
    Reporter,
    Neighbour,
    Approver,
    Reader,
    NationalReader,
    Administering,
    Administrator,
    Service,
];

/// Who may.
#[derive(Clone, Copy, Debug)]
enum May {
    /// Anybody; who says wrongly who they are is refused even so.
    Anybody,
    /// Whoever says who they are.
    Identified,
    /// Whoever reports for Bắc Kạn.
    ReportHere,
    /// Whoever reports for Hà Nội.
    ReportThere,
    /// Whoever reports.
    Report,
    /// Whoever has any role for Bắc Kạn.
    SeeReports,
    /// Whoever may see a submission of Bắc Kạn's source; to others there is none.
    SeeSubmission,
    /// Who administers.
    Administer,
    /// Another service.
    Serve,
    /// Another service, and who administers.
    ServeOrAdminister,
    /// How the process is, asked before anybody is asked who it is.
    Outside,
}

impl May {
    /// What somebody is answered.
    fn answer(self, who: Who) -> Code {
        let decide = |allowed: &[Who], refused: Code| match who {
            Wrong | Expired | Revoked => Code::Unauthenticated,
            who if allowed.contains(&who) => Code::Ok,
            Anonymous => Code::Unauthenticated,
            _ => refused,
        };
        let but_anonymous: Vec<Who> = EVERYBODY.into_iter().filter(|who| *who != Anonymous).collect();
        match self {
            May::Outside => Code::Ok,
            May::Anybody => decide(&EVERYBODY, Code::PermissionDenied),
            May::Identified => decide(&but_anonymous, Code::PermissionDenied),
            May::ReportHere => decide(&[Reporter, Administrator], Code::PermissionDenied),
            May::Report => decide(&[Reporter, Neighbour, Administrator], Code::PermissionDenied),
            May::ReportThere => decide(&[Neighbour, Administrator], Code::PermissionDenied),
            May::SeeReports => decide(
                &[Reporter, Approver, Reader, NationalReader, Administering, Administrator],
                Code::PermissionDenied,
            ),
            May::SeeSubmission => decide(
                // The approver's key is of the same source.
                &[Reporter, Approver, NationalReader, Administering, Administrator],
                Code::NotFound,
            ),
            May::Administer => decide(&[Administering, Administrator], Code::PermissionDenied),
            May::Serve => decide(&[Service], Code::PermissionDenied),
            May::ServeOrAdminister => {
                decide(&[Service, Administering, Administrator], Code::PermissionDenied)
            }
        }
    }
}

/// What is there to be asked for.
#[derive(Clone, Debug)]
struct There {
    /// A submission of Bắc Kạn's source.
    submission: String,
    /// A key to be revoked, again and again.
    key: String,
    /// A name that was not used before.
    fresh: String,
}

/// A call over REST.
struct Rest {
    path: String,
    parameters: Vec<(&'static str, String)>,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
}

impl Rest {
    fn at(path: impl Into<String>) -> Rest {
        Rest { path: path.into(), parameters: vec![], headers: vec![], body: vec![] }
    }

    fn with(self, parameters: &[(&'static str, &str)]) -> Rest {
        let parameters = parameters.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        Rest { parameters, ..self }
    }

    fn json(self, key: &str, body: &Value) -> Rest {
        let headers =
            vec![("content-type", "application/json".to_owned()), ("idempotency-key", key.to_owned())];
        Rest { headers, body: body.to_string().into_bytes(), ..self }
    }
}

/// An operation: its name in gRPC, its method and route in REST, one of which it may lack; how it is called; who may.
struct Operation {
    rpc: &'static str,
    message: fn(&There) -> Vec<u8>,
    rest: &'static str,
    request: fn(&There) -> Rest,
    may: May,
}

impl Operation {
    /// Whether it can be done once only, so that a second one who may is told that it was done.
    fn done_once(&self) -> bool {
        self.rest == "POST /v1/reports"
    }
}

const NO_RPC: (&str, fn(&There) -> Vec<u8>) = ("", |_| vec![]);
const NO_REST: (&str, fn(&There) -> Rest) = ("", |_| Rest::at(""));

const fn operation(
    (rpc, message): (&'static str, fn(&There) -> Vec<u8>),
    (rest, request): (&'static str, fn(&There) -> Rest),
    may: May,
) -> Operation {
    Operation { rpc, message, rest, request, may }
}

/// A unit of Bắc Kạn, and one of Hà Nội.
const HERE: &str = "01864";
const THERE: &str = "00001";

fn figure(unit: &str) -> ingestion::Figure {
    ingestion::Figure {
        unit: unit.into(),
        indicator: "tg02-useful-tips".into(),
        breakdown: "reporter=cong-an".into(),
        period: "2024-M05".into(),
        scope: "own".into(),
        statement: Some(Statement::Value("12".into())),
        ..ingestion::Figure::default()
    }
}

fn submission(unit: &str) -> Value {
    json!({ "note": "m", "source": source_of(unit), "figures": [{
        "unit": unit, "indicator": "tg02-useful-tips", "period": "2024-M05", "scope": "own", "value": "12",
        "breakdown": { "reporter": "cong-an" },
    }] })
}

/// The source under which a unit's figures come.
fn source_of(unit: &str) -> &'static str {
    if unit == HERE { "congan-backan" } else { "congan-hanoi" }
}

fn submit(there: &There, unit: &str) -> Vec<u8> {
    ingestion::SubmitRequest {
        idempotency_key: there.fresh.clone(),
        source: source_of(unit).into(),
        figures: vec![figure(unit)],
        ..Default::default()
    }
    .encode_to_vec()
}

fn submit_stream(there: &There, unit: &str) -> Vec<u8> {
    ingestion::SubmitStreamRequest {
        idempotency_key: there.fresh.clone(),
        source: source_of(unit).into(),
        figures: vec![figure(unit)],
        ..Default::default()
    }
    .encode_to_vec()
}

fn push(there: &There, unit: &str, dry_run: &str) -> Rest {
    Rest::at("/v1/submissions").with(&[("dry_run", dry_run)]).json(&there.fresh, &submission(unit))
}

fn wanted() -> Value {
    json!({ "source": "congan-caobang", "roles": ["report"], "units": ["04"] })
}

/// A regime that ships.
const REGIME: &str = "ctph07-thang";
const REPORTS: [(&str, &str); 3] = [("regime", REGIME), ("period", "2024-M05"), ("unit", "06")];

const QUESTION: [(&str, &str); 3] = [("indicator", "tg02"), ("unit", "06"), ("period", "2024-M05")];

fn totals() -> query::GetTotalsRequest {
    query::GetTotalsRequest {
        indicator: "tg02".into(),
        unit: "06".into(),
        period: "2024-M05".into(),
        ..Default::default()
    }
}

/// Every operation there is. What query answers is asked of a public indicator here.
const OPERATIONS: &[Operation] = &[
    // Submissions.
    operation(
        ("tonghop.ingestion.v1.IngestionService/Submit", |t| submit(t, HERE)),
        ("POST /v1/submissions", |t| push(t, HERE, "false")),
        May::ReportHere,
    ),
    operation(
        ("tonghop.ingestion.v1.IngestionService/Submit", |t| submit(t, THERE)),
        ("POST /v1/submissions", |t| push(t, THERE, "false")),
        May::ReportThere,
    ),
    operation(
        ("tonghop.ingestion.v1.IngestionService/SubmitStream", |t| submit_stream(t, HERE)),
        ("POST /v1/submissions", |t| push(t, HERE, "true")),
        May::ReportHere,
    ),
    operation(
        ("tonghop.ingestion.v1.IngestionService/SubmitStream", |t| submit_stream(t, THERE)),
        ("POST /v1/submissions", |t| push(t, THERE, "true")),
        May::ReportThere,
    ),
    operation(
        ("tonghop.ingestion.v1.IngestionService/GetStreamProgress", |t| {
            ingestion::GetStreamProgressRequest {
                idempotency_key: t.fresh.clone(),
                source: source_of(HERE).into(),
            }
            .encode_to_vec()
        }),
        NO_REST,
        May::Report,
    ),
    operation(
        ("tonghop.ingestion.v1.IngestionService/GetSubmission", |t| {
            ingestion::GetSubmissionRequest { id: t.submission.clone() }.encode_to_vec()
        }),
        ("GET /v1/submissions/{id}", |t| Rest::at(format!("/v1/submissions/{}", t.submission))),
        May::SeeSubmission,
    ),
    operation(
        NO_RPC,
        ("GET /v1/submissions/{id}/document", |t| {
            Rest::at(format!("/v1/submissions/{}/document", t.submission))
        }),
        May::SeeSubmission,
    ),
    operation(
        ("tonghop.ingestion.v1.IngestionService/FreezeReview", |t| {
            ingestion::FreezeReviewRequest { name: t.fresh.clone(), ..Default::default() }.encode_to_vec()
        }),
        ("POST /v1/reviews", |t| Rest::at("/v1/reviews").json("", &json!({ "name": t.fresh }))),
        May::Administer,
    ),
    // Reports. That of a commune is handed in once only: whoever may is then told how it stands.
    operation(
        ("tonghop.ingestion.v1.ReportService/ActOnReports", |t| {
            ingestion::ActOnReportsRequest {
                idempotency_key: t.fresh.clone(),
                act: "submit".into(),
                regime: REGIME.into(),
                period: "2024-M05".into(),
                units: vec![HERE.into()],
                ..Default::default()
            }
            .encode_to_vec()
        }),
        ("POST /v1/reports", |t| {
            let act = json!({ "act": "submit", "regime": REGIME, "period": "2024-M05", "units": [HERE] });
            Rest::at("/v1/reports").json(&t.fresh, &act)
        }),
        May::ReportHere,
    ),
    operation(
        ("tonghop.ingestion.v1.ReportService/ListReports", |_| {
            ingestion::ListReportsRequest {
                regime: REGIME.into(),
                period: "2024-M05".into(),
                unit: "06".into(),
                ..Default::default()
            }
            .encode_to_vec()
        }),
        ("GET /v1/reports", |_| Rest::at("/v1/reports").with(&REPORTS)),
        May::SeeReports,
    ),
    operation(
        ("tonghop.query.v1.QueryService/GetCompliance", |_| {
            query::GetComplianceRequest {
                regime: REGIME.into(),
                period: "2024-M05".into(),
                unit: "06".into(),
                ..Default::default()
            }
            .encode_to_vec()
        }),
        ("GET /v1/compliance", |_| Rest::at("/v1/compliance").with(&REPORTS)),
        May::SeeReports,
    ),
    operation(
        ("tonghop.registry.v1.RegistryService/ListRegimes", |_| vec![]),
        ("GET /v1/regimes", |_| Rest::at("/v1/regimes")),
        May::Anybody,
    ),
    // The ledger.
    operation(
        ("tonghop.ingestion.v1.LedgerService/Tail", |_| {
            ingestion::TailRequest { until_head: true, after_position: 1, ..Default::default() }
                .encode_to_vec()
        }),
        NO_REST,
        May::Serve,
    ),
    operation(
        ("tonghop.ingestion.v1.LedgerService/GetHead", |_| {
            ingestion::GetHeadRequest::default().encode_to_vec()
        }),
        NO_REST,
        May::ServeOrAdminister,
    ),
    operation(
        ("tonghop.ingestion.v1.LedgerService/GetRegistryLoad", |_| {
            ingestion::GetRegistryLoadRequest { up_to_position: i64::MAX }.encode_to_vec()
        }),
        NO_REST,
        May::Serve,
    ),
    operation(("tonghop.ingestion.v1.LedgerService/VerifyChain", |_| vec![]), NO_REST, May::Administer),
    // Who may do what.
    operation(
        ("tonghop.access.v1.AccessService/IssueKey", |t| {
            access::IssueKeyRequest {
                idempotency_key: t.fresh.clone(),
                source: "congan-caobang".into(),
                roles: vec!["report".into()],
                units: vec!["04".into()],
                ..Default::default()
            }
            .encode_to_vec()
        }),
        ("POST /v1/keys", |t| Rest::at("/v1/keys").json(&t.fresh, &wanted())),
        May::Administer,
    ),
    operation(
        ("tonghop.access.v1.AccessService/ListKeys", |_| vec![]),
        ("GET /v1/keys", |_| Rest::at("/v1/keys")),
        May::Administer,
    ),
    operation(
        ("tonghop.access.v1.AccessService/RevokeKey", |t| {
            access::RevokeKeyRequest { key: t.key.clone(), ..Default::default() }.encode_to_vec()
        }),
        ("DELETE /v1/keys/{id}", |t| Rest::at(format!("/v1/keys/{}", t.key))),
        May::Administer,
    ),
    operation(
        ("tonghop.access.v1.AccessService/ListAudit", |_| vec![]),
        ("GET /v1/audit", |_| Rest::at("/v1/audit")),
        May::Administer,
    ),
    // The registry.
    operation(
        ("tonghop.registry.v1.RegistryService/LoadRegistry", |_| {
            registry::LoadRegistryRequest {
                source: "test".into(),
                idempotency_key: REGISTRY_KEY.into(),
                tables: shipped(),
                ..Default::default()
            }
            .encode_to_vec()
        }),
        NO_REST,
        May::Administer,
    ),
    operation(
        ("tonghop.registry.v1.RegistryService/ListUnits", |_| {
            registry::ListUnitsRequest { code: "06".into(), ..Default::default() }.encode_to_vec()
        }),
        ("GET /v1/units", |_| Rest::at("/v1/units").with(&[("code", "06")])),
        May::Anybody,
    ),
    operation(
        ("tonghop.registry.v1.RegistryService/GetUnitHistory", |_| {
            registry::GetUnitHistoryRequest { code: "06".into(), date: "2024-01-01".into() }.encode_to_vec()
        }),
        ("GET /v1/units/{code}/history", |_| {
            Rest::at("/v1/units/06/history").with(&[("date", "2024-01-01")])
        }),
        May::Anybody,
    ),
    operation(
        ("tonghop.registry.v1.RegistryService/DiffMaps", |_| {
            registry::DiffMapsRequest {
                from: "2025-06-30".into(),
                to: "2025-07-01".into(),
                code: "06".into(),
                ..Default::default()
            }
            .encode_to_vec()
        }),
        ("GET /v1/map/diff", |_| {
            Rest::at("/v1/map/diff").with(&[("from", "2025-06-30"), ("to", "2025-07-01"), ("unit", "06")])
        }),
        May::Anybody,
    ),
    operation(
        ("tonghop.registry.v1.RegistryService/ListIndicators", |_| {
            registry::ListIndicatorsRequest { page_size: 1, ..Default::default() }.encode_to_vec()
        }),
        ("GET /v1/indicators", |_| Rest::at("/v1/indicators").with(&[("limit", "1")])),
        May::Anybody,
    ),
    operation(
        ("tonghop.registry.v1.RegistryService/ListDimensions", |_| vec![]),
        ("GET /v1/dimensions", |_| Rest::at("/v1/dimensions")),
        May::Anybody,
    ),
    operation(
        ("tonghop.registry.v1.RegistryService/ListProgrammes", |_| vec![]),
        ("GET /v1/programmes", |_| Rest::at("/v1/programmes")),
        May::Anybody,
    ),
    // Rolling up.
    operation(("tonghop.aggregation.v1.AggregationService/Watch", |_| vec![]), NO_REST, May::Identified),
    operation(("tonghop.aggregation.v1.AggregationService/GetStatus", |_| vec![]), NO_REST, May::Identified),
    operation(("tonghop.aggregation.v1.AggregationService/GetStanding", |_| vec![]), NO_REST, May::Serve),
    operation(
        ("tonghop.aggregation.v1.AggregationService/GetEffect", |_| {
            aggregation::GetEffectRequest { position: 2 }.encode_to_vec()
        }),
        NO_REST,
        May::Serve,
    ),
    operation(("tonghop.aggregation.v1.AggregationService/Rebuild", |_| vec![]), NO_REST, May::Administer),
    operation(("tonghop.aggregation.v1.AggregationService/Verify", |_| vec![]), NO_REST, May::Administer),
    // What query answers, of a public indicator.
    operation(
        ("tonghop.query.v1.QueryService/GetTotals", |_| totals().encode_to_vec()),
        ("GET /v1/totals", |_| Rest::at("/v1/totals").with(&QUESTION)),
        May::Anybody,
    ),
    operation(
        ("tonghop.query.v1.QueryService/StreamTotals", |_| {
            query::StreamTotalsRequest { totals: Some(totals()) }.encode_to_vec()
        }),
        NO_REST,
        May::Anybody,
    ),
    operation(
        ("tonghop.query.v1.QueryService/Explain", |_| {
            query::ExplainRequest {
                indicator: "tg02".into(),
                unit: "06".into(),
                period: "2024-M05".into(),
                ..Default::default()
            }
            .encode_to_vec()
        }),
        ("GET /v1/totals/explain", |_| Rest::at("/v1/totals/explain").with(&QUESTION)),
        May::Anybody,
    ),
    operation(
        ("tonghop.query.v1.QueryService/ExplainTree", |_| {
            query::ExplainTreeRequest {
                indicator: "tg02".into(),
                unit: "06".into(),
                period: "2024-M05".into(),
                ..Default::default()
            }
            .encode_to_vec()
        }),
        ("GET /v1/totals/tree", |_| Rest::at("/v1/totals/tree").with(&QUESTION)),
        May::Anybody,
    ),
    operation(
        ("tonghop.query.v1.QueryService/ListFigures", |_| {
            query::ListFiguresRequest {
                indicator: "tg02".into(),
                unit: "06".into(),
                period: "2024-M05".into(),
                ..Default::default()
            }
            .encode_to_vec()
        }),
        ("GET /v1/figures", |_| Rest::at("/v1/figures").with(&QUESTION)),
        May::Anybody,
    ),
    operation(
        ("tonghop.query.v1.QueryService/GetCoverage", |_| {
            query::GetCoverageRequest {
                indicator: "tg02".into(),
                unit: "06".into(),
                period: "2024-M05".into(),
                ..Default::default()
            }
            .encode_to_vec()
        }),
        ("GET /v1/coverage", |_| Rest::at("/v1/coverage").with(&QUESTION)),
        May::Anybody,
    ),
    operation(
        ("tonghop.query.v1.QueryService/ListReviews", |_| vec![]),
        ("GET /v1/reviews", |_| Rest::at("/v1/reviews")),
        May::Anybody,
    ),
    operation(
        ("tonghop.query.v1.QueryService/Watch", |_| {
            query::WatchRequest { indicator: "tg02".into(), ..Default::default() }.encode_to_vec()
        }),
        // Its answer has no end; that it decides as the other does, `access_reading.rs` holds.
        ("GET /v1/watch", |_| Rest::at("")),
        May::Anybody,
    ),
    operation(
        NO_RPC,
        ("GET /v1/export/totals.{format}", |_| Rest::at("/v1/export/totals.csv").with(&QUESTION)),
        May::Anybody,
    ),
    operation(
        NO_RPC,
        ("GET /v1/export/figures.{format}", |_| Rest::at("/v1/export/figures.csv").with(&QUESTION)),
        May::Anybody,
    ),
    operation(NO_RPC, ("GET /openapi.json", |_| Rest::at("/openapi.json")), May::Anybody),
    operation(NO_RPC, ("GET /docs", |_| Rest::at("/docs")), May::Anybody),
    operation(NO_RPC, ("GET /active", |_| Rest::at("/active")), May::Anybody),
    // How a process is.
    operation(NO_RPC, ("GET /healthz", |_| Rest::at("/healthz")), May::Outside),
    operation(NO_RPC, ("GET /readyz", |_| Rest::at("/readyz")), May::Outside),
    operation(NO_RPC, ("GET /metrics", |_| Rest::at("/metrics")), May::Outside),
];

#[test]
fn every_operation_is_in_the_table() {
    let set = prost_types::FileDescriptorSet::decode(tonghop_proto::DESCRIPTORS).expect("descriptions");
    let rpcs: BTreeSet<String> = set
        .file
        .iter()
        .flat_map(|file| file.service.iter().map(move |service| (file.package(), service)))
        .flat_map(|(package, service)| {
            service.method.iter().map(move |m| format!("{package}.{}/{}", service.name(), m.name()))
        })
        .collect();
    let of_table = |name: fn(&Operation) -> &'static str| -> BTreeSet<String> {
        OPERATIONS.iter().map(name).filter(|name| !name.is_empty()).map(str::to_owned).collect()
    };
    assert_eq!(of_table(|o| o.rpc), rpcs);
    // That the document has every route, `openapi.rs` holds.
    let document: Value = serde_json::from_str(&tonghop_rest::document::text()).expect("JSON");
    let routes: BTreeSet<String> = document["paths"]
        .as_object()
        .expect("paths")
        .iter()
        .flat_map(|(path, methods)| {
            let methods = methods.as_object().expect("methods").keys();
            methods.map(move |method| format!("{} {path}", method.to_uppercase()))
        })
        .collect();
    assert_eq!(of_table(|o| o.rest), routes);
}

/// What somebody sends; nothing where they say nothing.
type Keys = BTreeMap<Who, String>;

async fn give(
    api: &Api,
    name: &str,
    source: &str,
    role: &str,
    units: &[&str],
    replaces: &str,
) -> access::IssueKeyResponse {
    let sides = if role == "report" { vec!["cong-an".to_owned()] } else { vec![] };
    let request = access::IssueKeyRequest {
        idempotency_key: name.into(),
        source: source.into(),
        roles: vec![role.into()],
        units: units.iter().map(|unit| (*unit).to_owned()).collect(),
        sides,
        replaces: replaces.into(),
        // One that is replaced ends at once.
        overlap_hours: (!replaces.is_empty()).then_some(0),
        ..Default::default()
    };
    api.access().issue_key(request).await.unwrap_or_else(|refused| panic!("{name}: {refused:?}")).into_inner()
}

async fn keys(administrator: &Api) -> Keys {
    let mut keys = BTreeMap::from([
        (Administrator, ADMINISTRATOR.to_owned()),
        (Service, SERVICE.to_owned()),
        (Wrong, format!("th_{}_{}", "0123456789abcdef", "f".repeat(64))),
    ]);
    for (who, source, role, units) in [
        (Reporter, "congan-backan", "report", &["06"][..]),
        (Neighbour, "congan-hanoi", "report", &["01"]),
        (Approver, "congan-backan", "approve", &["06"]),
        (Reader, "so-backan", "read_internal", &["06"]),
        (NationalReader, "bo", "read_internal", &["VN"]),
        (Administering, "bo", "administer", &["VN"]),
        (Expired, "congan-backan", "report", &["06"]),
        (Revoked, "congan-backan", "report", &["06"]),
    ] {
        let given = give(administrator, &format!("{who:?}"), source, role, units, "").await;
        let key = given.key.expect("a key").key;
        match who {
            Expired => {
                give(administrator, "its successor", source, role, units, &key).await;
            }
            Revoked => {
                let revoke = access::RevokeKeyRequest { key, ..Default::default() };
                administrator.access().revoke_key(revoke).await.expect("revoked");
            }
            _ => {}
        }
        keys.insert(who, given.secret);
    }
    keys
}

fn fresh() -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    format!("fresh-{}", COUNT.fetch_add(1, Ordering::Relaxed))
}

/// Waits until everything can do its work, and one rolls up.
async fn ready(server: &Server) {
    let ready = async {
        for path in ["/readyz", "/active"] {
            while server.status(path).await != Some(200) {
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            }
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(60), ready).await.expect("it is ready");
}

/// REST's status as gRPC's code.
fn code_of(status: u16) -> Code {
    match status {
        200..=299 => Code::Ok,
        401 => Code::Unauthenticated,
        403 => Code::PermissionDenied,
        404 => Code::NotFound,
        other => panic!("{other} is no answer to who asks"),
    }
}

/// Nothing of what is outside is in a refusal.
#[track_caller]
fn tells_nothing(of: &str, text: &str) {
    for name in ["Hà Nội", "Ha Noi", "Phúc Xá", "Bắc Kạn", "congan-backan", "congan-hanoi", "th_"] {
        assert!(!text.contains(name), "{of}: {text}");
    }
}

async fn every_operation_decides_the_same_for_everybody_over_both_transports(on: On) {
    let server = Server::guarded(on, Access::Keys).await;
    let administrator = server.holding(ADMINISTRATOR);
    let keys = keys(&administrator).await;
    let reporter = server.holding(&keys[&Reporter]);
    let taken = reporter.push_json("first", &submission(HERE)).await.expect(201);
    administrator.wait(taken["position"].as_i64().expect("a position")).await;
    let revoked = give(&administrator, "to be revoked", "x", "report", &["06"], "").await;
    let there = There {
        submission: taken["id"].as_str().expect("an id").to_owned(),
        key: revoked.key.expect("a key").key,
        fresh: String::new(),
    };
    ready(&server).await;
    let mut wrong = vec![];
    for operation in OPERATIONS {
        for who in EVERYBODY {
            let api = keys.get(&who).map_or_else(|| (*server).clone(), |key| server.holding(key));
            let expected = operation.may.answer(who);
            if !operation.rpc.is_empty() {
                let there = There { fresh: fresh(), ..there.clone() };
                let answer = call(api.held(), operation.rpc, (operation.message)(&there)).await;
                let (code, said) = match &answer {
                    Ok(_) => (Code::Ok, String::new()),
                    Err(status) if operation.done_once() && status.code() == Code::InvalidArgument => {
                        (Code::Ok, String::new())
                    }
                    Err(status) => (status.code(), format!("{status:?}")),
                };
                if code != expected {
                    wrong.push(format!("{} by {who:?}: {code:?}, not {expected:?}: {said}", operation.rpc));
                }
                if code == Code::Unauthenticated || code == Code::NotFound {
                    tells_nothing(operation.rpc, &said);
                }
            }
            let there = There { fresh: fresh(), ..there.clone() };
            let Rest { path, parameters, headers, body } = (operation.request)(&there);
            if path.is_empty() {
                continue;
            }
            let method = operation.rest.split(' ').next().expect("a method");
            let method: Method = method.parse().expect("a method");
            let parameters: Vec<(&str, &str)> = parameters.iter().map(|(n, v)| (*n, v.as_str())).collect();
            let headers: Vec<(&str, &str)> =
                headers.iter().filter(|(_, v)| !v.is_empty()).map(|(n, v)| (*n, v.as_str())).collect();
            let reply = api.call(method, &path, &parameters, &headers, body).await;
            let code = match reply.status {
                422 if operation.done_once() => Code::Ok,
                status => code_of(status),
            };
            if code != expected {
                let said = reply.text();
                wrong.push(format!("{} by {who:?}: {code:?}, not {expected:?}: {said}", operation.rest));
            }
            if code == Code::Unauthenticated || code == Code::NotFound {
                tells_nothing(operation.rest, &reply.text());
            }
        }
    }
    assert!(wrong.is_empty(), "{} decisions are others:\n{}", wrong.len(), wrong.join("\n"));
}

/// Without a key a closed service answers nothing but how it is.
#[tokio::test]
async fn a_closed_service_answers_nobody_without_a_key() {
    let server = Server::guarded(On::Sqlite, Access::Closed).await;
    let there = There { submission: "none".into(), key: "none".into(), fresh: String::new() };
    ready(&server).await;
    for operation in OPERATIONS {
        let free = ["GET /openapi.json", "GET /docs", "GET /active"].contains(&operation.rest);
        let expected = match operation.may {
            May::Outside => Code::Ok,
            _ if free => Code::Ok,
            _ => Code::Unauthenticated,
        };
        if !operation.rpc.is_empty() {
            let answer = call(server.held(), operation.rpc, (operation.message)(&there)).await;
            assert_eq!(answer.err().map(|status| status.code()), Some(expected), "{}", operation.rpc);
        }
        let Rest { path, .. } = (operation.request)(&there);
        if !path.is_empty() {
            let method = operation.rest.split(' ').next().expect("a method").parse().expect("a method");
            let reply = server.call(method, &path, &[], &[], vec![]).await;
            assert_eq!(code_of(reply.status), expected, "{}: {}", operation.rest, reply.text());
        }
    }
    assert_eq!(server.get("/", &[]).await.status, 401, "nor the dashboard");
    let held = server.holding(ADMINISTRATOR);
    held.get("/v1/totals", &QUESTION).await.expect(200);
}

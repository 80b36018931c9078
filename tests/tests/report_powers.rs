//! Who may do what with reports and periods, and what two replicas make of it: ingestion by itself, over one ledger.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::json;
use tonghop_access::{Authority, Caller, Grant, Identity, Role, Settings};
use tonghop_ingestion::submission::Limits;
use tonghop_ingestion::{Arrived, Given, Ingestion, JSON, Taken};
use tonghop_proto::ingestion::{ActOnReportsRequest, ListReportsRequest};
use tonghop_runtime::{Failure, FailureKind, Stopper};
use tonghop_store::Ledger;
use tonghop_testkit::on_both;
use tonghop_testkit::postgres::On;
use tonghop_tests::Server;
use tonghop_tests::server::{Data, shipped};

const REGIME: &str = "thang-duyet";
const MONTH: &str = "2024-M05";
/// A commune, its district and province; another province.
const COMMUNE: &str = "01864";
const DISTRICT: &str = "060";
const PROVINCE: &str = "06";
const OTHER: &str = "01";

fn now() -> Timestamp {
    "2026-11-28T05:00:00Z".parse().expect("a time")
}

/// A day later.
fn tomorrow() -> Timestamp {
    "2026-11-29T05:00:00Z".parse().expect("a time")
}

/// A ledger with the registry that ships and a regime that is approved at each level, and replicas of ingestion on it.
struct Ledgers {
    /// Held, so that the database stays.
    _data: Data,
    url: String,
    stopper: Stopper,
}

impl Ledgers {
    async fn new(on: On) -> Ledgers {
        let server = Server::start_on(on).await;
        let mut tables = shipped();
        tables.get_mut("regimes.csv").expect("regimes ship").extend_from_slice(
            b"thang-duyet,x,x,,tg01|tg02,commune,month,nd09,,,district|province|nation,commune=3,synthetic\n",
        );
        let loaded = server.load("with-a-regime", tables, false).await.expect("it loads");
        server.wait(loaded.position).await;
        let data = server.stop().await;
        let url = match &data {
            Data::Files(directory) => {
                format!("sqlite://{}", directory.path().join("ledger.sqlite").display())
            }
            Data::Database(database) => database.url(),
        };
        Ledgers { _data: data, url, stopper: Stopper::new() }
    }

    async fn replica(&self, now: fn() -> Timestamp) -> Arc<Ingestion> {
        let ledger = Ledger::open(&self.url).await.expect("a ledger");
        let given = Given {
            limits: Limits::default(),
            authority: Authority::new(Settings::open(), now).expect("an authority"),
            now,
            random: tonghop_ingestion::random,
            stop: self.stopper.stop(),
        };
        Ingestion::open(ledger, None, given).await.expect("it opens")
    }
}

fn caller(name: &str, roles: &[Role], units: &[&str]) -> Caller {
    let grant = Grant {
        roles: roles.to_vec(),
        units: units.iter().map(|unit| (*unit).to_owned()).collect(),
        ..Grant::default()
    };
    Caller::new(Identity::Token { issuer: "test".to_owned(), subject: name.to_owned() }, None, grant)
}

fn request(act: &str, units: &[&str]) -> ActOnReportsRequest {
    ActOnReportsRequest {
        idempotency_key: uuid(),
        act: act.into(),
        regime: REGIME.into(),
        period: MONTH.into(),
        units: units.iter().map(|unit| (*unit).to_owned()).collect(),
        reason: "x".into(),
        ..ActOnReportsRequest::default()
    }
}

/// A key that no other request has.
fn uuid() -> String {
    static NEXT: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);
    NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed).to_string()
}

async fn act(replica: &Ingestion, by: &Caller, act: &str, units: &[&str]) -> Result<String, FailureKind> {
    let acted = replica.act_on_reports(by, &request(act, units)).await;
    acted.map(|acted| acted.states[0].state.clone()).map_err(|failure: Failure| failure.kind())
}

async fn push(replica: &Ingestion, key: &str, unit: &str, value: u32) -> Result<Taken, Failure> {
    let document = json!({ "source": "test", "figures": [{
        "unit": unit, "indicator": "tg02", "period": MONTH, "scope": "own", "value": value.to_string(),
        "breakdown": { "reporter": "cong-an" } }] });
    let arrived = Arrived {
        key: key.to_owned(),
        source: String::new(),
        note: String::new(),
        media_type: JSON.to_owned(),
        document: document.to_string().into(),
        as_message: false,
        dry_run: false,
    };
    replica.submit(&Caller::open(), arrived).await
}

#[tokio::test]
async fn each_does_their_part_for_their_units_and_nobody_elses() {
    let ledgers = Ledgers::new(On::Sqlite).await;
    let replica = ledgers.replica(now).await;
    let commune = caller("commune", &[Role::Report], &[COMMUNE]);
    let reads = caller("reader", &[Role::ReadInternal], &[PROVINCE]);
    let approver = |name: &str, unit: &str| caller(name, &[Role::Approve], &[unit]);
    let (district, province) = (approver("district", DISTRICT), approver("province", PROVINCE));
    let (nation, other) = (approver("ministry", "VN"), approver("other", OTHER));
    let administers = caller("admin", &[Role::Administer], &["VN"]);
    let nobody = Caller::anonymous();
    let everybody = [&commune, &reads, &district, &province, &nation, &other, &administers];
    let ok = |state: &str| Ok(state.to_owned());
    // By each of those who may, in turn; by nobody else, but for whom others may stand in for.
    let tries = async |what: &str, may: &[(&Caller, &str)], instead: &[&Caller]| {
        for by in everybody {
            let expected = may.iter().find(|(one, _)| one.identity() == by.identity());
            if expected.is_none() && !instead.iter().any(|one| one.identity() == by.identity()) {
                let got = act(&replica, by, what, &[COMMUNE]).await;
                assert!(matches!(got, Err(FailureKind::Forbidden)), "{what} by {:?}: {got:?}", by.identity());
            }
        }
        assert_eq!(
            act(&replica, &nobody, what, &[COMMUNE]).await,
            Err(FailureKind::Unauthenticated),
            "{what}"
        );
        for (by, state) in may {
            assert_eq!(act(&replica, by, what, &[COMMUNE]).await, ok(state), "{what} by {:?}", by.identity());
        }
    };
    // Handed in by the commune alone, and taken back by it while nobody has approved.
    tries("submit", &[(&commune, "submitted")], &[]).await;
    assert_eq!(act(&replica, &commune, "reopen", &[COMMUNE]).await, ok("open"));
    tries("submit", &[(&commune, "submitted")], &[]).await;
    // Not approved, it is given back by whoever approves anywhere above.
    assert_eq!(act(&replica, &other, "return", &[COMMUNE]).await, Err(FailureKind::Forbidden));
    assert_eq!(act(&replica, &district, "return", &[COMMUNE]).await, ok("returned"));
    assert_eq!(act(&replica, &commune, "submit", &[COMMUNE]).await, ok("submitted"));
    assert_eq!(act(&replica, &district, "approve", &[COMMUNE]).await, ok("approved"));
    assert_eq!(act(&replica, &commune, "reopen", &[COMMUNE]).await, Err(FailureKind::Forbidden));
    // The next is the province's: the district may not, and the ministry may in its place.
    tries("approve", &[(&province, "approved")], &[&nation]).await;
    // What the province has approved the district does not give back.
    assert_eq!(act(&replica, &district, "return", &[COMMUNE]).await, Err(FailureKind::Forbidden));
    tries("approve", &[(&nation, "published")], &[]).await;
    for by in [&commune, &district, &province, &other, &reads] {
        assert_eq!(act(&replica, by, "reopen", &[COMMUNE]).await, Err(FailureKind::Forbidden));
    }
    assert_eq!(act(&replica, &administers, "reopen", &[COMMUNE]).await, ok("open"));
    // Each act says who did it.
    let list = ListReportsRequest {
        regime: REGIME.into(),
        period: MONTH.into(),
        unit: COMMUNE.into(),
        history: true,
        ..ListReportsRequest::default()
    };
    let listed = replica.list_reports(&reads, &list).await.expect("it is below the reader's province");
    let by: Vec<&str> = listed.reports[0].history.iter().map(|event| event.by.as_str()).collect();
    assert_eq!(by.first(), Some(&"token:test#commune"));
    assert_eq!(by.last(), Some(&"token:test#admin"));
    // Whoever has nothing to do with a unit learns nothing of it: the same whatever became of it.
    assert_eq!(
        replica.list_reports(&other, &list).await.map_err(|e| e.kind()).unwrap_err(),
        FailureKind::Forbidden
    );
    assert_eq!(
        replica.list_reports(&nobody, &list).await.map_err(|e| e.kind()).unwrap_err(),
        FailureKind::Unauthenticated
    );
    let told = async |by: &Caller, what: &str, unit: &str| {
        replica.act_on_reports(by, &request(what, &[unit])).await.expect_err("refused").to_string()
    };
    let (of_open, of_other) =
        (told(&other, "approve", COMMUNE).await, told(&other, "approve", "01843").await);
    assert_eq!(of_open, of_other);
    // One unit out of reach, and nothing is done with the others.
    let both = [COMMUNE, "01843"];
    assert_eq!(act(&replica, &commune, "submit", &both).await, Err(FailureKind::Forbidden));
    assert_eq!(act(&replica, &commune, "submit", &[COMMUNE]).await, ok("submitted"));
}

#[tokio::test]
async fn what_somebody_above_has_closed_nobody_below_opens() {
    let ledgers = Ledgers::new(On::Sqlite).await;
    let replica = ledgers.replica(now).await;
    let approver = |name: &str, unit: &str| caller(name, &[Role::Approve], &[unit]);
    let (district, province) = (approver("district", DISTRICT), approver("province", PROVINCE));
    let commune = caller("commune", &[Role::Report], &[COMMUNE]);
    let administers = caller("admin", &[Role::Administer], &["VN"]);
    assert_eq!(act(&replica, &commune, "close", &[COMMUNE]).await, Err(FailureKind::Forbidden));
    assert_eq!(
        act(&replica, &district, "close", &[PROVINCE]).await,
        Err(FailureKind::Forbidden),
        "not above"
    );
    assert_eq!(act(&replica, &province, "close", &[PROVINCE]).await, Ok("closed".into()));
    assert_eq!(act(&replica, &district, "open", &[DISTRICT]).await, Err(FailureKind::Forbidden));
    let refused = push(&replica, "a", COMMUNE, 1).await.expect_err("closed");
    assert_eq!(refused.findings()[0].code, "period_closed");
    assert!(
        refused.findings()[0].expected.to_string().contains("by token:test#province"),
        "{:?}",
        refused.findings()[0]
    );
    assert_eq!(act(&replica, &province, "open", &[DISTRICT]).await, Ok("opened".into()));
    push(&replica, "a", COMMUNE, 1).await.expect("open");
    assert_eq!(act(&replica, &administers, "close", &["VN"]).await, Ok("closed".into()));
    assert_eq!(act(&replica, &province, "open", &[PROVINCE]).await, Err(FailureKind::Forbidden));
    assert_eq!(act(&replica, &administers, "open", &["VN"]).await, Ok("opened".into()));
}

#[tokio::test]
async fn an_exception_ends_with_its_time() {
    let ledgers = Ledgers::new(On::Sqlite).await;
    let replica = ledgers.replica(now).await;
    let administers = caller("admin", &[Role::Administer], &["VN"]);
    assert_eq!(act(&replica, &administers, "close", &["VN"]).await, Ok("closed".into()));
    let until = "2026-11-28T06:00:00Z".to_owned();
    let open = ActOnReportsRequest { until, ..request("open", &[PROVINCE]) };
    replica.act_on_reports(&administers, &open).await.expect("opened");
    push(&replica, "in-time", COMMUNE, 1).await.expect("in time");
    let later = ledgers.replica(tomorrow).await;
    let refused = push(&later, "too-late", COMMUNE, 2).await.expect_err("too late");
    assert_eq!(refused.findings()[0].code, "period_closed");
    assert!(
        refused.findings()[0].expected.to_string().contains("2026-11-28T06:00:00Z"),
        "{:?}",
        refused.findings()[0]
    );
}

/// A replica that has not heard of a closing, or of an act, finds out where it appends.
async fn replicas_hold_to_what_the_ledger_says(on: On) {
    let ledgers = Ledgers::new(on).await;
    let (one, other) = (ledgers.replica(now).await, ledgers.replica(now).await);
    let administers = caller("admin", &[Role::Administer], &["VN"]);
    push(&other, "first", COMMUNE, 1).await.expect("open");
    assert_eq!(act(&one, &administers, "close", &[PROVINCE]).await, Ok("closed".into()));
    let refused = push(&other, "second", COMMUNE, 2).await.expect_err("closed by the other replica");
    assert_eq!(refused.findings()[0].code, "period_closed");
    assert!(push(&other, "first", COMMUNE, 1).await.expect("as before").replayed);
    // Two hand in the same report at once: one of them does, whichever.
    let reports = caller("commune", &[Role::Report], &[PROVINCE]);
    let (first, second) =
        tokio::join!(act(&one, &reports, "submit", &[COMMUNE]), act(&other, &reports, "submit", &[COMMUNE]));
    let both = [&first, &second];
    assert_eq!(both.iter().filter(|done| done.is_ok()).count(), 1, "{both:?}");
    assert!(both.contains(&&Err(FailureKind::Unprocessable)), "{both:?}");
    // The same act at once through both is one act.
    let same = request("submit", &["01843"]);
    let (first, second) =
        tokio::join!(one.act_on_reports(&reports, &same), other.act_on_reports(&reports, &same));
    let (first, second) = (first.expect("done"), second.expect("done"));
    assert_eq!(first.receipt.position, second.receipt.position);
    assert_ne!(first.replayed, second.replayed);
    // And closing while figures come in at both: whatever was taken was taken before.
    let pushing = async |replica: &Ingestion, name: &str| {
        let mut taken = vec![];
        for i in 0..20 {
            if let Ok(one) = push(replica, &format!("{name}{i}"), "00001", i).await {
                taken.push(one.receipt.expect("a receipt").position);
            }
        }
        taken
    };
    let close =
        async { one.act_on_reports(&administers, &request("close", &[OTHER])).await.expect("closed") };
    let (a, b, closed) = tokio::join!(pushing(&one, "a"), pushing(&other, "b"), close);
    let last = a.iter().chain(&b).max().copied().unwrap_or_default();
    assert!(last < closed.receipt.position, "{last} was taken after {}", closed.receipt.position);
}

on_both!(replicas_hold_to_what_the_ledger_says);

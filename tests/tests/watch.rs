//! Watching what changes: nothing that was asked for is missed, nothing else is told, by whatever transport, however
//! slow the reader, across a lost connection and a restart.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::{Value, json};
use tonghop_proto::query as pb;
use tonghop_testkit::on_both;
use tonghop_testkit::postgres::On;
use tonghop_tests::{Server, wire};
use tonic::{Code, Streaming};

on_both! {
    nothing_that_was_asked_for_is_missed_and_nothing_else_is_told,
    events_go_on_from_the_last_one_that_was_heard,
    who_asks_for_what_is_not_there_is_told_so,
}

/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// Months in which wards of the district that is watched report, and months in which only others do.
const HEARD: [&str; 3] = ["2024-M03", "2024-M04", "2024-M05"];
const UNHEARD: [&str; 2] = ["2024-M06", "2024-M07"];
/// Wards of Thành phố Bắc Kạn; a ward of another district; one of another province.
const WARDS: [&str; 3] = ["01837", "01840", "01843"];
const ELSEWHERE: [&str; 2] = ["01864", "00001"];

fn tip(indicator: &str, unit: &str, period: &str, value: usize) -> Value {
    let breakdown = match indicator {
        "tg01" => json!({ "reporter": "cong-an", "channel": "undivided" }),
        _ => json!({ "reporter": "cong-an" }),
    };
    json!({ "unit": unit, "indicator": indicator, "period": period, "scope": "own", "value": value.to_string(),
            "breakdown": breakdown })
}

/// What one message said: up to where, and what.
#[derive(Clone, Debug)]
struct Heard {
    after: i64,
    up_to: i64,
    changes: BTreeSet<(String, String)>,
    everything: bool,
}

async fn next(stream: &mut Streaming<pb::WatchResponse>, after: i64) -> Heard {
    let message = tokio::time::timeout(PATIENCE, stream.message()).await.expect("in time");
    let message = message.expect("a message").expect("no end");
    let changes = message.changes.into_iter().map(|c| (c.indicator, c.period)).collect();
    let up_to = message.as_of.expect("as of").position;
    Heard { after, up_to, changes, everything: message.everything }
}

async fn watch(server: &Server, from: i64) -> Streaming<pb::WatchResponse> {
    let request = pb::WatchRequest { indicator: "tg02".into(), unit: "058".into(), from: Some(from) };
    server.query().watch(request).await.expect("watched").into_inner()
}

/// Pushes at the same time, some of which are watched; where each is in the ledger, with its month where it is.
async fn push(server: &Server, round: usize) -> BTreeMap<i64, Option<&'static str>> {
    let mut pushing = tokio::task::JoinSet::new();
    for n in 0..24 {
        let api = (**server).clone();
        pushing.spawn(async move {
            let value = round * 100 + n;
            let (figure, month) = match n % 6 {
                0..=2 => (tip("tg02", WARDS[n % 3], HEARD[n % 3], value), Some(HEARD[n % 3])),
                3 => (tip("tg02", ELSEWHERE[n % 2], UNHEARD[0], value), None),
                4 => (tip("tg01", WARDS[n % 3], UNHEARD[1], value), None),
                // What is there already is no change.
                _ => (tip("tg02", WARDS[0], "2024-M02", 1), None),
            };
            let key = format!("r{round}-{n}");
            let reply = api.push_json(&key, &json!({ "source": "test", "figures": [figure] })).await;
            reply.expect(201);
            (reply.position(), month)
        });
    }
    pushing.join_all().await.into_iter().collect()
}

/// That every watched push is in the message of its position, and no message says more.
fn holds(pushed: &BTreeMap<i64, Option<&'static str>>, heard: &[Heard]) {
    for (position, month) in pushed {
        let Some(month) = month else { continue };
        let told = heard.iter().filter(|h| h.after < *position && *position <= h.up_to);
        let told: Vec<_> = told.collect();
        assert_eq!(told.len(), 1, "position {position} is in one message: {heard:?}");
        let change = ("tg02-useful-tips".to_owned(), (*month).to_owned());
        assert!(told[0].changes.contains(&change), "position {position}: {:?}", told[0]);
    }
    for one in heard {
        assert!(!one.everything, "{one:?}");
        for (indicator, period) in &one.changes {
            assert_eq!(indicator, "tg02-useful-tips");
            assert!(HEARD.contains(&period.as_str()), "{one:?}");
        }
    }
}

async fn nothing_that_was_asked_for_is_missed_and_nothing_else_is_told(on: On) {
    let mut server = Server::start_on(on).await;
    server.report("known", json!([tip("tg02", WARDS[0], "2024-M02", 1)])).await;
    let begin = server.head().await.position;
    let mut pushed = BTreeMap::new();
    let mut heard: Vec<Heard> = vec![];

    // A reader that takes its time while much is pushed.
    let mut stream = watch(&server, begin).await;
    let first = next(&mut stream, begin).await;
    assert_eq!(
        (first.up_to, first.changes.len()),
        (begin, 0),
        "the first message says where the stream begins"
    );
    for round in 0..3 {
        pushed.extend(push(&server, round).await);
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    let head = *pushed.keys().last().unwrap();
    let last_watched = |pushed: &BTreeMap<i64, Option<&str>>| {
        *pushed.iter().rfind(|(_, month)| month.is_some()).expect("a watched push").0
    };
    let mut after = begin;
    while after < last_watched(&pushed) {
        let one = next(&mut stream, after).await;
        after = one.up_to;
        heard.push(one);
    }
    holds(&pushed, &heard);
    let told = pushed.values().filter(|month| month.is_some()).count();
    assert!(heard.len() < told, "{} messages for {told} pushes: what waits is told together", heard.len());

    // The connection is lost in the middle; what came meanwhile is told to who goes on from the last message.
    drop(stream);
    pushed.extend(push(&server, 3).await);
    server.wait(*pushed.keys().last().unwrap()).await;
    let mut stream = watch(&server, after).await;
    while after < last_watched(&pushed) {
        let one = next(&mut stream, after).await;
        after = one.up_to;
        heard.push(one);
    }
    assert!(after >= head);

    // The service goes away under the reader, while there is more; another takes over.
    let more = push(&server, 4).await;
    pushed.extend(more);
    let stopped = async {
        loop {
            match tokio::time::timeout(PATIENCE, stream.message()).await.expect("in time") {
                Ok(Some(message)) => {
                    let changes = message.changes.into_iter().map(|c| (c.indicator, c.period)).collect();
                    let up_to = message.as_of.expect("as of").position;
                    heard.push(Heard { after, up_to, changes, everything: message.everything });
                    after = up_to;
                }
                Ok(None) => return,
                Err(status) => return assert_eq!(status.code(), Code::Unavailable, "{status:?}"),
            }
        }
    };
    tokio::join!(server.restart(3), stopped);
    pushed.extend(push(&server, 5).await);
    let mut stream = watch(&server, after).await;
    while after < last_watched(&pushed) {
        let one = next(&mut stream, after).await;
        after = one.up_to;
        heard.push(one);
    }
    holds(&pushed, &heard);

    // From the beginning, all of it is one message.
    let mut stream = watch(&server, begin).await;
    let all = next(&mut stream, begin).await;
    let months: BTreeSet<&str> = all.changes.iter().map(|(_, period)| period.as_str()).collect();
    assert_eq!(months, BTreeSet::from(HEARD));
    // A registry changes whatever there is.
    let loaded = server.load("again", tonghop_tests::server::shipped(), false).await.unwrap();
    let told = next(&mut stream, after).await;
    assert!(told.everything && told.up_to >= loaded.position, "{told:?}");
}

/// Server-sent events, read as they come.
struct Events {
    response: reqwest::Response,
    text: String,
}

impl Events {
    async fn of(server: &Server, parameters: &[(&str, &str)], last: Option<&str>) -> Events {
        let mut request =
            reqwest::Client::builder().no_proxy().build().unwrap().get(server.url("/v1/watch", parameters));
        if let Some(last) = last {
            request = request.header("last-event-id", last);
        }
        let response = request.send().await.expect("an answer");
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Events { response, text: String::new() }
    }

    /// The next event: its id and its data.
    async fn next(&mut self) -> (String, Value) {
        loop {
            if let Some((event, rest)) = self.text.split_once("\n\n") {
                let field = |name: &str| {
                    event.lines().find_map(|line| line.strip_prefix(name)).map(|text| text.trim().to_owned())
                };
                let (id, data) = (field("id:"), field("data:"));
                self.text = rest.to_owned();
                if let (Some(id), Some(data)) = (id, data) {
                    return (id, serde_json::from_str(&data).expect("JSON"));
                }
                continue;
            }
            let chunk = tokio::time::timeout(PATIENCE, self.response.chunk()).await.expect("in time");
            let chunk = chunk.expect("more").expect("no end");
            self.text.push_str(std::str::from_utf8(&chunk).expect("text"));
        }
    }
}

async fn events_go_on_from_the_last_one_that_was_heard(on: On) {
    let server = Server::start_on(on).await;
    let words = [("indicator", "tg03"), ("unit", "06")];
    let mut events = Events::of(&server, &words, None).await;
    let (first, begin) = events.next().await;
    assert_eq!((first.as_str(), &begin["changes"]), ("1", &json!([])));

    // A ratio is heard of by what it is made of.
    let reply = server.report("a", json!([tip("tg01", WARDS[0], "2024-M05", 9)])).await;
    let (id, heard) = events.next().await;
    assert_eq!(id, reply.position().to_string());
    let change = json!({ "indicator": "tg01-crime-tips", "breakdown": {}, "period": "2024-M05" });
    assert_eq!((&heard["changes"], &heard["everything"]), (&json!([change]), &json!(false)));
    assert_eq!(heard["as_of"]["position"].to_string(), id);
    drop(events);

    server.report("b", json!([tip("tg02", WARDS[1], "2024-M04", 3)])).await;
    server.report("c", json!([tip("tg02", ELSEWHERE[1], "2024-M03", 3)])).await;
    let last = server.report("d", json!([tip("tg02", WARDS[2], "2024-M04", 3)])).await.position();
    // What the browser says by itself goes before what the page asked for when it was loaded.
    let from_long_ago = [("indicator", "tg03"), ("unit", "06"), ("from", "0")];
    let mut events = Events::of(&server, &from_long_ago, Some(&id)).await;
    let (next, heard) = events.next().await;
    assert_eq!(next, last.to_string());
    let change = json!({ "indicator": "tg02-useful-tips", "breakdown": {}, "period": "2024-M04" });
    assert_eq!(heard["changes"], json!([change]));

    // Both transports say the same.
    let from = id.parse().unwrap();
    let request = pb::WatchRequest { indicator: "tg03".into(), unit: "06".into(), from: Some(from) };
    let mut stream = server.query().watch(request).await.unwrap().into_inner();
    let message = stream.message().await.unwrap().unwrap();
    let pairs = |c: &pb::Change| json!({ "indicator": c.indicator, "breakdown": {}, "period": c.period });
    assert_eq!(
        heard,
        json!({
            "as_of": wire::as_of(&message.as_of), "changed": message.changed, "everything": message.everything,
            "changes": message.changes.iter().map(pairs).collect::<Vec<_>>(),
        })
    );
}

async fn who_asks_for_what_is_not_there_is_told_so(on: On) {
    let server = Server::start_on(on).await;
    for (words, status, code) in [
        (vec![("indicator", "zz99")], 404, "unknown_indicator"),
        (vec![("unit", "no")], 404, "unknown_unit"),
        (vec![("from", "-1")], 400, "malformed_position"),
        (vec![("indicator", "tg01,,tg02")], 400, "empty_word"),
    ] {
        let reply = server.get("/v1/watch", &words).await;
        assert_eq!((reply.status, reply.codes()), (status, vec![code.to_owned()]), "{words:?}");
    }
    let request = pb::WatchRequest { unit: "no".into(), ..Default::default() };
    assert_eq!(server.query().watch(request).await.unwrap_err().code(), Code::NotFound);
}

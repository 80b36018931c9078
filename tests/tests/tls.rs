//! TLS of the port: REST and gRPC over it, certificates of clients, others in place of the ones before, and clients that
//! open a connection and say nothing.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;
use std::time::{Duration, Instant};

use tokio::io::AsyncReadExt;
use tokio::net::{TcpSocket, TcpStream};
use tonghop::up::{self, Running, UpOptions};
use tonghop_proto::query::ListReviewsRequest;
use tonghop_proto::query::query_service_client::QueryServiceClient;
use tonghop_runtime::arguments::check;
use tonghop_runtime::process;
use tonghop_runtime::tls::{TlsArguments, TlsClient, TlsFiles};
use tonghop_tests::Api;
use tonghop_tests::certificates::{Authority, Files, Pair};
use tonghop_tests::server::shipped;
use tonic::Code;

/// How long something may take to come about.
const PATIENCE: Duration = Duration::from_secs(60);

async fn start(data: &Path, tls: TlsFiles) -> Running {
    let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let running =
        up::start(UpOptions { tls: Some(tls), ..UpOptions::new(data, listen) }).await.expect("it starts");
    let api = Api::new(running.url(), running.channel());
    let loaded = api.load("registry", shipped(), false).await.expect("a registry");
    api.wait(loaded.position).await;
    running
}

async fn lists_reviews(url: &str, tls: &TlsClient) -> Result<(), Code> {
    let channel = process::channel(url, tls).expect("a channel");
    let listed = QueryServiceClient::new(channel).list_reviews(ListReviewsRequest::default()).await;
    listed.map(drop).map_err(|status| status.code())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn rest_and_grpc_are_spoken_over_tls_and_nothing_without_it() {
    let (files, data, authority) = (Files::new(), Files::new(), Authority::new());
    let (certificate, key) = files.pair("server", &authority.issue());
    let running =
        start(data.path(), TlsFiles { certificate: certificate.clone(), key: key.clone(), client_ca: None })
            .await;
    let url = running.url();
    assert!(url.starts_with("https://"), "{url}");
    let http = authority.believer(None);
    let answer = http.get(format!("{url}/v1/reviews")).send().await.expect("an answer");
    // This client speaks HTTP/1.1, that of gRPC HTTP/2.
    assert_eq!((answer.status().as_u16(), answer.version()), (200, reqwest::Version::HTTP_11));

    let ca = Some(files.put("ca.pem", &authority.pem));
    let tls = TlsClient { ca, identity: None };
    assert_eq!(lists_reviews(&url, &tls).await, Ok(()));
    let arguments =
        TlsArguments { tls_certificate: Some(certificate), tls_key: Some(key), tls_client_ca: None };
    check(running.address, &arguments).await.expect("it is ready");

    // Whom nobody vouches for is not spoken to, and without TLS there is nothing.
    let stranger = Authority::new();
    assert!(stranger.believer(None).get(format!("{url}/v1/reviews")).send().await.is_err());
    let ca = Some(files.put("stranger.pem", &stranger.pem));
    assert_eq!(lists_reviews(&url, &TlsClient { ca, identity: None }).await, Err(Code::Unavailable));
    let plain = reqwest::Client::builder().no_proxy().build().expect("a client");
    assert!(plain.get(format!("http://{}/v1/reviews", running.address)).send().await.is_err());
    let other = files.pair("other", &stranger.issue());
    let arguments =
        TlsArguments { tls_certificate: Some(other.0), tls_key: Some(other.1), tls_client_ca: None };
    assert!(check(running.address, &arguments).await.is_err(), "another certificate is not this machine's");
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn where_clients_have_to_show_a_certificate_only_those_of_the_authority_are_let_in() {
    let (files, data) = (Files::new(), Files::new());
    let (authority, clients, stranger) = (Authority::new(), Authority::new(), Authority::new());
    let own = clients.issue();
    let (certificate, key) = files.pair("server", &authority.issue());
    let client_ca = Some(files.put("clients.pem", &clients.pem));
    let running = start(data.path(), TlsFiles { certificate, key, client_ca }).await;
    let url = running.url();
    let ca = Some(files.put("ca.pem", &authority.pem));
    let with = |identity: Option<&Pair>, name: &str| TlsClient {
        ca: ca.clone(),
        identity: identity.map(|pair| files.pair(name, pair)),
    };
    let wrong = stranger.issue();
    for (identity, name, let_in) in
        [(Some(&own), "own", true), (None, "none", false), (Some(&wrong), "wrong", false)]
    {
        let answer = authority.believer(identity).get(format!("{url}/v1/reviews")).send().await;
        assert_eq!(answer.is_ok_and(|answer| answer.status() == 200), let_in, "REST {name}");
        let called = lists_reviews(&url, &with(identity, name)).await;
        assert_eq!(called.is_ok(), let_in, "gRPC {name}: {called:?}");
    }
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn other_certificates_are_taken_up_without_a_connection_being_dropped() {
    let (files, data) = (Files::new(), Files::new());
    let (before, after) = (Authority::new(), Authority::new());
    let (certificate, key) = files.pair("server", &before.issue());
    let running = start(data.path(), TlsFiles { certificate, key, client_ca: None }).await;
    let url = running.url();
    let ca = Some(files.put("before.pem", &before.pem));
    let channel = process::channel(&url, &TlsClient { ca, identity: None }).expect("a channel");
    let mut open = QueryServiceClient::new(channel);
    open.list_reviews(ListReviewsRequest::default()).await.expect("an answer");
    let mut watching =
        open.watch(tonghop_proto::query::WatchRequest::default()).await.expect("a stream").into_inner();
    watching.message().await.expect("no failure").expect("a message");

    // A certificate whose key has not come yet changes nothing.
    let (certificate, key) = after.issue();
    files.put("server.pem", &certificate);
    let served = async |authority: &Authority| {
        authority.believer(None).get(format!("{url}/v1/reviews")).send().await.is_ok()
    };
    assert!(served(&before).await);
    files.put("server.key", &key);
    let begun = Instant::now();
    while !served(&after).await {
        assert!(begun.elapsed() < PATIENCE, "the new certificate is never shown");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(!served(&before).await, "and the one before no more");
    open.list_reviews(ListReviewsRequest::default()).await.expect("the connection of before goes on");
    let api = Api::new(url.clone(), running.channel());
    let again = api.load("again", shipped(), false).await.expect("a registry").position;
    while watching
        .message()
        .await
        .expect("nor has the stream ended")
        .expect("a message")
        .as_of
        .expect("a position")
        .position
        < again
    {}
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn who_opens_connections_and_says_nothing_holds_nobody_up() {
    let (files, data, authority) = (Files::new(), Files::new(), Authority::new());
    let (certificate, key) = files.pair("server", &authority.issue());
    let running = start(data.path(), TlsFiles { certificate, key, client_ca: None }).await;
    let mut silent = Vec::new();
    for _ in 0..300 {
        silent.push(TcpStream::connect(running.address).await.expect("a connection"));
    }
    // Those from elsewhere are served meanwhile.
    let elsewhere = IpAddr::from(Ipv4Addr::new(127, 0, 0, 2));
    let root = reqwest::Certificate::from_pem(authority.pem.as_bytes()).expect("a certificate");
    let http = reqwest::Client::builder().no_proxy().tls_certs_only([root]).local_address(elsewhere);
    let answer = http.build().expect("a client").get(format!("{}/v1/reviews", running.url())).send().await;
    assert_eq!(answer.expect("an answer").status(), 200);
    // And none of the silent ones is waited for without end.
    for mut connection in silent {
        let ended = tokio::time::timeout(PATIENCE, connection.read_u8());
        assert!(ended.await.expect("it is given up").is_err());
    }
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.connect(running.address).await.expect("there is room again");
    running.stop().await;
}

#[tokio::test]
async fn what_cannot_be_used_is_said_before_a_port_is_opened() {
    let (files, data, authority) = (Files::new(), Files::new(), Authority::new());
    let (one, two) = (authority.issue(), authority.issue());
    let (certificate, key) = files.pair("one", &one);
    let (_, other_key) = files.pair("two", &two);
    let text = files.put("text.pem", "this is no certificate\n");
    let missing = data.path().join("missing.pem");
    for (certificate, key, client_ca, said) in [
        (&certificate, &other_key, None, "do not make a certificate with its key"),
        (&text, &key, None, "text.pem holds no certificates in PEM"),
        (&certificate, &text, None, "text.pem holds no private key in PEM"),
        (&missing, &key, None, "missing.pem cannot be read"),
        (&certificate, &key, Some(text.clone()), "text.pem holds no certificates in PEM"),
    ] {
        let tls = Some(TlsFiles { certificate: certificate.clone(), key: key.clone(), client_ca });
        let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let refused = up::start(UpOptions { tls, ..UpOptions::new(data.path(), listen) }).await;
        let message = refused.expect_err("refused").to_string();
        assert!(message.contains(said), "{message}");
        assert!(!message.contains("PRIVATE KEY-----\n"), "{message}");
    }
}

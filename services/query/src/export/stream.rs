//! Rows into the bytes of an answer, within bounds.

use std::io::{self, Write};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use sha2::{Digest, Sha256};
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tokio::task::spawn_blocking;
use tokio_stream::Stream;
use tonghop_export::{About, Export, ExportError, Format, MOST_ROWS, Row};
use tonghop_proto::query as pb;
use tonghop_runtime::{Failure, FailureKind, Finding, Language, Stop, Text};
use tracing::Instrument;

use crate::Query;
use crate::rest::STALE;
use crate::tag::Tag;

/// Files written at once.
pub(crate) const FILES_AT_ONCE: usize = 8;
/// How long a file may take, its reader included.
const LONGEST: Duration = Duration::from_secs(15 * 60);
/// Rows put into a file at once.
const ROWS_AT_ONCE: usize = 4096;
/// Bytes that go out at once.
const CHUNK: usize = 64 * 1024;
/// Chunks that may wait for a slow reader.
const QUEUE: usize = 4;

/// Up to which position of the ledger a file is.
const AS_OF: HeaderName = HeaderName::from_static("tonghop-as-of");
/// How many rows it has.
const ROWS: HeaderName = HeaderName::from_static("tonghop-rows");

type Sender = mpsc::Sender<Piece>;

/// What is sent of a file.
enum Piece {
    Bytes(Bytes),
    /// Nothing more: it is whole.
    End,
}

/// The bytes of a file as they come. One that is cut short, for whatever reason, ends with an error, and so without
/// the mark of the end that HTTP has: nobody takes it for whole.
struct Pieces {
    receiver: mpsc::Receiver<Piece>,
    is_over: bool,
}

impl Stream for Pieces {
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        if self.is_over {
            return Poll::Ready(None);
        }
        let piece = std::task::ready!(self.receiver.poll_recv(context));
        Poll::Ready(match piece {
            Some(Piece::Bytes(bytes)) => Some(Ok(bytes)),
            Some(Piece::End) => {
                self.is_over = true;
                None
            }
            None => {
                self.is_over = true;
                Some(Err(io::Error::other("the file was cut short")))
            }
        })
    }
}

/// Where the rows of a file come from.
pub(super) trait Rows: Send + 'static {
    /// What they are.
    type Row: Row + Send + Sync + 'static;

    /// As of when all of them are.
    fn as_of(&self) -> &pb::AsOf;

    /// What the file says of itself.
    fn about(&self) -> &About;

    /// The next of them; none at the end.
    fn next(&mut self) -> impl Future<Output = Result<Option<Vec<Self::Row>>, Failure>> + Send;
}

/// A place among the files that are written at once.
///
/// # Errors
/// Where there is none: come again.
pub(super) fn place(query: &Query) -> Result<OwnedSemaphorePermit, Failure> {
    Arc::clone(&query.files).try_acquire_owned().map_err(|_| {
        let detail = Text::of(
            format!("đang ghi {FILES_AT_ONCE} tệp; hãy hỏi lại sau giây lát"),
            format!("{FILES_AT_ONCE} files are being written already; ask again in a moment"),
        );
        Failure::new(FailureKind::Unavailable, detail)
    })
}

/// That a file would have too many rows.
pub(super) fn too_many_rows(count: u64) -> Failure {
    let (vi, en) =
        (format!("nhiều nhất {MOST_ROWS} dòng trong một tệp"), format!("at most {MOST_ROWS} rows in a file"));
    let detail = Text::of(
        format!("yêu cầu này hỏi nhiều dòng hơn mức một tệp có thể có: {vi}"),
        format!("this asks for more rows than a file may have: {en}"),
    );
    Failure::new(FailureKind::TooLarge, detail).with_findings(vec![Finding {
        code: "too_many_rows".into(),
        path: "period".into(),
        got: Text::of(format!("{count} hoặc nhiều hơn"), format!("{count} or more")),
        expected: Text::of(vi, en),
        hint: Text::of(
            "hỏi ít chỉ tiêu hơn, kỳ ngắn hơn, hoặc mỗi lần các đơn vị của một tỉnh",
            "ask for fewer indicators, a shorter period, or the units below one province at a time",
        ),
        ..Finding::default()
    }])
}

/// Answers with a file: nothing but its tag where the caller has it already.
pub(super) async fn answer<R: Rows>(
    query: &Query,
    permit: OwnedSemaphorePermit,
    format: Format,
    headers: &HeaderMap,
    mut rows: R,
) -> Result<Response, Failure> {
    let about = rows.about().clone();
    if about.rows > MOST_ROWS {
        return Err(too_many_rows(about.rows));
    }
    let (tag, stale) = (tag::<R::Row>(format, &about), rows.as_of().stale_seconds);
    let mut response = if tag.is_known(headers) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        // What cannot even begin is said as a failure, and not as a file that is cut short.
        let begun = Export::begin(format, about.clone()).map_err(Failure::internal)?;
        // What rows say is in the language of the file, whatever its reader speaks.
        let language = about.language.of(Language::Vietnamese, Language::English);
        let first = language.speaking(rows.next()).await?;
        let (sender, receiver) = mpsc::channel(QUEUE);
        let stop = query.stop.clone();
        let writing = async move {
            let _permit = permit;
            language.speaking(write(rows, first, begun, sender, stop)).await;
        };
        tokio::spawn(writing.in_current_span());
        let mut response = Body::from_stream(Pieces { receiver, is_over: false }).into_response();
        let out = response.headers_mut();
        out.insert(header::CONTENT_TYPE, HeaderValue::from_static(format.media_type()));
        let disposition = format!("attachment; filename=\"{}\"", file_name::<R::Row>(format, &about));
        out.insert(header::CONTENT_DISPOSITION, text(&disposition)?);
        out.insert(ROWS, HeaderValue::from(about.rows));
        response
    };
    let out = response.headers_mut();
    out.insert(header::ETAG, tag.value());
    out.insert(AS_OF, HeaderValue::from(about.position));
    if let Some(seconds) = stale {
        out.insert(STALE, HeaderValue::from(seconds));
    }
    Ok(response)
}

fn text(text: &str) -> Result<HeaderValue, Failure> {
    HeaderValue::from_str(text).map_err(Failure::internal)
}

/// The tag of a file: what it is of and as of when. The same program makes the same bytes of it.
fn tag<R: Row>(format: Format, about: &About) -> Tag {
    let mut digest = Sha256::new();
    let program = env!("CARGO_PKG_VERSION");
    let fixed =
        [program, R::NAME, format.extension(), about.language.tag(), if about.bom { "bom" } else { "" }];
    let position = about.position.to_string();
    let asked = about.asked.iter().flat_map(|(name, value)| [name.as_str(), value.as_str()]);
    for part in fixed.into_iter().chain([position.as_str()]).chain(asked) {
        // With its length, so that no two lists run together.
        digest.update((part.len() as u64).to_le_bytes());
        digest.update(part);
    }
    Tag::of(&digest.finalize())
}

/// What the file is saved as: letters, digits, points and hyphens, whatever was asked.
fn file_name<R: Row>(format: Format, about: &About) -> String {
    let asked = |wanted: &str| about.asked.iter().find(|(name, _)| name == wanted).map(|(_, v)| v.as_str());
    let parts = ["indicator", "programme", "unit", "period"].into_iter().filter_map(asked);
    let words: Vec<String> = parts
        .map(|part| {
            let short = part.chars().take(40);
            short.map(|c| if c.is_ascii_alphanumeric() || c == '.' { c } else { '-' }).collect()
        })
        .collect();
    let (table, position, extension) = (R::NAME, about.position, format.extension());
    format!("tonghop-{table}-{}-as-of-{position}.{extension}", words.join("-"))
}

/// Writes a file to its end, or as far as its reader and its time go.
async fn write<R: Rows>(
    rows: R,
    first: Option<Vec<R::Row>>,
    export: Export<R::Row>,
    sender: Sender,
    stop: Stop,
) {
    let cut = tokio::select! {
        () = stop.told() => Failure::stopping(),
        done = tokio::time::timeout(LONGEST, written(rows, first, export, &sender)) => match done {
            Ok(Ok(())) => return,
            Ok(Err(failure)) => failure,
            Err(_) => {
                let detail = Text::of("ghi tệp quá lâu", "the file took too long");
                Failure::new(FailureKind::Unavailable, detail)
            }
        },
    };
    let cause = std::error::Error::source(&cut).map(tracing::field::display);
    tracing::warn!(reason = %cut, cause, "a file was cut short");
}

async fn written<R: Rows>(
    mut rows: R,
    first: Option<Vec<R::Row>>,
    mut export: Export<R::Row>,
    sender: &Sender,
) -> Result<(), Failure> {
    let mut next = first;
    while let Some(batch) = next {
        let mut batch = Some(batch);
        let mut at = 0;
        while let Some(all) = batch.take() {
            let (grown, ready, rest) = spawn_blocking(move || {
                let end = all.len().min(at + ROWS_AT_ONCE);
                export.rows(&all[at..end])?;
                let ready = export.take();
                Ok::<_, ExportError>((export, ready, (end < all.len()).then_some(all)))
            })
            .await
            .map_err(Failure::internal)?
            .map_err(Failure::internal)?;
            (export, batch) = (grown, rest);
            at += ROWS_AT_ONCE;
            if send(sender, ready).await.is_err() {
                return Ok(());
            }
        }
        next = rows.next().await?;
    }
    let out = Chunks { sender: sender.clone(), waiting: Vec::with_capacity(CHUNK) };
    match spawn_blocking(move || export.finish(out)).await.map_err(Failure::internal)? {
        // Its reader has gone, which is no fault of ours.
        Err(_) if sender.is_closed() => Ok(()),
        Err(error) => Err(Failure::internal(error)),
        Ok(()) => {
            let _ = sender.send(Piece::End).await;
            Ok(())
        }
    }
}

/// Sends bytes, as fast as the reader takes them.
async fn send(sender: &Sender, ready: Vec<u8>) -> Result<(), ()> {
    let mut ready = Bytes::from(ready);
    while !ready.is_empty() {
        let chunk = ready.split_to(ready.len().min(CHUNK));
        sender.send(Piece::Bytes(chunk)).await.map_err(drop)?;
    }
    Ok(())
}

/// Takes the end of a file in the thread that writes it, as fast as the reader takes it.
struct Chunks {
    sender: Sender,
    waiting: Vec<u8>,
}

impl Chunks {
    fn pass_on(&mut self) -> io::Result<()> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        let chunk = std::mem::replace(&mut self.waiting, Vec::with_capacity(CHUNK));
        let gone = |_| io::Error::new(io::ErrorKind::BrokenPipe, "the reader of the file has gone");
        self.sender.blocking_send(Piece::Bytes(chunk.into())).map_err(gone)
    }
}

impl Write for Chunks {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let some = bytes.len().min(CHUNK - self.waiting.len());
        self.waiting.extend_from_slice(&bytes[..some]);
        if self.waiting.len() == CHUNK {
            self.pass_on()?;
        }
        Ok(some)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.pass_on()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio_stream::StreamExt;
    use tonghop_runtime::Stopper;

    use super::*;

    /// Batches of totals without end or up to one, that count how many were asked for.
    struct Batches {
        as_of: pb::AsOf,
        about: About,
        asked: Arc<AtomicUsize>,
        most: usize,
        /// Whether the last ends with a failure.
        fails: bool,
    }

    const BATCH: usize = 1000;

    impl Batches {
        fn new(most: usize, fails: bool) -> (Batches, Arc<AtomicUsize>) {
            let asked = Arc::new(AtomicUsize::new(0));
            let counted = Arc::clone(&asked);
            (Batches { as_of: pb::AsOf::default(), about: About::default(), asked, most, fails }, counted)
        }
    }

    impl Rows for Batches {
        type Row = pb::Total;

        fn as_of(&self) -> &pb::AsOf {
            &self.as_of
        }

        fn about(&self) -> &About {
            &self.about
        }

        async fn next(&mut self) -> Result<Option<Vec<pb::Total>>, Failure> {
            match self.asked.fetch_add(1, Ordering::SeqCst) {
                at if at < self.most => Ok(Some(vec![pb::Total::default(); BATCH])),
                _ if self.fails => Err(Failure::internal("the database is gone")),
                _ => Ok(None),
            }
        }
    }

    fn begun(rows: Batches, format: Format, stop: Stop) -> Pieces {
        let (sender, receiver) = mpsc::channel(QUEUE);
        let export = Export::begin(format, rows.about.clone()).expect("it begins");
        tokio::spawn(write(rows, Some(vec![]), export, sender, stop));
        Pieces { receiver, is_over: false }
    }

    /// Lets everything run that can, until nothing moves any more.
    async fn settled(asked: &AtomicUsize) -> usize {
        let mut before = usize::MAX;
        for _ in 0..100 {
            let now = asked.load(Ordering::SeqCst);
            if now == before && now > 0 {
                return now;
            }
            before = now;
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("it goes on and on: {before}");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn no_more_is_read_than_its_reader_takes() {
        let stopper = Stopper::new();
        for format in [Format::Csv, Format::Json, Format::Arrow] {
            let (rows, asked) = Batches::new(200, false);
            let mut pieces = begun(rows, format, stopper.stop());
            // Nobody reads: what was asked for is what fills the queue, and one batch that waits for room.
            let waiting = settled(&asked).await;
            assert!(
                waiting < 40,
                "{format:?}: {waiting} batches of {BATCH} rows for a reader that takes none"
            );
            let mut bytes = 0;
            while let Some(piece) = pieces.next().await {
                let piece = piece.expect("it is not cut short");
                assert!(piece.len() <= CHUNK);
                bytes += piece.len();
            }
            assert!(bytes > 200 * BATCH, "{format:?}");
            assert_eq!(asked.load(Ordering::SeqCst), 201);
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_file_that_is_cut_short_does_not_look_whole() {
        let stopper = Stopper::new();
        for format in Format::ALL {
            let (rows, _) = Batches::new(2, true);
            let pieces: Vec<_> = begun(rows, format, stopper.stop()).collect().await;
            assert!(pieces.last().is_some_and(Result::is_err), "{format:?}");
            let (rows, _) = Batches::new(2, false);
            let pieces: Vec<_> = begun(rows, format, stopper.stop()).collect().await;
            assert!(!pieces.is_empty() && pieces.iter().all(Result::is_ok), "{format:?}");
        }
        let (rows, asked) = Batches::new(usize::MAX, false);
        let pieces = begun(rows, Format::Csv, stopper.stop());
        settled(&asked).await;
        stopper.tell();
        let pieces: Vec<_> = pieces.collect().await;
        assert!(pieces.last().is_some_and(Result::is_err), "who stops does not say that it is whole");
    }

    #[test]
    fn a_name_of_a_file_is_harmless() {
        let asked = vec![
            ("unit".to_owned(), "../V\"N\r\n".to_owned()),
            ("period".to_owned(), "2013..2023".to_owned()),
        ];
        let name = file_name::<pb::Total>(Format::Csv, &About { asked, position: 7, ..About::default() });
        assert_eq!(name, "tonghop-totals-..-V-N---2013..2023-as-of-7.csv");
    }
}

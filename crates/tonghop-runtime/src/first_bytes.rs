//! A connection that has to say something before long.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

/// As many bytes as it takes to tell HTTP/1 from HTTP/2: what comes after has its own bounds.
const ENOUGH: usize = 24;

/// A connection whose first bytes have to come within a time. Until they have, nobody else holds a clock over it: which
/// protocol it speaks is not known.
#[derive(Debug)]
pub(crate) struct FirstBytes<C> {
    connection: C,
    came: usize,
    /// Gone once enough has come.
    deadline: Option<Pin<Box<Sleep>>>,
}

impl<C> FirstBytes<C> {
    pub(crate) fn within(time: Duration, connection: C) -> FirstBytes<C> {
        FirstBytes { connection, came: 0, deadline: Some(Box::pin(sleep(time))) }
    }
}

impl<C: AsyncRead + Unpin> AsyncRead for FirstBytes<C> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.connection).poll_read(context, buffer);
        let Some(deadline) = &mut self.deadline else { return read };
        if read.is_pending() {
            return match deadline.as_mut().poll(context) {
                Poll::Ready(()) => Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
                Poll::Pending => Poll::Pending,
            };
        }
        self.came += buffer.filled().len() - before;
        if self.came >= ENOUGH {
            self.deadline = None;
        }
        read
    }
}

impl<C: AsyncWrite + Unpin> AsyncWrite for FirstBytes<C> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.connection).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.connection).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.connection).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.connection).poll_write_vectored(context, parts)
    }

    fn is_write_vectored(&self) -> bool {
        self.connection.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};
    use tokio::time::Instant;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn who_says_too_little_is_given_up_and_who_said_enough_may_be_silent() {
        let (ours, mut theirs) = duplex(64);
        let mut ours = FirstBytes::within(Duration::from_secs(10), ours);
        let begun = Instant::now();
        theirs.write_all(b"PRI * HTTP").await.expect("it is sent");
        let mut bytes = [0; 24];
        let error = ours.read_exact(&mut bytes).await.expect_err("no more comes");
        assert_eq!((error.kind(), begun.elapsed()), (io::ErrorKind::TimedOut, Duration::from_secs(10)));

        let (ours, mut theirs) = duplex(64);
        let mut ours = FirstBytes::within(Duration::from_secs(10), ours);
        theirs.write_all(&[b'x'; 24]).await.expect("it is sent");
        ours.read_exact(&mut bytes).await.expect("they came");
        let silent = tokio::time::timeout(Duration::from_secs(3600), ours.read(&mut bytes)).await;
        assert!(silent.is_err(), "{silent:?}");
    }
}

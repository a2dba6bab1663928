//! Connections on their way in: encrypted if the server is, and cut off if they are slow to begin.
//!
//! From its first request on a connection is watched by HTTP/2's own pings and by the time that a
//! call may take; before that by what is here.

use super::tls::Tls;
use rustls::pki_types::CertificateDer;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::time::{Instant, Sleep};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::server::Connected;

/// The bytes that a connection begins with: those of HTTP/2, and as many of HTTP/1.
const PREFACE_BYTES: usize = 24;
/// How many connections may be ready before the next one waits.
const READY: usize = 64;

/// What a connection says of who is at its other end.
#[derive(Clone, Default)]
pub(crate) struct Peer {
    /// The certificate that came with it, verified.
    pub(crate) certificate: Option<CertificateDer<'static>>,
}

/// A connection.
pub(crate) struct Connection {
    io: Io,
    /// Until when the first bytes must be there; none once they are.
    beginning: Option<(Pin<Box<Sleep>>, usize)>,
    acknowledging: Acknowledging,
}

/// When what was received is acknowledged to the other end.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Acknowledging {
    /// With an answer, or some 40 ms later.
    InTime,
    /// At once: for clients that do not set `TCP_NODELAY` and hold the body of a call back until its
    /// head is acknowledged.
    AtOnce,
}

enum Io {
    Plain(TcpStream),
    Encrypted(Box<TlsStream<TcpStream>>),
}

impl Io {
    fn tcp(&self) -> &TcpStream {
        match self {
            Io::Plain(stream) => stream,
            Io::Encrypted(stream) => stream.get_ref().0,
        }
    }
}

/// Accepts connections, and shakes hands with each beside the others, within `begin`.
pub(crate) fn incoming(
    listener: TcpListener,
    tls: Option<Arc<Tls>>,
    begin: Duration,
    acknowledging: Acknowledging,
) -> ReceiverStream<io::Result<Connection>> {
    let (sender, receiver) = mpsc::channel(READY);
    tokio::spawn(async move {
        loop {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                () = sender.closed() => return,
            };
            let stream = match accepted {
                Ok((stream, _)) => stream,
                Err(error) => {
                    // Such as too many open files: those that are open may end meanwhile.
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    continue;
                }
            };
            let (tls, sender) = (tls.clone(), sender.clone());
            tokio::spawn(async move {
                if let Some((io, beginning)) = greet(stream, tls, begin).await {
                    let beginning = Some((beginning, 0));
                    let connection = Connection { io, beginning, acknowledging };
                    // Nobody takes it any more: the server is stopping.
                    let _ = sender.send(Ok(connection)).await;
                }
            });
        }
    });
    ReceiverStream::new(receiver)
}

async fn greet(
    stream: TcpStream,
    tls: Option<Arc<Tls>>,
    begin: Duration,
) -> Option<(Io, Pin<Box<Sleep>>)> {
    // Without it an answer's last packet waits for the client's delayed acknowledgement of the
    // first: some 40 ms that nobody works in.
    stream.set_nodelay(true).ok()?;
    let until = Instant::now() + begin;
    let io = match tls {
        None => Io::Plain(stream),
        Some(tls) => {
            let shaken = TlsAcceptor::from(tls.config()).accept(stream);
            match tokio::time::timeout_at(until, shaken).await {
                Ok(Ok(stream)) => Io::Encrypted(Box::new(stream)),
                Ok(Err(error)) => {
                    tracing::debug!(%error, "a handshake failed");
                    return None;
                }
                Err(_) => {
                    tracing::debug!("a handshake took too long");
                    return None;
                }
            }
        }
    };
    Some((io, Box::pin(tokio::time::sleep_until(until))))
}

impl Connected for Connection {
    type ConnectInfo = Peer;

    fn connect_info(&self) -> Peer {
        let certificate = match &self.io {
            Io::Plain(_) => None,
            Io::Encrypted(stream) => stream.get_ref().1.peer_certificates(),
        };
        Peer {
            certificate: certificate
                .and_then(|c| c.first())
                .cloned()
                .map(CertificateDer::into_owned),
        }
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if let Some((sleep, _)) = &mut this.beginning
            && sleep.as_mut().poll(cx).is_ready()
        {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        let before = buffer.filled().len();
        ready!(match &mut this.io {
            Io::Plain(stream) => Pin::new(stream).poll_read(cx, buffer),
            Io::Encrypted(stream) => Pin::new(stream).poll_read(cx, buffer),
        })?;
        #[cfg(target_os = "linux")]
        if this.acknowledging == Acknowledging::AtOnce {
            // The system forgets it after a while: so it is said after every read.
            this.io.tcp().set_quickack(true)?;
        }
        if let Some((_, read)) = &mut this.beginning {
            *read += buffer.filled().len() - before;
            if *read >= PREFACE_BYTES {
                this.beginning = None;
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match &mut self.io {
            Io::Plain(stream) => Pin::new(stream).poll_write(cx, bytes),
            Io::Encrypted(stream) => Pin::new(stream).poll_write(cx, bytes),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.io {
            Io::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Io::Encrypted(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.io {
            Io::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Io::Encrypted(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match &mut self.io {
            Io::Plain(stream) => Pin::new(stream).poll_write_vectored(cx, slices),
            Io::Encrypted(stream) => Pin::new(stream).poll_write_vectored(cx, slices),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match &self.io {
            Io::Plain(stream) => stream.is_write_vectored(),
            Io::Encrypted(stream) => stream.is_write_vectored(),
        }
    }
}

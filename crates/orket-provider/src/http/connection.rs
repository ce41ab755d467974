//! The connection of one call: a socket that is closed the moment the call is cancelled.
//!
//! Only connecting cannot be ended early; it takes at most five seconds, and on this machine no time at all.
//!
//! This uses ureq's `unversioned` interface, which a minor release of ureq may change.

use std::fmt;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use orket_ports::model::{Cancellation, Hook};
use ureq::Error;
use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, LazyBuffers, NextTimeout, Transport,
};

use super::address::Address;

/// How long a read or a write may wait at once; a cancellation wakes it by closing the socket, so nothing is polled.
const SLICE: Duration = Duration::from_secs(3600);

/// How long a server may take to accept a connection.
const CONNECT: Duration = Duration::from_secs(5);

/// Why a call ended that ureq has no word for.
#[derive(Debug, thiserror::Error)]
pub(super) enum Stop {
    #[error("the call was cancelled")]
    Cancelled,
    #[error("{0}")]
    Unreachable(String),
}

impl From<Stop> for Error {
    fn from(stop: Stop) -> Error {
        Error::Other(Box::new(stop))
    }
}

/// Names no address: the connector knows where to go, and nothing is looked up that it does not ask for.
#[derive(Debug)]
pub(super) struct NoLookup;

impl Resolver for NoLookup {
    fn resolve(
        &self,
        _uri: &Uri,
        _config: &Config,
        _timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, Error> {
        Ok(self.empty())
    }
}

/// Connects to one address, without any proxy.
#[derive(Debug)]
pub(super) struct Direct {
    pub(super) address: Address,
    pub(super) cancellation: Cancellation,
}

impl Connector<()> for Direct {
    type Out = Connection;

    fn connect(
        &self,
        details: &ConnectionDetails,
        _chained: Option<()>,
    ) -> Result<Option<Connection>, Error> {
        let unreachable = |error: io::Error| Stop::Unreachable(error.to_string());
        let mut refusal = Stop::Unreachable("the host has no address".to_owned());
        for socket in self.address.sockets().map_err(unreachable)? {
            if self.cancellation.is_cancelled() {
                return Err(Stop::Cancelled.into());
            }
            match connect(&socket, *details.timeout.after) {
                Ok(stream) => {
                    let closed = stream.try_clone()?;
                    let hook = self.cancellation.on_cancel(move || {
                        // A socket that is closed already has nothing to be told.
                        let _ = closed.shutdown(Shutdown::Both);
                    });
                    let buffers = LazyBuffers::new(
                        details.config.input_buffer_size(),
                        details.config.output_buffer_size(),
                    );
                    return Ok(Some(Connection {
                        stream,
                        buffers,
                        cancellation: self.cancellation.clone(),
                        _hook: hook,
                    }));
                }
                Err(error) => refusal = unreachable(error),
            }
        }
        Err(refusal.into())
    }
}

fn connect(socket: &SocketAddr, left: Duration) -> io::Result<TcpStream> {
    let wait = left.clamp(Duration::from_millis(1), CONNECT);
    let stream = TcpStream::connect_timeout(socket, wait)?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// A socket whose reads and writes end when the call is cancelled.
pub(super) struct Connection {
    stream: TcpStream,
    buffers: LazyBuffers,
    cancellation: Cancellation,
    /// Closes the socket when the call is cancelled, whatever the socket is waiting for.
    _hook: Hook,
}

impl Transport for Connection {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        let watch = Watch::start(timeout.for_write(), &self.cancellation);
        let mut rest = &self.buffers.output()[..amount];
        while !rest.is_empty() {
            self.stream.set_write_timeout(Some(watch.slice()?))?;
            match self.stream.write(rest) {
                Ok(0) => return Err(Error::Io(ErrorKind::WriteZero.into())),
                Ok(written) => rest = &rest[written..],
                Err(error) if is_pause(&error) => {}
                Err(error) => {
                    watch.slice()?;
                    return Err(Error::Io(error));
                }
            }
        }
        Ok(())
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        let watch = Watch::start(timeout.for_read(), &self.cancellation);
        loop {
            self.stream.set_read_timeout(Some(watch.slice()?))?;
            match self.stream.read(self.buffers.input_append_buf()) {
                Ok(amount) => {
                    // A socket that the cancellation closed looks like one that the server closed.
                    watch.slice()?;
                    self.buffers.input_appended(amount);
                    return Ok(amount > 0);
                }
                Err(error) if is_pause(&error) => {}
                Err(error) => {
                    watch.slice()?;
                    return Err(Error::Io(error));
                }
            }
        }
    }

    /// A call never uses a connection twice.
    fn is_open(&mut self) -> bool {
        false
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("stream", &self.stream)
            .finish_non_exhaustive()
    }
}

fn is_pause(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted
    )
}

/// Watches the deadline and the cancellation during one read or write.
struct Watch<'a> {
    started: Instant,
    timeout: NextTimeout,
    cancellation: &'a Cancellation,
}

impl Watch<'_> {
    fn start(timeout: NextTimeout, cancellation: &Cancellation) -> Watch<'_> {
        Watch {
            started: Instant::now(),
            timeout,
            cancellation,
        }
    }

    /// Returns how long to wait next.
    fn slice(&self) -> Result<Duration, Error> {
        if self.cancellation.is_cancelled() {
            return Err(Stop::Cancelled.into());
        }
        let left = self.timeout.after.saturating_sub(self.started.elapsed());
        if left.is_zero() {
            return Err(Error::Timeout(self.timeout.reason));
        }
        Ok(left.min(SLICE))
    }
}

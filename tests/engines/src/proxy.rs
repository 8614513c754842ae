use std::net::{SocketAddr, TcpListener as StdListener};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinSet;

use crate::free_port;

/// Stands between a driver and its engine on loopback: counts round trips, and breaks connections on request.
///
/// It has a runtime of its own, so that its methods may be called from a test with or without one.
#[derive(Debug)]
pub struct Proxy {
    shared: Arc<Shared>,
    address: SocketAddr,
    runtime: Option<Runtime>,
    open: Option<Open>,
}

/// The listener's task, and what ends when no task of the proxy is left.
#[derive(Debug)]
struct Open {
    accepting: tokio::task::AbortHandle,
    ended: Receiver<()>,
}

#[derive(Debug)]
struct Shared {
    engine: SocketAddr,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    connections: usize,
    round_trips: usize,
    reply_delay: Duration,
    cut: Option<(Direction, usize)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Direction {
    Request,
    Reply,
}

impl Proxy {
    /// A proxy before the engine of this URL, and the URL that leads through it.
    #[must_use]
    pub fn before(url: &str) -> (Self, String) {
        let (scheme, rest) = url.split_once("://").expect("a URL has a scheme");
        let authority = rest.split(['/', '?']).next().unwrap_or_default();
        let (user, address) = authority.rsplit_once('@').map_or(("", authority), |(user, address)| (user, address));
        let proxy = Self::to(address.parse().expect("an engine listens on an address of loopback and a port"));
        let at = if user.is_empty() { "" } else { "@" };
        let through = format!("{scheme}://{user}{at}{}{}", proxy.address, &rest[authority.len()..]);
        (proxy, through)
    }

    /// A proxy before the engine at this address.
    #[must_use]
    pub fn to(engine: SocketAddr) -> Self {
        let shared = Arc::new(Shared { engine, state: Mutex::default() });
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let address = SocketAddr::from(([127, 0, 0, 1], free_port()));
        let mut proxy = Self { shared, address, runtime: Some(runtime), open: None };
        proxy.reopen();
        proxy
    }

    /// Where the proxy listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Connections that were made so far.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.shared.state().connections
    }

    /// Round trips since this was asked last: bursts of requests on one connection, each up to the engine's next answer.
    #[must_use]
    pub fn take_round_trips(&self) -> usize {
        std::mem::take(&mut self.shared.state().round_trips)
    }

    /// Keeps each answer back for so long.
    pub fn delay_replies(&self, delay: Duration) {
        self.shared.state().reply_delay = delay;
    }

    /// Cuts the next connection that sends a request after so many bytes of it: the engine sees a part of it, or nothing.
    pub fn cut_next_request_after(&self, bytes: usize) {
        self.shared.state().cut = Some((Direction::Request, bytes));
    }

    /// Cuts the next connection that is answered after so many bytes of the answer: the engine has done the work.
    pub fn cut_next_reply_after(&self, bytes: usize) {
        self.shared.state().cut = Some((Direction::Reply, bytes));
    }

    /// Whether a cut that was asked for has not happened yet.
    #[must_use]
    pub fn awaits_cut(&self) -> bool {
        self.shared.state().cut.is_some()
    }

    /// Cuts every connection and refuses new ones.
    pub fn close(&mut self) {
        if let Some(open) = self.open.take() {
            open.accepting.abort();
            // Every task holds the sender: an error says that the last one has ended.
            let _ = open.ended.recv();
        }
    }

    /// Listens again after `close`, on the same port.
    pub fn reopen(&mut self) {
        self.close();
        let runtime = self.runtime.as_ref().expect("it goes when the proxy is dropped");
        let _context = runtime.enter();
        let listener = StdListener::bind(self.address).unwrap();
        listener.set_nonblocking(true).unwrap();
        let (alive, ended) = channel();
        let accepting = runtime.spawn(accept(alive, TcpListener::from_std(listener).unwrap(), self.shared.clone()));
        self.open = Some(Open { accepting: accepting.abort_handle(), ended });
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        // Dropping a runtime waits for it, which a test on another runtime may not.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// `alive` is the first argument, so that it is dropped last, after the sockets.
async fn accept(alive: Sender<()>, listener: TcpListener, shared: Arc<Shared>) {
    // Dropped with this task, and every connection with it.
    let mut connections = JoinSet::new();
    while let Ok((client, _)) = listener.accept().await {
        connections.spawn(connect(alive.clone(), client, shared.clone()));
        while connections.try_join_next().is_some() {}
    }
}

async fn connect(_alive: Sender<()>, client: TcpStream, shared: Arc<Shared>) {
    let Ok(engine) = TcpStream::connect(shared.engine).await else { return };
    client.set_nodelay(true).unwrap();
    engine.set_nodelay(true).unwrap();
    shared.state().connections += 1;
    let last = Mutex::new(Direction::Reply);
    let ((from_client, to_client), (from_engine, to_engine)) = (client.into_split(), engine.into_split());
    // Either direction's end ends both, and drops both sockets.
    tokio::select! {
        () = pump(Direction::Request, from_client, to_engine, &shared, &last) => {}
        () = pump(Direction::Reply, from_engine, to_client, &shared, &last) => {}
    }
}

async fn pump(
    direction: Direction,
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    shared: &Shared,
    last: &Mutex<Direction>,
) {
    let mut buffer = vec![0; 64 * 1024];
    let mut passed = 0;
    loop {
        let Ok(length @ 1..) = from.read(&mut buffer).await else { return };
        let delay = {
            let turned = std::mem::replace(&mut *last.lock().unwrap(), direction) != direction;
            let mut state = shared.state();
            state.round_trips += usize::from(turned && direction == Direction::Request);
            passed = if turned { 0 } else { passed };
            state.reply_delay
        };
        if direction == Direction::Reply {
            tokio::time::sleep(delay).await;
        }
        let allowed = {
            let mut state = shared.state();
            let allowed = state.cut.filter(|(cut, bytes)| *cut == direction && *bytes < passed + length);
            allowed.map(|(_, bytes)| {
                state.cut = None;
                bytes.saturating_sub(passed)
            })
        };
        if to.write_all(&buffer[..allowed.unwrap_or(length)]).await.is_err() || allowed.is_some() {
            return;
        }
        passed += length;
    }
}

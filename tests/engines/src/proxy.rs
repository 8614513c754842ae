use std::io::ErrorKind;
use std::net::{SocketAddr, TcpListener as StdListener};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};

use crate::free_port;
use crate::traffic::{Direction, Shared, Stop, accept};

/// Ten seconds of tries.
const BIND_TRIES: usize = 1000;
const PAUSE: Duration = Duration::from_millis(10);

/// Stands between a driver and its engine on loopback: counts round trips, and holds or breaks connections on request.
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
        let shared = Arc::new(Shared::before(engine));
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

    /// Cuts one connection: that which sends the message behind the next so many, after so many bytes of it. A message is what
    /// goes one way on a connection until the other side says something.
    pub fn cut_behind(&self, messages: usize, bytes: usize) {
        self.shared.state().stop_behind(messages, Stop::Cut { bytes });
    }

    /// Lets so many more messages pass, and holds back whatever comes behind them, on every connection.
    pub fn hold_behind(&self, messages: usize) {
        self.shared.state().stop_behind(messages, Stop::Hold);
    }

    /// Whether something is held back.
    #[must_use]
    pub fn is_holding(&self) -> bool {
        self.shared.state().is_holding
    }

    /// Whether a cut that was asked for has not happened yet.
    #[must_use]
    pub fn awaits_cut(&self) -> bool {
        let state = self.shared.state();
        state.cut.is_some() || matches!(state.stop, Some((_, Stop::Cut { .. })))
    }

    /// Takes back every cut and every hold that has not happened yet.
    pub fn let_pass(&self) {
        let mut state = self.shared.state();
        (state.cut, state.stop) = (None, None);
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
        let listener = self.listener();
        listener.set_nonblocking(true).unwrap();
        let (alive, ended) = channel();
        let accepting = runtime.spawn(accept(alive, TcpListener::from_std(listener).unwrap(), self.shared.clone()));
        self.open = Some(Open { accepting: accepting.abort_handle(), ended });
    }
}

impl Proxy {
    /// A process that another test is starting holds the listener of before until it has become its program.
    fn listener(&self) -> StdListener {
        for _ in 0..BIND_TRIES {
            match StdListener::bind(self.address) {
                Err(error) if error.kind() == ErrorKind::AddrInUse => std::thread::sleep(PAUSE),
                outcome => return outcome.unwrap(),
            }
        }
        panic!("{} is in use", self.address)
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

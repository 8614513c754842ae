//! What a proxy does with the bytes of its connections.

use std::net::SocketAddr;
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

#[derive(Debug)]
pub(crate) struct Shared {
    engine: SocketAddr,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
pub(crate) struct State {
    pub(crate) connections: usize,
    pub(crate) round_trips: usize,
    pub(crate) reply_delay: Duration,
    pub(crate) cut: Option<(Direction, usize)>,
    /// What to do behind which of the messages.
    pub(crate) stop: Option<(usize, Stop)>,
    pub(crate) is_holding: bool,
    /// Messages that have begun, on all connections.
    messages: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    Request,
    Reply,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Stop {
    Hold,
    Cut { bytes: usize },
}

/// How a connection ends that is not to go on.
enum End {
    Cut,
    Held,
}

impl Shared {
    pub(crate) fn before(engine: SocketAddr) -> Self {
        Self { engine, state: Mutex::default() }
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    pub(crate) fn stop_behind(&mut self, messages: usize, stop: Stop) {
        self.stop = Some((self.messages + messages, stop));
    }

    /// How much of these bytes goes through before their connection ends; `None` for all of them, and on it goes.
    fn end_within(&mut self, part: &Part) -> Option<(usize, End)> {
        if let Some((_, bytes)) = self.cut.filter(|(cut, bytes)| *cut == part.direction && *bytes < part.end()) {
            self.cut = None;
            return Some((bytes.saturating_sub(part.begin), End::Cut));
        }
        match self.stop.filter(|(behind, _)| part.message > *behind)?.1 {
            Stop::Hold => {
                self.is_holding = true;
                Some((0, End::Held))
            }
            Stop::Cut { bytes } if bytes < part.end() => {
                self.stop = None;
                Some((bytes.saturating_sub(part.begin), End::Cut))
            }
            Stop::Cut { .. } => None,
        }
    }
}

/// Bytes that arrived together.
struct Part {
    direction: Direction,
    /// The number of the message that they are of.
    message: usize,
    /// Where in the message they begin.
    begin: usize,
    length: usize,
}

impl Part {
    fn end(&self) -> usize {
        self.begin + self.length
    }
}

/// `alive` is the first argument, so that it is dropped last, after the sockets.
pub(crate) async fn accept(alive: Sender<()>, listener: TcpListener, shared: Arc<Shared>) {
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
    let last = Mutex::new(None);
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
    last: &Mutex<Option<Direction>>,
) {
    let mut buffer = vec![0; 64 * 1024];
    let mut part = Part { direction, message: 0, begin: 0, length: 0 };
    loop {
        let Ok(length @ 1..) = from.read(&mut buffer).await else { return };
        let delay = {
            let turned = last.lock().unwrap().replace(direction) != Some(direction);
            let mut state = shared.state();
            state.round_trips += usize::from(turned && direction == Direction::Request);
            state.messages += usize::from(turned);
            part = match turned {
                true => Part { message: state.messages, begin: 0, length, ..part },
                false => Part { begin: part.end(), length, ..part },
            };
            state.reply_delay
        };
        if direction == Direction::Reply {
            tokio::time::sleep(delay).await;
        }
        let end = shared.state().end_within(&part);
        let passing = end.as_ref().map_or(length, |(passing, _)| *passing);
        if to.write_all(&buffer[..passing]).await.is_err() {
            return;
        }
        match end {
            None => {}
            Some((_, End::Cut)) => return,
            // Until the other direction ends, or the proxy is closed.
            Some((_, End::Held)) => std::future::pending().await,
        }
    }
}

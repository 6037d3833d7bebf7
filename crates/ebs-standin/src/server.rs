//! The running stand-in: a listener on a runtime of its own, driven from synchronous code.

use std::{
    net::{Ipv4Addr, SocketAddr, TcpListener as StdListener},
    path::Path,
    sync::{Arc, mpsc},
    time::Duration,
};

use hyper::{server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::{
    net::{TcpListener, TcpStream},
    runtime::{self, Runtime},
    sync::oneshot,
    time::sleep,
};

use crate::{
    api,
    error::StandinError,
    faults::Faults,
    snapshot::{Change, Snapshot},
    state::State,
    stats::{LogEntry, Stats},
};

const WORKERS: usize = 2;
/// Blocks are read and hashed on these; calls that wait for their latency need none.
const BLOCKING_THREADS: usize = 8;
const STOP_WAIT: Duration = Duration::from_secs(1);

/// A stand-in that serves until it is dropped.
#[derive(Debug)]
pub struct Standin {
    address: SocketAddr,
    state: Arc<State>,
    runtime: Option<Runtime>,
    stop: Option<oneshot::Sender<()>>,
    stopped: mpsc::Receiver<()>,
}

impl Standin {
    /// What to serve, and how badly.
    pub fn builder() -> Builder {
        Builder {
            listen: (Ipv4Addr::LOCALHOST, 0).into(),
            snapshots: Vec::new(),
            accounts: Vec::new(),
            faults: Faults::default(),
        }
    }

    /// The endpoint, such as `http://127.0.0.1:4000`, without a slash at the end.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The address that is listened on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The counts so far.
    pub fn stats(&self) -> Stats {
        self.state.books.stats()
    }

    /// The calls that have ended since the last reset, in the order of their ends.
    pub fn log(&self) -> Vec<LogEntry> {
        self.state.books.log()
    }

    /// As [`Self::log`], and empties the log.
    pub fn take_log(&self) -> Vec<LogEntry> {
        self.state.books.take_log()
    }

    /// Sets all counts to zero and empties the log.
    pub fn reset_stats(&self) {
        self.state.books.reset();
    }

    /// The faults as they were set last.
    pub fn faults(&self) -> Faults {
        self.state.plan().faults.clone()
    }

    /// Replaces all faults. The counts of rules and pages start again, and buckets are full.
    pub fn set_faults(&self, faults: Faults) {
        self.state.set_faults(faults);
    }

    /// Ends all page and block tokens that were given out.
    pub fn expire_tokens(&self) {
        self.state.tokens.expire_all();
    }

    /// Sets the clock that tokens expire by forward, by whole seconds.
    pub fn skip_time(&self, time: Duration) {
        self.state.tokens.skip(time.as_secs());
    }

    /// Serves one more snapshot; returns when its image has been looked through.
    pub fn add_snapshot(&self, snapshot: Snapshot) -> Result<(), StandinError> {
        self.state.add_snapshot(snapshot)
    }

    /// Changes the state of a snapshot or who may read it; false where it is not served.
    pub fn change_snapshot(&self, id: &str, change: Change) -> bool {
        self.state.change_snapshot(id, change)
    }

    /// Serves a snapshot no more; false where it was not served.
    pub fn remove_snapshot(&self, id: &str) -> bool {
        self.state.remove_snapshot(id)
    }

    /// The indexes of the allocated blocks of a snapshot, ascending.
    pub fn allocated_blocks(&self, id: &str) -> Option<Vec<u64>> {
        Some(self.state.snapshot(id)?.image.allocated_from(0).to_vec())
    }

    /// Says which account an access key is of. A key that is not registered is throttled
    /// as an account of its own, and is not checked against the owners of snapshots.
    pub fn add_account(&self, access_key: impl Into<String>, account: impl Into<String>) {
        self.state.add_account(access_key.into(), account.into());
    }
}

impl Drop for Standin {
    fn drop(&mut self) {
        if self.stop.take().is_some_and(|stop| stop.send(()).is_ok()) {
            // Closed when the sender is gone; the wait is for a stuck runtime only.
            let _ = self.stopped.recv_timeout(STOP_WAIT);
        }
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// Settings of a [`Standin`].
#[derive(Debug)]
pub struct Builder {
    listen: SocketAddr,
    snapshots: Vec<Snapshot>,
    accounts: Vec<(String, String)>,
    faults: Faults,
}

impl Builder {
    /// Serves the raw image at `path` as the snapshot `id`, readable and completed.
    #[must_use]
    pub fn snapshot(self, id: impl Into<String>, path: impl AsRef<Path>) -> Self {
        self.add_snapshot(Snapshot::file(id, path))
    }

    /// Serves a snapshot.
    #[must_use]
    pub fn add_snapshot(mut self, snapshot: Snapshot) -> Self {
        self.snapshots.push(snapshot);
        self
    }

    /// Says which account an access key is of: see [`Standin::add_account`].
    #[must_use]
    pub fn account(mut self, access_key: impl Into<String>, account: impl Into<String>) -> Self {
        self.accounts.push((access_key.into(), account.into()));
        self
    }

    /// Sets load and faults.
    #[must_use]
    pub fn faults(mut self, faults: Faults) -> Self {
        self.faults = faults;
        self
    }

    /// Sets the address. Default: `127.0.0.1` and a free port.
    #[must_use]
    pub fn listen(mut self, address: SocketAddr) -> Self {
        self.listen = address;
        self
    }

    /// Looks through the images, and serves when it returns.
    pub fn start(self) -> Result<Standin, StandinError> {
        let state = Arc::new(State::new(self.faults));
        for snapshot in self.snapshots {
            state.add_snapshot(snapshot)?;
        }
        for (access_key, account) in self.accounts {
            state.add_account(access_key, account);
        }
        let runtime = runtime::Builder::new_multi_thread()
            .worker_threads(WORKERS)
            .max_blocking_threads(BLOCKING_THREADS)
            .thread_name("ebs-standin")
            .enable_all()
            .build()
            .map_err(StandinError::Runtime)?;
        let listen_error = |source| StandinError::Listen { address: self.listen, source };
        let (listener, address) = listen(&runtime, self.listen).map_err(listen_error)?;
        let (stop, stop_asked) = oneshot::channel();
        let (stopping, stopped) = mpsc::channel();
        let accepting = Arc::clone(&state);
        runtime.spawn(async move {
            tokio::select! {
                () = accept(listener, accepting) => {}
                _ = stop_asked => {}
            }
            drop(stopping);
        });
        Ok(Standin { address, state, runtime: Some(runtime), stop: Some(stop), stopped })
    }
}

fn listen(runtime: &Runtime, address: SocketAddr) -> std::io::Result<(TcpListener, SocketAddr)> {
    let listener = StdListener::bind(address)?;
    listener.set_nonblocking(true)?;
    let address = listener.local_addr()?;
    let _inside = runtime.enter();
    Ok((TcpListener::from_std(listener)?, address))
}

async fn accept(listener: TcpListener, state: Arc<State>) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => drop(tokio::spawn(connection(stream, Arc::clone(&state)))),
            // Out of file descriptors, mostly: give connections time to end.
            Err(_) => sleep(Duration::from_millis(10)).await,
        }
    }
}

async fn connection(stream: TcpStream, state: Arc<State>) {
    // Without it small answers wait for the client's acknowledgement; no more is lost.
    let _ = stream.set_nodelay(true);
    let service = service_fn(|request| api::serve(Arc::clone(&state), request));
    // An error here is a client that left, or a fault that was asked for.
    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

//! The server.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, BufReader};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use serde_json::Value;

use crate::reply::Reply;
use crate::request::{self, Incoming, Received};
use crate::route;
use crate::script::{Exchange, Script};
use crate::stop::Stop;

/// How the server treats requests, whatever its script says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Refuses a chat request with a member that Ollama does not know; Ollama itself would ignore it.
    pub is_strict: bool,
    /// The models that the server has; if there are none it takes any name, and lists those of its script.
    pub models: Vec<String>,
    /// How many bytes the body of a request may have.
    pub request_limit_bytes: u64,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            is_strict: true,
            models: Vec::new(),
            request_limit_bytes: 16 * 1024 * 1024,
        }
    }
}

/// A running server on a free port of `127.0.0.1`; dropping it ends it and its threads.
#[derive(Debug)]
pub struct ModelDouble {
    url: String,
    address: SocketAddr,
    shared: Arc<Shared>,
    listening: Option<JoinHandle<()>>,
}

/// What all connections share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) script: Script,
    pub(crate) settings: Settings,
    pub(crate) stop: Stop,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    answers: usize,
    requests: Vec<Received>,
    exchanges: Vec<Exchange>,
    sockets: BTreeMap<u64, TcpStream>,
}

impl ModelDouble {
    /// Starts a strict server with any model.
    ///
    /// # Errors
    /// Fails if no port can be bound or no thread started.
    pub fn start(script: Script) -> io::Result<ModelDouble> {
        ModelDouble::start_with(script, Settings::default())
    }

    /// Starts a server with these settings.
    ///
    /// # Errors
    /// As [`ModelDouble::start`].
    pub fn start_with(script: Script, settings: Settings) -> io::Result<ModelDouble> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            script,
            settings,
            stop: Stop::default(),
            state: Mutex::default(),
        });
        let for_listener = Arc::clone(&shared);
        let listening = thread::Builder::new()
            .name("model-double".to_owned())
            .spawn(move || listen(&listener, &for_listener))?;
        Ok(ModelDouble {
            url: format!("http://{address}"),
            address,
            shared,
            listening: Some(listening),
        })
    }

    /// Returns the address, `http://127.0.0.1:PORT`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Returns every request received so far, in order.
    pub fn requests(&self) -> Vec<Received> {
        self.shared.state().requests.clone()
    }

    /// Returns every chat exchange so far, in order; a [`Script::Exchanges`] of them answers the same again.
    ///
    /// The lines are those that were meant to be sent; a client that hung up has not seen them all.
    pub fn exchanges(&self) -> Vec<Exchange> {
        self.shared.state().exchanges.clone()
    }
}

impl Drop for ModelDouble {
    fn drop(&mut self) {
        self.shared.stop.give();
        // The listener waits for a connection and looks at the signal when one comes.
        let woken = TcpStream::connect(self.address);
        if let Some(listening) = self.listening.take()
            && woken.is_ok()
        {
            // A thread that panicked has said so; a second panic in a drop would abort the process.
            let _ = listening.join();
        }
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the index of the answer whose turn it is.
    pub(crate) fn next_answer(&self) -> usize {
        let mut state = self.state();
        state.answers += 1;
        state.answers - 1
    }

    pub(crate) fn keep_exchange(&self, exchange: Exchange) {
        self.state().exchanges.push(exchange);
    }

    pub(crate) fn knows(&self, model: &str) -> bool {
        let models = &self.settings.models;
        models.is_empty() || models.iter().any(|name| name == model)
    }

    /// Returns the names of the models, sorted.
    pub(crate) fn models(&self) -> Vec<String> {
        let mut models: BTreeSet<String> = self.settings.models.iter().cloned().collect();
        if let (true, Script::Exchanges(exchanges)) = (models.is_empty(), &self.script) {
            let names = exchanges.iter().map(|exchange| &exchange.request["model"]);
            models.extend(names.filter_map(Value::as_str).map(str::to_owned));
        }
        models.into_iter().collect()
    }
}

fn listen(listener: &TcpListener, shared: &Arc<Shared>) {
    let mut connections: Vec<JoinHandle<()>> = Vec::new();
    for (number, socket) in (0_u64..).zip(listener.incoming()) {
        if shared.stop.is_given() {
            break;
        }
        let Ok(socket) = socket else { continue };
        let Ok(kept) = socket.try_clone() else {
            continue;
        };
        shared.state().sockets.insert(number, kept);
        let shared = Arc::clone(shared);
        let connection = thread::Builder::new().spawn(move || {
            // An error means that the client is gone, which only it could tell anyone.
            let _ = serve(&socket, &shared);
            shared.state().sockets.remove(&number);
            let _ = socket.shutdown(Shutdown::Both);
        });
        connections.retain(|connection| !connection.is_finished());
        connections.extend(connection);
    }
    for socket in shared.state().sockets.values() {
        let _ = socket.shutdown(Shutdown::Both);
    }
    for connection in connections {
        let _ = connection.join();
    }
}

fn serve(socket: &TcpStream, shared: &Shared) -> io::Result<()> {
    socket.set_nodelay(true)?;
    let mut reader = BufReader::new(socket);
    loop {
        let limit_bytes = shared.settings.request_limit_bytes;
        let request = match request::read(&mut reader, socket, limit_bytes)? {
            Incoming::Request(request) => request,
            Incoming::Bad(status, error) => {
                Reply::error(status, error).write(socket, false, &shared.stop)?;
                return Ok(());
            }
            Incoming::End => return Ok(()),
        };
        shared.state().requests.push(request.clone());
        let reply = route::reply(shared, &request);
        let is_usable = reply.write(socket, request.method == "HEAD", &shared.stop)?;
        if !is_usable || request.closes() {
            return Ok(());
        }
    }
}

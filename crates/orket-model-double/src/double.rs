//! The server.

use std::collections::BTreeMap;
use std::io::{self, BufReader};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rustix::net::sockopt::set_socket_linger;
use serde_json::Value;

use crate::reply::{After, Reply};
use crate::request::{self, Incoming, Received};
use crate::route;
use crate::script::{Exchange, Script};
use crate::settings::{Model, Settings};
use crate::stop::Stop;
use crate::{Answer, Scenario};

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
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// The models, as a test may have changed them; names that were asked for are added if any name is taken.
    models: BTreeMap<String, Model>,
    /// The windows of the models that were asked.
    loaded: BTreeMap<String, u64>,
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
        ModelDouble::start_at(Scenario { settings, script }, 0)
    }

    /// Starts a server at a port of `127.0.0.1`; 0 stands for a free one.
    ///
    /// # Errors
    /// As [`ModelDouble::start`].
    pub fn start_at(scenario: Scenario, port: u16) -> io::Result<ModelDouble> {
        let Scenario { settings, script } = scenario;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
        let address = listener.local_addr()?;
        let models = settings.models.iter().cloned();
        let state = State {
            models: models.map(|model| (model.name.clone(), model)).collect(),
            ..State::default()
        };
        let shared = Arc::new(Shared {
            script,
            settings,
            stop: Stop::default(),
            state: Mutex::new(state),
            changed: Condvar::new(),
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

    /// Puts a model in the place of the one of its name, while the server runs.
    pub fn set_model(&self, model: Model) {
        self.shared.state().models.insert(model.name.clone(), model);
    }

    /// Waits for request number `index`, counted from 0.
    pub fn request(&self, index: usize) -> Received {
        let mut state = self.shared.state();
        loop {
            if let Some(request) = state.requests.get(index) {
                return request.clone();
            }
            state = wait(&self.shared.changed, state);
        }
    }

    /// Waits until no connection is open, but not longer than `patience`; tells whether none is.
    pub fn is_idle_within(&self, patience: Duration) -> bool {
        let state = self.shared.state();
        let (state, _) = self
            .shared
            .changed
            .wait_timeout_while(state, patience, |state| !state.sockets.is_empty())
            .unwrap_or_else(PoisonError::into_inner);
        state.sockets.is_empty()
    }
}

fn wait<'a>(changed: &Condvar, state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
    changed.wait(state).unwrap_or_else(PoisonError::into_inner)
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

    /// Returns the answer whose turn it is.
    pub(crate) fn next_answer<'a>(&self, answers: &'a [Answer]) -> Option<&'a Answer> {
        let mut state = self.state();
        let number = state.answers;
        state.answers += 1;
        if self.settings.repeats {
            let place = number.checked_rem(answers.len())?;
            return answers.get(place);
        }
        answers.get(number)
    }

    pub(crate) fn keep_exchange(&self, exchange: Exchange) {
        self.state().exchanges.push(exchange);
    }

    /// Returns a model; a server without a list has any, and lists it from then on.
    pub(crate) fn find(&self, name: &str) -> Option<Model> {
        let mut state = self.state();
        if self.settings.models.is_empty() && !name.is_empty() {
            let named = || Model::named(name);
            let model = state.models.entry(name.to_owned()).or_insert_with(named);
            return Some(model.clone());
        }
        state.models.get(name).cloned()
    }

    /// Returns the models, sorted by name.
    pub(crate) fn models(&self) -> Vec<Model> {
        if let Script::Exchanges(exchanges) = &self.script {
            let names = exchanges.iter().map(|exchange| &exchange.request["model"]);
            for name in names.filter_map(Value::as_str) {
                self.find(name);
            }
        }
        self.state().models.values().cloned().collect()
    }

    /// Remembers the window with which a model was asked.
    pub(crate) fn load(&self, model: &str, num_ctx: Option<u64>) {
        let window = num_ctx.unwrap_or_else(|| self.window());
        let window = self.settings.loaded_context_length.unwrap_or(window);
        self.state().loaded.insert(model.to_owned(), window);
    }

    /// Returns the models that were asked, with their windows.
    pub(crate) fn loaded(&self) -> Vec<(Model, u64)> {
        let state = self.state();
        let loaded = state.loaded.iter();
        loaded
            .filter_map(|(name, window)| Some((state.models.get(name)?.clone(), *window)))
            .collect()
    }

    /// Returns the window where a request does not say one.
    pub(crate) fn window(&self) -> u64 {
        self.settings.window.unwrap_or_default().tokens
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
            let after = serve(&socket, &shared);
            // The kept socket is the same connection, which is reset only when its last handle goes.
            shared.state().sockets.remove(&number);
            if !matches!(after, Ok(After::Reset)) {
                let _ = socket.shutdown(Shutdown::Both);
            }
            drop(socket);
            shared.changed.notify_all();
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

fn serve(socket: &TcpStream, shared: &Shared) -> io::Result<After> {
    socket.set_nodelay(true)?;
    let mut reader = BufReader::new(socket);
    loop {
        let limit_bytes = shared.settings.request_limit_bytes;
        let request = match request::read(&mut reader, socket, limit_bytes)? {
            Incoming::Request(request) => request,
            Incoming::Bad(status, error) => {
                Reply::error(status, error).write(socket, false, &shared.stop)?;
                return Ok(After::Close);
            }
            Incoming::End => return Ok(After::Close),
        };
        shared.state().requests.push(request.clone());
        shared.changed.notify_all();
        let reply = route::reply(shared, &request);
        match reply.write(socket, request.method == "HEAD", &shared.stop)? {
            After::Usable if !request.closes() => {}
            After::Usable | After::Close => return Ok(After::Close),
            After::Reset => {
                // Closing now throws away what was not sent, and tells the client so.
                set_socket_linger(socket, Some(Duration::ZERO))?;
                return Ok(After::Reset);
            }
        }
    }
}

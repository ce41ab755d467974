//! A slow wire between a client and a server on the loopback address.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

/// How many bytes of an answer go through at once.
const PIECE_BYTES: usize = 256;

/// A port of `127.0.0.1` that leads to a server; answers come through in pieces, with a pause before each, and not at all
/// while the link is held.
///
/// It lasts as long as the test process: its threads wait for connections and end with them.
#[derive(Debug)]
pub struct Link {
    url: String,
    gate: Arc<Gate>,
}

#[derive(Debug)]
struct Gate {
    is_held: Mutex<bool>,
    changed: Condvar,
    pause: Duration,
}

impl Link {
    /// Makes a link to the server at `http://HOST:PORT`.
    ///
    /// # Panics
    /// If the address has another form or no port can be had.
    pub fn start(server: &str, pause: Duration) -> Link {
        let server: SocketAddr = server
            .trim_start_matches("http://")
            .parse()
            .unwrap_or_else(|error| panic!("{server}: {error}"));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .unwrap_or_else(|error| panic!("no port can be had: {error}"));
        let address = listener
            .local_addr()
            .unwrap_or_else(|error| panic!("the port has no address: {error}"));
        let gate = Arc::new(Gate {
            is_held: Mutex::new(false),
            changed: Condvar::new(),
            pause,
        });
        let kept = Arc::clone(&gate);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let gate = Arc::clone(&gate);
                // A connection that breaks is the client's to notice.
                thread::spawn(move || connect(client, server, &gate));
            }
        });
        Link {
            url: format!("http://{address}"),
            gate: kept,
        }
    }

    /// Returns the address, `http://127.0.0.1:PORT`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Lets no further piece of an answer through.
    pub fn hold(&self) {
        self.gate.set(true);
    }

    /// Lets answers through again.
    pub fn release(&self) {
        self.gate.set(false);
    }
}

impl Gate {
    fn set(&self, is_held: bool) {
        *self.is_held.lock().unwrap_or_else(PoisonError::into_inner) = is_held;
        self.changed.notify_all();
    }

    /// Waits for the pause, and then for as long as the link is held.
    fn pass(&self) {
        let is_held = self.is_held.lock().unwrap_or_else(PoisonError::into_inner);
        let is_held = match self
            .changed
            .wait_timeout_while(is_held, self.pause, |_| true)
        {
            Ok((is_held, _)) => is_held,
            Err(poisoned) => poisoned.into_inner().0,
        };
        let free = self.changed.wait_while(is_held, |is_held| *is_held);
        drop(free);
    }
}

fn connect(client: TcpStream, server: SocketAddr, gate: &Gate) -> io::Result<()> {
    let upstream = TcpStream::connect(server)?;
    let (mut questions, mut to_server) = (client.try_clone()?, upstream.try_clone()?);
    let asking = thread::spawn(move || {
        let copied = io::copy(&mut questions, &mut to_server);
        // The client is gone, or has said all it will.
        let _ = to_server.shutdown(Shutdown::Both);
        copied
    });
    let answered = answer(&client, &upstream, gate);
    let _ = client.shutdown(Shutdown::Both);
    let _ = upstream.shutdown(Shutdown::Both);
    let _ = asking.join();
    answered
}

fn answer(mut client: &TcpStream, mut upstream: &TcpStream, gate: &Gate) -> io::Result<()> {
    let mut piece = [0; PIECE_BYTES];
    loop {
        let length = upstream.read(&mut piece)?;
        if length == 0 {
            return Ok(());
        }
        gate.pass();
        client.write_all(&piece[..length])?;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[test]
    fn a_held_link_lets_nothing_through_until_it_is_released() {
        let server = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let url = format!("http://{}", server.local_addr().unwrap());
        let link = Link::start(&url, Duration::from_millis(1));
        link.hold();
        let mut client = TcpStream::connect(link.url().trim_start_matches("http://")).unwrap();
        client.write_all(b"question").unwrap();
        let (mut serving, _) = server.accept().unwrap();
        let mut question = [0; 8];
        serving.read_exact(&mut question).unwrap();
        assert_eq!(&question, b"question");
        serving.write_all(b"answer").unwrap();
        drop(serving);
        let (sender, answers) = mpsc::channel();
        thread::spawn(move || {
            let mut answer = String::new();
            client.read_to_string(&mut answer).unwrap();
            sender.send(answer).unwrap();
        });
        assert!(answers.recv_timeout(Duration::from_millis(50)).is_err());
        link.release();
        assert_eq!(
            answers.recv_timeout(Duration::from_secs(30)).unwrap(),
            "answer"
        );
    }
}

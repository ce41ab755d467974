//! A real HTTP server on the loopback address that speaks the protocols of model servers from a
//! script: Ollama's own, and that of OpenAI as llama.cpp, vLLM and Ollama serve it.
//!
//! Use it where a test or a demonstration needs a model server that always gives the same answers: start a
//! [`ModelDouble`] with a [`Script`], give its [`url`](ModelDouble::url) to the client, and look afterwards at what it
//! was asked. [`Faults`] make it answer as servers do on a bad day.
//!
//! It depends on none of Orket's other crates, on purpose: it reads requests with a JSON reader of its own and
//! computes digests by rules written a second time, so that a mistake there does not cancel itself out here. It never
//! listens beyond `127.0.0.1`, never draws a random number and never asks for the time.
//!
//! ```
//! use std::io::{Read, Write};
//! use std::net::TcpStream;
//!
//! use orket_model_double::{Answer, ModelDouble, Script};
//!
//! let server = ModelDouble::start(Script::Sequence(vec![Answer::text("Good morning.")]))?;
//! let body = r#"{"model":"m","messages":[{"role":"user","content":"Hello"}],"stream":false}"#;
//! let mut connection = TcpStream::connect(server.url().trim_start_matches("http://"))?;
//! write!(
//!     connection,
//!     "POST /api/chat HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
//!     body.len()
//! )?;
//! let mut response = String::new();
//! connection.read_to_string(&mut response)?;
//! assert!(response.contains(r#""content":"Good morning.""#));
//! assert_eq!(server.requests()[0].json, serde_json::from_str(body).ok());
//! # Ok::<(), std::io::Error>(())
//! ```
#![forbid(unsafe_code)]

mod answer;
mod canonical;
mod catalog;
mod chat;
mod difference;
mod double;
mod faults;
mod gzip;
mod lines;
mod openai;
mod reply;
mod request;
mod route;
mod script;
mod settings;
mod stop;
mod stream;
mod strict;
mod window;

pub use answer::{Answer, Call};
pub use canonical::digest;
pub use double::ModelDouble;
pub use faults::{Faults, Status};
pub use request::Received;
pub use script::{BadScript, Exchange, Scenario, Script};
pub use settings::{Flavour, Model, PromptPath, Settings, Window};

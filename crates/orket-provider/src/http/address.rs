//! Where a model server answers.

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs};

use ureq::http::Uri;

/// How far away a model server may be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reach {
    /// On this machine only.
    #[default]
    Loopback,
    /// Anywhere: the venue allows the prompt to leave this machine.
    Anywhere,
}

/// Says why a text is not the address of a model server.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadAddress {
    /// It is no URL.
    #[error("the address {url:?} is not a URL: {reason}")]
    Malformed {
        /// The text.
        url: String,
        /// What the parser said.
        reason: String,
    },
    /// It is not exactly `http://HOST:PORT`.
    #[error("the address {url:?} is not of the form http://HOST:PORT: {reason}")]
    Form {
        /// The text.
        url: String,
        /// What is missing or too much.
        reason: &'static str,
    },
    /// The host is not this machine, and nothing allowed another one.
    #[error("the address {url:?} is not on this machine")]
    NotLoopback {
        /// The text.
        url: String,
    },
}

/// A checked address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Address {
    host: Host,
    port: u16,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Host {
    Ip(IpAddr),
    /// Always this machine (RFC 6761), whatever a resolver would say.
    Localhost,
    Name(String),
}

impl Address {
    /// Takes `url` if it is `http://HOST:PORT` and within reach.
    pub(crate) fn parse(url: &str, reach: Reach) -> Result<Address, BadAddress> {
        let uri: Uri = url.parse().map_err(|error| BadAddress::Malformed {
            url: url.to_owned(),
            reason: format!("{error}"),
        })?;
        let form = |reason| BadAddress::Form {
            url: url.to_owned(),
            reason,
        };
        if uri.scheme_str() != Some("http") {
            return Err(form("the scheme is not http"));
        }
        let authority = uri.authority().ok_or_else(|| form("there is no host"))?;
        if authority.as_str().contains('@') {
            return Err(form("it names a user"));
        }
        if !matches!(uri.path(), "" | "/") || uri.query().is_some() {
            return Err(form("it has a path"));
        }
        let port = authority
            .port_u16()
            .ok_or_else(|| form("there is no port"))?;
        let host = Host::parse(authority.host()).ok_or_else(|| form("there is no host"))?;
        if reach == Reach::Loopback && !host.is_loopback() {
            return Err(BadAddress::NotLoopback {
                url: url.to_owned(),
            });
        }
        Ok(Address { host, port })
    }

    /// Returns what to connect to; only a name that is not `localhost` is looked up.
    pub(crate) fn sockets(&self) -> io::Result<Vec<SocketAddr>> {
        let with_port = |ip: IpAddr| SocketAddr::new(ip, self.port);
        match &self.host {
            Host::Ip(ip) => Ok(vec![with_port(*ip)]),
            Host::Localhost => Ok(vec![
                with_port(Ipv4Addr::LOCALHOST.into()),
                with_port(Ipv6Addr::LOCALHOST.into()),
            ]),
            Host::Name(name) => Ok((name.as_str(), self.port).to_socket_addrs()?.collect()),
        }
    }
}

impl Host {
    fn parse(text: &str) -> Option<Host> {
        let bare = text
            .strip_prefix('[')
            .and_then(|text| text.strip_suffix(']'))
            .unwrap_or(text);
        if bare.is_empty() {
            None
        } else if let Ok(ip) = bare.parse::<IpAddr>() {
            Some(Host::Ip(ip))
        } else if bare.eq_ignore_ascii_case("localhost") {
            Some(Host::Localhost)
        } else {
            Some(Host::Name(bare.to_owned()))
        }
    }

    fn is_loopback(&self) -> bool {
        match self {
            Host::Ip(ip) => ip.to_canonical().is_loopback(),
            Host::Localhost => true,
            Host::Name(_) => false,
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.host {
            Host::Ip(ip) => write!(f, "http://{}", SocketAddr::new(*ip, self.port)),
            Host::Localhost => write!(f, "http://localhost:{}", self.port),
            Host::Name(name) => write!(f, "http://{name}:{}", self.port),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_plain_form_on_this_machine_is_taken() {
        let cases = [
            ("http://127.0.0.1:11434", Ok("http://127.0.0.1:11434")),
            ("http://127.9.9.9:1/", Ok("http://127.9.9.9:1")),
            ("http://LocalHost:80", Ok("http://localhost:80")),
            ("http://[::1]:11434", Ok("http://[::1]:11434")),
            (
                "http://[::ffff:127.0.0.1]:1",
                Ok("http://[::ffff:127.0.0.1]:1"),
            ),
            ("https://127.0.0.1:1", Err("the scheme is not http")),
            ("127.0.0.1:11434", Err("the scheme is not http")),
            ("http://127.0.0.1", Err("there is no port")),
            ("http://a:b@127.0.0.1:1", Err("it names a user")),
            ("http://127.0.0.1:1/api", Err("it has a path")),
            ("http://127.0.0.1:1/?q", Err("it has a path")),
            ("", Err("is not a URL")),
            ("http://:1", Err("")),
            ("http://127.0.0.1:99999", Err("")),
            ("http://0.0.0.0:1", Err("is not on this machine")),
            (
                "http://localhost.example.com:1",
                Err("is not on this machine"),
            ),
            ("http://192.168.0.2:1", Err("is not on this machine")),
            ("http://[::ffff:8.8.8.8]:1", Err("is not on this machine")),
        ];
        for (url, expected) in cases {
            match (Address::parse(url, Reach::Loopback), expected) {
                (Ok(address), Ok(shown)) => assert_eq!(address.to_string(), shown),
                (Err(error), Err(part)) => {
                    assert!(error.to_string().contains(part), "{error}");
                }
                (got, _) => panic!("{url}: {got:?}"),
            }
        }
    }

    #[test]
    fn another_machine_needs_leave() {
        let url = "http://models.example:11434";
        assert!(Address::parse(url, Reach::Loopback).is_err());
        let address = Address::parse(url, Reach::Anywhere).unwrap();
        assert_eq!(address.to_string(), url);
    }
}

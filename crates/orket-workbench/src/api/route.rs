//! The name of a route, and how it is asked.

use std::fmt;
use std::str::FromStr;

use crate::error::Error;
use crate::text;

/// A route of one part, `users` for `/users`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Route(String);

impl FromStr for Route {
    type Err = Error;

    fn from_str(text: &str) -> Result<Route, Error> {
        let name = text.strip_prefix('/').unwrap_or(text);
        match text::name_objection(name) {
            None => Ok(Route(name.to_owned())),
            Some(reason) => Err(Error::RouteInvalid {
                text: text.to_owned(),
                reason: format!("is no route: {reason}"),
            }),
        }
    }
}

impl Route {
    /// Returns the name, without a slash.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Route {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// A method of HTTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Method {
    /// GET
    Get,
    /// POST
    Post,
    /// PUT
    Put,
    /// PATCH
    Patch,
    /// DELETE
    Delete,
}

impl Method {
    /// Every method that a route can answer.
    pub const ALL: [Method; 5] = [
        Method::Get,
        Method::Post,
        Method::Put,
        Method::Patch,
        Method::Delete,
    ];

    /// Returns the word in capitals.
    pub const fn as_str(self) -> &'static str {
        match self {
            Method::Get => "GET",
            Method::Post => "POST",
            Method::Put => "PUT",
            Method::Patch => "PATCH",
            Method::Delete => "DELETE",
        }
    }

    /// Tells whether a request has a body.
    pub const fn has_body(self) -> bool {
        matches!(self, Method::Post | Method::Put | Method::Patch)
    }
}

impl FromStr for Method {
    type Err = Error;

    fn from_str(text: &str) -> Result<Method, Error> {
        let mut all = Method::ALL.into_iter();
        all.find(|method| method.as_str().eq_ignore_ascii_case(text))
            .ok_or_else(|| Error::RouteInvalid {
                text: text.to_owned(),
                reason: "is no method; there are GET, POST, PUT, PATCH and DELETE".to_owned(),
            })
    }
}

//! The value of a JSON document.

use std::collections::BTreeMap;
use std::fmt;

use super::{Number, writer};

/// A JSON value that has a canonical text (the kernel's Law 4).
///
/// Two values are equal exactly if their canonical texts are: `1` and `1.0` differ, and so do `0.0` and `-0.0`.
/// Cloning, comparing and dropping recurse; what [`parse`](super::parse) returns is at most 992 levels deep, for which
/// any usual stack suffices.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Value {
    /// `null`.
    #[default]
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// An integer of any size or a finite double.
    Number(Number),
    /// A text.
    String(String),
    /// An array.
    Array(Vec<Value>),
    /// An object; its members are sorted by the code points of their keys.
    Object(BTreeMap<String, Value>),
}

impl Value {
    /// Tells whether the value is `null`.
    pub fn is_null(&self) -> bool {
        matches!(self, Value::Null)
    }

    /// Returns the boolean if the value is one.
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Value::Bool(fact) => Some(*fact),
            _ => None,
        }
    }

    /// Returns the number if the value is one.
    pub fn as_number(&self) -> Option<&Number> {
        match self {
            Value::Number(number) => Some(number),
            _ => None,
        }
    }

    /// Returns the value as a `u64` if it is an integer in that range.
    pub fn as_u64(&self) -> Option<u64> {
        self.as_number().and_then(Number::as_u64)
    }

    /// Returns the value as an `i64` if it is an integer in that range.
    pub fn as_i64(&self) -> Option<i64> {
        self.as_number().and_then(Number::as_i64)
    }

    /// Returns the text if the value is one.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    /// Returns the elements if the value is an array.
    pub fn as_array(&self) -> Option<&[Value]> {
        match self {
            Value::Array(elements) => Some(elements),
            _ => None,
        }
    }

    /// Returns the members if the value is an object.
    pub fn as_object(&self) -> Option<&BTreeMap<String, Value>> {
        match self {
            Value::Object(members) => Some(members),
            _ => None,
        }
    }

    /// Returns the member `key` if the value is an object that has it.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.as_object().and_then(|members| members.get(key))
    }

    /// Returns the value at an RFC 6901 pointer; the empty pointer is the value itself.
    ///
    /// ```
    /// use orket_kernel::object;
    ///
    /// let value = object! { "links" => object! { "a/b" => vec!["x".into(), "y".into()] } };
    /// assert_eq!(value.pointer("/links/a~1b/1").and_then(|found| found.as_str()), Some("y"));
    /// assert_eq!(value.pointer("/links/a~1b/01"), None);
    /// ```
    pub fn pointer(&self, pointer: &str) -> Option<&Value> {
        if pointer.is_empty() {
            return Some(self);
        }
        pointer
            .strip_prefix('/')?
            .split('/')
            .try_fold(self, Value::step)
    }

    fn step(&self, token: &str) -> Option<&Value> {
        match self {
            Value::Object(members) if !token.contains('~') => members.get(token),
            Value::Object(members) => members.get(&token.replace("~1", "/").replace("~0", "~")),
            Value::Array(elements) => {
                let is_index = token == "0"
                    || (!token.starts_with('0') && token.bytes().all(|byte| byte.is_ascii_digit()));
                if is_index {
                    elements.get(token.parse::<usize>().ok()?)
                } else {
                    None
                }
            }
            _ => None,
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&writer::to_string(self))
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Value {
        Value::String(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Value {
        Value::String(text)
    }
}

impl From<bool> for Value {
    fn from(fact: bool) -> Value {
        Value::Bool(fact)
    }
}

impl From<Number> for Value {
    fn from(number: Number) -> Value {
        Value::Number(number)
    }
}

impl From<u32> for Value {
    fn from(number: u32) -> Value {
        Value::from(u64::from(number))
    }
}

impl From<u64> for Value {
    fn from(number: u64) -> Value {
        Value::Number(Number::from(number))
    }
}

impl From<usize> for Value {
    fn from(number: usize) -> Value {
        Value::from(number as u64)
    }
}

impl From<i32> for Value {
    fn from(number: i32) -> Value {
        Value::from(i64::from(number))
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Value {
        Value::Number(Number::from(number))
    }
}

impl From<Vec<Value>> for Value {
    fn from(elements: Vec<Value>) -> Value {
        Value::Array(elements)
    }
}

impl From<BTreeMap<String, Value>> for Value {
    fn from(members: BTreeMap<String, Value>) -> Value {
        Value::Object(members)
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Value {
        value.map_or(Value::Null, Into::into)
    }
}

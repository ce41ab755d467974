//! Lets a `Value` be a field of a type that serde reads and writes.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{self, Deserialize, EnumAccess, MapAccess, SeqAccess, VariantAccess};
use serde::ser::{Serialize, SerializeMap, SerializeSeq};

use super::number::Content;
use super::{Limits, Number, SerializeError, Value, reader, writer};

/// Marks a value that travels as its canonical text, because serde has no better way for it.
///
/// Those are integers beyond 128 bits, for which serde has no type, and deep values, because serde hands over an array
/// by recursion. The token is the name of no Rust type, and the text is read like any other. Other formats see the
/// integer as a text, and the deep value as any other if they are for people to read.
pub(super) const TEXT_TOKEN: &str = "$orket::CanonicalText";

/// How many levels may be handed over by recursion; one takes some 4 KiB of stack in a debug build.
const RECURSION_LEVELS: usize = 32;

/// Tells whether few enough arrays and objects lie inside each other for a recursion.
pub(super) fn is_shallow(value: &Value) -> bool {
    fits(value, RECURSION_LEVELS)
}

fn fits(value: &Value, levels: usize) -> bool {
    match value {
        Value::Array(elements) => levels > 0 && elements.iter().all(|it| fits(it, levels - 1)),
        Value::Object(members) => levels > 0 && members.values().all(|it| fits(it, levels - 1)),
        _ => true,
    }
}

impl Serialize for Value {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if is_shallow(self) {
            Plain(self).serialize(serializer)
        } else {
            serializer.serialize_newtype_struct(TEXT_TOKEN, &Deep(self))
        }
    }
}

/// A deep value: a text for whoever does not write for people, as our own serializer pretends in order to get it.
struct Deep<'a>(&'a Value);

impl Serialize for Deep<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            Plain(self.0).serialize(serializer)
        } else {
            serializer.serialize_str(&writer::to_string(self.0))
        }
    }
}

/// A value handed over by recursion.
struct Plain<'a>(&'a Value);

impl Serialize for Plain<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Value::Null => serializer.serialize_unit(),
            Value::Bool(fact) => serializer.serialize_bool(*fact),
            Value::Number(number) => number.serialize(serializer),
            Value::String(text) => serializer.serialize_str(text),
            Value::Array(elements) => {
                let mut array = serializer.serialize_seq(Some(elements.len()))?;
                for element in elements {
                    array.serialize_element(&Plain(element))?;
                }
                array.end()
            }
            Value::Object(members) => {
                let mut object = serializer.serialize_map(Some(members.len()))?;
                for (key, value) in members {
                    object.serialize_key(key)?;
                    object.serialize_value(&Plain(value))?;
                }
                object.end()
            }
        }
    }
}

impl Serialize for Number {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.content() {
            Content::Unsigned(value) => serializer.serialize_u64(value),
            Content::Negative(value) => serializer.serialize_i64(value),
            Content::Float(value) => serializer.serialize_f64(value),
            Content::Big(text) => {
                if let Ok(value) = text.parse::<u128>() {
                    serializer.serialize_u128(value)
                } else if let Ok(value) = text.parse::<i128>() {
                    serializer.serialize_i128(value)
                } else {
                    serializer.serialize_newtype_struct(TEXT_TOKEN, text)
                }
            }
        }
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_newtype_struct(TEXT_TOKEN, ValueVisitor)
    }
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Value::deserialize(deserializer)? {
            Value::Number(number) => Ok(number),
            other => Err(de::Error::custom(format!(
                "expected a number, found {}",
                kind(&other)
            ))),
        }
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

struct ValueVisitor;

impl<'de> de::Visitor<'de> for ValueVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E: de::Error>(self, fact: bool) -> Result<Value, E> {
        Ok(Value::Bool(fact))
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(Number::from(value)))
    }

    fn visit_i128<E: de::Error>(self, value: i128) -> Result<Value, E> {
        Ok(Value::Number(Number::from(value)))
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(Number::from(value)))
    }

    fn visit_u128<E: de::Error>(self, value: u128) -> Result<Value, E> {
        Ok(Value::Number(Number::from(value)))
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Value, E> {
        let refused = || E::custom(format!("the float {value} has no canonical text"));
        Ok(Value::Number(Number::from_f64(value).ok_or_else(refused)?))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Value, E> {
        Ok(Value::String(text.to_owned()))
    }

    fn visit_string<E: de::Error>(self, text: String) -> Result<Value, E> {
        Ok(Value::String(text))
    }

    fn visit_none<E: de::Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_some<D: serde::Deserializer<'de>>(self, inner: D) -> Result<Value, D::Error> {
        Value::deserialize(inner)
    }

    fn visit_unit<E: de::Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_newtype_struct<D: serde::Deserializer<'de>>(
        self,
        inner: D,
    ) -> Result<Value, D::Error> {
        // Asking for a newtype struct again would lead here again.
        inner.deserialize_any(ValueVisitor)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Value, A::Error> {
        let mut elements = Vec::new();
        while let Some(element) = sequence.next_element()? {
            elements.push(element);
        }
        Ok(Value::Array(elements))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut members = BTreeMap::new();
        while let Some((key, value)) = map.next_entry::<String, Value>()? {
            if members.contains_key(&key) {
                return Err(de::Error::custom(SerializeError::DuplicateKey { key }));
            }
            members.insert(key, value);
        }
        Ok(Value::Object(members))
    }

    /// Takes a value that is marked with [`TEXT_TOKEN`].
    fn visit_enum<A: EnumAccess<'de>>(self, marked: A) -> Result<Value, A::Error> {
        let (token, content) = marked.variant::<String>()?;
        let text: String = content.newtype_variant()?;
        if token != TEXT_TOKEN {
            return Err(de::Error::custom("an enum is no JSON value"));
        }
        let limits = Limits {
            max_bytes: usize::MAX,
            ..Limits::default()
        };
        reader::parse_with(text.as_bytes(), &limits).map_err(de::Error::custom)
    }
}

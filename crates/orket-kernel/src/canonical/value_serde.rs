//! Lets a `Value` be a field of a type that serde reads and writes.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{self, Deserialize, EnumAccess, MapAccess, SeqAccess, VariantAccess};
use serde::ser::{Serialize, SerializeMap, SerializeSeq};

use super::number::Content;
use super::{Number, SerializeError, Value};

/// Marks an integer that no integer type of serde can hold.
///
/// It is not the name of any Rust type, and what stands under it is checked. Writers of other formats see the
/// decimal text of such an integer.
pub(super) const INTEGER_TOKEN: &str = "$orket::Integer";

impl Serialize for Value {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Value::Null => serializer.serialize_unit(),
            Value::Bool(fact) => serializer.serialize_bool(*fact),
            Value::Number(number) => number.serialize(serializer),
            Value::String(text) => serializer.serialize_str(text),
            Value::Array(elements) => {
                let mut array = serializer.serialize_seq(Some(elements.len()))?;
                for element in elements {
                    array.serialize_element(element)?;
                }
                array.end()
            }
            Value::Object(members) => {
                let mut object = serializer.serialize_map(Some(members.len()))?;
                for (key, value) in members {
                    object.serialize_key(key)?;
                    object.serialize_value(value)?;
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
                    serializer.serialize_newtype_struct(INTEGER_TOKEN, text)
                }
            }
        }
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match deserializer.deserialize_any(ValueVisitor)? {
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
        Value::deserialize(inner)
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

    /// Takes an integer that is marked with [`INTEGER_TOKEN`].
    fn visit_enum<A: EnumAccess<'de>>(self, marked: A) -> Result<Value, A::Error> {
        let (token, content) = marked.variant::<String>()?;
        let text: String = content.newtype_variant()?;
        match Number::from_integer_text(&text) {
            Some(number) if token == INTEGER_TOKEN => Ok(Value::Number(number)),
            _ => Err(de::Error::custom("an enum is no JSON value")),
        }
    }
}

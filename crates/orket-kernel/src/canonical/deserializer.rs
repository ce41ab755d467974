//! Turns a JSON value into any `Deserialize` type.

use serde::de::value::StrDeserializer;
use serde::de::{self, DeserializeOwned, IntoDeserializer, Unexpected, Visitor};
use serde::forward_to_deserialize_any;

use super::access::{Elements, Marked, Members, Variant};
use super::number::Content;
use super::value_serde::{TEXT_TOKEN, is_shallow};
use super::{DeserializeError, Number, Value, reader, writer};

/// Turns a [`Value`] into any deserializable type.
///
/// # Errors
/// Says at which pointer the value does not fit the type. A number written with a point is no integer, and an integer
/// outside the range of a 128-bit type fits only [`Value`] and [`Number`].
///
/// # Limitations
/// A type that serde buffers (`flatten`, `untagged`, `tag`) is read by recursion over the whole value, some 4 KiB of
/// stack for each of up to 992 levels in a debug build; a [`Value`] outside of such a type costs none. Inside such a type
/// a struct is also taken from an array, as serde does; everywhere else a struct is an object and nothing else.
///
/// ```
/// use orket_kernel::{canonical, object};
///
/// #[derive(Debug, PartialEq, serde::Deserialize)]
/// struct Link { slot: String, index: u64 }
///
/// let link: Link = canonical::from_value(object! { "slot" => "parent", "index" => 2_u64 })?;
/// assert_eq!(link, Link { slot: "parent".to_owned(), index: 2 });
///
/// let refused = canonical::from_bytes::<Vec<u64>>(b"[1, -2]").unwrap_err();
/// assert_eq!(
///     refused.to_string(),
///     r#"invalid value: integer `-2`, expected u64, at pointer "/1""#
/// );
/// # Ok::<(), canonical::DeserializeError>(())
/// ```
pub fn from_value<T: DeserializeOwned>(value: Value) -> Result<T, DeserializeError> {
    T::deserialize(value)
}

/// Reads a JSON text into any deserializable type, within the default [`Limits`](super::Limits).
///
/// # Errors
/// As [`parse`](super::parse) and [`from_value`].
pub fn from_bytes<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, DeserializeError> {
    from_value(reader::parse(bytes)?)
}

fn visit_number<'de, V: Visitor<'de>>(
    number: &Number,
    visitor: V,
) -> Result<V::Value, DeserializeError> {
    match number.content() {
        Content::Unsigned(value) => visitor.visit_u64(value),
        Content::Negative(value) => visitor.visit_i64(value),
        Content::Float(value) => visitor.visit_f64(value),
        Content::Big(text) => {
            if let Ok(value) = text.parse::<u128>() {
                visitor.visit_u128(value)
            } else if let Ok(value) = text.parse::<i128>() {
                visitor.visit_i128(value)
            } else {
                visitor.visit_enum(Marked::new(TEXT_TOKEN, text.to_owned()))
            }
        }
    }
}

impl<'de> serde::Deserializer<'de> for Value {
    type Error = DeserializeError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DeserializeError> {
        match self {
            Value::Null => visitor.visit_unit(),
            Value::Bool(fact) => visitor.visit_bool(fact),
            Value::Number(number) => visit_number(&number, visitor),
            Value::String(text) => visitor.visit_string(text),
            Value::Array(elements) => {
                let mut access = Elements::new(elements);
                let value = visitor.visit_seq(&mut access)?;
                access.finish()?;
                Ok(value)
            }
            Value::Object(members) => {
                let mut access = Members::new(members);
                let value = visitor.visit_map(&mut access)?;
                access.finish()?;
                Ok(value)
            }
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DeserializeError> {
        match self {
            Value::Null => visitor.visit_none(),
            value => visitor.visit_some(value),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, DeserializeError> {
        match name {
            TEXT_TOKEN if is_shallow(&self) => self.deserialize_any(visitor),
            TEXT_TOKEN => visitor.visit_enum(Marked::new(TEXT_TOKEN, writer::to_string(&self))),
            _ => visitor.visit_newtype_struct(self),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DeserializeError> {
        let expected = &"the name of a variant or an object with that name as its only key";
        match self {
            Value::String(name) => visitor.visit_enum(Variant::new(name, None)),
            Value::Object(members) if members.len() == 1 => match members.into_iter().next() {
                Some((name, value)) => visitor.visit_enum(Variant::new(name, Some(value))),
                None => Err(de::Error::invalid_type(Unexpected::Map, expected)),
            },
            Value::Object(_) => Err(de::Error::invalid_type(Unexpected::Map, expected)),
            Value::Array(_) => Err(de::Error::invalid_type(Unexpected::Seq, expected)),
            Value::Null => Err(de::Error::invalid_type(Unexpected::Unit, expected)),
            Value::Bool(fact) => Err(de::Error::invalid_type(Unexpected::Bool(fact), expected)),
            Value::Number(_) => Err(de::Error::invalid_type(
                Unexpected::Other("number"),
                expected,
            )),
        }
    }

    /// A record is an object: what serde derives would also take the fields from an array, in the order of the source.
    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DeserializeError> {
        match self {
            Value::Array(_) => Err(de::Error::invalid_type(Unexpected::Seq, &visitor)),
            value => value.deserialize_any(visitor),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(
        self,
        visitor: V,
    ) -> Result<V::Value, DeserializeError> {
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf
        unit unit_struct seq tuple tuple_struct map identifier
    }
}

impl<'de> IntoDeserializer<'de, DeserializeError> for Value {
    type Deserializer = Value;

    fn into_deserializer(self) -> Value {
        self
    }
}

/// Deserializes a text that is a key or a variant's name.
pub(super) fn from_text(text: &str) -> StrDeserializer<'_, DeserializeError> {
    text.into_deserializer()
}

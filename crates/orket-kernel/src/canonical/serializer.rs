//! Turns any `Serialize` type into canonical JSON.

use std::collections::BTreeMap;
use std::fmt::Display;

use serde::Serialize;
use serde::ser::{self, Error as _};

use super::collector::{Elements, Members, wrap};
use super::text_serializer::TextSerializer;
use super::value_serde::TEXT_TOKEN;
use super::{
    Limits, Number, ParseErrorKind, SerializeError, Value, direct_serializer, reader, writer,
};
use crate::Digest;

/// Returns the canonical text of any serializable value (the kernel's Law 4).
///
/// The text is written as the type hands over its parts, and only members that came out of order are moved at the end; no
/// [`Value`] is built. Structs and maps become objects; map keys may be text, characters, booleans, integers and unit variants.
///
/// # Errors
/// Refuses a NaN, an infinity, a key without a text, a key given twice, and more than 992 levels.
///
/// ```
/// use orket_kernel::canonical;
///
/// #[derive(serde::Serialize)]
/// struct Turn { ordinal: u64, id: &'static str, ratio: f64 }
///
/// let turn = Turn { ordinal: 1, id: "turn-0001", ratio: 1e-5 };
/// assert_eq!(canonical::serialize(&turn)?, br#"{"id":"turn-0001","ordinal":1,"ratio":1e-05}"#);
/// assert!(canonical::serialize(&f64::NAN).is_err());
/// # Ok::<(), canonical::SerializeError>(())
/// ```
pub fn serialize<T: Serialize + ?Sized>(value: &T) -> Result<Vec<u8>, SerializeError> {
    match direct_serializer::write(value) {
        Ok(Some(text)) => Ok(text.into_canonical().into_owned()),
        Ok(None) => Ok(writer::to_bytes(&to_value(value)?)),
        Err(error) => Err(first_error(value, error)),
    }
}

/// Returns the digest of the canonical text of any serializable value.
///
/// # Errors
/// As [`serialize`].
pub fn digest_of<T: Serialize + ?Sized>(value: &T) -> Result<Digest, SerializeError> {
    match direct_serializer::write(value) {
        Ok(Some(text)) => Ok(text.digest()),
        Ok(None) => Ok(writer::digest(&to_value(value)?)),
        Err(error) => Err(first_error(value, error)),
    }
}

/// Returns the error that [`to_value`] finds first; a type that fails only once gets the one it had.
fn first_error<T: Serialize + ?Sized>(value: &T, had: SerializeError) -> SerializeError {
    to_value(value).err().unwrap_or(had)
}

/// Turns any serializable value into a [`Value`].
///
/// # Errors
/// As [`serialize`].
pub fn to_value<T: Serialize + ?Sized>(value: &T) -> Result<Value, SerializeError> {
    value.serialize(Serializer { depth: 0 })
}

/// Makes a [`Value`] out of what lies inside `depth` arrays and objects.
#[derive(Clone, Copy)]
pub(super) struct Serializer {
    depth: usize,
}

impl Serializer {
    fn deeper(self) -> Result<Serializer, SerializeError> {
        if self.depth >= Limits::DEPTH {
            return Err(SerializeError::TooDeep);
        }
        Ok(Serializer {
            depth: self.depth + 1,
        })
    }

    /// Reads a value that travels as its canonical text.
    fn read(self, text: &str) -> Result<Value, SerializeError> {
        let max_depth = Limits::DEPTH - self.depth;
        let limits = Limits {
            max_depth,
            max_bytes: usize::MAX,
            ..Limits::default()
        };
        reader::parse_with(text.as_bytes(), &limits).map_err(|error| match error.kind {
            ParseErrorKind::TooDeep { .. } => SerializeError::TooDeep,
            _ => SerializeError::custom(error),
        })
    }

    fn variant(
        self,
        name: &'static str,
    ) -> Result<(Serializer, Option<&'static str>), SerializeError> {
        Ok((self.deeper()?, Some(name)))
    }

    fn elements(
        self,
        length: usize,
        variant: Option<&'static str>,
    ) -> Result<Elements, SerializeError> {
        // The length is a hint of the type's author, so it must not decide how much memory is taken.
        let elements = Vec::with_capacity(length.min(1024));
        Ok(Elements {
            inner: self.deeper()?,
            elements,
            variant,
        })
    }

    fn members(self, variant: Option<&'static str>) -> Result<Members, SerializeError> {
        Ok(Members {
            inner: self.deeper()?,
            members: BTreeMap::new(),
            key: None,
            variant,
        })
    }
}

impl ser::Serializer for Serializer {
    type Ok = Value;
    type Error = SerializeError;
    type SerializeSeq = Elements;
    type SerializeTuple = Elements;
    type SerializeTupleStruct = Elements;
    type SerializeTupleVariant = Elements;
    type SerializeMap = Members;
    type SerializeStruct = Members;
    type SerializeStructVariant = Members;

    fn serialize_bool(self, value: bool) -> Result<Value, SerializeError> {
        Ok(Value::Bool(value))
    }

    fn serialize_i8(self, value: i8) -> Result<Value, SerializeError> {
        self.serialize_i64(value.into())
    }

    fn serialize_i16(self, value: i16) -> Result<Value, SerializeError> {
        self.serialize_i64(value.into())
    }

    fn serialize_i32(self, value: i32) -> Result<Value, SerializeError> {
        self.serialize_i64(value.into())
    }

    fn serialize_i64(self, value: i64) -> Result<Value, SerializeError> {
        Ok(Value::Number(Number::from(value)))
    }

    fn serialize_i128(self, value: i128) -> Result<Value, SerializeError> {
        Ok(Value::Number(Number::from(value)))
    }

    fn serialize_u8(self, value: u8) -> Result<Value, SerializeError> {
        self.serialize_u64(value.into())
    }

    fn serialize_u16(self, value: u16) -> Result<Value, SerializeError> {
        self.serialize_u64(value.into())
    }

    fn serialize_u32(self, value: u32) -> Result<Value, SerializeError> {
        self.serialize_u64(value.into())
    }

    fn serialize_u64(self, value: u64) -> Result<Value, SerializeError> {
        Ok(Value::Number(Number::from(value)))
    }

    fn serialize_u128(self, value: u128) -> Result<Value, SerializeError> {
        Ok(Value::Number(Number::from(value)))
    }

    fn serialize_f32(self, value: f32) -> Result<Value, SerializeError> {
        self.serialize_f64(value.into())
    }

    fn serialize_f64(self, value: f64) -> Result<Value, SerializeError> {
        let refused = || SerializeError::NonFiniteFloat {
            text: value.to_string(),
        };
        Ok(Value::Number(Number::from_f64(value).ok_or_else(refused)?))
    }

    fn serialize_char(self, value: char) -> Result<Value, SerializeError> {
        Ok(Value::String(value.into()))
    }

    fn serialize_str(self, value: &str) -> Result<Value, SerializeError> {
        Ok(Value::String(value.to_owned()))
    }

    fn serialize_bytes(self, value: &[u8]) -> Result<Value, SerializeError> {
        self.deeper()?;
        Ok(Value::Array(
            value
                .iter()
                .map(|byte| Value::from(u64::from(*byte)))
                .collect(),
        ))
    }

    fn serialize_none(self) -> Result<Value, SerializeError> {
        Ok(Value::Null)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<Value, SerializeError> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<Value, SerializeError> {
        Ok(Value::Null)
    }

    fn serialize_unit_struct(self, _name: &'static str) -> Result<Value, SerializeError> {
        Ok(Value::Null)
    }

    fn serialize_unit_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
    ) -> Result<Value, SerializeError> {
        Ok(Value::from(variant))
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        value: &T,
    ) -> Result<Value, SerializeError> {
        if name == TEXT_TOKEN
            && let Ok(text) = value.serialize(TextSerializer {
                is_human_readable: false,
            })
        {
            return self.read(&text);
        }
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<Value, SerializeError> {
        let (inner, variant) = self.variant(variant)?;
        Ok(wrap(variant, value.serialize(inner)?))
    }

    fn serialize_seq(self, length: Option<usize>) -> Result<Elements, SerializeError> {
        self.elements(length.unwrap_or_default(), None)
    }

    fn serialize_tuple(self, length: usize) -> Result<Elements, SerializeError> {
        self.elements(length, None)
    }

    fn serialize_tuple_struct(
        self,
        _name: &'static str,
        length: usize,
    ) -> Result<Elements, SerializeError> {
        self.elements(length, None)
    }

    fn serialize_tuple_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        length: usize,
    ) -> Result<Elements, SerializeError> {
        let (inner, variant) = self.variant(variant)?;
        inner.elements(length, variant)
    }

    fn serialize_map(self, _length: Option<usize>) -> Result<Members, SerializeError> {
        self.members(None)
    }

    fn serialize_struct(
        self,
        _name: &'static str,
        _length: usize,
    ) -> Result<Members, SerializeError> {
        self.members(None)
    }

    fn serialize_struct_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        _length: usize,
    ) -> Result<Members, SerializeError> {
        let (inner, variant) = self.variant(variant)?;
        inner.members(variant)
    }

    fn collect_str<T: Display + ?Sized>(self, value: &T) -> Result<Value, SerializeError> {
        Ok(Value::String(value.to_string()))
    }
}

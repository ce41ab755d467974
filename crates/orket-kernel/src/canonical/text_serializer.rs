//! Turns what is a text in itself, as a map key must be, into that text.

use std::fmt::Display;

use serde::Serialize;
use serde::ser::{self, Impossible};

use super::SerializeError;

/// Makes the text of a map key, or takes over a value that travels as its text.
pub(super) struct TextSerializer {
    /// Types may have one form for people and one for machines; a key is for people.
    pub(super) is_human_readable: bool,
}

type NoValue = Impossible<String, SerializeError>;

fn refuse<T>(found: &'static str) -> Result<T, SerializeError> {
    Err(SerializeError::KeyWithoutText { found })
}

macro_rules! keys_by_display {
    ($($method:ident: $type:ty),+ $(,)?) => {
        $(fn $method(self, value: $type) -> Result<String, SerializeError> {
            Ok(value.to_string())
        })+
    };
}

impl ser::Serializer for TextSerializer {
    type Ok = String;
    type Error = SerializeError;
    type SerializeSeq = NoValue;
    type SerializeTuple = NoValue;
    type SerializeTupleStruct = NoValue;
    type SerializeTupleVariant = NoValue;
    type SerializeMap = NoValue;
    type SerializeStruct = NoValue;
    type SerializeStructVariant = NoValue;

    keys_by_display! {
        serialize_bool: bool,
        serialize_i8: i8,
        serialize_i16: i16,
        serialize_i32: i32,
        serialize_i64: i64,
        serialize_i128: i128,
        serialize_u8: u8,
        serialize_u16: u16,
        serialize_u32: u32,
        serialize_u64: u64,
        serialize_u128: u128,
        serialize_char: char,
        serialize_str: &str,
    }

    fn is_human_readable(&self) -> bool {
        self.is_human_readable
    }

    fn serialize_f32(self, _value: f32) -> Result<String, SerializeError> {
        refuse("a float")
    }

    fn serialize_f64(self, _value: f64) -> Result<String, SerializeError> {
        refuse("a float")
    }

    fn serialize_bytes(self, _value: &[u8]) -> Result<String, SerializeError> {
        refuse("a byte array")
    }

    fn serialize_none(self) -> Result<String, SerializeError> {
        refuse("an option without a value")
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<String, SerializeError> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<String, SerializeError> {
        refuse("a unit")
    }

    fn serialize_unit_struct(self, _name: &'static str) -> Result<String, SerializeError> {
        refuse("a unit struct")
    }

    fn serialize_unit_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
    ) -> Result<String, SerializeError> {
        Ok(variant.to_owned())
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        value: &T,
    ) -> Result<String, SerializeError> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        _index: u32,
        _variant: &'static str,
        _value: &T,
    ) -> Result<String, SerializeError> {
        refuse("an enum variant with a value")
    }

    fn serialize_seq(self, _length: Option<usize>) -> Result<NoValue, SerializeError> {
        refuse("an array")
    }

    fn serialize_tuple(self, _length: usize) -> Result<NoValue, SerializeError> {
        refuse("a tuple")
    }

    fn serialize_tuple_struct(
        self,
        _name: &'static str,
        _length: usize,
    ) -> Result<NoValue, SerializeError> {
        refuse("a tuple struct")
    }

    fn serialize_tuple_variant(
        self,
        _name: &'static str,
        _index: u32,
        _variant: &'static str,
        _length: usize,
    ) -> Result<NoValue, SerializeError> {
        refuse("an enum variant with values")
    }

    fn serialize_map(self, _length: Option<usize>) -> Result<NoValue, SerializeError> {
        refuse("a map")
    }

    fn serialize_struct(
        self,
        _name: &'static str,
        _length: usize,
    ) -> Result<NoValue, SerializeError> {
        refuse("a struct")
    }

    fn serialize_struct_variant(
        self,
        _name: &'static str,
        _index: u32,
        _variant: &'static str,
        _length: usize,
    ) -> Result<NoValue, SerializeError> {
        refuse("an enum variant with fields")
    }

    fn collect_str<T: Display + ?Sized>(self, value: &T) -> Result<String, SerializeError> {
        Ok(value.to_string())
    }
}

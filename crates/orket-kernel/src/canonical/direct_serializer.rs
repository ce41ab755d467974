//! Writes any `Serialize` type as text at once, without a value in between.

use std::borrow::Cow;
use std::fmt::Display;

use serde::Serialize;
use serde::ser::{self, Error as _};

use super::direct_parts::{Elements, Object};
use super::members::Members;
use super::order::Order;
use super::short_text::ShortText;
use super::text_serializer::TextSerializer;
use super::unordered_text::UnorderedText;
use super::value_serde::TEXT_TOKEN;
use super::{Limits, Number, ParseErrorKind, SerializeError, canonicalize, writer};

/// Writes `value` with members as they come; returns nothing if the type went on after an error.
///
/// Such a type leaves out what failed, but of that a part may be written here.
///
/// The order in which faults are found is not that of [`to_value`](super::to_value), which finds a key that is given
/// twice before it looks at its value.
pub(super) fn write<T: Serialize + ?Sized>(
    value: &T,
) -> Result<Option<UnorderedText<'static>>, SerializeError> {
    let mut out = Out::default();
    value.serialize(&mut out)?;
    Ok((!out.has_failed).then_some(UnorderedText {
        text: Cow::Owned(out.text),
        order: out.order,
    }))
}

/// What is written so far.
#[derive(Default)]
pub(super) struct Out {
    pub(super) text: Vec<u8>,
    pub(super) order: Order,
    pub(super) members: Members,
    /// The keys of all open objects.
    pub(super) keys: Vec<u8>,
    depth: usize,
    /// Whether a part could not be written.
    has_failed: bool,
}

type Done = Result<(), SerializeError>;

impl Out {
    /// Opens an array or an object.
    pub(super) fn enter(&mut self, bracket: u8) -> Done {
        if self.depth >= Limits::DEPTH {
            return Err(SerializeError::TooDeep);
        }
        self.depth += 1;
        self.text.push(bracket);
        Ok(())
    }

    /// Closes what was entered last.
    pub(super) fn leave(&mut self, bracket: u8) {
        self.depth -= 1;
        self.text.push(bracket);
    }

    /// Writes a part of an array or an object, and remembers if that fails.
    pub(super) fn part<T: Serialize + ?Sized>(&mut self, value: &T) -> Done {
        let done = value.serialize(&mut *self);
        self.has_failed |= done.is_err();
        done
    }

    /// Opens the object in which the content of a variant lies under the variant's name.
    fn enter_variant(&mut self, name: &str) -> Done {
        self.enter(b'{')?;
        writer::write_key(name, &mut self.text);
        Ok(())
    }

    fn literal(&mut self, text: &str) -> Done {
        self.text.extend_from_slice(text.as_bytes());
        Ok(())
    }

    fn number(&mut self, number: &Number) -> Done {
        number.with_text(|text| self.text.extend_from_slice(text));
        Ok(())
    }

    /// Takes over a value that travels as its text.
    fn document(&mut self, text: &str) -> Done {
        let limits = Limits {
            max_depth: Limits::DEPTH - self.depth,
            max_bytes: usize::MAX,
            ..Limits::default()
        };
        let text =
            canonicalize::canonicalize_with(text.as_bytes(), &limits).map_err(
                |error| match error.kind {
                    ParseErrorKind::TooDeep { .. } => SerializeError::TooDeep,
                    _ => SerializeError::custom(error),
                },
            )?;
        self.text.extend_from_slice(&text);
        Ok(())
    }
}

macro_rules! wider {
    ($($method:ident: $type:ty => $wider:ident),+ $(,)?) => {
        $(fn $method(self, value: $type) -> Done {
            self.$wider(value.into())
        })+
    };
}

impl<'a> ser::Serializer for &'a mut Out {
    type Ok = ();
    type Error = SerializeError;
    type SerializeSeq = Elements<'a>;
    type SerializeTuple = Elements<'a>;
    type SerializeTupleStruct = Elements<'a>;
    type SerializeTupleVariant = Elements<'a>;
    type SerializeMap = Object<'a>;
    type SerializeStruct = Object<'a>;
    type SerializeStructVariant = Object<'a>;

    wider! {
        serialize_i8: i8 => serialize_i64,
        serialize_i16: i16 => serialize_i64,
        serialize_i32: i32 => serialize_i64,
        serialize_u8: u8 => serialize_u64,
        serialize_u16: u16 => serialize_u64,
        serialize_u32: u32 => serialize_u64,
        serialize_f32: f32 => serialize_f64,
    }

    fn serialize_bool(self, value: bool) -> Done {
        self.literal(if value { "true" } else { "false" })
    }

    fn serialize_i64(self, value: i64) -> Done {
        self.text
            .extend_from_slice(ShortText::of_i64(value).as_bytes());
        Ok(())
    }

    fn serialize_u64(self, value: u64) -> Done {
        self.text
            .extend_from_slice(ShortText::of_u64(value).as_bytes());
        Ok(())
    }

    fn serialize_i128(self, value: i128) -> Done {
        self.literal(&value.to_string())
    }

    fn serialize_u128(self, value: u128) -> Done {
        self.literal(&value.to_string())
    }

    fn serialize_f64(self, value: f64) -> Done {
        let refused = || SerializeError::NonFiniteFloat {
            text: value.to_string(),
        };
        let number = Number::from_f64(value).ok_or_else(refused)?;
        self.number(&number)
    }

    fn serialize_char(self, value: char) -> Done {
        self.serialize_str(value.encode_utf8(&mut [0; 4]))
    }

    fn serialize_str(self, value: &str) -> Done {
        writer::write_text(value, &mut self.text);
        Ok(())
    }

    fn serialize_bytes(self, value: &[u8]) -> Done {
        self.collect_seq(value)
    }

    fn serialize_none(self) -> Done {
        self.literal("null")
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Done {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Done {
        self.literal("null")
    }

    fn serialize_unit_struct(self, _name: &'static str) -> Done {
        self.literal("null")
    }

    fn serialize_unit_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
    ) -> Done {
        self.serialize_str(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        value: &T,
    ) -> Done {
        if name == TEXT_TOKEN
            && let Ok(text) = value.serialize(TextSerializer {
                is_human_readable: false,
            })
        {
            return self.document(&text);
        }
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        value: &T,
    ) -> Done {
        self.enter_variant(variant)?;
        value.serialize(&mut *self)?;
        self.leave(b'}');
        Ok(())
    }

    fn serialize_seq(self, _length: Option<usize>) -> Result<Elements<'a>, SerializeError> {
        Elements::open(self, false)
    }

    fn serialize_tuple(self, _length: usize) -> Result<Elements<'a>, SerializeError> {
        Elements::open(self, false)
    }

    fn serialize_tuple_struct(
        self,
        _name: &'static str,
        _length: usize,
    ) -> Result<Elements<'a>, SerializeError> {
        Elements::open(self, false)
    }

    fn serialize_tuple_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        _length: usize,
    ) -> Result<Elements<'a>, SerializeError> {
        self.enter_variant(variant)?;
        Elements::open(self, true)
    }

    fn serialize_map(self, _length: Option<usize>) -> Result<Object<'a>, SerializeError> {
        Object::open(self, false)
    }

    fn serialize_struct(
        self,
        _name: &'static str,
        _length: usize,
    ) -> Result<Object<'a>, SerializeError> {
        Object::open(self, false)
    }

    fn serialize_struct_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        _length: usize,
    ) -> Result<Object<'a>, SerializeError> {
        self.enter_variant(variant)?;
        Object::open(self, true)
    }

    fn collect_str<T: Display + ?Sized>(self, value: &T) -> Done {
        self.serialize_str(&value.to_string())
    }
}

//! The macro that builds objects.

/// Builds an object [`Value`](crate::canonical::Value); each member is anything that converts into a `Value`.
///
/// A key given twice keeps its last value.
///
/// ```
/// use orket_kernel::object;
///
/// let value = object! { "stem" => "card/FL-1", "count" => 2_u64, "parent" => None::<String> };
/// assert_eq!(value.to_string(), r#"{"count":2,"parent":null,"stem":"card/FL-1"}"#);
/// assert_eq!(object! {}.to_string(), "{}");
/// ```
#[macro_export]
macro_rules! object {
    ($($key:expr => $value:expr),* $(,)?) => {
        $crate::canonical::Value::Object(::std::collections::BTreeMap::from([
            $((::std::string::String::from($key), $crate::canonical::Value::from($value))),*
        ]))
    };
}

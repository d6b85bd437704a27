//! What goes into a statement and comes out of a column, whatever the database: [`Value`], and how the
//! program's types stand in one.

use crate::domain::api_key::ApiKeyName;
use crate::domain::application::{AppName, AppOrigin};
use crate::domain::email::Email;
use crate::domain::id::{
    ApiKeyId, IdentityId, LinkId, MailId, PasskeyId, RegistrationId, SessionId, TokenId, UserId,
};
use crate::domain::name::Name;
use crate::domain::role::RoleName;
use crate::domain::time::Timestamp;
use std::time::Duration;

/// The kinds of values that a column can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Integer,
    Text,
    Blob,
}

/// One value, borrowed from whoever holds it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value<'v> {
    /// Of what kind it would be else, as PostgreSQL wants to know of a parameter. `None`: it was read.
    Null(Option<Kind>),
    Integer(i64),
    /// Nothing of authd's is stored so: it is here for what others have put into the file.
    Real(f64),
    /// UTF-8 where authd wrote it; what somebody else wrote may be none.
    Text(&'v [u8]),
    Blob(&'v [u8]),
}

impl Value<'_> {
    /// What it is, for a message.
    pub(in crate::store) const fn described(&self) -> &'static str {
        match self {
            Self::Null(_) => "nothing",
            Self::Integer(_) => "an integer",
            Self::Real(_) => "a real number",
            Self::Text(_) => "a text",
            Self::Blob(_) => "a blob",
        }
    }
}

/// A type that can be bound to a parameter.
pub trait ToValue {
    /// The kind of its values.
    const KIND: Kind;

    /// Gives the value that stands for it in the database.
    fn to_value(&self) -> Value<'_>;
}

/// A type that can be read from a column.
pub trait FromValue<'v>: Sized {
    /// What the column holds then, for a message: `an integer`.
    const WANTED: &'static str;

    /// Reads a value. `None`: it is not one of this type.
    fn from_value(value: Value<'v>) -> Option<Self>;
}

/// The values for `?1`, `?2` and so on, as a slice: `params![user.id, now]`.
macro_rules! params {
    ($($value:expr),* $(,)?) => { &[$($crate::store::value::ToValue::to_value(&$value)),*] };
}
pub(in crate::store) use params;

/// Parameters for `count` rows of so many columns: `(?1, ?2), (?3, ?4)`.
pub(in crate::store) fn rows(count: usize, columns: usize) -> String {
    let row = |row: usize| {
        let numbers: Vec<String> = (1..=columns).map(|at| format!("?{}", row * columns + at)).collect();
        format!("({})", numbers.join(", "))
    };
    (0..count).map(row).collect::<Vec<_>>().join(", ")
}

/// Reads a list that is kept as its words, with spaces between.
pub(in crate::store) fn words(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

impl<T: ToValue + ?Sized> ToValue for &T {
    const KIND: Kind = T::KIND;

    fn to_value(&self) -> Value<'_> {
        (**self).to_value()
    }
}

/// `None` is NULL.
impl<T: ToValue> ToValue for Option<T> {
    const KIND: Kind = T::KIND;

    fn to_value(&self) -> Value<'_> {
        self.as_ref().map_or(Value::Null(Some(T::KIND)), T::to_value)
    }
}

impl<'v, T: FromValue<'v>> FromValue<'v> for Option<T> {
    const WANTED: &'static str = T::WANTED;

    fn from_value(value: Value<'v>) -> Option<Self> {
        if matches!(value, Value::Null(_)) { Some(None) } else { T::from_value(value).map(Some) }
    }
}

impl<'v> FromValue<'v> for Value<'v> {
    const WANTED: &'static str = "a value";

    fn from_value(value: Value<'v>) -> Option<Self> {
        Some(value)
    }
}

impl ToValue for i64 {
    const KIND: Kind = Kind::Integer;

    fn to_value(&self) -> Value<'_> {
        Value::Integer(*self)
    }
}

impl FromValue<'_> for i64 {
    const WANTED: &'static str = "an integer";

    fn from_value(value: Value<'_>) -> Option<Self> {
        if let Value::Integer(number) = value { Some(number) } else { None }
    }
}

impl ToValue for u32 {
    const KIND: Kind = Kind::Integer;

    fn to_value(&self) -> Value<'_> {
        Value::Integer(i64::from(*self))
    }
}

impl FromValue<'_> for u32 {
    const WANTED: &'static str = "a number below 2^32";

    fn from_value(value: Value<'_>) -> Option<Self> {
        i64::from_value(value)?.try_into().ok()
    }
}

/// Nothing that is counted comes near 2^63: one a millisecond for 292 million years.
impl ToValue for u64 {
    const KIND: Kind = Kind::Integer;

    fn to_value(&self) -> Value<'_> {
        Value::Integer(i64::try_from(*self).unwrap_or(i64::MAX))
    }
}

impl FromValue<'_> for u64 {
    const WANTED: &'static str = "a number from 0 on";

    fn from_value(value: Value<'_>) -> Option<Self> {
        i64::from_value(value)?.try_into().ok()
    }
}

impl ToValue for bool {
    const KIND: Kind = Kind::Integer;

    fn to_value(&self) -> Value<'_> {
        Value::Integer(i64::from(*self))
    }
}

impl FromValue<'_> for bool {
    const WANTED: &'static str = "0 or 1";

    fn from_value(value: Value<'_>) -> Option<Self> {
        i64::from_value(value).map(|number| number != 0)
    }
}

impl ToValue for str {
    const KIND: Kind = Kind::Text;

    fn to_value(&self) -> Value<'_> {
        Value::Text(self.as_bytes())
    }
}

impl<'v> FromValue<'v> for &'v str {
    const WANTED: &'static str = "a text";

    fn from_value(value: Value<'v>) -> Option<Self> {
        if let Value::Text(bytes) = value { str::from_utf8(bytes).ok() } else { None }
    }
}

impl ToValue for String {
    const KIND: Kind = Kind::Text;

    fn to_value(&self) -> Value<'_> {
        self.as_str().to_value()
    }
}

impl FromValue<'_> for String {
    const WANTED: &'static str = <&str>::WANTED;

    fn from_value(value: Value<'_>) -> Option<Self> {
        <&str>::from_value(value).map(str::to_owned)
    }
}

impl ToValue for [u8] {
    const KIND: Kind = Kind::Blob;

    fn to_value(&self) -> Value<'_> {
        Value::Blob(self)
    }
}

impl<'v> FromValue<'v> for &'v [u8] {
    const WANTED: &'static str = "a blob";

    fn from_value(value: Value<'v>) -> Option<Self> {
        if let Value::Blob(bytes) = value { Some(bytes) } else { None }
    }
}

impl ToValue for Vec<u8> {
    const KIND: Kind = Kind::Blob;

    fn to_value(&self) -> Value<'_> {
        Value::Blob(self)
    }
}

impl FromValue<'_> for Vec<u8> {
    const WANTED: &'static str = <&[u8]>::WANTED;

    fn from_value(value: Value<'_>) -> Option<Self> {
        <&[u8]>::from_value(value).map(<[u8]>::to_vec)
    }
}

impl<const N: usize> ToValue for [u8; N] {
    const KIND: Kind = Kind::Blob;

    fn to_value(&self) -> Value<'_> {
        Value::Blob(self)
    }
}

impl<const N: usize> FromValue<'_> for [u8; N] {
    const WANTED: &'static str = "a blob of another length";

    fn from_value(value: Value<'_>) -> Option<Self> {
        <&[u8]>::from_value(value)?.try_into().ok()
    }
}

macro_rules! ids_as_blobs {
    ($($name:ty),*) => {$(
        impl ToValue for $name {
            const KIND: Kind = Kind::Blob;

            fn to_value(&self) -> Value<'_> {
                Value::Blob(self.as_bytes())
            }
        }

        impl FromValue<'_> for $name {
            const WANTED: &'static str = "an id of 16 bytes";

            fn from_value(value: Value<'_>) -> Option<Self> {
                <[u8; 16]>::from_value(value).map(Self::from_bytes)
            }
        }
    )*};
}

ids_as_blobs!(UserId, SessionId, TokenId, LinkId, MailId, RegistrationId, IdentityId, PasskeyId, ApiKeyId);

/// Milliseconds since 1970.
impl ToValue for Timestamp {
    const KIND: Kind = Kind::Integer;

    fn to_value(&self) -> Value<'_> {
        Value::Integer(self.as_millis())
    }
}

impl FromValue<'_> for Timestamp {
    const WANTED: &'static str = "a time";

    fn from_value(value: Value<'_>) -> Option<Self> {
        i64::from_value(value).map(Self::from_millis)
    }
}

/// Milliseconds.
impl ToValue for Duration {
    const KIND: Kind = Kind::Integer;

    fn to_value(&self) -> Value<'_> {
        Value::Integer(i64::try_from(self.as_millis()).unwrap_or(i64::MAX))
    }
}

impl FromValue<'_> for Duration {
    const WANTED: &'static str = "a span";

    fn from_value(value: Value<'_>) -> Option<Self> {
        u64::from_value(value).map(Self::from_millis)
    }
}

impl FromValue<'_> for Email {
    const WANTED: &'static str = "an e-mail address";

    fn from_value(value: Value<'_>) -> Option<Self> {
        Self::from_stored(<&str>::from_value(value)?)
    }
}

impl FromValue<'_> for Name {
    const WANTED: &'static str = "a name";

    fn from_value(value: Value<'_>) -> Option<Self> {
        Self::parse(<&str>::from_value(value)?).ok()
    }
}

impl FromValue<'_> for RoleName {
    const WANTED: &'static str = "the name of a role";

    fn from_value(value: Value<'_>) -> Option<Self> {
        Self::parse(<&str>::from_value(value)?).ok()
    }
}

impl FromValue<'_> for AppName {
    const WANTED: &'static str = "the name of an application";

    fn from_value(value: Value<'_>) -> Option<Self> {
        Self::parse(<&str>::from_value(value)?).ok()
    }
}

impl FromValue<'_> for AppOrigin {
    const WANTED: &'static str = "the origin of an application";

    fn from_value(value: Value<'_>) -> Option<Self> {
        Self::parse(<&str>::from_value(value)?).ok()
    }
}

impl FromValue<'_> for ApiKeyName {
    const WANTED: &'static str = "the name of an API key";

    fn from_value(value: Value<'_>) -> Option<Self> {
        Self::parse(<&str>::from_value(value)?).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What comes back of a value, as another type.
    fn read<'v, T: FromValue<'v>>(written: &'v impl ToValue) -> Option<T> {
        T::from_value(written.to_value())
    }

    #[test]
    fn what_is_written_is_read_again() {
        assert_eq!(read(&i64::MIN), Some(i64::MIN));
        assert_eq!(read(&u32::MAX), Some(u32::MAX));
        assert_eq!(read(&u64::MAX), Some(i64::MAX));
        assert_eq!(read(&true), Some(true));
        assert_eq!(read(&"ä"), Some("ä".to_owned()));
        assert_eq!(read(&[1u8, 2]), Some(vec![1u8, 2]));
        assert_eq!(read(&Some(Duration::from_secs(2))), Some(Some(Duration::from_secs(2))));
        assert_eq!(read(&None::<i64>), Some(None::<i64>));
        assert_eq!(read(&UserId::from_bytes([7; 16])), Some(UserId::from_bytes([7; 16])));
        assert_eq!(read(&Timestamp::from_millis(-1)), Some(Timestamp::from_millis(-1)));
    }

    #[test]
    fn what_is_of_another_type_is_not_read() {
        assert_eq!(read::<i64>(&"1"), None);
        assert_eq!(read::<u32>(&-1i64), None);
        assert_eq!(read::<u64>(&-1i64), None);
        assert_eq!(read::<Duration>(&-1i64), None);
        assert_eq!(read::<String>(&None::<String>), None);
        assert_eq!(String::from_value(Value::Text(&[0xff])), None);
        assert_eq!(read::<Vec<u8>>(&"a text"), None);
        assert_eq!(read::<[u8; 3]>(&[1u8, 2]), None);
        assert_eq!(read::<UserId>(&[1u8; 15]), None);
        assert_eq!(read::<Email>(&"nobody"), None);
    }
}

//! A value of a column, whatever the database.

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    Null,
    Integer(i64),
    Text(String),
    Blob(Vec<u8>),
    /// Bytes for a column of text that needn't be any: a file takes them. Where they can't be kept, other
    /// text stands for them that is not what was there before either.
    Spoilt(Vec<u8>),
}

impl Value {
    /// The bytes that it is kept as; none of a number.
    pub fn bytes(&self) -> &[u8] {
        match self {
            Self::Null | Self::Integer(_) => &[],
            Self::Text(text) => text.as_bytes(),
            Self::Blob(bytes) | Self::Spoilt(bytes) => bytes,
        }
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Integer(number)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<&[u8]> for Value {
    fn from(bytes: &[u8]) -> Self {
        Self::Blob(bytes.to_vec())
    }
}

impl<const N: usize> From<&[u8; N]> for Value {
    fn from(bytes: &[u8; N]) -> Self {
        Self::Blob(bytes.to_vec())
    }
}

impl From<Vec<u8>> for Value {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Blob(bytes)
    }
}

/// What a column is read as.
pub trait Column: Sized {
    fn of(value: Value) -> Self;
}

impl Column for Value {
    fn of(value: Value) -> Self {
        value
    }
}

impl Column for i64 {
    fn of(value: Value) -> Self {
        match value {
            Value::Integer(number) => number,
            other => panic!("no integer: {other:?}"),
        }
    }
}

impl Column for String {
    fn of(value: Value) -> Self {
        match value {
            Value::Text(text) => text,
            other => panic!("no text: {other:?}"),
        }
    }
}

impl Column for Vec<u8> {
    fn of(value: Value) -> Self {
        match value {
            Value::Blob(bytes) => bytes,
            other => panic!("no bytes: {other:?}"),
        }
    }
}

impl<T: Column> Column for Option<T> {
    fn of(value: Value) -> Self {
        if value == Value::Null { None } else { Some(T::of(value)) }
    }
}

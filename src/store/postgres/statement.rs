//! How a statement, its values and its rows look to PostgreSQL.

use crate::error::Fault;
use crate::store::column::Column;
use crate::store::value::{Kind, Value};
use std::error::Error;
use tokio_postgres::types::private::BytesMut;
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};

/// One row of an answer.
#[derive(Clone, Copy)]
pub(in crate::store) struct Cells<'r> {
    row: &'r tokio_postgres::Row,
    columns: &'r [Column],
}

impl<'r> Cells<'r> {
    pub(super) const fn new(row: &'r tokio_postgres::Row, columns: &'r [Column]) -> Self {
        Self { row, columns }
    }

    /// Its columns, in their order.
    pub(in crate::store) const fn columns(&self) -> &'r [Column] {
        self.columns
    }

    /// What stands in a column, by its position.
    pub(in crate::store) fn value(&self, at: usize) -> Result<Value<'r>, Fault> {
        let found: Result<Option<Read<'r>>, _> = self.row.try_get(at);
        match found {
            Ok(Some(Read(value))) => Ok(value),
            Ok(None) => Ok(Value::Null(None)),
            Err(error) => {
                Err(Fault::Internal(format!("the database gave what the code doesn't expect: {error}")))
            }
        }
    }
}

/// A value out of a column, as the seam knows it: every integer is an `Integer`, and a truth is 0 or 1.
struct Read<'r>(Value<'r>);

impl<'r> FromSql<'r> for Read<'r> {
    fn from_sql(kind: &Type, raw: &'r [u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        Ok(Self(match *kind {
            Type::BOOL => Value::Integer(i64::from(bool::from_sql(kind, raw)?)),
            Type::INT2 => Value::Integer(i64::from(i16::from_sql(kind, raw)?)),
            Type::INT4 => Value::Integer(i64::from(i32::from_sql(kind, raw)?)),
            Type::INT8 => Value::Integer(i64::from_sql(kind, raw)?),
            Type::BYTEA => Value::Blob(raw),
            _ => Value::Text(raw),
        }))
    }

    fn accepts(kind: &Type) -> bool {
        matches!(
            *kind,
            Type::BOOL
                | Type::INT2
                | Type::INT4
                | Type::INT8
                | Type::BYTEA
                | Type::TEXT
                | Type::VARCHAR
                | Type::NAME
                | Type::CHAR
        )
    }
}

/// A value as it is bound.
#[derive(Debug)]
pub(super) struct Bound<'v>(pub Value<'v>);

impl Bound<'_> {
    /// What the server is told that it is: it would not guess right everywhere.
    pub(super) const fn kind(&self) -> Type {
        match self.0 {
            Value::Integer(_) | Value::Null(Some(Kind::Integer)) => Type::INT8,
            Value::Text(_) | Value::Null(Some(Kind::Text)) => Type::TEXT,
            Value::Blob(_) | Value::Null(Some(Kind::Blob)) => Type::BYTEA,
            Value::Real(_) => Type::FLOAT8,
            Value::Null(None) => Type::UNKNOWN,
        }
    }
}

impl Bound<'_> {
    /// Whether the server can be sent it.
    ///
    /// # Errors
    /// [`Fault::Internal`] for a text that it can't keep; it would refuse it, too, and end the transaction.
    pub(super) fn check(&self) -> Result<(), Fault> {
        self.text().map(drop).map_err(|why| Fault::Internal(why.to_string()))
    }

    /// `None`: it is no text.
    fn text(&self) -> Result<Option<&str>, Box<dyn Error + Sync + Send>> {
        let Value::Text(bytes) = self.0 else { return Ok(None) };
        let text = str::from_utf8(bytes)?;
        if text.contains('\0') {
            return Err("a text has a character U+0000, which PostgreSQL can't keep".into());
        }
        Ok(Some(text))
    }
}

impl ToSql for Bound<'_> {
    fn to_sql(&self, kind: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        match self.0 {
            Value::Null(_) => Ok(IsNull::Yes),
            Value::Integer(number) => number.to_sql(kind, out),
            Value::Real(number) => number.to_sql(kind, out),
            Value::Text(_) => self.text()?.to_sql(kind, out),
            Value::Blob(bytes) => bytes.to_sql(kind, out),
        }
    }

    /// The type is always the one that was given for it.
    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

/// The text with its parameters as PostgreSQL numbers them: `$1` for `?1`.
pub(super) fn numbered(sql: &str) -> String {
    let mut text = String::with_capacity(sql.len());
    let mut characters = sql.chars().peekable();
    while let Some(c) = characters.next() {
        let is_parameter = c == '?' && characters.peek().is_some_and(char::is_ascii_digit);
        text.push(if is_parameter { '$' } else { c });
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_alone_are_numbered_anew() {
        assert_eq!(numbered("SELECT ?1, ?12, '?' WHERE a = ?2"), "SELECT $1, $12, '?' WHERE a = $2");
    }

    #[test]
    fn a_text_that_the_server_can_not_keep_is_refused_here() {
        let mut out = BytesMut::new();
        for text in [&b"a\0b"[..], b"\xff"] {
            assert!(Bound(Value::Text(text)).to_sql(&Type::TEXT, &mut out).is_err());
            assert!(Bound(Value::Text(text)).check().is_err());
        }
        assert!(Bound(Value::Text(b"ab")).to_sql(&Type::TEXT, &mut out).is_ok());
        assert!(
            [Value::Text(b"ab"), Value::Blob(b"\xff\0")].map(Bound).iter().all(|value| value.check().is_ok())
        );
    }
}

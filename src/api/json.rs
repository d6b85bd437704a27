//! JSON as strictly as a security boundary needs it (RFC 8259): one value, nothing after it, no name
//! twice in any object. Two readers that keep different ones of two equal names can be told different
//! things by one body. And no object with more members than any route could want: what each costs is paid
//! before anybody looks at their names.

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};
use std::fmt;

/// The most members that an object may have.
const MEMBERS_MAX: usize = 32;

/// What is said of JSON that is sound and refused all the same.
const REPEATED: &str = "an object of the body has the same name twice";
const CROWDED: &str = "an object of the body has more than 32 members";

/// Reads one value. The error says where it is wrong and never what stood there.
///
/// # Errors
/// A sentence for people, when `bytes` is no JSON, no UTF-8, nested too deep, goes on after the
/// value, repeats a name, or has an object with more than [`MEMBERS_MAX`] members.
pub fn parse(bytes: &[u8]) -> Result<Value, String> {
    match serde_json::from_slice::<Strict>(bytes) {
        Ok(strict) => Ok(strict.0),
        Err(error) if error.is_data() => {
            // The error goes on with where it was found.
            let is_crowded = error.to_string().starts_with(CROWDED);
            Err(if is_crowded { CROWDED } else { REPEATED }.into())
        }
        Err(error) => Err(format!(
            "the body is not one JSON value: see line {}, column {}",
            error.line(),
            error.column()
        )),
    }
}

struct Strict(Value);

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(StrictVisitor).map(Self)
    }
}

struct StrictVisitor;

impl<'de> Visitor<'de> for StrictVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON without repeated names")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(Strict(value)) = seq.next_element()? {
            values.push(value);
        }
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut members = Map::new();
        while let Some((name, Strict(value))) = map.next_entry::<String, Strict>()? {
            if members.insert(name, value).is_some() {
                return Err(A::Error::custom(REPEATED));
            }
            if members.len() > MEMBERS_MAX {
                return Err(A::Error::custom(CROWDED));
            }
        }
        Ok(Value::Object(members))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_value_without_repeated_names_is_taken() {
        let text = r#"{"a":[1,-2,3.5,null,true,"\u00e9"],"b":{"a":{}}}"#;
        assert_eq!(parse(text.as_bytes()).unwrap().to_string(), text.replace("\\u00e9", "é"));
    }

    #[test]
    fn anything_else_is_refused() {
        let deep = "[".repeat(1000);
        let cases: [&[u8]; 16] = [
            b"",
            b" ",
            b"{",
            b"{}{}",
            b"{}x",
            b"{'a':1}",
            b"{\"a\":1,}",
            b"\xef\xbb\xbf{}",
            b"\"\xff\"",
            b"\"\\ud800\"",
            b"\"\x01\"",
            b"NaN",
            b"01",
            b"{\"a\":1,\"a\":1}",
            b"[{\"b\":{\"a\":1,\"\\u0061\":2}}]",
            deep.as_bytes(),
        ];
        for bytes in cases {
            assert!(parse(bytes).is_err(), "{}", String::from_utf8_lossy(bytes));
        }
    }

    #[test]
    fn an_object_has_so_many_members_and_no_more() {
        let members = |count| (0..count).map(|n| format!("\"{n}\":0")).collect::<Vec<_>>().join(",");
        for (before, after) in [("{", "}"), ("[[{", "}]]"), ("{\"a\":{", "}}")] {
            let object = |count| parse(format!("{before}{}{after}", members(count)).as_bytes());
            assert!(object(MEMBERS_MAX).is_ok());
            assert_eq!(object(MEMBERS_MAX + 1).unwrap_err(), CROWDED);
        }
        assert!(CROWDED.contains(&format!(" {MEMBERS_MAX} ")));
    }

    #[test]
    fn the_error_does_not_repeat_the_body() {
        for text in [r#"{"password":"hunter2" "#, r#"{"hunter2":1,"hunter2":2}"#] {
            assert!(!parse(text.as_bytes()).unwrap_err().contains("hunter2"));
        }
    }
}

//! A JSON object that a provider sent, and its members by type.

use serde_json::{Map, Value};

/// A JSON object. Its members may hold anything.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Document(Map<String, Value>);

impl Document {
    /// Reads an object. `None`: the text is not JSON, or another kind of value.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok().map(Self)
    }

    /// The same from an object at hand.
    #[must_use]
    pub const fn new(members: Map<String, Value>) -> Self {
        Self(members)
    }

    /// A member, whatever it is. `None`: it is missing, or `null`.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<&Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    /// A member that is a text. `None`: it is missing, or something else.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        self.value(name)?.as_str()
    }

    /// The texts of a member that is one, or an array of them; what else such an array holds is passed over.
    #[must_use]
    pub fn texts(&self, name: &str) -> Vec<String> {
        match self.value(name) {
            Some(Value::String(text)) => vec![text.clone()],
            Some(Value::Array(values)) => {
                values.iter().filter_map(Value::as_str).map(str::to_owned).collect()
            }
            _ => Vec::new(),
        }
    }

    /// A `NumericDate` (RFC 7519 §2) in whole seconds: it may have a fraction. `None`: it is missing, or no
    /// time that there is.
    #[must_use]
    pub fn seconds(&self, name: &str) -> Option<i64> {
        match self.value(name)? {
            Value::Number(number) => number.as_i64().or_else(|| whole(number.as_f64()?)),
            _ => None,
        }
    }
}

fn whole(seconds: f64) -> Option<i64> {
    // As far as every whole number has a double of its own.
    const FARTHEST: f64 = 9_007_199_254_740_992.0;
    #[allow(clippy::cast_possible_truncation, reason = "it is whole, and within bounds")]
    (seconds.abs() < FARTHEST).then(|| seconds.floor() as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_read_by_their_type() {
        let document = r#"{"a":"x","b":["x",1,"y"],"c":1.9,"d":-1.5,"e":1e300,"f":"1","g":null,"h":7}"#;
        let document = Document::parse(document).unwrap();
        assert_eq!((document.text("a"), document.text("h"), document.text("g")), (Some("x"), None, None));
        assert_eq!(
            (document.texts("a"), document.texts("b")),
            (vec!["x".into()], vec!["x".into(), "y".into()])
        );
        let seconds = ["c", "d", "e", "f", "g", "h", "i"].map(|name| document.seconds(name));
        assert_eq!(seconds, [Some(1), Some(-2), None, None, None, Some(7), None]);
        for text in ["", "[]", "\"x\"", "{", "<html>", "{}x"] {
            assert_eq!(Document::parse(text), None, "{text}");
        }
    }
}

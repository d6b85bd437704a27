//! From bytes to entries: lines, or the objects of a JSON document, each bounded, one in memory at a time.

use super::record::{Problem, Record};
use crate::error::Error;
use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;
use std::cell::Cell;
use std::fmt;
use std::io::{self, BufRead, Read};

/// The longest entry, in bytes.
pub(super) const ENTRY_MAX: usize = 64 * 1024;

/// Takes an object and its place. An error ends the reading.
pub(super) type EachObject<'a> = dyn FnMut(u64, Result<Value, Problem>) -> Result<(), Error> + 'a;

/// The same with a line of text.
pub(super) type EachLine<'a> = dyn FnMut(u64, Result<&str, Problem>) -> Result<(), Error> + 'a;

/// Takes what an entry was read as, and its place. An error ends the reading.
pub(super) type Take<'a> = dyn FnMut(u64, Result<Record, Problem>) -> Result<(), Error> + 'a;

fn too_long() -> Problem {
    Problem::new("too_long", "an entry has at most 64 KiB")
}

pub(super) fn unreadable(error: &io::Error) -> Problem {
    Problem::new("unreadable", format!("the file can't be read on from here: {error}"))
}

/// The lines with something in them, each with its number.
pub(super) fn lines(source: &mut dyn BufRead, each: &mut EachLine<'_>) -> Result<(), Error> {
    let mut bytes = Vec::new();
    for number in 1.. {
        bytes.clear();
        match Read::take(&mut *source, ENTRY_MAX as u64 + 1).read_until(b'\n', &mut bytes) {
            Ok(0) => break,
            Ok(_) => {}
            Err(error) => return each(number, Err(unreadable(&error))),
        }
        if bytes.len() > ENTRY_MAX && bytes.last() != Some(&b'\n') {
            each(number, Err(too_long()))?;
            if let Err(error) = source.skip_until(b'\n') {
                return each(number, Err(unreadable(&error)));
            }
            continue;
        }
        // Some editors begin a file with a byte order mark.
        let line = if number == 1 { bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes) } else { &bytes };
        match std::str::from_utf8(line).map(str::trim) {
            Ok("") => {}
            Ok(text) => each(number, Ok(text))?,
            Err(_) => each(number, Err(Problem::malformed("the line is not UTF-8 text")))?,
        }
    }
    Ok(())
}

/// JSON objects, one a line or in an array.
pub(super) fn objects(source: &mut dyn BufRead, each: &mut EachObject<'_>) -> Result<(), Error> {
    match first_byte(source) {
        Ok(Some(b'[')) => document(source, each),
        Ok(_) => lines(source, &mut |line, text| each(line, text.and_then(value))),
        Err(error) => each(1, Err(unreadable(&error))),
    }
}

/// Reads one line of JSON.
pub(super) fn value(text: &str) -> Result<Value, Problem> {
    serde_json::from_str(text).map_err(|error| Problem::malformed(format!("the line is not JSON: {error}")))
}

/// The first byte that is no white space, which is passed over.
fn first_byte(source: &mut dyn BufRead) -> io::Result<Option<u8>> {
    loop {
        let buffer = source.fill_buf()?;
        if buffer.is_empty() {
            return Ok(None);
        }
        let blank = buffer.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        let found = buffer.get(blank).copied();
        if found.is_some() && blank == 0 {
            return Ok(found);
        }
        source.consume(blank);
    }
}

/// The objects of an array, or of the array `users` of an object, each with its number.
pub(super) fn document(source: &mut dyn BufRead, each: &mut EachObject<'_>) -> Result<(), Error> {
    let left = Cell::new(ENTRY_MAX);
    let reader = Bounded { inner: source, left: &left };
    let mut stopped = Ok(());
    let mut number = 0;
    let users = Users { each: &mut *each, left: &left, stopped: &mut stopped, number: &mut number };
    let mut document = serde_json::Deserializer::from_reader(reader);
    let read = users.deserialize(&mut document).and_then(|()| document.end());
    stopped?;
    match read {
        Ok(()) => Ok(()),
        Err(_) if left.get() == 0 => each(number + 1, Err(too_long())),
        Err(error) => {
            let text = format!("the document can't be read on from here: {error}");
            each(number + 1, Err(Problem::malformed(text)))
        }
    }
}

/// Gives no more bytes than are left for the entry that is read.
pub(super) struct Bounded<'a> {
    pub inner: &'a mut dyn BufRead,
    pub left: &'a Cell<usize>,
}

impl Read for Bounded<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = buffer.len().min(self.left.get());
        if length == 0 && !buffer.is_empty() {
            return Err(io::Error::other("an entry is longer than 64 KiB; perhaps a quote is not closed"));
        }
        let read = self.inner.read(&mut buffer[..length])?;
        self.left.set(self.left.get() - read);
        Ok(read)
    }
}

struct Users<'a, 'b> {
    each: &'a mut EachObject<'b>,
    left: &'a Cell<usize>,
    stopped: &'a mut Result<(), Error>,
    number: &'a mut u64,
}

impl<'de> DeserializeSeed<'de> for Users<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Users<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of users")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut users: A) -> Result<(), A::Error> {
        self.left.set(ENTRY_MAX);
        while let Some(user) = users.next_element()? {
            *self.number += 1;
            if let Err(error) = (self.each)(*self.number, Ok(user)) {
                *self.stopped = Err(error);
                return Err(A::Error::custom("stopped"));
            }
            self.left.set(ENTRY_MAX);
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        let mut users = Some(self);
        while let Some(name) = members.next_key::<String>()? {
            match users.take_if(|_| name == "users") {
                Some(users) => members.next_value_seed(users)?,
                None => drop(members.next_value::<IgnoredAny>()?),
            }
        }
        match users {
            None => Ok(()),
            Some(_) => Err(A::Error::custom("there is no array `users` in it")),
        }
    }
}

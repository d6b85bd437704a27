//! PocketBase: the records of its users collection, a JSON object a line or in an array.

use super::fields::Members;
use super::record::{Moment, Problem, Record, Rules};
use serde_json::Value;

pub(super) fn parse(rules: &Rules<'_>, user: &Value) -> Result<Record, Problem> {
    let fields = Members::of(user)?;
    Record::of(fields.email()?, |record| read(rules, fields, record))
}

fn read(rules: &Rules<'_>, fields: Members<'_>, record: &mut Record) -> Result<(), Problem> {
    record.verified = Moment::of(fields.flag("verified")?, None);
    record.created_at = fields.time("created")?;
    record.set_name(fields.text("name")?.unwrap_or_default())?;
    // The column had two names in PocketBase's life.
    if let Some(hash) = fields.first_text(&["password", "passwordHash", "password_hash"])? {
        rules.hash(record, hash)?;
    }
    Ok(())
}

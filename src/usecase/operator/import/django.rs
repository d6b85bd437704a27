//! Django: what `manage.py dumpdata auth.user` prints, a JSON array of objects with their fields. A user
//! model of a project's own is read too, as long as its fields have the usual names.

use super::fields::Members;
use super::record::{Moment, Problem, Record, Rules, email};
use serde_json::Value;

/// What Django writes in the place of a hash where there is no password.
const UNUSABLE: char = '!';

/// Whether the object is a user: a dump may hold groups, permissions and anything else.
pub(super) fn is_user(object: &Value) -> bool {
    let fields = &object["fields"];
    object["model"] == "auth.user" || (fields["password"].is_string() && fields["email"].is_string())
}

pub(super) fn parse(rules: &Rules<'_>, object: &Value) -> Result<Record, Problem> {
    let fields =
        Members::of(object)?.object("fields")?.ok_or_else(|| Problem::malformed("`fields` is missing"))?;
    // Where nobody gave an address, the user name may be one.
    let address = fields.first_text(&["email", "username"])?;
    Record::of(email(address.unwrap_or_default())?, |record| read(rules, fields, record))
}

fn read(rules: &Rules<'_>, fields: Members<'_>, record: &mut Record) -> Result<(), Problem> {
    record.created_at = fields.time("date_joined")?;
    record.last_login_at = fields.time("last_login")?;
    record.disabled = Moment::of(fields.flag("is_active")?.map(|active| !active), None);
    let names = [fields.text("first_name")?, fields.text("last_name")?];
    record.set_name(&names.map(Option::unwrap_or_default).join(" "))?;
    if fields.flag("is_superuser")? == Some(true) {
        record.note_admin();
    }
    if let Some(hash) = fields.first_text(&["password"])?.filter(|hash| !hash.starts_with(UNUSABLE)) {
        rules.hash(record, hash)?;
    }
    Ok(())
}

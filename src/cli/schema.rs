//! What every command prints with `-o json`, and the document that says so: `docs/cli-schema.json`.

use crate::views;
use crate::views::View;
use crate::views::schema::{Definitions, ViewSchema, schema_of};
use serde_json::{Map, Value, json};

/// The form of a command's output with `-o json`.
#[derive(Clone, Copy, Debug)]
pub enum Prints {
    /// One JSON document: an object.
    Document(ViewSchema),
    /// One JSON document: an array of such objects.
    Array(ViewSchema),
    /// Such objects, one a line.
    Lines(ViewSchema),
    /// No JSON: a text of its own, whatever the format.
    Text,
}

use Prints::Text;

const fn document<T: View>() -> Prints {
    Prints::Document(schema_of::<T>())
}

const fn array<T: View>() -> Prints {
    Prints::Array(schema_of::<T>())
}

const fn lines<T: View>() -> Prints {
    Prints::Lines(schema_of::<T>())
}

/// Every command of the tree.
pub static COMMANDS: &[(&str, Prints)] = &[
    ("serve", Text),
    ("user add", document::<views::UserWithSecret>()),
    ("user list", array::<views::User>()),
    ("user show", document::<views::UserWithIdentities>()),
    ("user edit", document::<views::User>()),
    ("user passwd", document::<views::UserWithSecret>()),
    ("user reset-link", document::<views::UserWithSecret>()),
    ("user recover-link", document::<views::UserWithSecret>()),
    ("user disable", array::<views::User>()),
    ("user enable", array::<views::User>()),
    ("user unlock", array::<views::User>()),
    ("user delete", array::<views::User>()),
    ("registration list", array::<views::PendingRegistration>()),
    ("registration confirm", document::<views::User>()),
    ("registration delete", array::<views::PendingRegistration>()),
    ("identity list", array::<views::IdentityOf>()),
    ("identity link", document::<views::IdentityOf>()),
    ("identity unlink", document::<views::IdentityOf>()),
    ("passkey list", array::<views::PasskeyOf>()),
    ("passkey delete", document::<views::PasskeyOf>()),
    ("role add", document::<views::Role>()),
    ("role list", array::<views::Role>()),
    ("role show", document::<views::RoleMembers>()),
    ("role edit", document::<views::Role>()),
    ("role delete", document::<views::Role>()),
    ("role assign", document::<views::User>()),
    ("role unassign", document::<views::User>()),
    ("app add", document::<views::App>()),
    ("app list", array::<views::App>()),
    ("app show", document::<views::App>()),
    ("app edit", document::<views::App>()),
    ("app delete", document::<views::App>()),
    ("app explain", document::<views::AppJudgement>()),
    ("provider list", array::<views::ConfiguredProvider>()),
    ("provider test", array::<views::ProviderCheck>()),
    ("token list", array::<views::ListedSession>()),
    ("token revoke", document::<views::Revoked>()),
    ("token inspect", document::<views::Inspection>()),
    ("token mint", document::<views::MintedToken>()),
    ("apikey add", document::<views::CreatedApiKey>()),
    ("apikey list", array::<views::ApiKey>()),
    ("apikey revoke", document::<views::ApiKey>()),
    ("key list", array::<views::SigningKey>()),
    ("key rotate", document::<views::SigningKey>()),
    ("key retire", document::<views::SigningKey>()),
    ("totp enroll", document::<views::Enrolment>()),
    ("totp status", document::<views::SecondFactor>()),
    ("totp reset", document::<views::SecondFactor>()),
    ("totp recovery-codes", document::<views::NewRecoveryCodes>()),
    ("totp verify", document::<views::CheckedCode>()),
    ("audit tail", lines::<views::AuditLine>()),
    ("audit verify", document::<views::AuditCheck>()),
    ("audit export", lines::<views::ExportedLine>()),
    ("audit prune", document::<views::AuditPruning>()),
    ("mail list", array::<views::Mail>()),
    ("mail show", document::<views::OpenedMail>()),
    ("mail retry", array::<views::Mail>()),
    ("mail test", document::<views::TestMail>()),
    ("db init", document::<views::CreatedDatabase>()),
    ("db status", document::<views::DatabaseStatus>()),
    ("db restored", document::<views::Restored>()),
    ("db migrate-to", document::<views::MovedDatabase>()),
    ("db migrate", array::<views::MigrationStep>()),
    ("db check", document::<views::DatabaseCheck>()),
    ("db backup", document::<views::Backup>()),
    ("db restore", document::<views::Restored>()),
    ("db prune", array::<views::PrunedTable>()),
    ("import", document::<views::ImportReport>()),
    ("export", Prints::Lines(schema_of::<views::ExportedUser>())),
    ("apply", array::<views::Applied>()),
    ("config check", document::<views::ConfigCheck>()),
    ("config show", array::<views::Setting>()),
    ("config init", document::<views::Written>()),
    ("doctor", array::<views::Finding>()),
    ("hash calibrate", document::<views::Calibration>()),
    ("completion", Text),
    ("man", Text),
    ("help", Text),
    ("version", document::<views::Build>()),
];

const ABOUT: &str = "Each command's output is the property of its name: `#/properties/user%20list` for `authctl user \
list -o json`. Its title is its form: `document`, one object; `array`, one array of objects; `lines`, objects, one a \
line; `text`, no JSON, whatever the format. No member is ever left out that is required, and what is not there is null \
or an empty list. Whatever goes wrong is told on stderr, as one line each of `#/$defs/CommandProblem`; what else \
stands there is for people. Members may be added: ignore those that you don't know.";

/// The document (JSON Schema 2020-12), made of the table and of the types that are printed.
#[must_use]
pub fn schema() -> Value {
    let mut definitions = Definitions::at("/$defs");
    definitions.add(schema_of::<views::CommandProblem>());
    let commands =
        COMMANDS.iter().map(|(name, prints)| ((*name).to_owned(), prints.schema(&mut definitions)));
    let commands: Map<String, Value> = commands.collect();
    let mut defined: Vec<_> = definitions.take().into_iter().collect();
    defined.sort_by(|(one, _), (other, _)| one.cmp(other));
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "What authctl prints with -o json",
        "description": ABOUT,
        "type": "object",
        "properties": commands,
        "$defs": defined.into_iter().collect::<Map<String, Value>>(),
    })
}

impl Prints {
    /// The form's name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Document(_) => "document",
            Self::Array(_) => "array",
            Self::Lines(_) => "lines",
            Self::Text => "text",
        }
    }

    fn schema(self, definitions: &mut Definitions) -> Value {
        let title = self.name();
        match self {
            Self::Document(view) | Self::Lines(view) => {
                let mut schema = json!({"title": title});
                if let (Some(all), Value::Object(of_view)) = (schema.as_object_mut(), definitions.add(view)) {
                    all.extend(of_view);
                }
                schema
            }
            Self::Array(view) => json!({"title": title, "type": "array", "items": definitions.add(view)}),
            Self::Text => json!({"title": title, "not": {}}),
        }
    }
}

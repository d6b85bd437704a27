//! The table of keys as text: what `config init` prints, and authd.toml(5).

use super::keys::{KEYS, Key, PROVIDER_KEYS, PROVIDERS, TABLES, variable};
use super::value::{Kind, Raw, Value};

/// A file with every key, its meaning and its default, all commented out: read as it is, it changes nothing.
#[must_use]
pub fn init() -> String {
    let mut out = String::from(
        "# The configuration of authd. Every key is optional; the value shown is the default.\n\
         # A relative path counts from the folder of this file. Each key is also an environment\n\
         # variable: AUTHD_ and the key in upper case, with __ for the dot between table and key.\n",
    );
    for (table, about) in TABLES {
        out.push('\n');
        if table.is_empty() {
            out.push_str(&comment(about));
        } else {
            out.push_str(&format!("{}[{table}]\n", comment(about)));
        }
        for key in KEYS.iter().filter(|key| key.parts().0 == table) {
            let default = toml(key, key.default);
            out.push_str(&format!("\n{}#{} = {default}\n", comment(key.doc), key.parts().1));
        }
    }
    out.push_str(&format!("\n{}#[oauth.acme]\n", comment(PROVIDERS.1)));
    for key in &PROVIDER_KEYS {
        let value = toml(key, if NEEDED.contains(&key.name) { key.example } else { key.default });
        out.push_str(&format!("\n{}#{} = {value}\n", comment(key.doc), key.name));
    }
    out
}

/// What the provider of the file above needs to be one; the other values shown are the defaults.
const NEEDED: [&str; 4] = ["kind", "client_id", "client_secret_file", "issuer"];

/// authd.toml(5) in mdoc.
#[must_use]
pub fn manual() -> String {
    let mut out = String::from(HEAD);
    for (table, about) in TABLES {
        let title = if table.is_empty() { "Top of the file".into() } else { format!("Table {table}") };
        out.push_str(&format!(".Ss {}\n{}.Bl -tag -width Ds\n", escape(&title), roff(&format!("{about}."))));
        for key in KEYS.iter().filter(|key| key.parts().0 == table) {
            out.push_str(&entry(key, key.name));
        }
        out.push_str(".El\n");
    }
    let (table, about) = PROVIDERS;
    out.push_str(&format!(".Ss Table {table}\n{}{ABOUT_PROVIDERS}", roff(&format!("{about}."))));
    for key in &PROVIDER_KEYS {
        out.push_str(&entry(key, &format!("{table}.{}", key.name)));
    }
    out.push_str(".El\n");
    out.push_str(TAIL);
    out
}

fn entry(key: &Key, name: &str) -> String {
    let mut out = format!(".It Ic {}\n{}", key.parts().1, roff(&format!("{}.", sentence(key.doc))));
    // The example shows what the other kinds take.
    if matches!(key.kind, Kind::Choice(_) | Kind::Count(..)) {
        out.push_str(&roff(&format!("{}.", sentence(&key.kind.wanted()))));
    }
    let example = escape(&toml(key, key.example));
    match key.default {
        "" => out.push_str(&format!("For example\n.Ql {example} .\n")),
        default => {
            out.push_str(&format!(
                "Default\n.Ql {} ,\nfor example\n.Ql {example} .\n",
                escape(&toml(key, default))
            ));
        }
    }
    out + &format!("Variable\n.Ev {} .\n", variable(name))
}

/// How the file writes a value that the environment writes as `text`.
fn toml(key: &Key, text: &str) -> String {
    match key.kind.read(text) {
        Raw::List(entries) => Value::List(entries).toml(),
        Raw::Map(pairs) => Value::Map(pairs.into_iter().collect()).toml(),
        Raw::Text(text) => Value::Text(text).toml(),
        Raw::Bool(_) | Raw::Integer(_) | Raw::Other(_) => text.to_owned(),
    }
}

fn sentence(doc: &str) -> String {
    let mut rest = doc.chars();
    rest.next().map(|first| first.to_uppercase().chain(rest).collect()).unwrap_or_default()
}

fn comment(about: &str) -> String {
    let lines = wrap(&format!("{}.", sentence(about)), 98);
    lines.iter().map(|line| format!("# {line}\n")).collect()
}

fn roff(text: &str) -> String {
    wrap(text, 78).iter().map(|line| format!("{}\n", escape(line))).collect()
}

/// The words of a text on lines of at most `width` bytes, as far as the words allow.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let line = lines.last_mut().expect("there is a line from the start");
        if line.is_empty() {
            line.push_str(word);
        } else if line.len() + 1 + word.len() <= width {
            line.push(' ');
            line.push_str(word);
        } else {
            lines.push(word.to_owned());
        }
    }
    lines
}

/// Text as roff takes it: no escapes, and nothing at the start of a line that looks like a request.
fn escape(text: &str) -> String {
    let text = text.replace('\\', "\\e").replace('"', "\\(dq");
    if text.starts_with(['.', '\'']) { format!("\\&{text}") } else { text }
}

const HEAD: &str = r#".Dd November 22, 2026
.Dt AUTHD.TOML 5
.Os
.Sh NAME
.Nm authd.toml
.Nd configuration of authd
.Sh DESCRIPTION
.Nm
holds the settings of
.Xr authd 8
in TOML.
Every key has a default, so that no file is needed at all.
An unknown key or a bad value is an error that names file, line and key, and
nothing is started
.Pq exit status 78 .
.Ql authctl config check
reads the file and says what is wrong;
.Ql authctl config show
prints each setting with its value and where that came from;
.Ql authctl config init
prints a file with every key.
.Pp
A setting is taken from the first of these that has it:
.Bl -enum -compact
.It
a flag of the command line;
.It
the environment:
.Ql AUTHD_
and the key in upper case, with
.Ql __
for the dot between table and key, lists separated by commas;
.It
for a key that names a file with a secret, a credential of systemd with the
key's full name, such as
.Ql LoadCredential=key_file:/etc/authd/authd.key ;
.It
the file;
.It
the default.
.El
.Pp
So the file can name a secret that root alone may read: root's
.Xr authctl 1
reads it where it lies, and systemd hands it to the service.
.Pp
A variable that begins with
.Ql AUTHD_
and means no key is an error too.
A secret is never a value, neither here nor in the environment.
.Pp
A relative path in the file counts from the folder of the file, one in the
environment or in a flag from the current folder.
A span of time is written as
.Ql 15m ,
.Ql 1h 30m
or
.Ql 30d ;
a day has 24 hours.
"#;

const ABOUT_PROVIDERS: &str = r#"The keys
.Ic kind
and
.Ic client_id
must be set.
What is to be entered at each provider, and why, is told in
.Pa docs/sign-in-with.md .
.Pp
NAME has lower-case letters, digits,
.Ql \&. ,
.Ql _
and
.Ql - ;
with a dot it stands in quotes, as in
.Ql [oauth.\(dqacme.eu\(dq] .
A provider can be told by its variables alone.
Its name is then what stands between
.Ql AUTHD_OAUTH__
and the next
.Ql __
in lower case, so that one with a dot or two underscores in a row is for the
file alone, and one with a hyphen for those that can set such a variable.
.Pp
A table as a variable is written
.Ql VALUE=ROLE ,
with commas between two; a value with a comma in it is for the file.
.Bl -tag -width Ds
"#;

const TAIL: &str = r#".Sh ENVIRONMENT
.Bl -tag -width Ds
.It Ev AUTHD_CONFIG
The file to read.
.It Ev CREDENTIALS_DIRECTORY
Where systemd keeps the credentials.
.El
.Sh FILES
The first that exists is read, unless
.Fl Fl config
or
.Ev AUTHD_CONFIG
names one:
.Bl -tag -width Ds -compact
.It Pa authd.toml
in the current folder, where it and the folder belong to whoever runs the
command, or to root, and nobody else may write to them; otherwise it is passed
over with a warning
.It Pa /etc/authd/authd.toml
which comes first where root runs the command
.El
.Sh EXAMPLES
A server for the world, behind a proxy on the same machine, that sends mail:
.Bd -literal -offset indent
public_url = "https://auth.example.com"
database = "/var/lib/authd/authd.db"
key_file = "/etc/authd/authd.key"

[proxy]
trusted = ["127.0.0.1/32"]

[mail]
transport = "smtp"
from = "Example <auth@example.com>"
smtp_host = "smtp.example.com"
smtp_user = "auth@example.com"
smtp_password_file = "/etc/authd/smtp.secret"
.Ed
.Sh SEE ALSO
.Xr authctl 1 ,
.Xr authd 8
"#;

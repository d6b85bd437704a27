//! A database as a large installation would have it after some years, made within minutes: the program makes
//! the schema, the key file and the hash of the one password, and the rows are written straight into the
//! tables. The same sizes give the same rows, but for their times, which count from the day they are made.

use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac};
use rusqlite::{Connection, params};
use sha2::Sha256;
use std::error::Error;
use std::fs;
use std::io::Write;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};

/// Everybody's password.
pub const PASSWORD: &str = "correct horse battery staple";

/// How much is in it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Size {
    pub users: i64,
    pub sessions: i64,
    pub audit_lines: i64,
}

impl Size {
    /// What the targets are measured at.
    pub const LARGE: Self = Self { users: 1_000_000, sessions: 3_000_000, audit_lines: 10_000_000 };
    /// What takes seconds to copy, not minutes.
    pub const MIDDLE: Self = Self { users: 20_000, sessions: 60_000, audit_lines: 200_000 };
    pub const SMALL: Self = Self { users: 1_000, sessions: 3_000, audit_lines: 10_000 };
}

const DAY_MS: i64 = 24 * 3600 * 1000;

/// Accounts were made over so long a time, sessions over so long, and a session lives so long.
const ACCOUNTS_MS: i64 = 730 * DAY_MS;
const SESSIONS_MS: i64 = 45 * DAY_MS;
const LIFE_MS: i64 = 30 * DAY_MS;

/// Older than that, too many sessions have run out since, and it is made anew.
const FRESH_MS: i64 = 3 * DAY_MS;

/// The address of a user, from 0 on.
#[must_use]
pub fn email(user: i64) -> String {
    format!("user{user:07}@example.com")
}

/// Makes `authd.db` and `authd.key` in a folder, or leaves them as they are where it made them before; gives
/// the database's path. Sessions run out as days go by, so that what is older than three days is made anew.
///
/// # Errors
/// The program's, the file system's and the driver's.
pub fn seed(folder: &Path, authd: &Path, size: Size) -> Result<PathBuf, Box<dyn Error>> {
    let (database, stamp) = (folder.join("authd.db"), folder.join("seeded"));
    let now = i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis())?;
    let wanted = format!("{size:?} {}", include_str!("../../schema.sql").len());
    if let Some((made_at, made)) =
        fs::read_to_string(&stamp).ok().as_deref().and_then(|text| text.split_once(' '))
        && made == wanted
        && now - made_at.parse::<i64>()? < FRESH_MS
    {
        return Ok(database);
    }
    if folder.exists() {
        fs::remove_dir_all(folder)?;
    }
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    run(authd, folder, &["db", "init"], "")?;
    run(authd, folder, &["user", "add", "hash@example.com", "--verified", "--password-stdin"], PASSWORD)?;
    let key = chain_key(&fs::read_to_string(folder.join("authd.key"))?)?;
    let connection = Connection::open(&database)?;
    Seed { connection: &connection, size, now }.fill(&key)?;
    connection.close().map_err(|(_, error)| error)?;
    fs::write(&stamp, format!("{now} {wanted}"))?;
    Ok(database)
}

fn run(authd: &Path, folder: &Path, args: &[&str], input: &str) -> Result<(), Box<dyn Error>> {
    let mut command = Command::new(fs::canonicalize(authd)?);
    command.args(args).current_dir(folder).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut process = command.spawn()?;
    process.stdin.take().ok_or("no way in")?.write_all(input.as_bytes())?;
    let output = process.wait_with_output()?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!("{} {}: {}", authd.display(), args.join(" "), String::from_utf8_lossy(&output.stderr)).into())
}

/// The key of the audit log's chain, as authd derives it from the 64 digits of the key file (HKDF, RFC 5869).
fn chain_key(digits: &str) -> Result<[u8; 32], Box<dyn Error>> {
    let mut root = [0; 32];
    for (byte, at) in root.iter_mut().zip((0..64).step_by(2)) {
        *byte = u8::from_str_radix(digits.get(at..at + 2).ok_or("the key file is short")?, 16)?;
    }
    let mut key = [0; 32];
    let derived = Hkdf::<Sha256>::new(Some(b"authd"), &root).expand(b"authd audit chain v1", &mut key);
    derived.map(|()| key).map_err(|error| error.to_string().into())
}

/// Numbers from 0 on that look random and repeat (splitmix64).
const fn random(number: i64, of: i64) -> i64 {
    let mut z = number.cast_unsigned().wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z ^= of.cast_unsigned().wrapping_mul(0xd1b5_4a32_d192_ed03);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((z ^ (z >> 31)) >> 1).cast_signed()
}

/// A UUIDv7 (RFC 9562): its time, and bits that repeat.
fn uuid(at: i64, number: i64, table: i64) -> u128 {
    let (first, rest) = (random(number, table) & 0xfff, random(number, table + 1) >> 2);
    u128::from(at.unsigned_abs()) << 80
        | 0x7 << 76
        | u128::from(first.unsigned_abs()) << 64
        | 0b10 << 62
        | u128::from(rest.unsigned_abs())
}

fn text(uuid: u128) -> String {
    let hex = format!("{uuid:032x}");
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

const USERS: i64 = 1;
const SESSIONS: i64 = 3;
const LINES: i64 = 5;
const MAILS: i64 = 7;

struct Seed<'c> {
    connection: &'c Connection,
    size: Size,
    /// In milliseconds since 1970.
    now: i64,
}

impl Seed<'_> {
    fn fill(&self, chain_key: &[u8]) -> Result<(), Box<dyn Error>> {
        // A half-made database is thrown away, so nothing needs a journal.
        self.connection.execute_batch(
            "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA foreign_keys = OFF; PRAGMA cache_size = -400000",
        )?;
        // Indexes are sorted once at the end, and triggers guard what isn't touched afterwards.
        let mut rest = self.connection.prepare(
            "SELECT type, name, sql FROM sqlite_schema WHERE type IN ('index', 'trigger') AND sql IS NOT NULL",
        )?;
        let rest = rest.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
        let rest: Vec<(String, String, String)> = rest.collect::<Result<_, _>>()?;
        for (kind, name, _) in &rest {
            self.connection.execute_batch(&format!("DROP {kind} {name}"))?;
        }
        self.connection.execute_batch("BEGIN")?;
        self.users()?;
        self.sessions()?;
        self.small_tables()?;
        self.audit(chain_key)?;
        for (_, _, sql) in &rest {
            self.connection.execute_batch(sql)?;
        }
        self.connection.execute_batch("COMMIT; PRAGMA journal_mode = WAL")?;
        Ok(())
    }

    fn user_made_at(&self, user: i64) -> i64 {
        self.now - ACCOUNTS_MS + user * (ACCOUNTS_MS - SESSIONS_MS) / self.size.users
    }

    fn user_id(&self, user: i64) -> u128 {
        uuid(self.user_made_at(user), user, USERS)
    }

    /// All have a verified address and the same password; one of a hundred is disabled, and one of ten an
    /// editor.
    fn users(&self) -> Result<(), Box<dyn Error>> {
        let hash: String =
            self.connection.query_row("SELECT password_hash FROM users", [], |row| row.get(0))?;
        self.connection.execute("DELETE FROM users", [])?;
        self.connection.execute("INSERT INTO roles VALUES ('editor', 'Writes', 0)", [])?;
        let sql = "INSERT INTO users (id, email, email_key, email_verified_at, name, password_hash, \
            disabled_at, created_at, last_login_at) VALUES (?1, ?2, ?2, ?3, ?4, ?5, ?6, ?3, ?7)";
        let mut insert = self.connection.prepare(sql)?;
        let mut network = self.connection.prepare("INSERT INTO known_networks VALUES (?1, ?2, ?3)")?;
        let mut role = self.connection.prepare("INSERT INTO user_roles (user_id, role) VALUES (?1, ?2)")?;
        for user in 0..self.size.users {
            let (id, made_at) = (self.user_id(user).to_be_bytes(), self.user_made_at(user));
            let disabled_at = (user % 100 == 99).then_some(made_at + DAY_MS);
            let login_at = self.now - random(user, 20) % LIFE_MS;
            insert.execute(params![
                id,
                email(user),
                made_at,
                format!("User {user}"),
                hash,
                disabled_at,
                login_at
            ])?;
            network.execute(params![id, format!("10.{}.{}.0/24", user >> 8 & 255, user & 255), login_at])?;
            if user % 10 == 0 {
                role.execute(params![id, "editor"])?;
            }
        }
        role.execute(params![self.user_id(0).to_be_bytes(), "admin"])?;
        Ok(())
    }

    /// Begun over 45 days and 30 days long, so that a third has run out; one of ten was ended.
    fn sessions(&self) -> Result<(), Box<dyn Error>> {
        let sql = "INSERT INTO sessions (id, user_id, generation, salt, created_at, last_used_at, expires_at, ended_at, \
            auth_time, amr, ip, user_agent) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?5, 'pwd', ?9, ?10)";
        let mut insert = self.connection.prepare(sql)?;
        let agent = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
        for session in 0..self.size.sessions {
            let made_at = self.now - SESSIONS_MS + session * SESSIONS_MS / self.size.sessions;
            let user = random(session, 21) % self.size.users;
            let life = random(session, 22) % (self.now - made_at).clamp(1, LIFE_MS);
            let ended_at = (session % 10 == 9).then_some(made_at + life);
            let row = params![
                uuid(made_at, session, SESSIONS).to_be_bytes(),
                self.user_id(user).to_be_bytes(),
                life / (15 * 60 * 1000),
                random(session, 23).to_be_bytes().repeat(2),
                made_at,
                made_at + life,
                made_at + LIFE_MS,
                ended_at,
                format!("10.{}.{}.7", user >> 8 & 255, user & 255),
                agent
            ];
            insert.execute(row)?;
        }
        Ok(())
    }

    /// What a steady load leaves in the other tables: one row for so many users each.
    fn small_tables(&self) -> Result<(), Box<dyn Error>> {
        let mut pair =
            self.connection.prepare("INSERT INTO pair_failures VALUES (?1, ?2, ?3, 0, NULL, ?4)")?;
        let mut account =
            self.connection.prepare("INSERT INTO account_failures VALUES (?1, ?2, NULL, ?3)")?;
        let mut revoked = self.connection.prepare("INSERT INTO revoked_tokens VALUES (?1, ?2)")?;
        let sql = "INSERT INTO mails (id, user_id, to_address, to_key, kind, subject, state, created_at, sent_at, attempts) \
            VALUES (?1, ?2, ?3, ?3, 'verify_email', 'Confirm your address', 'sent', ?4, ?4, 1)";
        let mut mail = self.connection.prepare(sql)?;
        for user in (0..self.size.users).step_by(10) {
            let at = self.now - LIFE_MS + user * LIFE_MS / self.size.users;
            let failures = 1 + user / 10 % 3;
            mail.execute(params![
                uuid(at, user, MAILS).to_be_bytes(),
                self.user_id(user).to_be_bytes(),
                email(user),
                at
            ])?;
            pair.execute(params![email(user), "192.0.2.0/24", failures, at])?;
            account.execute(params![email(user), failures, at])?;
            revoked
                .execute(params![uuid(at, user, LINES).to_be_bytes(), self.now + at % (15 * 60 * 1000)])?;
        }
        Ok(())
    }

    /// A log that begins anew, every line hashed, its head sealed: `authctl audit verify` finds it good.
    fn audit(&self, chain_key: &[u8]) -> Result<(), Box<dyn Error>> {
        self.connection.execute("DELETE FROM audit", [])?;
        let key = Hmac::<Sha256>::new_from_slice(chain_key)?;
        let mut insert =
            self.connection.prepare("INSERT INTO audit VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)")?;
        let mut hash = Vec::new();
        for line in 1..=self.size.audit_lines {
            let at = self.now - ACCOUNTS_MS + line * ACCOUNTS_MS / self.size.audit_lines;
            let user = random(line, 24) % self.size.users;
            let (user_id, session) = (text(self.user_id(user)), text(uuid(at, line, SESSIONS)));
            let (event, details) = match line % 100 {
                0..80 => ("TokenRefreshed", "{}"),
                80..90 => ("LoginSucceeded", "{}"),
                90..95 => ("LoggedOut", "{}"),
                95..99 => ("LoginFailed", r#"{"why":"wrong_password"}"#),
                _ if line % 1_000_000 == 99 => ("RoleEdited", r#"{"role":"editor","added":"users:read"}"#),
                _ => ("PasswordChanged", "{}"),
            };
            let anonymous = event.starts_with("Login");
            let actor = if anonymous { "anonymous".to_owned() } else { format!("user:{user_id}") };
            let (ip, request) =
                (format!("10.{}.{}.7", user >> 8 & 255, user & 255), text(uuid(at, line, LINES)));
            let session = (event != "LoginFailed").then_some(session);
            let texts =
                [Some(event), Some(&actor), Some(&user_id), session.as_deref(), Some(&ip), Some(&request)];
            let numbers = [line.to_be_bytes(), at.to_be_bytes()];
            let fields = [Some(&hash[..]), Some(&numbers[0]), Some(&numbers[1])];
            let fields = fields.into_iter().chain(texts.map(|text| text.map(str::as_bytes)));
            hash = code(&key, fields.chain([Some(details.as_bytes())]));
            insert.execute(params![line, at, event, actor, user_id, session, ip, request, details, hash])?;
        }
        let number = self.size.audit_lines.to_be_bytes();
        let seal = code(&key, [Some(&b"authd audit head v1"[..]), Some(&number), Some(&hash)].into_iter());
        let head = [&number[..], &hash, &seal].concat();
        self.connection.execute("UPDATE meta SET value = ?1 WHERE key = 'audit_head'", [head])?;
        Ok(())
    }
}

/// HMAC-SHA-256 over fields, each with its length before it, as docs/decisions/0024 tells of the chain.
fn code<'a>(key: &Hmac<Sha256>, fields: impl Iterator<Item = Option<&'a [u8]>>) -> Vec<u8> {
    let mut context = key.clone();
    for field in fields {
        let length = field.map_or(-1, |bytes| i64::try_from(bytes.len()).unwrap_or(i64::MAX));
        context.update(&length.to_be_bytes());
        context.update(field.unwrap_or_default());
    }
    context.finalize().into_bytes().to_vec()
}

//! A database on a server, of PostgreSQL's.

use super::{Driver, Value};
use postgres::types::private::BytesMut;
use postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};
use postgres::{Client, NoTls};
use std::error::Error;

pub struct Server(Client);

impl Server {
    pub fn connect(url: &str) -> Self {
        Self(Client::connect(url, NoTls).unwrap_or_else(|error| panic!("{error:?}: {url}")))
    }

    /// The names that a query over the catalogue gives.
    fn names(&mut self, query: &str) -> Vec<String> {
        let rows = self.0.query(query, &[]).unwrap();
        rows.iter().map(|row| row.get(0)).collect()
    }
}

impl Driver for Server {
    fn run(&mut self, script: &str) {
        self.0.batch_execute(script).unwrap_or_else(|error| panic!("{error:?}: {script}"));
    }

    fn change(&mut self, statement: &str, values: &[Value]) -> Result<u64, String> {
        let values: Vec<_> = values.iter().map(|value| value as &(dyn ToSql + Sync)).collect();
        self.0.execute(&numbered(statement), &values).map_err(|error| format!("{error:?}"))
    }

    fn rows(&mut self, query: &str) -> Vec<Vec<Value>> {
        let rows = self.0.query(query, &[]).unwrap_or_else(|error| panic!("{error:?}: {query}"));
        rows.iter().map(|row| (0..row.len()).map(|at| row.get(at)).collect()).collect()
    }

    fn tables(&mut self) -> Vec<String> {
        self.names("SELECT tablename::text FROM pg_tables WHERE schemaname = 'public' ORDER BY 1")
    }

    fn columns(&mut self, table: &str) -> Vec<String> {
        self.names(&format!(
            "SELECT column_name::text FROM information_schema.columns \
             WHERE table_schema = 'public' AND table_name = '{table}' ORDER BY ordinal_position"
        ))
    }

    fn hold(&mut self) {
        // But that lines are waited for by whoever seals them, which is no change to the rest.
        let mut tables = self.tables();
        tables.retain(|table| table != "audit_inbox");
        self.run(&format!("BEGIN; LOCK TABLE {} IN SHARE ROW EXCLUSIVE MODE", tables.join(", ")));
    }

    fn unguard(&mut self) {
        self.run("ALTER TABLE audit DISABLE TRIGGER USER");
    }

    fn guard(&mut self) {
        self.run("ALTER TABLE audit ENABLE TRIGGER USER");
    }

    fn outdate(&mut self) {
        let sql = "UPDATE meta SET value = ?1 WHERE key = 'schema_version'";
        assert_eq!(self.change(sql, &[b"99".into()]), Ok(1));
    }

    fn probe(&self) -> (&'static str, &'static str) {
        ("daemons", "true")
    }

    fn follow(&mut self, table: &str, condition: &str, statement: Option<&str>) {
        let statement = statement.unwrap_or("RAISE EXCEPTION 'no'");
        self.run(&format!(
            "CREATE FUNCTION of_{table}() RETURNS trigger LANGUAGE plpgsql AS \
             $$ BEGIN {statement}; RETURN new; END $$; \
             CREATE TRIGGER of_{table} BEFORE UPDATE ON {table} FOR EACH ROW WHEN ({condition}) \
             EXECUTE FUNCTION of_{table}()"
        ));
    }

    fn let_be(&mut self, table: &str) {
        self.run(&format!("DROP TRIGGER of_{table} ON {table}; DROP FUNCTION of_{table}()"));
    }

    fn holds(&mut self, bytes: &[u8]) -> bool {
        let stands = |value: &Value| value.bytes().windows(bytes.len()).any(|window| window == bytes);
        let tables = self.tables();
        tables.iter().any(|table| self.rows(&format!("SELECT * FROM {table}")).iter().flatten().any(stands))
    }
}

/// As PostgreSQL has parameters: `$1` for `?1`.
fn numbered(statement: &str) -> String {
    statement.replace('?', "$")
}

impl<'a> FromSql<'a> for Value {
    fn from_sql(of: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        Ok(match *of {
            Type::INT8 => Self::Integer(i64::from_sql(of, raw)?),
            Type::INT4 => Self::Integer(i32::from_sql(of, raw)?.into()),
            Type::BYTEA => Self::Blob(raw.to_vec()),
            _ => Self::Text(String::from_sql(of, raw)?),
        })
    }

    fn from_sql_null(_: &Type) -> Result<Self, Box<dyn Error + Sync + Send>> {
        Ok(Self::Null)
    }

    fn accepts(of: &Type) -> bool {
        [Type::INT8, Type::INT4, Type::BYTEA, Type::TEXT, Type::VARCHAR].contains(of)
    }
}

impl ToSql for Value {
    fn to_sql(&self, of: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        match self {
            Self::Null => Ok(IsNull::Yes),
            Self::Integer(number) if *of == Type::INT4 => i32::try_from(*number)?.to_sql(of, out),
            Self::Integer(number) => number.to_sql(of, out),
            Self::Text(text) => text.to_sql(of, out),
            Self::Blob(bytes) => bytes.to_sql(of, out),
            // Neither what is no UTF-8 nor a zero is text here.
            Self::Spoilt(bytes) => String::from_utf8_lossy(bytes).replace('\0', "x").to_sql(of, out),
        }
    }

    fn accepts(of: &Type) -> bool {
        [Type::INT8, Type::INT4, Type::BYTEA, Type::TEXT, Type::VARCHAR].contains(of)
    }

    to_sql_checked!();
}

//! One connection with a PostgreSQL server, driven by whichever thread asks, as authd's are.

use crate::Outcome;
use tokio::runtime::{Builder, Runtime};
use tokio_postgres::types::FromSqlOwned;
use tokio_postgres::{Client, NoTls};

#[derive(Debug)]
pub struct Session {
    pub runtime: Runtime,
    pub client: Client,
}

impl Session {
    pub fn connect(url: &str) -> Outcome<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let client = runtime.block_on(async {
            let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
            // Whatever ends it shows at the next statement.
            tokio::spawn(async move { drop(connection.await) });
            Ok::<_, tokio_postgres::Error>(client)
        })?;
        Ok(Self { runtime, client })
    }

    /// Runs statements that give nothing.
    pub fn run(&self, sql: &str) -> Outcome<()> {
        Ok(self.runtime.block_on(self.client.batch_execute(sql))?)
    }

    /// The first column of each row.
    pub fn column<T: FromSqlOwned>(&self, sql: &str) -> Outcome<Vec<T>> {
        let rows = self.runtime.block_on(self.client.query(sql, &[]))?;
        Ok(rows.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?)
    }
}

//! Server side. A PostgreSQL server for the tests of this process: a cluster in a temporary folder, reached by a Unix
//! socket, with a fresh database for each store. A shell runs it, and stops and removes it when the process has ended,
//! even after a crash.

use std::{
    os::unix::{
        fs::{PermissionsExt, chown},
        process::CommandExt,
    },
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    str::FromStr,
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, Instant},
};

use sqlx::{Connection, PgConnection, postgres::PgConnectOptions};
use tokio::sync::OnceCell;
use uuid::Uuid;

use super::PostgresStore;

/// If set, tests that need PostgreSQL are skipped on a machine without it.
const MAY_BE_SKIPPED: &str = "FACTEUR_TEST_WITHOUT_POSTGRES";
/// Pool size of a store, so that a hundred stores find room.
const CONNECTIONS: u32 = 4;
/// How long the server may take to start on a busy machine.
const PATIENCE: Duration = Duration::from_secs(90);
/// A database with all tables, from which the others are copied.
pub(crate) const TEMPLATE: &str = "facteur_template";

/// Ends with its standard input. Arguments: the folder, the server's binaries, and the port. It uses a language's
/// collation, if the version has one: a query that relies on byte order must say so itself.
const KEEP: &str = r#"
    trap '' INT HUP
    icu=
    if "$2/initdb" --help | grep -q -- --icu-locale; then icu='--locale-provider=icu --icu-locale=en-US'; fi
    "$2/initdb" -D "$1/data" -A trust -U facteur -E UTF8 --locale=C $icu --no-sync > "$1/log" 2>&1 || exit 1
    "$2/postgres" -D "$1/data" -F -k "$1" -p "$3" -c listen_addresses=127.0.0.1 -c max_connections=300 \
        -c full_page_writes=off -c ssl=on -c ssl_cert_file="$1/server.pem" -c ssl_key_file="$1/server.key" \
        >> "$1/log" 2>&1 < /dev/null &
    server=$!
    read -r _
    kill -INT $server
    wait $server
    rm -rf "$1"
"#;

struct Cluster {
    folder: PathBuf,
    /// On the loopback interface, for TLS; also part of the socket's name.
    port: u16,
    /// The shell lives as long as its standard input is open.
    #[expect(dead_code, reason = "held, not read")]
    shell: Child,
}

static CLUSTER: OnceCell<Option<Cluster>> = OnceCell::const_new();

/// A store in a database of its own; `None` where PostgreSQL is missing and may be.
pub(crate) async fn store() -> Option<PostgresStore> {
    let options = database(TEMPLATE).await?;
    Some(PostgresStore::open(options, CONNECTIONS).await.unwrap())
}

/// Another store in the same database.
pub(crate) async fn beside(store: &PostgresStore) -> PostgresStore {
    PostgresStore::open((*store.pool.connect_options()).clone(), CONNECTIONS).await.unwrap()
}

/// How a store connects.
pub(crate) fn options_of(store: &PostgresStore) -> PgConnectOptions {
    (*store.pool.connect_options()).clone()
}

/// Its connections.
pub(crate) const fn pool_of(store: &PostgresStore) -> &sqlx::PgPool {
    &store.pool
}

/// How to connect to a new database.
pub(crate) async fn database(template: &str) -> Option<PgConnectOptions> {
    static NUMBER: AtomicU32 = AtomicU32::new(1);
    let cluster = CLUSTER.get_or_init(start).await.as_ref()?;
    let name = format!("facteur_{}", NUMBER.fetch_add(1, Ordering::Relaxed));
    let mut connection = PgConnection::connect_with(&cluster.options("postgres")).await.unwrap();
    create(&mut connection, &name, template).await;
    connection.close().await.unwrap();
    Some(cluster.options(&name))
}

impl Cluster {
    fn options(&self, database: &str) -> PgConnectOptions {
        let options = PgConnectOptions::from_str("postgres://facteur@localhost?sslmode=disable").unwrap();
        options.socket(&self.folder).port(self.port).database(database)
    }
}

/// The URL of a new database over TCP, and the file with the authority that signed the server's certificate.
pub(crate) async fn over_tls() -> Option<(String, PathBuf)> {
    let options = database(TEMPLATE).await?;
    let cluster = CLUSTER.get_or_init(start).await.as_ref()?;
    let url = format!("postgres://facteur@localhost:{}/{}", cluster.port, options.get_database()?);
    Some((url, cluster.folder.join("server.pem")))
}

/// A self-signed certificate for `localhost` and its key, in files owned by the server's user.
fn certify(folder: &Path, owner: Option<(u32, u32)>) {
    let key = rcgen::KeyPair::generate().unwrap();
    let certificate = rcgen::CertificateParams::new(["localhost".to_owned()]).unwrap().self_signed(&key).unwrap();
    for (name, content) in [("server.pem", certificate.pem()), ("server.key", key.serialize_pem())] {
        let path = folder.join(name);
        std::fs::write(&path, content).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        if let Some((user, group)) = owner {
            chown(&path, Some(user), Some(group)).unwrap();
        }
    }
}

/// A free port of the loopback interface.
fn free_port() -> u16 {
    std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port()
}

async fn create(connection: &mut PgConnection, name: &str, template: &str) {
    let sql = format!("CREATE DATABASE {name} TEMPLATE {template}");
    sqlx::query(sqlx::AssertSqlSafe(sql)).execute(connection).await.unwrap();
}

async fn start() -> Option<Cluster> {
    let Some(binaries) = binaries() else {
        let skipped = std::env::var_os(MAY_BE_SKIPPED).is_some();
        assert!(skipped, "these tests need PostgreSQL: apt-get install postgresql (or set {MAY_BE_SKIPPED})");
        return None;
    };
    // A socket's path has at most 107 bytes.
    let folder = std::env::temp_dir().join(format!("facteur-pg-{:x}", Uuid::new_v4().as_fields().0));
    std::fs::create_dir(&folder).unwrap();
    let (owner, port) = (somebody(), free_port());
    certify(&folder, owner);
    let mut keep = Command::new("/bin/sh");
    keep.arg("-c").arg(KEEP).arg("keep").arg(&folder).arg(&binaries).arg(port.to_string());
    keep.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).process_group(0).current_dir("/");
    // PostgreSQL refuses to run as root.
    if let Some((user, group)) = owner {
        chown(&folder, Some(user), Some(group)).unwrap();
        keep.uid(user).gid(group);
    }
    let cluster = Cluster { shell: keep.spawn().unwrap(), folder, port };
    let began = Instant::now();
    let mut connection = loop {
        match PgConnection::connect_with(&cluster.options("postgres")).await {
            Ok(connection) => break connection,
            Err(error) if began.elapsed() > PATIENCE => {
                let log = std::fs::read_to_string(cluster.folder.join("log")).unwrap_or_default();
                panic!("PostgreSQL does not start: {error}\n{log}");
            }
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    };
    create(&mut connection, TEMPLATE, "template0").await;
    connection.close().await.unwrap();
    PostgresStore::open(cluster.options(TEMPLATE), 1).await.unwrap().close().await;
    Some(cluster)
}

/// The folder with `initdb` and `postgres`: Debian's newest, or the one on the path.
pub(crate) fn binaries() -> Option<PathBuf> {
    let is_there = |folder: &PathBuf| ["initdb", "postgres"].iter().all(|name| folder.join(name).is_file());
    let debian = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let version = |folder: &Path| folder.file_name()?.to_str()?.parse::<u32>().ok();
    let newest = debian
        .map(|entry| entry.path())
        .filter_map(|folder| Some((version(&folder)?, folder.join("bin"))))
        .filter(|(_, folder)| is_there(folder))
        .max();
    let path = std::env::var_os("PATH").unwrap_or_default();
    newest.map(|(_, folder)| folder).or_else(|| std::env::split_paths(&path).find(is_there))
}

/// The user and group that run the server when the tests run as root: those of `postgres`, or of `nobody`.
fn somebody() -> Option<(u32, u32)> {
    let users = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let ids = |name: &str| {
        let line = users.lines().find(|line| line.split(':').next() == Some(name))?;
        let mut fields = line.split(':').skip(2);
        Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
    };
    rustix::process::geteuid().is_root().then(|| ids("postgres").or_else(|| ids("nobody"))).flatten()
}

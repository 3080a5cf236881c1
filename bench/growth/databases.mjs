// The two databases: Facteur's configuration for each, and statements of our own while Facteur is down.
import { execFileSync } from "node:child_process";
import { statSync } from "node:fs";
import { join } from "node:path";

/** Only while Facteur is down: these writes need not survive a power failure. */
const FAST = "PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF; PRAGMA cache_size = -400000;\n";

export class Sqlite {
  static version = () => execFileSync("sqlite3", ["--version"], { encoding: "utf8" }).split(" ")[0];

  constructor(folder) {
    this.path = join(folder, "facteur.db");
    this.section = 'path = "facteur.db"';
  }

  kind = "sqlite";

  #run = (statements) =>
    execFileSync("sqlite3", ["-bail", this.path], {
      encoding: "utf8",
      input: statements,
      maxBuffer: 1 << 28,
      stdio: ["pipe", "pipe", "pipe"],
    });

  /** Runs statements while Facteur is down; returns their output. */
  sql = (statements) => this.#run(`${FAST}${statements}`).replace(/^memory\n/, "");

  /** Runs a query while Facteur runs. */
  ask = (question) => this.#run(`.timeout 5000\n${question}`).trim();

  /** Facteur never analyses a SQLite database, so neither does this. */
  settle = () => {};

  busy = () => new Map(); // its processor time is Facteur's own

  megabytes = () => statSync(this.path).size / 1e6;
}

export class PostgresDatabase {
  constructor(server, name) {
    this.server = server;
    this.name = name;
    server.sql(`CREATE DATABASE "${name}"`);
    this.section = `url = "${server.url(name)}"`;
  }

  kind = "postgres";

  sql = (statements) => this.server.sql(statements, this.name);

  ask = (question) => this.sql(question).trim();

  /** What autovacuum does within minutes: rounds should not depend on whether it has run. */
  settle = () => this.sql("VACUUM (ANALYZE)");

  busy = () => this.server.busy();

  megabytes = () => Number(this.ask("SELECT pg_database_size(current_database())")) / 1e6;
}

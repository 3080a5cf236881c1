// A PostgreSQL server for tests: a cluster in a folder of its own, on a free port of the loopback interface. When this
// process ends in any way, the server ends and its folder is removed.
import { execFileSync, spawn } from "node:child_process";
import { chownSync, existsSync, mkdtempSync, readFileSync, readdirSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";

/** How long it may take to start on a busy machine. */
const PATIENCE_MS = 90_000;

/** Starts the server again for each line of its standard input, and ends with it. Its arguments: the folder, the server's
 *  binaries, and the port. */
const KEEP = `
  trap '' INT HUP TERM
  "$2/initdb" -D "$1/data" -A trust -U facteur -E UTF8 --locale=C --no-sync > "$1/log" 2>&1 || exit 1
  start() {
    "$2/postgres" -D "$1/data" -F -k "$1" -p "$3" -c listen_addresses=127.0.0.1 -c full_page_writes=off >> "$1/log" 2>&1 < /dev/null &
    server=$!
  }
  start "$@"
  while read -r _; do
    wait $server
    start "$@"
  done
  kill -INT $server
  wait $server
  rm -rf "$1"
`;

/** The folder with initdb and postgres: the newest of Debian's, or what the path leads to. */
function binaries() {
  const debian = "/usr/lib/postgresql";
  const versions = existsSync(debian) ? readdirSync(debian).filter((name) => /^\d+$/.test(name)) : [];
  const folders = versions.sort((a, b) => b - a).map((version) => join(debian, version, "bin"));
  folders.push(...(process.env.PATH ?? "").split(delimiter));
  const found = folders.find((folder) => ["initdb", "postgres", "psql"].every((name) => existsSync(join(folder, name))));
  if (!found) throw new Error("these tests need PostgreSQL: apt-get install postgresql");
  return found;
}

/** PostgreSQL refuses to run as root: the user and the group that run it instead. */
function somebody() {
  if (process.getuid() !== 0) return {};
  const users = readFileSync("/etc/passwd", "utf8").split("\n").map((line) => line.split(":"));
  const [, , uid, gid] = users.find(([name]) => name === "postgres") ?? users.find(([name]) => name === "nobody");
  return { uid: Number(uid), gid: Number(gid) };
}

const freePort = () =>
  new Promise((resolve, reject) => {
    const server = createServer().once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });

export class Postgres {
  #keeper;
  #ended;

  /** Starts one, and waits until it responds. */
  static async start() {
    const postgres = new Postgres();
    const owner = somebody();
    Object.assign(postgres, { binaries: binaries(), port: await freePort(), folder: mkdtempSync(join(tmpdir(), "facteur-pg-")) });
    if ("uid" in owner) chownSync(postgres.folder, owner.uid, owner.gid);
    const words = ["-c", KEEP, "keep", postgres.folder, postgres.binaries, String(postgres.port)];
    // A group of its own: Ctrl+C in the terminal reaches the tests, not the database under them.
    postgres.#keeper = spawn("/bin/sh", words, { ...owner, cwd: "/", detached: true, stdio: ["pipe", "ignore", "ignore"] });
    postgres.#ended = new Promise((resolve) => postgres.#keeper.once("exit", resolve));
    await postgres.#answers();
    return postgres;
  }

  async #answers(again = () => {}) {
    for (const began = Date.now(); ; await new Promise((resolve) => setTimeout(resolve, 200))) {
      try {
        this.sql("SELECT 1");
        return;
      } catch (error) {
        again();
        if (Date.now() - began < PATIENCE_MS) continue;
        const log = join(this.folder, "log");
        const words = existsSync(log) ? readFileSync(log, "utf8") : error;
        await this.stop();
        throw new Error(`PostgreSQL does not start: ${words}`);
      }
    }
  }

  /** Kills the server. */
  crash() {
    const [pid] = readFileSync(join(this.folder, "data", "postmaster.pid"), "utf8").split("\n");
    process.kill(Number(pid), "SIGKILL");
  }

  /**
   * Starts it after a crash. It refuses while processes of the former one are still ending; then the start is repeated.
   */
  async restart() {
    let asked = Date.now();
    this.#keeper.stdin.write("again\n");
    await this.#answers(() => {
      // A starting server has not written its file yet.
      if (Date.now() - asked < 2_000 || this.#running()) return;
      asked = Date.now();
      this.#keeper.stdin.write("again\n");
    });
  }

  #running() {
    try {
      const [pid] = readFileSync(join(this.folder, "data", "postmaster.pid"), "utf8").split("\n");
      return process.kill(Number(pid), 0);
    } catch {
      return false;
    }
  }

  url(database) {
    return `postgres://facteur@127.0.0.1:${this.port}/${database}`;
  }

  /** Runs one statement. */
  sql(statement, database = "postgres") {
    return this.#run("psql", ["--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "-c", statement, this.url(database)]);
  }

  /** Everything in a database, as text. Bytes are written as letters if they are letters. */
  dump(database) {
    return this.#run("pg_dump", ["--data-only", "--inserts", this.url(database)], { PGOPTIONS: "-c bytea_output=escape" });
  }

  #run(program, words, environment = {}) {
    const options = { encoding: "utf8", maxBuffer: 1 << 28, stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, ...environment } };
    return execFileSync(join(this.binaries, program), words, options);
  }

  async stop() {
    this.#keeper.stdin.end();
    await this.#ended;
  }
}

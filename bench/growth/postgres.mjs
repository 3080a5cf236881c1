// A PostgreSQL server from Debian's package with default settings, except a buffer for a present-day machine, and with
// every commit on disk: a cluster in a folder of its own, on the loopback interface. Stopped here, by its pid.
import { execFileSync } from "node:child_process";
import { chownSync, existsSync, mkdirSync, readFileSync, readdirSync } from "node:fs";
import { delimiter, join } from "node:path";
import { freePort, kill, now, pause, start } from "../processes.mjs";

const SETTINGS = { shared_buffers: "512MB", max_wal_size: "4GB", listen_addresses: "127.0.0.1" };

function binaries() {
  const debian = "/usr/lib/postgresql";
  const versions = existsSync(debian) ? readdirSync(debian).filter((name) => /^\d+$/.test(name)) : [];
  const folders = versions.sort((a, b) => b - a).map((version) => join(debian, version, "bin"));
  folders.push(...(process.env.PATH ?? "").split(delimiter));
  const found = folders.find((folder) => ["initdb", "postgres"].every((name) => existsSync(join(folder, name))));
  if (!found) throw new Error("PostgreSQL is needed: apt-get install postgresql");
  return found;
}

/** PostgreSQL refuses to run as root: the user and the group that run it instead. */
function somebody() {
  if (process.getuid() !== 0) return {};
  const users = readFileSync("/etc/passwd", "utf8")
    .split("\n")
    .map((line) => line.split(":"));
  const [, , uid, gid] = users.find(([name]) => name === "postgres") ?? users.find(([name]) => name === "nobody");
  return { uid: Number(uid), gid: Number(gid) };
}

export class Postgres {
  static async start(folder) {
    const postgres = new Postgres();
    const [owner, bin] = [somebody(), binaries()];
    mkdirSync(folder, { recursive: true });
    if ("uid" in owner) chownSync(folder, owner.uid, owner.gid);
    const data = join(folder, "data");
    const init = ["-D", data, "-A", "trust", "-U", "facteur", "-E", "UTF8", "--locale=C", "--no-sync"];
    execFileSync(join(bin, "initdb"), init, { ...owner, cwd: "/", stdio: "pipe" });
    postgres.port = await freePort();
    const settings = Object.entries(SETTINGS).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
    const words = ["-D", data, "-k", folder, "-p", postgres.port, ...settings, ...postgres.extra()];
    postgres.child = start(join(bin, "postgres"), words.map(String), { ...owner, cwd: "/" });
    for (const began = now(); ; await pause(100)) {
      try {
        postgres.version = postgres.sql("SHOW server_version").trim();
        return postgres;
      } catch (error) {
        if (now() - began > 30_000)
          throw new Error(`PostgreSQL does not start: ${postgres.child.said || error.message}`);
      }
    }
  }

  /** More settings, for debugging: "auto_explain.log_min_duration=50 …". */
  extra = () =>
    (process.env.GROWTH_POSTGRES ?? "")
      .split(" ")
      .filter(Boolean)
      .flatMap((one) => ["-c", one]);

  url = (database) => `postgres://facteur@127.0.0.1:${this.port}/${database}`;

  /** Runs statements; returns their output without headings. */
  sql(statements, database = "postgres") {
    const words = ["--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "-v", "ON_ERROR_STOP=1", "-f", "-"];
    const options = { encoding: "utf8", input: statements, maxBuffer: 1 << 28, stdio: ["pipe", "pipe", "pipe"] };
    return execFileSync("psql", [...words, this.url(database)], options);
  }

  /** Processor time of those that serve its clients and of its helpers, by pid, in milliseconds. */
  busy() {
    const all = new Map();
    for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
      try {
        const parent = Number(readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1).split(" ")[1]);
        const ran = Number(readFileSync(`/proc/${pid}/schedstat`, "utf8").split(" ")[0]) / 1e6;
        if (parent === this.child.pid) all.set(pid, ran);
      } catch {
        // It has ended meanwhile.
      }
    }
    return all;
  }

  /** A fast shutdown, as operators use it: clients are disconnected, and no recovery is needed. */
  async stop() {
    this.child.kill("SIGINT");
    for (const began = now(); this.child.exitCode === null && now() - began < 30_000;) await pause(50);
    await kill(this.child);
  }
}

// Postfix's test tools: smtp-sink, which receives all messages, and smtp-source, the simplest sender.
import { spawnSync } from "node:child_process";
import { existsSync, fstatSync, openSync, readFileSync, readSync } from "node:fs";
import { connect } from "node:net";
import { join, resolve } from "node:path";
import { freePort, now, pause, start } from "./processes.mjs";

const unpacked = resolve("target/bench/postfix");
const ours = existsSync(unpacked);
const machine = process.arch === "arm64" ? "aarch64" : "x86_64";
/** The prefix of the package's paths. */
export const root = ours ? unpacked : "";
const libraries = ["postfix", `${machine}-linux-gnu`].map((path) => `${unpacked}/usr/lib/${path}`);
export const env = ours ? { ...process.env, LD_LIBRARY_PATH: libraries.join(":") } : process.env;
const tool = (name) => (ours ? `${unpacked}/usr/sbin/${name}` : name);

export function version() {
  if (ours) return readFileSync(`${unpacked}/version`, "utf8").trim();
  return spawnSync("postconf", ["-dh", "mail_version"], { encoding: "utf8" }).stdout?.trim() || "unknown";
}

/**
 * A sink that counts: after every final dot, smtp-sink itself writes how many messages it has (`-c`), so no code of
 * ours is between a sender and the sink, and every sender is counted in the same way. It writes into a file whose end
 * is read every millisecond: through a pipe, the counters alone halve the rate of the fastest sender.
 */
export class Sink {
  static async start(folder, name) {
    const sink = new Sink();
    sink.port = await freePort();
    const path = join(folder, `${name}.count`);
    const user = process.getuid() === 0 ? ["-u", "nobody"] : [];
    sink.child = start(tool("smtp-sink"), [...user, "-c", `127.0.0.1:${sink.port}`, "1024"], {
      env,
      stdio: ["ignore", openSync(path, "w"), "pipe"],
    });
    sink.file = openSync(path, "r");
    for (let tries = 0; tries < 100; tries++) {
      if (await answers(sink.port)) return sink;
      await pause(20);
    }
    throw new Error(`smtp-sink does not answer: ${sink.child.said}`);
  }

  /** How many messages it has received since its start. */
  get count() {
    const end = Buffer.alloc(128);
    const read = readSync(this.file, end, 0, end.length, Math.max(0, fstatSync(this.file).size - end.length));
    return Number(/mesg=(\d+)\r[^\r]*$/.exec(end.toString("latin1", 0, read))?.[1] ?? 0);
  }

  /** Waits until it has received `count`; returns the time. */
  async reached(count, seconds = 90) {
    const end = now() + seconds * 1000;
    while (this.count < count) {
      if (now() > end) throw new Error(`the sink has ${this.count} of ${count} messages after ${seconds} s`);
      await pause(1);
    }
    return now();
  }

  /** Pauses it: the kernel accepts connections, and no greeting is sent. */
  hold() {
    this.child.kill("SIGSTOP");
  }

  release() {
    this.child.kill("SIGCONT");
  }
}

export function answers(port) {
  return new Promise((done) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("data", () => socket.end("QUIT\r\n", () => done(true))).once("error", () => done(false));
  });
}

/** One run of smtp-source; returns its CPU time in milliseconds. The shell is needed to measure its children. */
export async function source({ port, count, connections, file }) {
  const args = ["-d", "-s", connections, "-m", count, "-F", file, "-f", "shop@bench.example", "-t", "to@bench.example"];
  const timed = 'TIMEFORMAT="%3U %3S"; time "$@"';
  const child = start("bash", ["-c", timed, "bash", tool("smtp-source"), ...args.map(String), `127.0.0.1:${port}`], {
    env: { ...env, LC_ALL: "C" },
  });
  const code = await new Promise((done) => child.once("close", done));
  const [, user, system] = /(\d+\.\d+) (\d+\.\d+)\s*$/.exec(child.said) ?? [];
  if (code !== 0 || user === undefined) throw new Error(`smtp-source: ${child.said}`);
  return (Number(user) + Number(system)) * 1000;
}

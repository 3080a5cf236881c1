// What the day needs from the machine: time, ports, certificates.
import { execFileSync } from "node:child_process";
import { randomInt } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { createSecureContext } from "node:tls";

export const sleep = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));

/** Repeats the question until the answer is true or the time is over; returns which. */
export async function until(question, seconds, every = 50) {
  const end = Date.now() + seconds * 1000;
  for (;;) {
    if (await question()) return true;
    if (Date.now() > end) return false;
    await sleep(every);
  }
}

const given = new Set();

/** A free port, below those that the kernel gives to outgoing connections: a server that is down for a moment finds its
 * port free when it returns. */
export async function freePort() {
  for (;;) {
    const port = randomInt(12000, 32000);
    if (given.has(port)) continue;
    const free = await new Promise((done) => {
      const server = createServer().once("error", () => done(false));
      server.listen(port, "127.0.0.1", () => server.close(() => done(true)));
    });
    if (!free) continue;
    given.add(port);
    return port;
  }
}

/** A certificate authority for this day (`ca.pem` in `folder`), and the certificate for servers on 127.0.0.1. */
export function certificates(folder) {
  const openssl = (...args) => execFileSync("openssl", args, { cwd: folder, stdio: "pipe" });
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
  writeFileSync(join(folder, "server.ext"), "basicConstraints=CA:FALSE\nsubjectAltName=IP:127.0.0.1,DNS:localhost\n");
  const authority = ["-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=Authority of a day"];
  openssl("req", "-x509", ...key, ...authority, "-days", "2", "-addext", "keyUsage=critical,keyCertSign,cRLSign");
  openssl("req", "-new", ...key, "-keyout", "server.key", "-out", "server.csr", "-subj", "/CN=Mail server of a day");
  const signed = ["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-extfile", "server.ext"];
  openssl("x509", "-req", "-in", "server.csr", ...signed, "-days", "2", "-out", "server.pem");
  const read = (name) => readFileSync(join(folder, name));
  return createSecureContext({ key: read("server.key"), cert: read("server.pem") });
}

/** How many times longer than usual a program takes on this machine now: 1 if it is idle, 4 at most. */
export function contention() {
  const [wall, cpu] = [performance.now(), process.cpuUsage()];
  while (performance.now() - wall < 1_000);
  const { user, system } = process.cpuUsage(cpu);
  return Math.min(4, Math.max(1, (1_000 * (performance.now() - wall)) / (user + system)));
}

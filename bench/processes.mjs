// The measured programs, and their data in /proc. Only processes that were started here are ended, by their pids.
import { execFileSync, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { createServer } from "node:net";

const running = new Set();
const ticksASecond = Number(execFileSync("getconf", ["CLK_TCK"], { encoding: "utf8" }));

export const now = () => performance.now();
export const pause = (ms) => new Promise((done) => setTimeout(done, ms));

export function start(command, args, options = {}) {
  const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"], ...options });
  child.said = "";
  child.stderr?.setEncoding("utf8").on("data", (text) => (child.said = (child.said + text).slice(-4000)));
  running.add(child);
  child.once("error", (error) => (child.said += error.message));
  child.once("exit", () => running.delete(child));
  return child;
}

/** Stops it as an operator would; returns how long that took, in milliseconds. */
export async function stop(child) {
  if (!running.has(child)) return 0;
  const began = now();
  const ended = new Promise((done) => child.once("exit", done));
  child.kill("SIGCONT"); // a paused process does not receive the other signal
  child.kill("SIGTERM");
  const late = setTimeout(() => child.kill("SIGKILL"), 30_000);
  await ended;
  clearTimeout(late);
  return now() - began;
}

/** Kills it. */
export async function kill(child) {
  if (!running.has(child)) return;
  const ended = new Promise((done) => child.once("exit", done));
  child.kill("SIGKILL");
  await ended;
}

process.on("exit", () => running.forEach((child) => child.kill("SIGKILL")));
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => process.exit(130));

/** User and system time of a process and all its threads, in milliseconds; as exact as the kernel's tick (10 ms). */
export function cpu(child) {
  const fields = readFileSync(`/proc/${child.pid}/stat`, "utf8").split(") ").at(-1).split(" ");
  return ((Number(fields[11]) + Number(fields[12])) * 1000) / ticksASecond;
}

/** The resident memory of a process, in megabytes. */
export function resident(child) {
  return Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${child.pid}/status`, "utf8"))[1]) / 1024;
}

export function freePort() {
  return new Promise((done) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => done(port));
    });
  });
}

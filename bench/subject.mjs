// Which build is measured, on which machine, and where the results go.
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { join, resolve } from "node:path";

const store = resolve("target/bench");
// FACTEUR_BINARY names another build than the one here.
const builds = ["target/release/facteur", "target/debug/facteur"];
const git = (...args) => execFileSync("git", args, { encoding: "utf8" }).trim();

export function complain(who, why) {
  console.error(`${who}: ${why}`);
  process.exit(1);
}

/** The build that `who` measures. */
export function subject(who) {
  const binary = resolve(process.env.FACTEUR_BINARY ?? builds.find((path) => existsSync(path)) ?? builds[0]);
  const file = statSync(binary, { throwIfNoEntry: false });
  if (!file?.isFile()) complain(who, "no target/release/facteur: cargo build --release -p server");
  const build = /\/(release|debug)\/facteur$/.exec(binary)?.[1] ?? "of unknown kind";
  if (build !== "release")
    console.error("\n*** NOT A RELEASE BUILD: its measurements mean nothing. cargo build --release -p server ***\n");
  const changed = git("status", "--porcelain", "--untracked-files=no") !== "";
  const facteur = git("rev-parse", "--short", "HEAD") + (changed ? " with changes" : "");
  return {
    binary,
    megabytes: file.size / 1e6,
    versions: { facteur, build, built: file.mtime.toISOString(), node: process.version },
  };
}

export const machine = () => ({ cpu: cpus()[0].model, cores: cpus().length });

/** An empty folder, on the checkout's disk. */
export function emptyFolder(name) {
  const folder = join(store, name);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  return folder;
}

/** Stores the results as JSON and as text. */
export function keep(name, results, text) {
  writeFileSync(join(store, `${name}.json`), `${JSON.stringify(results, null, 2)}\n`);
  writeFileSync(join(store, `${name}.md`), text);
}

/** The warning above a report whose measurements are not reliable. */
export const warnings = (build, quick) =>
  [
    build !== "release" && "**NOT A RELEASE BUILD OF FACTEUR: THESE MEASUREMENTS SAY NOTHING ABOUT IT.**\n\n",
    quick && "**A quick run, to see that it works: it is too short to prove anything.**\n\n",
  ]
    .filter(Boolean)
    .join("");

#!/usr/bin/env node
// Which module may import which. Reads the imports between the modules of each crate and compares them with the map in
// ARCHITECTURE.md. Errors: an import that is missing in the map, an arrow of the map without an import, and a circle.
//
// In `model`, `mail` and `server`, a module is a top one with everything below it. In `app`, whose slices use each
// other's plain types, it is each file. `scripts/arrows.mjs --print` prints the map of the sources.

import { readFileSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";

const root = new URL("..", import.meta.url).pathname;
const crates = { model: "crates/model/src", mail: "crates/mail/src", app: "app/src", server: "server/src" };
/** Where circles are looked for file by file; the map lists top modules only. */
const BY_FILE = new Set(["app"]);

function files(folder) {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    return statSync(path).isDirectory() ? files(path) : path.endsWith(".rs") ? [path] : [];
  });
}

/** The source without comments, strings and test modules. */
function code(path) {
  return readFileSync(path, "utf8")
    .replace(/^\s*\/\/.*$/gm, "")
    .replace(/"(?:[^"\\]|\\.)*"/gs, '""')
    .replace(/#\[cfg\(test\)\]\s*(?:pub(?:\([^)]*\))? )?mod \w+ \{[\s\S]*?\n\}/g, "")
    // Re-exports under another name.
    .replace(/^\s*pub (?:\(crate\) )?use (?:self|super)::.*$/gm, "");
}

/** Paths of a tree such as `a::{b, c::{d, e}}`, from where its text begins. */
function branches(text, at, before) {
  const found = [];
  let path = before;
  let word = "";
  const close = () => {
    if (word) found.push([...path, word]);
    [path, word] = [before, ""];
  };
  for (; at < text.length; at += 1) {
    const sign = text[at];
    if (/\w/.test(sign)) word += sign;
    else if (sign === ":" && text[at + 1] === ":") {
      path = [...path, word];
      word = "";
      at += 1;
    } else if (sign === "{") {
      const inner = branches(text, at + 1, path);
      found.push(...inner.found);
      at = inner.at;
      [path, word] = [before, ""];
    } else if (sign === "}") {
      close();
      return { found, at };
    } else if (sign === ",") close();
    else if (!/\s/.test(sign)) {
      close();
      return { found, at };
    }
  }
  close();
  return { found, at };
}

/** Every path that begins at `crate`, in imports and elsewhere. `own`: the module's own path, for `super` and `self`. */
function mentioned(text, own) {
  const found = [];
  for (const { 0: start, index } of text.matchAll(/\b(?:crate|self|super(?:::super)*)::/g)) {
    if (/[\w:]/.test(text[index - 1] ?? " ") || /\$$/.test(text.slice(0, index))) continue;
    const ups = (start.match(/super/g) ?? []).length;
    const base = start.startsWith("crate") ? [] : own.slice(0, own.length - ups);
    const after = index + start.length;
    if (text[after] === "{") found.push(...branches(text, after + 1, base).found);
    else found.push([...base, ...(text.slice(after).match(/^\w+(?:::\w+)*/)?.[0] ?? "").split("::")]);
  }
  return found;
}

function arrowsOf(crate, folder) {
  const byFile = BY_FILE.has(crate);
  const modules = new Set(files(folder).map((path) => path.slice(folder.length + 1).replace(/\.rs$/, "").replaceAll("/", "::")));
  const arrows = new Map();
  for (const path of files(folder)) {
    const own = path.slice(folder.length + 1).replace(/\.rs$/, "").split("/");
    if (["lib", "main"].includes(own[0]) || own.includes("tests") || own.includes("contract")) continue;
    // A private child counts as part of its parent.
    const room = (parts) => (byFile ? parts.slice(0, 2) : parts.slice(0, 1)).join("::");
    const from = room(own);
    for (const parts of mentioned(code(path), own)) {
      let known = parts;
      while (known.length > 0 && !modules.has(known.join("::"))) known = known.slice(0, -1);
      if (known.length === 0) continue;
      const to = room(known);
      if (to === from || from.startsWith(`${to}::`)) continue;
      if (!arrows.has(from)) arrows.set(from, new Set());
      arrows.get(from).add(to);
    }
  }
  return arrows;
}

/** Groups of modules that can reach each other (Tarjan). */
function circles(arrows) {
  const [index, low, stack, found] = [new Map(), new Map(), [], []];
  const visit = (at) => {
    index.set(at, index.size);
    low.set(at, index.get(at));
    stack.push(at);
    for (const next of arrows.get(at) ?? []) {
      if (!index.has(next)) visit(next);
      if (stack.includes(next)) low.set(at, Math.min(low.get(at), low.get(next)));
    }
    if (low.get(at) === index.get(at)) {
      const group = stack.splice(stack.indexOf(at));
      if (group.length > 1) found.push(group.sort());
    }
  };
  for (const start of arrows.keys()) if (!index.has(start)) visit(start);
  return found;
}

const top = (name) => name.split("::")[0];
function map(crate, arrows) {
  const tops = new Map();
  for (const [from, to] of arrows) {
    for (const one of to) {
      if (top(one) === top(from)) continue;
      if (!tops.has(top(from))) tops.set(top(from), new Set());
      tops.get(top(from)).add(top(one));
    }
  }
  return [...tops].sort(([a], [b]) => a.localeCompare(b)).map(([from, to]) => `${crate}::${from} → ${[...to].sort().join(", ")}`);
}

const drawn = Object.entries(crates).map(([crate, folder]) => [crate, arrowsOf(crate, join(root, folder))]);
const lines = drawn.flatMap(([crate, arrows]) => map(crate, arrows));
const faults = drawn.flatMap(([crate, arrows]) => circles(arrows).map((group) => `${crate}: a circle: ${group.join(", ")}`));
if (process.argv.includes("--print")) {
  console.log(lines.join("\n"));
} else {
  const document = readFileSync(join(root, "ARCHITECTURE.md"), "utf8");
  const allowed = (document.match(/```arrows\n([\s\S]*?)```/)?.[1] ?? "").trim().split("\n");
  for (const line of lines) if (!allowed.includes(line)) faults.push(`not in the map of ARCHITECTURE.md: ${line}`);
  for (const line of allowed) if (!lines.includes(line)) faults.push(`only in the map of ARCHITECTURE.md: ${line}`);
}
if (faults.length > 0) {
  console.error(faults.map((fault) => `arrows: ${fault}`).join("\n"));
  process.exit(1);
}

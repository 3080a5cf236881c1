#!/usr/bin/env node
// Who may import whom: reads the imports between the top modules of each crate and compares them with the map in
// ARCHITECTURE.md. An import that the map does not have, an arrow of the map that nobody uses, and a circle are errors.
// `scripts/arrows.mjs --print` prints the map as the sources have it.

import { readFileSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";

const root = new URL("..", import.meta.url).pathname;
const crates = { model: "crates/model/src", mail: "crates/mail/src", app: "app/src", server: "server/src" };

function files(folder) {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    return statSync(path).isDirectory() ? files(path) : path.endsWith(".rs") ? [path] : [];
  });
}

/** The source without comments, texts and what only tests see. */
function code(path) {
  const text = readFileSync(path, "utf8")
    .replace(/^\s*\/\/.*$/gm, "")
    .replace(/"(?:[^"\\]|\\.)*"/gs, '""');
  return text.replace(/#\[cfg\(test\)\]\s*(?:pub(?:\([^)]*\))? )?mod \w+ \{[\s\S]*?\n\}/g, "");
}

/** The first segments of what is imported from the own crate: `crate::x`, and `crate::{x, y::z}`. */
function imported(text) {
  const found = new Set();
  for (const [, name] of text.matchAll(/\bcrate::(\w+)/g)) found.add(name);
  for (const { index } of text.matchAll(/\bcrate::\{/g)) {
    let depth = 0;
    let word = "";
    for (let at = index + "crate::".length; at < text.length; at += 1) {
      const sign = text[at];
      if (depth === 1 && /\w/.test(sign)) word += sign;
      else {
        if (word && depth === 1) found.add(word);
        word = "";
        if (sign === "{") depth += 1;
        if (sign === "}" && (depth -= 1) === 0) break;
        // The rest of a path is not its beginning.
        if (depth === 1 && sign === ":") {
          let nested = 0;
          for (; at + 1 < text.length; at += 1) {
            const next = text[at + 1];
            if (next === "{") nested += 1;
            if (next === "}" && nested === 0) break;
            if (next === "}") nested -= 1;
            if (next === "," && nested === 0) break;
          }
        }
      }
    }
  }
  return found;
}

function arrowsOf(folder) {
  const arrows = new Map();
  const modules = new Set(readdirSync(folder).map((name) => name.replace(/\.rs$/, "")));
  for (const path of files(folder)) {
    const parts = path.slice(folder.length + 1).replace(/\.rs$/, "").split("/");
    const [from] = parts;
    if (from === "lib" || from === "main" || parts.includes("tests")) continue;
    for (const to of imported(code(path))) {
      if (to === from || !modules.has(to)) continue;
      if (!arrows.has(from)) arrows.set(from, new Set());
      arrows.get(from).add(to);
    }
  }
  return arrows;
}

/** Modules that can reach themselves, as one path each. */
function circles(arrows) {
  const found = [];
  const done = new Set();
  const walk = (at, path) => {
    if (path.includes(at)) {
      found.push([...path.slice(path.indexOf(at)), at].join(" → "));
      return;
    }
    if (done.has(at)) return;
    for (const next of arrows.get(at) ?? []) walk(next, [...path, at]);
    done.add(at);
  };
  for (const start of arrows.keys()) walk(start, []);
  return found;
}

const map = (crate, arrows) =>
  [...arrows].sort(([a], [b]) => a.localeCompare(b)).map(([from, to]) => `${crate}::${from} → ${[...to].sort().join(", ")}`);

const drawn = Object.entries(crates).map(([crate, folder]) => [crate, arrowsOf(join(root, folder))]);
const lines = drawn.flatMap(([crate, arrows]) => map(crate, arrows));
if (process.argv.includes("--print")) {
  console.log(lines.join("\n"));
}
const faults = drawn.flatMap(([crate, arrows]) => circles(arrows).map((circle) => `${crate}: a circle: ${circle}`));
if (!process.argv.includes("--print")) {
  const document = readFileSync(join(root, "ARCHITECTURE.md"), "utf8");
  const allowed = (document.match(/```arrows\n([\s\S]*?)```/)?.[1] ?? "").trim().split("\n");
  for (const line of lines) if (!allowed.includes(line)) faults.push(`not in the map of ARCHITECTURE.md: ${line}`);
  for (const line of allowed) if (!lines.includes(line)) faults.push(`only in the map of ARCHITECTURE.md: ${line}`);
}
if (faults.length > 0) {
  console.error(faults.map((fault) => `arrows: ${fault}`).join("\n"));
  process.exit(1);
}

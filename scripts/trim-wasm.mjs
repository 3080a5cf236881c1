// Removes what no page calls: the classes that a library of the framework exports for streams written by WebAssembly
// (wasm-streams), and, after the optimiser has dropped what only they needed, the remaining imports of the glue.
//
//   trim-wasm.mjs exports <glue.js> <module.wasm>    before the optimiser
//   trim-wasm.mjs imports <glue.js> <module.wasm>    after it
import { readFileSync, writeFileSync } from "node:fs";

const [what, glue, module] = process.argv.slice(2);
const bytes = readFileSync(module);
let at;

/** A number as WebAssembly writes it (unsigned LEB128). */
function number() {
  let value = 0;
  for (let shift = 0; ; shift += 7) {
    const byte = bytes[at++];
    value += (byte & 127) * 2 ** shift;
    if (byte < 128) return value;
  }
}
function written(value) {
  const out = [];
  do {
    out.push((value & 127) | (value > 127 ? 128 : 0));
    value = Math.floor(value / 128);
  } while (value > 0);
  return Buffer.from(out);
}
function text() {
  const length = number();
  return bytes.subarray(at, (at += length)).toString();
}

/** The sections of the module: id, where each begins with its head, where its content begins, where it ends. */
function* sections() {
  for (at = 8; at < bytes.length; ) {
    const head = at;
    const id = bytes[at++];
    const length = number();
    const [start, end] = [at, at + length];
    yield { id, head, start, end };
    at = end;
  }
}

const UNUSED = /^(__wbg_)?intounderlying/;
let script = readFileSync(glue, "utf8");

if (what === "exports") {
  for (const { id, head, start, end } of sections()) {
    if (id !== 7) continue;
    at = start;
    const kept = [];
    for (let left = number(); left > 0; left--) {
      const begin = at;
      const name = text();
      at++;
      number();
      if (!UNUSED.test(name)) kept.push(bytes.subarray(begin, at));
    }
    const content = Buffer.concat([written(kept.length), ...kept]);
    const section = Buffer.concat([Buffer.from([7]), written(content.length), content]);
    writeFileSync(module, Buffer.concat([bytes.subarray(0, head), section, bytes.subarray(end)]));
    break;
  }
  script = script
    .replace(/^export class IntoUnderlying\w+ \{[^]*?^\}\n/gm, "")
    .replace(/^if \(Symbol\.dispose\) IntoUnderlying.*\n/gm, "")
    .replace(/^const IntoUnderlying\w+ = [^]*?\);\n/gm, "");
} else {
  const used = new Set();
  for (const { id, start } of sections()) {
    if (id !== 2) continue;
    at = start;
    for (let left = number(); left > 0; left--) {
      text();
      used.add(text());
      if (bytes[at++] !== 0) throw new Error("an import that is no function");
      number();
    }
  }
  script = script.replace(/^ {8}(__wb\w+): function[^]*?^ {8}\},\n/gm, (entry, name) => (used.has(name) ? entry : ""));
}
writeFileSync(glue, script);

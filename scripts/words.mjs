#!/usr/bin/env node
// Finds words that read as translated, in comments, texts and documents: `scripts/words.mjs [path…]`.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";

const WORDS = [
  [/\b(?:nobody|somebody|whoever|whatever|anew)\b/i, "name who or what it is: the owner, the process, any value, again"],
  [/\b(?:is|are|was|were|be) told\b/i, "say who reports what to whom"],
  [/\bmend(?:s|ed|ing)?\b/i, "fix"],
  [/\bfigures?\b/i, "metric, measurement, number"],
  [/\bcom(?:e|es|ing)? to nothing\b|\bcame to nothing\b/i, "fail, end without a result"],
  [/\bis had\b|\bbears?\b/i, "has, carries"],
  [/\bstands? (?:still|in the place)\b/i, "is paused, replaces"],
  [/\bof before\b|\bas somebody\b/i, "earlier, previous"],
  [/\bleave to send\b/i, "send permit"],
  [/\bin (?:its|their|the) turn\b/i, "also, then"],
];

const KINDS = /\.(?:rs|ts|mjs|js|css|md|sql|sh|toml|yml|html)$|^(?:Makefile|scripts\/[^.]+|\.ci\/run)$/;
// Data, other languages, generated files, what has happened already, and migrations: their checksums include comments.
const NOT = /^(?:server\/migrations\/|app\/i18n\/|crates\/model\/src\/provider\/data\/|crates\/mail\/src\/diagnosis\/(?:rules|corpus)|.*\/corpus|.*snapshots\/|CHANGELOG\.md|scripts\/words\.mjs|.*package-lock)/;

/** The parts of a line that a person reads: all of it in a document, comments and quoted texts in code. */
function read(path, line) {
  if (/\.md$/.test(path)) return line.replace(/`[^`]*`/g, "");
  const parts = [];
  const comment = /(?:^|\s)(?:\/\/[/!]?|#|\*|\/\*|--)\s(.*)$/.exec(line);
  if (comment) parts.push(comment[1]);
  // Every string is matched, so that the text between two strings is not taken for one; a single word is a code.
  for (const [, text] of line.matchAll(/"((?:[^"\\]|\\.)*)"/g)) if (text.includes(" ")) parts.push(text);
  return parts.join(" · ").replace(/`[^`]*`/g, "");
}

const listed = execFileSync("git", ["ls-files", "--", ...process.argv.slice(2)], { encoding: "utf8" });
let found = 0;
for (const path of listed.split("\n").filter((path) => KINDS.test(path) && !NOT.test(path))) {
  readFileSync(path, "utf8").split("\n").forEach((line, at) => {
    const text = read(path, line);
    for (const [word, better] of WORDS) {
      const hit = word.exec(text);
      if (hit) {
        found += 1;
        console.log(`${path}:${at + 1}: "${hit[0]}": ${better}\n    ${line.trim()}`);
      }
    }
  });
}
console.error(found === 0 ? "words: none" : `words: ${found} to rewrite`);
process.exitCode = found === 0 ? 0 : 1;

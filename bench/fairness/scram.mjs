// A login that is expensive for the client: SCRAM-SHA-256 (RFC 5802, RFC 7677) with the most rounds that Facteur
// accepts. The server computes it once, because its salt stays the same.
import { createHmac, pbkdf2Sync } from "node:crypto";

export const ROUNDS = 250_000;
const SALT = Buffer.from("the same every time");
const salted = {};

const keyed = (key, text) => createHmac("sha256", key).update(text).digest();
const encode = (text) => Buffer.from(text).toString("base64");
const decode = (text) => Buffer.from(text, "base64").toString();

/** Answers `AUTH SCRAM-SHA-256 …`, and proves that it knows the password, as its owner entered it. */
export const scram = (password) => async (socket, line, next) => {
  const bare = decode(line.split(" ")[2] ?? "").slice(3); // without "n,,"
  const nonce = `${/r=([^,]*)/.exec(bare)?.[1]}server`;
  const challenge = `r=${nonce},s=${SALT.toString("base64")},i=${ROUNDS}`;
  socket.write(`334 ${encode(challenge)}\r\n`);
  const answer = decode((await next()) ?? "");
  const message = `${bare},${challenge},${answer.slice(0, answer.lastIndexOf(",p="))}`;
  salted.key ??= pbkdf2Sync(password, SALT, ROUNDS, 32, "sha256");
  return `235 ${encode(`v=${keyed(keyed(salted.key, "Server Key"), message).toString("base64")}`)}\r\n`;
};

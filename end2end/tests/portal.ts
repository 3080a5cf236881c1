// What the demo portal's own server could do: sign a token, end sessions.
import { createHmac, randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Demo, expect } from "./demo";

/** A token such as the demo portal signs. */
export function sign(demo: Demo, claims: Record<string, unknown> = {}): string {
  const [, id, key] = /\[portal\]\s+id = "([^"]+)"\s+key = "([^"]+)"/.exec(readFileSync(join(demo.folder, "keys.toml"), "utf8"))!;
  const now = Math.floor(Date.now() / 1_000);
  const all = {
    iss: "demo", aud: "facteur", iat: now, exp: now + 60, jti: randomUUID(), sub: "claire", email: "claire@boulangerie-martin.example",
    account: { id: "boulangerie-martin", name: "Boulangerie Martin" }, ...claims,
  };
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const text = `${part({ alg: "HS256", typ: "JWT", kid: id })}.${part(all)}`;
  return `${text}.${createHmac("sha256", Buffer.from(key, "base64")).update(text).digest("base64url")}`;
}

/** The portal signs Claire out, or the person in the claims: all of their sessions end. */
export async function revoke(demo: Demo, claims: Record<string, unknown> = {}) {
  const headers = { authorization: `Bearer ${sign(demo, claims)}` };
  const answer = await fetch(`${demo.configurator}/api/v1/sessions/revoke`, { method: "POST", headers });
  expect(answer.status).toBe(204);
}

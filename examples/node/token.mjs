// The token, signed with jsonwebtoken. FACTEUR_KEY_FILE names the file with the key that Facteur shares. FACTEUR_URL is
// Facteur's address, the token's only audience.
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import jwt from "jsonwebtoken";

const key = readFileSync(process.env.FACTEUR_KEY_FILE, "utf8").trimEnd();

export function facteurToken(user, challenge) { // challenge: from the element's request, if there is one
  const claims = {
    iss: "my-portal", aud: process.env.FACTEUR_URL, jti: randomUUID(), challenge, // iat is added by the library
    sub: String(user.id), name: user.name, email: user.email,
    account: { id: String(user.shop.id), name: user.shop.name },
  };
  return jwt.sign(claims, key, { algorithm: "HS256", keyid: "k1", expiresIn: 120 }); // seconds
}

// Random choices that depend on the seed and the subject, not on the time: the same seed gives the same day, as far as
// the clock allows.
import { createHash } from "node:crypto";

export class Chance {
  constructor(seed) {
    this.seed = String(seed);
  }

  /** A number from 0 to 1. */
  number(...about) {
    const digest = createHash("sha256").update(JSON.stringify([this.seed, ...about])).digest();
    return digest.readUIntBE(0, 6) / 2 ** 48;
  }

  /** Whether something of this likelihood happens. */
  happens(likelihood, ...about) {
    return this.number(...about) < likelihood;
  }

  /** A whole number, both ends included. */
  between(low, high, ...about) {
    return low + Math.floor(this.number(...about) * (high - low + 1));
  }

  one(list, ...about) {
    return list[this.between(0, list.length - 1, ...about)];
  }

  /** `length` bytes. */
  bytes(length, ...about) {
    const parts = [];
    for (let at = 0; at < length; at += 32) {
      parts.push(createHash("sha256").update(JSON.stringify([this.seed, at, ...about])).digest());
    }
    return Buffer.concat(parts).subarray(0, length);
  }
}

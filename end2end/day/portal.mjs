// The portal: signs its customers in to set up their profiles, and speaks the messages API.
import { createHmac, randomUUID } from "node:crypto";

import { ask } from "./ask.mjs";

const encode = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");

export class Portal {
  /** As `configure` describes it: id, url, origin, secret, apiKey. */
  constructor(description) {
    Object.assign(this, description);
  }

  #token(account) {
    const now = Math.floor(Date.now() / 1000);
    const claims = { iss: this.id, aud: "facteur", iat: now, exp: now + 120, jti: randomUUID(), sub: `owner-of-${account}` };
    Object.assign(claims, { email: `owner@${account}.example`, account: { id: account, name: account }, page: "profiles" });
    const signed = `${encode({ typ: "JWT", alg: "HS256", kid: "k1" })}.${encode(claims)}`;
    return `${signed}.${createHmac("sha256", this.secret).update(signed).digest("base64url")}`;
  }

  /** Does what an owner does in the configurator: creates a profile and puts it in use. Returns the profile's id. */
  async setUp(account) {
    const door = { headers: { origin: this.origin }, form: { token: this.#token(account.id) } };
    const entered = await ask("POST", `${this.url}/session`, door);
    const cookie = entered.headers["set-cookie"]?.[0].split(";")[0];
    if (!cookie) throw new Error(`no session for ${account.id}: ${entered.status} ${entered.text}`);
    const post = async (path, form) => {
      const headers = { cookie, origin: this.url, "sec-fetch-site": "same-origin", accept: "text/html" };
      const { status, headers: answered, text } = await ask("POST", `${this.url}${path}`, { headers, form });
      if (status !== 303) throw new Error(`${path} for ${account.id}: ${status} ${text.slice(0, 500)}`);
      return answered.location;
    };
    if (account.mode === "portal") return void (await post("/api/sending-mode/save", { mode: "portal" }));
    const location = await post("/api/profiles/save", {
      id: "",
      "draft[preset]": "",
      "draft[host]": "127.0.0.1",
      "draft[port]": account.server.port,
      "draft[security]": account.security,
      "draft[user]": "",
      "draft[login]": account.login,
      "draft[sender_name]": account.sender.name,
      "draft[sender_address]": account.sender.address,
      "draft[reply_to]": "",
      secret: account.secret,
    });
    const id = /\/profiles\/encoding\?id=([\w-]{36})/.exec(location)?.[1];
    if (!id) throw new Error(`the profile of ${account.id} was refused: ${location}`);
    await post("/api/sending-mode/save", { mode: "own_smtp" });
    return id;
  }

  /** Calls the API; returns the parsed body. */
  async api(method, path, { json, key } = {}) {
    const headers = key ? { "idempotency-key": key } : {};
    const { status, text } = await ask(method, `${this.url}/api/v1${path}`, { headers, json, bearer: this.apiKey });
    try {
      return { status, body: JSON.parse(text) };
    } catch {
      return { status, body: text };
    }
  }

  post(message) {
    return this.api("POST", "/messages", { json: message.body, key: message.key });
  }

  get(id) {
    return this.api("GET", `/messages/${id}`);
  }

  /** Every message of an account, page by page. */
  async list(account, limit) {
    const found = [];
    for (let before = ""; ; ) {
      const query = new URLSearchParams({ account, limit, ...(before && { before }) });
      const { status, body } = await this.api("GET", `/messages?${query}`);
      if (status !== 200) throw new Error(`the list of ${account}: ${status} ${JSON.stringify(body)}`);
      found.push(...body.messages);
      if (body.messages.length > limit) throw new Error(`a page of ${body.messages.length} where ${limit} were asked for`);
      if (!body.next) return found;
      before = body.next;
    }
  }
}

// An HTTP request. `fetch` does not allow setting `Origin`.
import { Agent, request } from "node:http";

const agent = new Agent({ keepAlive: true, maxSockets: 32 });

/** Returns status, headers and text. Fails if the connection does. */
export function ask(method, url, { headers = {}, form, json, bearer } = {}) {
  const all = { ...headers };
  let sent;
  if (form) [sent, all["content-type"]] = [new URLSearchParams(form).toString(), "application/x-www-form-urlencoded"];
  if (json !== undefined) [sent, all["content-type"]] = [JSON.stringify(json), "application/json"];
  if (sent !== undefined) all["content-length"] = Buffer.byteLength(sent);
  if (bearer) all.authorization = `Bearer ${bearer}`;
  return new Promise((done, failed) => {
    const asked = request(url, { method, headers: all, agent }, (answer) => {
      let text = "";
      answer.setEncoding("utf8").on("data", (part) => (text += part));
      answer.on("error", failed).on("end", () => done({ status: answer.statusCode, headers: answer.headers, text }));
      answer.on("aborted", () => failed(new Error("the answer broke off")));
    });
    asked.setTimeout(20_000, () => asked.destroy(new Error(`${method} ${url}: no answer in 20 s`)));
    asked.on("error", failed).end(sent);
  });
}

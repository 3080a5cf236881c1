// A portal in Node. npm install, then:
//   FACTEUR_URL=http://127.0.0.1:3000 FACTEUR_KEY_FILE=portal.key PORT=4000 node portal.mjs
import { createServer } from "node:http";
import { text } from "node:stream/consumers";
import { facteurToken } from "./token.mjs";

const { FACTEUR_URL, PORT } = process.env;
// The signed-in user, from your own session.
const user = { id: 7, name: "Claire Martin", email: "claire@bakery.example", shop: { id: 42, name: "Martin Bakery" } };

const form = (target) => `<form method="post" action="${FACTEUR_URL}/session" target="${target}">
  <input type="hidden" name="token" value="${facteurToken(user)}"><button>Email settings</button></form>
  <script>document.forms[0].submit()</script>`;

const pages = {
  "GET /": () => `<a href="/open">In a page</a> <a href="/frame">In a frame</a> <a href="/element">As an element</a>`,
  "GET /open": () => form("_self"),
  "GET /frame": () => `<iframe name="facteur" title="Email settings" width="100%" height="900"></iframe>${form("facteur")}`,
  "GET /element": () => `<script src="${FACTEUR_URL}/embed.js" async></script>
    <smtp-configurator token-url="/facteur-token">Loading…</smtp-configurator>`,
  "POST /facteur-token": (form) => facteurToken(user, form.get("challenge") ?? undefined),
};

createServer(async (request, response) => {
  const page = pages[`${request.method} ${request.url}`];
  const form = new URLSearchParams(await text(request));
  const type = request.method === "POST" ? "text/plain" : "text/html; charset=utf-8";
  response.writeHead(page ? 200 : 404, { "content-type": type, "cache-control": "no-store" }).end(page?.(form));
}).listen(Number(PORT), "127.0.0.1");

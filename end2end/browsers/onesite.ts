// The demo under one host. WebKit accepts no cookie in a frame of another site, so a portal gives the configurator a
// name under its own domain (docs/embedding.md). The demo's portal and configurator are two sites; here each has a
// proxy at `localhost` that forwards everything and rewrites the addresses.
import { createServer, type IncomingMessage, request, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Demo } from "../tests/demo";
import { sign } from "../tests/portal";

export type Site = Pick<Demo, "portal" | "inbox"> & { close(): void };

type Names = [inner: string, outer: string][];
const outwards = (text: string, names: Names) => names.reduce((all, [inner, outer]) => all.replaceAll(inner, outer), text);
const inwards = (text: string, names: Names) => names.reduce((all, [inner, outer]) => all.replaceAll(outer, inner), text);

async function whole(stream: IncomingMessage): Promise<string> {
  let text = "";
  for await (const part of stream.setEncoding("utf8")) text += part;
  return text;
}

export async function oneSite(demo: Demo): Promise<Site> {
  const names: Names = [];
  const servers: Server[] = [];
  const neighbour = async (inner: string) => {
    const server = createServer(async (asked, answer) => {
      const headers = JSON.parse(inwards(JSON.stringify(asked.headers), names));
      const sent = await whole(asked);
      // Compressed pages could not be rewritten.
      Object.assign(headers, { host: new URL(inner).host, "accept-encoding": "identity" });
      const onwards = request(inner + asked.url, { method: asked.method, headers }, async (given) => {
        const its = JSON.parse(outwards(JSON.stringify(given.headers), names));
        const isText = /html|javascript|text\/plain/.test(given.headers["content-type"] ?? "");
        if (!isText) return given.pipe(answer.writeHead(given.statusCode!, its));
        let text = outwards(await whole(given), names);
        if (asked.url!.endsWith("/token")) text = renamed(demo, text);
        delete its["content-length"];
        answer.writeHead(given.statusCode!, its).end(text);
      });
      // If the browser closes a stream, the proxy closes it, too.
      answer.on("close", () => onwards.destroy());
      onwards.on("error", () => answer.destroy()).end(sent);
    });
    await new Promise<void>((resolve) => server.listen(0, "localhost", resolve));
    servers.push(server);
    const outer = `http://localhost:${(server.address() as AddressInfo).port}`;
    names.push([inner, outer]);
    return outer;
  };
  const portal = await neighbour(demo.portal);
  await neighbour(demo.configurator);
  const close = () => servers.forEach((server) => (server.close(), server.closeAllConnections()));
  return { portal, inbox: () => demo.inbox(), close };
}

/** The portal's token, for "facteur" instead of an address that the element does not know. */
function renamed(demo: Demo, token: string): string {
  const claims = JSON.parse(Buffer.from(token.split(".")[1], "base64url").toString());
  return sign(demo, { ...claims, aud: "facteur" });
}

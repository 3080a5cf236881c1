// Listens on each of the given addresses with the smallest backlog, and is then stopped by its parent. The kernel keeps
// listening for it, and once the backlog is full it no longer answers a SYN.
import { once } from "node:events";
import { createServer } from "node:net";

for (const { host, port } of JSON.parse(process.argv[2]))
  await once(createServer().listen({ host, port, backlog: 1 }), "listening");
process.send("listening");
process.on("disconnect", () => process.exit());

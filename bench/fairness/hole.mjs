// Listens at each of the given places with the smallest backlog, and is then stopped by its parent: the kernel goes on
// listening for it, and once the backlog is full it does not answer a SYN any more.
import { once } from "node:events";
import { createServer } from "node:net";

for (const { host, port } of JSON.parse(process.argv[2]))
  await once(createServer().listen({ host, port, backlog: 1 }), "listening");
process.send("listening");
process.on("disconnect", () => process.exit());

// nodemailer's pooled transport in a separate process, which stays for all rounds: it is measured warm.
import { createTransport } from "nodemailer";
import { message } from "./message.mjs";

process.on("message", async ({ port, count, connections }) => {
  const transport = createTransport({
    pool: true,
    host: "127.0.0.1",
    port,
    ignoreTLS: true,
    maxConnections: connections,
    maxMessages: Infinity, // the default opens a new connection every 100 messages
  });
  const sent = [];
  for (let i = 0; i < count; i++) {
    const { to, subject, text } = message(i);
    sent.push(transport.sendMail({ from: { name: "Demo", address: "no-reply@bench.example" }, to, subject, text }));
  }
  const ended = await Promise.allSettled(sent);
  transport.close();
  process.send({ failed: ended.filter(({ status }) => status === "rejected").length });
});
process.on("disconnect", () => process.exit());
process.send("ready");

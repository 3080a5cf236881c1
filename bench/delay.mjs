// Adds latency: a TCP proxy in a separate process that forwards every byte `ms` later in each direction. Bytes that
// arrive together are forwarded together, so the rate is not limited. The TCP handshake itself is not delayed; the
// greeting is. Started with fork: node delay.mjs <port to reach> <ms>.
import { connect, createServer } from "node:net";

const [target, ms] = process.argv.slice(2).map(Number);
const NOTHING = Buffer.alloc(0);
let sent = 0; // bytes from the clients

function line(out) {
  const queue = [];
  let timer = null;
  const arm = () => (timer = queue.length > 0 ? setTimeout(hand, queue[0].at - performance.now()) : null);
  const hand = () => {
    // Node's timers have whole milliseconds: bytes due within half of one are sent now.
    const due = performance.now() + 1;
    while (queue.length > 0 && queue[0].at <= due) {
      const { bytes } = queue.shift();
      if (bytes === NOTHING) out.end();
      else if (out.writable) out.write(bytes);
    }
    arm();
  };
  return (bytes) => {
    queue.push({ at: performance.now() + ms, bytes });
    if (timer === null) arm();
  };
}

const server = createServer({ noDelay: true, allowHalfOpen: true }, (client) => {
  const far = connect({ port: target, host: "127.0.0.1", noDelay: true, allowHalfOpen: true });
  for (const [from, to] of [
    [client, far],
    [far, client],
  ]) {
    const hand = line(to);
    from.on("data", (bytes) => {
      if (from === client) sent += bytes.length;
      hand(bytes);
    });
    from.on("end", () => hand(NOTHING));
    from.on("error", () => to.destroy());
  }
});
server.listen(0, "127.0.0.1", () => process.send({ port: server.address().port }));
process.on("message", () => process.send({ sent }));
process.on("disconnect", () => process.exit());

// Starts the delaying proxy and verifies it: a round trip of 20 ms for one request and for many at once, and no limit
// on the throughput.
import { fork } from "node:child_process";
import { once } from "node:events";
import { connect, createServer } from "node:net";
import { now } from "./processes.mjs";
import { median } from "./statistics.mjs";

export const ROUND_TRIP = 20;

export async function delayed(port) {
  const child = fork(new URL("delay.mjs", import.meta.url), [String(port), String(ROUND_TRIP / 2)]);
  const [{ port: own }] = await once(child, "message");
  return {
    port: own,
    /** The number of bytes that clients have sent through it. */
    async sent() {
      child.send("sent");
      return (await once(child, "message"))[0].sent;
    },
    close: () => child.disconnect(),
  };
}

async function ping(socket, times) {
  const took = [];
  for (let i = 0; i < times; i++) {
    const began = now();
    socket.write("x");
    await once(socket, "data");
    took.push(now() - began);
  }
  return took;
}

export async function check() {
  const echo = createServer({ noDelay: true }, (socket) => socket.pipe(socket)).listen(0, "127.0.0.1");
  await once(echo, "listening");
  const way = await delayed(echo.address().port);
  const sockets = [];
  for (let i = 0; i < 50; i++) {
    const socket = connect({ port: way.port, host: "127.0.0.1", noDelay: true });
    await once(socket, "connect");
    sockets.push(socket);
  }
  const alone = median(await ping(sockets[0], 20));
  const together = median((await Promise.all(sockets.map((socket) => ping(socket, 10)))).flat());

  // A large transfer must not take long; otherwise it would be passed on in pieces.
  const began = now();
  const bytes = 16 << 20;
  sockets[1].write(Buffer.alloc(bytes));
  for (let came = 0; came < bytes;) came += (await once(sockets[1], "data"))[0].length;
  const seconds = (now() - began - ROUND_TRIP) / 1000;

  sockets.forEach((socket) => socket.destroy());
  way.close();
  echo.close();
  return { alone_ms: alone, fifty_at_once_ms: together, megabytes_per_second: bytes / 1e6 / seconds };
}

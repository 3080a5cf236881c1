// The bad accounts: their mail servers, and the portal that keeps posting for them. A separate process with the lowest
// priority, because on the internet the servers run on other machines. Started with fork; orders come as messages.
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { Agent } from "node:http";
import { connect, createServer } from "node:net";
import { fork } from "node:child_process";
import { setPriority } from "node:os";
import { ask, closedLoop } from "../load.mjs";
import { TEXT } from "../message.mjs";
import { now, pause } from "../processes.mjs";
import { converse } from "./conversation.mjs";
import { KINDS } from "./kinds.mjs";

setPriority(19);
process.on("disconnect", () => process.exit());
process.on("uncaughtException", (error) => {
  if (!["ECONNRESET", "EPIPE"].includes(error.code)) throw error;
});

const open = new Set();
const stopped = new Set();
let posting = null;
let connections = 0;

/**
 * Listens on the servers' addresses. `closed` needs no listener; a black hole is a stopped process with a full backlog.
 */
async function listen({ servers }) {
  const holes = servers.filter(({ kind }) => KINDS[kind].stopped);
  for (const { kind, host, port } of servers) {
    const answers = KINDS[kind];
    if (answers.nobody || answers.stopped) continue;
    const server = createServer({ noDelay: true }, (socket) => {
      connections++;
      open.add(socket);
      socket.on("error", () => {}).on("close", () => open.delete(socket));
      if (answers.open) answers.open(socket);
      else converse(socket, answers);
    });
    await once(server.listen(port, host), "listening");
  }
  if (holes.length > 0) await dig(holes);
}

async function dig(holes) {
  const hole = fork(new URL("hole.mjs", import.meta.url), [JSON.stringify(holes)]);
  stopped.add(hole);
  await once(hole, "message");
  hole.kill("SIGSTOP");
  await pause(100);
  // The kernel accepts as many connections as the backlog holds, and does not answer the next one.
  for (const { host, port } of holes) for (let i = 0; i < 4; i++) connect(port, host).on("error", () => {});
  await pause(300);
}
process.on("exit", () => stopped.forEach((child) => child.kill("SIGKILL")));

const request = ({ url, key }, account, i) => {
  const body = JSON.stringify({
    account,
    to: [`customer-${i}@bench.example`],
    subject: `Neighbour ${i}`,
    text: TEXT,
  });
  const headers = {
    authorization: `Bearer ${key}`,
    "content-type": "application/json",
    "idempotency-key": randomUUID(),
  };
  return [`${url}/api/v1/messages`, { method: "POST", headers, body }];
};

/** Posts `each` messages for each account. */
async function fill({ portal, accounts, each }) {
  const make = (i) => request(portal, accounts[i % accounts.length], i);
  if (each > 0) await closedLoop({ concurrency: 32, count: accounts.length * each, status: 202, seconds: 300, make });
}

/** Keeps posting `rate` messages a second, for one account after another, until the order to stop. */
async function post({ portal, accounts, rate }) {
  const mine = (posting = { failed: 0, given: 0 });
  const agent = new Agent({ keepAlive: true, maxSockets: 16 });
  const began = now();
  for (let i = 0; posting === mine; await pause(5)) {
    for (; posting === mine && began + (i * 1000) / rate <= now(); i++) {
      const [url, options] = request(portal, accounts[i % accounts.length], i);
      ask(url, { ...options, agent }).then(
        ({ status }) => (status === 202 ? mine.given++ : mine.failed++),
        () => mine.failed++,
      );
    }
  }
  agent.destroy();
}

/** Live tests: each account starts them as often as its limits allow. */
async function test({ visits }) {
  const mine = posting;
  const one = async ({ url, headers, id }) => {
    const body = new URLSearchParams({ id }).toString();
    while (posting === mine && mine !== null) {
      await ask(`${url}/api/test/run`, { method: "POST", headers, body }).catch(() => {});
      await pause(1000);
    }
  };
  visits.forEach(one);
}

const orders = {
  listen,
  fill,
  post: (order) => void post(order),
  test: (order) => void test(order),
  stop: () => {
    posting = null;
    open.forEach((socket) => socket.destroy());
  },
  count: () => connections,
};

process.on("message", async ({ id, order, ...what }) => {
  try {
    process.send({ id, answer: await orders[order](what) });
  } catch (error) {
    process.send({ id, error: error.message });
  }
});

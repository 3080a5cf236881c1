// Requests as a portal makes them: over kept connections. Every load ends after a number of requests or a time.
import { Agent, request } from "node:http";
import { now, pause } from "./processes.mjs";
import { percentile } from "./statistics.mjs";

export function ask(url, { method = "GET", headers = {}, body, agent = false } = {}) {
  const length = body === undefined ? {} : { "content-length": Buffer.byteLength(body) };
  return new Promise((done, failed) => {
    const sent = request(url, { method, agent, headers: { ...headers, ...length } }, (answer) => {
      let text = "";
      answer.setEncoding("utf8").on("data", (part) => (text += part));
      answer.on("end", () => done({ status: answer.statusCode, headers: answer.headers, text }));
      answer.on("error", failed);
    });
    sent.on("error", failed).end(body);
  });
}

function expect(status, answer) {
  if (answer.status !== status) throw new Error(`${answer.status} instead of ${status}: ${answer.text.slice(0, 300)}`);
  return answer;
}

/** `busy`: how much of the time this process worked, in per cent. Near 100, the load generator itself is measured. */
const figures = (took, seconds, before) => ({
  rate: took.length / seconds,
  p50: percentile(took, 0.5),
  p99: percentile(took, 0.99),
  busy: performance.eventLoopUtilization(before).utilization * 100,
});

/** `concurrency` requests at any time, each sent after a response: `make(i)` returns [url, options]. */
export async function closedLoop({ concurrency, count = Infinity, seconds = 60, status = 200, keep = false, make }) {
  const agent = new Agent({ keepAlive: true, maxSockets: concurrency });
  const took = [];
  const answers = [];
  const before = performance.eventLoopUtilization();
  const began = now();
  let next = 0;
  const one = async () => {
    while (next < count && now() - began < seconds * 1000) {
      const [url, options] = make(next++);
      const start = now();
      const answer = expect(status, await ask(url, { ...options, agent }));
      took.push(now() - start);
      if (keep) answers.push(answer.text);
    }
  };
  try {
    await Promise.all(Array.from({ length: concurrency }, one));
  } finally {
    agent.destroy();
  }
  return { ...figures(took, (now() - began) / 1000, before), count: took.length, answers };
}

/**
 * Requests at a fixed rate regardless of the responses, each measured from its due time: a late response also counts
 * for the requests that waited behind it.
 */
export async function openLoop({ rate, seconds, status = 200, make }) {
  const agent = new Agent({ keepAlive: true, maxSockets: 64 });
  const took = [];
  const all = [];
  const before = performance.eventLoopUtilization();
  const began = now();
  const count = Math.floor(rate * seconds);
  try {
    for (let next = 0; next < count; await pause(1)) {
      for (; next < count && began + (next * 1000) / rate <= now(); next++) {
        const due = began + (next * 1000) / rate;
        const [url, options] = make(next);
        const answered = (answer) => {
          took.push(now() - due);
          expect(status, answer);
        };
        all.push(ask(url, { ...options, agent }).then(answered));
      }
    }
    await Promise.all(all);
  } finally {
    agent.destroy();
  }
  return figures(took, seconds, before);
}

// Kills the server at bad moments, and starts it again at once.
import { sleep } from "./machine.mjs";

/** The moments: any time, or as soon as a mail server reaches a step, a client gets 202, or the receiver is called. */
export const MOMENTS = ["now", "starting", "rcpt", "data", "body", "message", "answered", "posted", "called"];

/** `kills` times SIGKILL and `stops` times SIGTERM over `seconds`. `moments` emits `step` with the names above. */
export async function trouble(facteur, moments, chance, { kills, stops, seconds }) {
  const order = [...Array(kills).fill("SIGKILL"), ...Array(stops).fill("SIGTERM")].map((signal, at) => ({
    signal,
    moment: chance.one(MOMENTS, "moment", signal, at),
    at: chance.number("trouble", signal, at) * seconds * 1000,
  }));
  order.sort((one, other) => one.at - other.at);
  const began = Date.now();
  for (const [number, { signal, moment, at }] of order.entries()) {
    await sleep(began + at - Date.now());
    const done = await facteur.turn();
    if (moment === "starting") {
      await facteur.end(signal === "SIGTERM" ? "SIGTERM" : "SIGKILL", "before the start");
      facteur.launch();
      await sleep(chance.between(5, 400, "starting", number));
      await facteur.end("SIGKILL", moment);
    } else {
      const end = await reached(moments, moment, chance.between(1, 4, "skipped", number));
      await facteur.end(signal, end);
    }
    facteur.launch();
    await facteur.ready();
    done();
    await sleep(chance.between(100, 600, "rest", number));
  }
}

/** Waits for the `nth` time of the moment, with a limit: a moment that is never reached becomes "now". */
function reached(moments, moment, nth) {
  if (moment === "now") return moment;
  return new Promise((done) => {
    const finish = (name) => {
      clearTimeout(tired);
      moments.off("step", met);
      done(name);
    };
    const met = (step) => {
      if (step === moment && --nth === 0) finish(moment);
    };
    const tired = setTimeout(() => finish("now"), 3000);
    moments.on("step", met);
  });
}

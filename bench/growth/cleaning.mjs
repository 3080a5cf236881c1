// A million finished messages are deleted while others are sent: the same database with a retention that keeps them and
// with one that does not, alternating.
import { now, pause } from "../processes.mjs";
import { arrivals, post } from "./measures.mjs";
import { PATIENCE } from "./world.mjs";

const DAY = 86_400_000;
const KEPT = { FACTEUR__RETENTION__METADATA_DAYS: "30" };
const GONE = { FACTEUR__RETENTION__METADATA_DAYS: "1" };

const old = ({ database }) =>
  Number(database.ask(`SELECT count(*) FROM message WHERE finished_at < ${Date.now() - 2 * DAY};`));

/** One run of each; returns samples by name. */
export async function cleaning(world, counts) {
  const all = {};
  for (const [how, env] of [
    ["kept", KEPT],
    ["cleaning", GONE],
  ]) {
    await world.facteur.start({ ...PATIENCE, env });
    await pause(2000); // the first check is a second after the start
    const [before, began] = [old(world), now()];
    const accounts = ["shop-1", "own"];
    Object.assign(all, prefixed(how, await arrivals(world, "arrival", accounts, counts)));
    const [after, seconds] = [old(world), (now() - began) / 1000];
    Object.assign(all, prefixed(how, await post(world, counts)));
    await world.facteur.stop();
    if (how === "cleaning" && after === 0) throw new Error("everything was gone before the measure ended");
    if (how === "cleaning") all["cleaning/rate"] = (before - after) / seconds;
  }
  return all;
}

const prefixed = (how, samples) =>
  Object.fromEntries(Object.entries(samples).map(([name, value]) => [`${how}, ${name}`, value]));

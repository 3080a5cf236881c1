// Several `facteur serve` on one database, behind a balancer, and what happens to them besides kills: one is paused for
// longer than its lease, one loses the database, the database itself is killed.
import { Balancer } from "./balancer.mjs";
import { Facteur } from "./facteur.mjs";
import { sleep } from "./machine.mjs";

/** How long one is paused. Leases of the day last two seconds. */
const FROZEN_MS = 6_000;
/** How long one is without the database: longer than the 27 s after which it releases all slots and leases. */
const CUT_MS = 35_000;

/** The day treats them as one program; `end` ends one of its processes. */
export class Replicas {
  #busy = Promise.resolve();
  #ends = [];

  constructor(binary, folder, port, replicas, chance) {
    this.all = replicas.map((replica) => new Facteur(binary, folder, replica));
    this.chance = chance;
    this.balancer = new Balancer(port, replicas.map(({ port }) => port));
  }

  async turn() {
    const before = this.#busy;
    let done;
    this.#busy = new Promise((resolve) => (done = resolve));
    await before;
    return done;
  }

  /** Starts those that do not run. */
  launch() {
    this.all.filter(({ alive }) => !alive).forEach((one) => one.launch());
  }

  async ready() {
    if (!this.balancer.isOpen) await this.balancer.open();
    await Promise.all(this.all.map((one) => one.ready()));
  }

  /** Ends one of them; at the end of the day all. */
  async end(signal, moment) {
    if (moment === "evening") return void (await Promise.all(this.all.map((one) => one.end(signal, moment))));
    await this.chance.one(this.all, "victim", this.ends.length).end(signal, moment);
  }

  /**
   * The outages, always in this order; the last one when nearly everything is posted. `links`: from each to the
   * database.
   */
  async outages(postgres, links, seconds) {
    const began = Date.now();
    const happen = async (share, moment, begin, lasts, end) => {
      await sleep(began + share * seconds * 1000 - Date.now());
      const done = await this.turn();
      const at = Date.now();
      begin();
      await sleep(lasts);
      await end();
      // Like a kill, this makes the outcome of a message unknown.
      this.#ends.push({ at, ended: Date.now(), signal: "SIGKILL", moment });
      done();
    };
    await happen(0.2, "frozen", () => this.all[0].freeze(), FROZEN_MS, () => this.all[0].thaw());
    await happen(0.45, "no database", () => postgres.crash(), 1_000, () => postgres.restart());
    await happen(1, "cut off", () => links[1].cut(), CUT_MS, () => links[1].mend());
  }

  get ends() {
    return [...this.all.flatMap(({ ends }) => ends), ...this.#ends];
  }

  get faults() {
    return this.all.flatMap(({ faults }) => faults);
  }

  get alive() {
    return this.all.some(({ alive }) => alive);
  }

  abandon() {
    this.all.forEach((one) => one.abandon());
  }

  words() {
    return this.all.map((one) => one.words()).join("\n");
  }
}

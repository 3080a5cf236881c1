// One Facteur with its database: so many messages wait in it, so many profiles are there. It runs only while it is measured.
import { join } from "node:path";
import { prepare } from "../facteur.mjs";
import { freePort, now } from "../processes.mjs";
import * as fill from "./fill.mjs";

/** Profiles on the page that is asked for. */
const LISTED = 8;
const DAY = 86_400_000;
/** A machine under load, and a database that has to be recovered, may take long; the figure says how long. */
export const PATIENCE = { patience: 300_000 };

export class World {
  /** `make` is given the world's name and folder, and answers a database. */
  static async build({ name, binary, folder, mailbox, make, waiting, profiles, finished = 0 }) {
    const world = Object.assign(new World(), { name, waiting, profiles, finished, mailbox });
    world.folder = join(folder, name);
    const began = now();
    const metrics = await freePort();
    world.database = make(world);
    world.facteur = await prepare({
      binary,
      folder: world.folder,
      connections: 10,
      relays: { near: mailbox.port },
      database: world.database.section,
      more: `[metrics]\nlisten = "127.0.0.1:${metrics}"\n`,
    });
    world.metrics = `http://127.0.0.1:${metrics}/metrics`;
    await world.facteur.start(PATIENCE);
    await world.facteur.session("near", LISTED);
    // An account with a mail server of its own, which takes a password.
    const own = { "draft[host]": "127.0.0.1", "draft[port]": String(mailbox.port), "draft[security]": "none" };
    await world.facteur.session("near", 1, { account: "own", fields: own });
    await world.facteur.stop();
    const { kind } = world.database;
    if (waiting > 0) world.database.sql(fill.waiting(kind, waiting, Date.now()));
    if (profiles > 0) world.database.sql(fill.profiles(kind, profiles, Date.now()));
    // The first messages of the long account, everywhere the same: its last page, for whoever pages on to its end.
    world.database.sql(fill.finished(kind, 100, Date.now() - 2 * DAY, `'${fill.LONG}'`));
    const fiftieth = `SELECT id FROM message WHERE account = '${fill.LONG}' ORDER BY id LIMIT 1 OFFSET 50;`;
    world.before = world.database.sql(fiftieth).trim();
    // Twenty days ago: what is kept thirty days stays, what is kept one day goes.
    if (finished > 0) world.database.sql(fill.finished(kind, finished, Date.now() - 20 * DAY));
    world.database.settle();
    // The first start after it finds bounds that are too low, and sets them right.
    await world.facteur.start(PATIENCE);
    await world.facteur.stop();
    const seconds = ((now() - began) / 1000).toFixed(0);
    console.error(`  ${name}: ${world.database.megabytes().toFixed(0)} MB after ${seconds} s`);
    return world;
  }

  /** What the page of profiles is asked with: a session of somebody whose account has eight. */
  async visit() {
    return this.facteur.session("near", 0);
  }

  /** As if this database had been without Facteur for an hour, on a machine that was started again since. */
  age() {
    const table = this.database.kind === "sqlite" ? "clock" : "machine";
    this.database.sql(`UPDATE ${table} SET seen_at = seen_at - 3600000, boot = 'another' WHERE TRUE;`);
  }
}

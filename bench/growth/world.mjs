// One Facteur with its database: a given number of waiting messages and of profiles. It runs only while it is measured.
import { join } from "node:path";
import { prepare } from "../facteur.mjs";
import { freePort, now } from "../processes.mjs";
import * as fill from "./fill.mjs";

/** Profiles on the measured page. */
const LISTED = 8;
const DAY = 86_400_000;
/** In milliseconds. A machine under load, or a database in recovery, may take long; the measurement shows how long. */
export const PATIENCE = { patience: 300_000 };

export class World {
  /** `make` is given the world's name and folder, and returns a database. */
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
    // An account with its own mail server, which needs a password.
    const own = { "draft[host]": "127.0.0.1", "draft[port]": String(mailbox.port), "draft[security]": "none" };
    await world.facteur.session("near", 1, { account: "own", fields: own });
    await world.facteur.stop();
    const { kind } = world.database;
    if (waiting > 0) world.database.sql(fill.waiting(kind, waiting, Date.now()));
    if (profiles > 0) world.database.sql(fill.profiles(kind, profiles, Date.now()));
    // The first messages of the long account, the same everywhere: the last page of its list.
    world.database.sql(fill.finished(kind, 100, Date.now() - 2 * DAY, `'${fill.LONG}'`));
    const fiftieth = `SELECT id FROM message WHERE account = '${fill.LONG}' ORDER BY id LIMIT 1 OFFSET 50;`;
    world.before = world.database.sql(fiftieth).trim();
    // Twenty days ago: data with thirty days of retention stays, data with one day is deleted.
    if (finished > 0) world.database.sql(fill.finished(kind, finished, Date.now() - 20 * DAY));
    world.database.settle();
    // The first start after that finds bounds that are too low, and corrects them.
    await world.facteur.start(PATIENCE);
    await world.facteur.stop();
    const seconds = ((now() - began) / 1000).toFixed(0);
    console.error(`  ${name}: ${world.database.megabytes().toFixed(0)} MB after ${seconds} s`);
    return world;
  }

  /** The session that requests the page of profiles: its account has eight. */
  async visit() {
    return this.facteur.session("near", 0);
  }

  /** Makes the database look as if Facteur had been down for an hour, on a machine that was rebooted since. */
  age() {
    const table = this.database.kind === "sqlite" ? "clock" : "machine";
    this.database.sql(`UPDATE ${table} SET seen_at = seen_at - 3600000, boot = 'another' WHERE TRUE;`);
  }
}

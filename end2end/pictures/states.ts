// Every page and state of the configurator, and how each is reached. The pictures (pictures.spec.ts) and the accessibility
// snapshots (../tests/states.spec.ts) go through this list. A new state is one entry, in the file of its kind.
import type { Scene, Surface } from "./scene";
import { form } from "./states/form";
import { list } from "./states/list";
import { others } from "./states/others";
import { tests } from "./states/tests";

export type State = {
  /** Names the picture and the stored snapshot. */
  name: string;
  /** Where else it does not exist. */
  only?: Surface;
  /** From an empty account to the state. Each begins with a demo, or an account, of its own. */
  reach: (scene: Scene) => Promise<unknown>;
};

export const STATES: State[] = [...form, ...list, ...tests, ...others];

// Every page and state of the configurator, and how to reach each one. The pictures (pictures.spec.ts) and the
// accessibility snapshots (../tests/states.spec.ts) use this list. A new state is one entry, in the file of its kind.
import type { Scene, Surface } from "./scene";
import { form } from "./states/form";
import { list } from "./states/list";
import { others } from "./states/others";
import { tests } from "./states/tests";

export type State = {
  /** Names the picture and the stored snapshot. */
  name: string;
  /** The only surface on which it exists. */
  only?: Surface;
  /** Steps from an empty account to the state. Each starts with a separate demo or account. */
  reach: (scene: Scene) => Promise<unknown>;
};

export const STATES: State[] = [...form, ...list, ...tests, ...others];

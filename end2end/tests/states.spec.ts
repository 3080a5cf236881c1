// The accessibility tree of every page and state, in both languages, compared with the files in snapshots/. Store an
// intended change with `UPDATE=1 scripts/browser-tests states`, and read it in the diff. The states are listed in
// ../pictures/states.ts; `make screenshots` shows them.
import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { plain } from "../pictures/plain";
import { LANGUAGES, Scene } from "../pictures/scene";
import { STATES } from "../pictures/states";
import { expect, test } from "./demo";

const FOLDER = join(import.meta.dirname, "snapshots");
// A state that cannot be reached fails soon.
test.use({ actionTimeout: 15_000 });
const states = STATES.filter(({ only }) => only !== "frame");

for (const { name, reach } of states) {
  test(`${name} reads as it did @wasm @once`, async ({ context, demo }) => {
    for (const language of LANGUAGES) {
      const scene = await Scene.begin(context, demo, language, "page");
      await reach(scene);
      await scene.settle();
      const text = plain(await scene.page.locator("body").ariaSnapshot());
      expect.soft(text, `${name}, ${language}`).toMatchSnapshot([language, `${name}.yml`]);
      await scene.page.close();
    }
  });
}

test("no snapshot is stored of a state that is gone @wasm @once", () => {
  const known = states.map(({ name }) => `${name}.yml`);
  for (const language of LANGUAGES) {
    const folder = join(FOLDER, language);
    const gone = readdirSync(folder).filter((file) => !known.includes(file));
    if (process.env.UPDATE) gone.splice(0).forEach((file) => rmSync(join(folder, file)));
    expect(gone, language).toEqual([]);
  }
});

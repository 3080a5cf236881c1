// A picture of every state: page and frame, both languages, light and dark, three widths.
import { test } from "../tests/demo";
import { pictureOf } from "./files";
import { LANGUAGES, SURFACES, Scene, THEMES, WIDTHS } from "./scene";
import { STATES } from "./states";

for (const surface of SURFACES) {
  for (const state of STATES.filter(({ only }) => !only || only === surface)) {
    test(`${state.name}, ${surface}`, async ({ context, demo }) => {
      const missing: unknown[] = [];
      for (const language of LANGUAGES) {
        const scene = await Scene.begin(context, demo, language, surface);
        try {
          await state.reach(scene);
          for (const width of WIDTHS) {
            for (const theme of THEMES) {
              await scene.show(width, theme);
              const path = pictureOf({ surface, language, theme, width, name: state.name });
              await scene.page.screenshot({ path, fullPage: true });
            }
          }
        } catch (error) {
          missing.push(error);
        }
        await scene.page.close();
      }
      if (missing.length) throw missing[0];
    });
  }
}

// The mode, the messages sent through a profile, the history, and the end of a visit.
import type { Scene } from "../scene";
import type { State } from "../states";

/** The messages sent through a profile. */
async function sending(scene: Scene, persona: string, ...quotes: string[]) {
  await scene.open();
  await scene.ownServers();
  const { id } = await scene.save(persona);
  for (const quote of quotes) await scene.send(quote);
  await scene.go(`profiles/sending?id=${id}`);
}

async function history(scene: Scene) {
  await scene.tested("boutique");
  await scene.test();
  await scene.list("mot-de-passe");
  await scene.test();
  await scene.ownServers();
  await scene.go("history");
}

const filter = async (scene: Scene, kind: string) => {
  await scene.find("#kind").selectOption(kind);
  await scene.press(scene.find("form.filter button"), /kind=/);
};

export const others: State[] = [
  { name: "mode", reach: (scene) => scene.open("sending-mode") },
  {
    name: "mode-saved-not-ready",
    reach: async (scene) => {
      await scene.open();
      await scene.ownServers();
    },
  },
  {
    name: "mode-untested",
    reach: async (scene) => {
      await scene.open();
      await scene.save("boutique");
      await scene.ownServers();
      await scene.go("sending-mode");
    },
  },
  { name: "sending-empty", reach: (scene) => sending(scene, "boutique") },
  { name: "sending-mail", reach: (scene) => sending(scene, "boutique", "D-2041", "D-2040") },
  { name: "sending-failed", reach: (scene) => sending(scene, "mot-de-passe", "D-2041", "D-2040") },
  {
    name: "sending-refused",
    reach: async (scene) => {
      await sending(scene, "boutique");
      await scene.find(".advanced summary").click();
      await scene.find("#max-connections").fill("99");
      await scene.find("#per-minute").fill("abc");
      await scene.press(scene.find("main form.stack .primary"), /draft=1/);
    },
  },
  { name: "history-empty", reach: (scene) => scene.open("history") },
  { name: "history", reach: history },
  {
    name: "history-tests",
    reach: async (scene) => {
      await history(scene);
      await filter(scene, "tests");
      await scene.find(".history summary").first().click();
    },
  },
  {
    name: "history-nothing-found",
    reach: async (scene) => {
      await history(scene);
      await filter(scene, "sessions");
    },
  },
  {
    name: "session-over",
    only: "page",
    reach: async (scene) => {
      await scene.open();
      await scene.signOut();
      await scene.go("profiles");
    },
  },
  {
    name: "session-over-under-tester",
    only: "page",
    reach: async (scene) => {
      await scene.open();
      await scene.list("boutique");
      await scene.page.context().clearCookies();
      await scene.find(".toolbar [data-test]").click();
      await scene.find(".panel .notice").waitFor();
    },
  },
  {
    name: "session-over-typed",
    only: "page",
    reach: async (scene) => {
      await scene.open();
      const { id } = await scene.save("boutique");
      await scene.go(`profiles/sending?id=${id}`);
      await scene.find("#check-hourly").check();
      await scene.page.context().clearCookies();
      await scene.press(scene.find("main form.stack .primary"), /./);
    },
  },
  {
    name: "session-over-no-token",
    only: "frame",
    reach: async (scene) => {
      await scene.open();
      await scene.page.route(/\/token$/, (route) => route.fulfill({ status: 401, body: "" }));
      await scene.page.context().clearCookies();
      await scene.at.evaluate(() => void setTimeout(() => location.reload()));
      await scene.page.locator("#events", { hasText: "token-unavailable" }).waitFor();
    },
  },
  {
    name: "other-account",
    only: "page",
    reach: async (scene) => {
      await scene.open("sending-mode");
      const tab = await scene.page.context().newPage();
      const slug = scene.say("velo-dubois", "boulangerie-martin");
      await tab.goto(`${scene.demo.portal}/${slug}/open/profiles?lang=${scene.language}`);
      await tab.waitForURL(`${scene.demo.configurator}/profiles`);
      await tab.close();
      await scene.press(scene.find("main form.stack .primary"), /./);
    },
  },
  {
    name: "link-refused",
    only: "page",
    reach: async (scene) => {
      await scene.page.goto(`${scene.demo.portal}/inbox`);
      await scene.page.evaluate((action) => {
        const form = Object.assign(document.createElement("form"), { method: "post", action });
        form.append(Object.assign(document.createElement("input"), { name: "token", value: "nonsense" }));
        document.body.append(form);
        form.submit();
      }, `${scene.demo.configurator}/session`);
      await scene.page.waitForURL(/\/session$/);
    },
  },
  { name: "stranger", only: "page", reach: (scene) => scene.go("profiles") },
  {
    name: "not-found",
    reach: async (scene) => {
      await scene.open("nowhere");
    },
  },
  {
    name: "profile-not-found",
    reach: async (scene) => {
      await scene.open("profiles/report?id=00000000-0000-4000-8000-000000000000");
    },
  },
  { name: "api", only: "page", reach: (scene) => scene.go("api") },
];

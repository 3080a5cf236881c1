// The list of profiles, and the actions on one: use, delete, restore.
import type { Scene } from "../scene";
import type { State } from "../states";

const more = (scene: Scene) => scene.find(".more > summary").click();
const remove = async (scene: Scene) => {
  await more(scene);
  await scene.press(scene.find(".more .danger"), /profiles\/delete/);
};
const confirm = (scene: Scene) => scene.press(scene.find("main form .danger, main form .primary").last(), /notice=deleted/);

/** Two profiles that work, and one that does not. */
async function several(scene: Scene) {
  await scene.tested("boutique");
  await scene.list("cle", ["mot-de-passe", { user: scene.account.user }]);
  await scene.test();
  await scene.go("profiles");
}

export const list: State[] = [
  { name: "list-empty", reach: (scene) => scene.open() },
  {
    name: "list-one",
    reach: async (scene) => {
      await scene.open();
      await scene.go((await scene.save("boutique", { password: "abcdefghijklmnop" })).next);
      await scene.press(scene.find("#content .actions .primary"), /profiles\?selected=/);
    },
  },
  {
    name: "list-sends",
    reach: async (scene) => {
      await scene.open();
      await scene.ownServers();
      await scene.list("boutique");
      await scene.test();
      await scene.confirm(await scene.code());
      await scene.send("D-2041");
      await scene.go("profiles");
    },
  },
  { name: "list-several", reach: several },
  {
    name: "list-of-many",
    reach: async (scene) => {
      await scene.open();
      for (let at = 1; at <= 12; at++) await scene.save(`caisse${String(at).padStart(2, "0")}`);
      await scene.go("profiles");
    },
  },
  {
    name: "list-more",
    reach: async (scene) => {
      await several(scene);
      await scene.row("mot-de-passe@").getByRole("radio").check();
      await more(scene);
    },
  },
  {
    name: "list-own-servers-not-ready",
    reach: async (scene) => {
      await scene.open("sending-mode");
      await scene.press(scene.find("button.link"), /profiles/);
    },
  },
  {
    name: "list-own-servers-untested",
    reach: async (scene) => {
      await scene.open();
      await scene.ownServers();
      await scene.list("boutique");
    },
  },
  {
    name: "list-draft-offered",
    reach: async (scene) => {
      await scene.open();
      await scene.save("boutique");
      await scene.go("profiles/new");
      const kept = scene.page.waitForResponse(/profiles\/check/);
      await scene.find("#login").fill("caisse@sandbox.example");
      await scene.find("#port").focus();
      await kept;
      await scene.go("profiles");
    },
  },
  {
    name: "list-draft-dropped",
    reach: async (scene) => {
      await scene.open();
      await scene.save("boutique");
      await scene.go("profiles/new");
      await scene.find("#login").fill("caisse@sandbox.example");
      await scene.press(scene.find("#profile-form .actions > :last-child"), /\/profiles(\?|$)/);
    },
  },
  {
    name: "list-without-password",
    reach: async (scene) => {
      await scene.open();
      await scene.list("boutique");
      await more(scene);
      await scene.press(scene.find(".more button[formaction$=duplicate]"), /profiles\/edit/);
      const copy = new URL(scene.at.url()).searchParams.get("id");
      await scene.go(`profiles?selected=${copy}`);
      await scene.find(".toolbar [data-test]").click();
      await scene.find(".panel .notice, .panel .result > *").first().waitFor();
    },
  },
  {
    name: "list-use-anyway",
    reach: async (scene) => {
      await several(scene);
      const failing = (await scene.save("application")).id;
      await scene.go(`profiles?selected=${failing}`);
      await scene.test();
      await scene.go(`profiles?selected=${failing}`);
      await scene.press(scene.find(".to-use"), /ask=use/);
    },
  },
  {
    name: "list-in-use-failing",
    reach: async (scene) => {
      await scene.open();
      await scene.ownServers();
      await scene.list("mot-de-passe");
      await scene.send("D-2041");
      await scene.go("profiles");
    },
  },
  {
    name: "list-stale",
    reach: async (scene) => {
      await scene.open();
      const first = await scene.list("boutique");
      await scene.list("cle");
      // Another tab deletes one of them.
      await scene.post("/api/profiles/delete", { id: first });
      await scene.press(scene.find(".to-use"), /stale=1/);
    },
  },
  {
    name: "list-profile-gone",
    reach: async (scene) => {
      await scene.open();
      const id = await scene.list("boutique");
      await scene.list("cle");
      await scene.row("boutique@").getByRole("radio").check();
      await scene.post("/api/profiles/delete", { id });
      await more(scene);
      await scene.press(scene.find(".more button[formaction$=duplicate]"), /notice=|stale=/);
    },
  },
  {
    name: "delete-alone",
    reach: async (scene) => {
      await scene.open();
      await scene.list("boutique");
      await remove(scene);
    },
  },
  {
    name: "delete-successors",
    reach: async (scene) => {
      await several(scene);
      for (const login of ["atelier", "caisse", "devis"]) await scene.save(login);
      await scene.go("profiles");
      await remove(scene);
    },
  },
  {
    name: "delete-all-fail",
    reach: async (scene) => {
      await scene.tested("mot-de-passe");
      const used = (await scene.save("cle")).id;
      await scene.go(`profiles?selected=${used}`);
      await scene.press(scene.find(".to-use"), /notice=/);
      await remove(scene);
    },
  },
  {
    name: "deleted",
    reach: async (scene) => {
      await scene.open();
      await scene.list("boutique");
      await remove(scene);
      await confirm(scene);
    },
  },
  {
    name: "deleted-successor",
    reach: async (scene) => {
      await several(scene);
      await remove(scene);
      await confirm(scene);
    },
  },
  {
    name: "deleted-restored",
    reach: async (scene) => {
      await several(scene);
      await remove(scene);
      await confirm(scene);
      await scene.press(scene.find("form.undo button"), /notice=restored/);
    },
  },
];

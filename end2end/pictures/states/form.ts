// The first step: presets, the server, the sender; and the second, the encoding.
import { PASSWORD } from "../../tests/configurator";
import type { Scene } from "../scene";
import type { State } from "../states";

const preset = (scene: Scene, id: string) => scene.find(`input[name="draft[preset]"][value="${id}"]`).check();
const save = (scene: Scene) => scene.find("#content form#profile-form .actions .primary").click();

async function fresh(scene: Scene) {
  await scene.open("profiles/new");
}

/** The form with a preset, and its guide. */
async function chosen(scene: Scene, id: string) {
  await fresh(scene);
  await preset(scene, id);
  await scene.find("#guide :is(h2, h3, a, .notice)").first().waitFor();
}

/** Stores typed input on the server, and leaves the page. */
async function begun(scene: Scene, page: string) {
  const kept = scene.page.waitForResponse(/profiles\/check/);
  await scene.find("#login").fill("boutique@sandbox.example");
  await scene.find("#port").focus();
  await kept;
  await scene.go(page);
}

/** Saves a profile, and shows the page that follows. */
const follows = async (scene: Scene, ...saved: Parameters<Scene["save"]>) => {
  await scene.open();
  await scene.go((await scene.save(...saved)).next);
};

export const form: State[] = [
  { name: "form-new", reach: fresh },
  { name: "form-gmail", reach: (scene) => chosen(scene, "gmail") },
  { name: "form-outlook-closed", reach: (scene) => chosen(scene, "outlook-com") },
  { name: "form-microsoft-ending", reach: (scene) => chosen(scene, "microsoft-365") },
  {
    name: "form-all-providers",
    reach: async (scene) => {
      await fresh(scene);
      await scene.find("#presets summary").click();
    },
  },
  {
    name: "form-search-slip",
    reach: async (scene) => {
      await fresh(scene);
      await scene.find("#preset-search").fill("claire@gmial.com");
      // The page does not have this name, so the server is asked.
      await scene.find("#presets .card-choice[hidden]").first().waitFor({ state: "attached" });
      await scene.find('#presets .card-choice:not([hidden]) [value="gmail"]').waitFor({ state: "attached" });
    },
  },
  {
    name: "form-search-nothing",
    reach: async (scene) => {
      await fresh(scene);
      await scene.find("#preset-search").fill("introuvable");
      await scene.find("#presets .search [role=status]:not(:empty)").waitFor();
    },
  },
  {
    name: "form-refused",
    reach: async (scene) => {
      await fresh(scene);
      await scene.find("#host").fill("10.0.0.1");
      await scene.find("#port").fill("22");
      await scene.find("#sender_address").fill("devis");
      await save(scene);
      await scene.find("#wrong a").first().waitFor();
    },
  },
  {
    name: "form-refused-by-the-server",
    reach: async (scene) => {
      await fresh(scene);
      for (const [field, typed] of [["host", "localhost"], ["port", "465"], ["login", "claire@exemple.fr"], ["secret", "secretsecret"]]) {
        await scene.find(`#${field}`).fill(typed);
      }
      await save(scene);
      await scene.find("#wrong a").first().waitFor();
    },
  },
  {
    name: "form-login-proposal",
    reach: async (scene) => {
      await fresh(scene);
      await scene.find("#login").fill("claire@wanadoo.fr");
      await scene.find("#at-login button").waitFor();
    },
  },
  {
    name: "form-replaced",
    reach: async (scene) => {
      await fresh(scene);
      await scene.find("#host").fill("mail.mon-domaine.fr");
      await scene.find("#security-starttls").check();
      await preset(scene, "gmail");
      await scene.find("#at-presets button").waitFor();
      await scene.find("#guide :is(h2, h3, a, .notice)").first().waitFor();
    },
  },
  {
    name: "form-host-of-another",
    reach: async (scene) => {
      await chosen(scene, "gmail");
      await scene.find("#host").fill("mail.mon-domaine.fr");
      await scene.find("#host").blur();
      await scene.find("#at-host button").waitFor();
      await scene.find("#guide h2").waitFor({ state: "detached" });
    },
  },
  {
    name: "form-warnings",
    reach: async (scene) => {
      await chosen(scene, "gmail");
      await scene.find("#security-starttls").check();
      await scene.find("#login").fill("claire@orange.fr");
      await scene.find("#secret").fill("Soleil2024");
      await scene.find(".warn:not(:empty)").nth(2).waitFor();
      await scene.find("#at-login button").waitFor();
    },
  },
  {
    name: "form-password-shown",
    reach: async (scene) => {
      await chosen(scene, "ovh-mx-plan");
      await scene.find("#login").fill("boutique@exemple.fr");
      await scene.find("#secret").fill(" mon mot de passe\u200b");
      await scene.find(".eye").click();
      await scene.find("#secret-remark button").waitFor();
    },
  },
  {
    name: "form-restored",
    reach: async (scene) => {
      await fresh(scene);
      await begun(scene, "profiles/new");
      await scene.find(".notice button").waitFor();
    },
  },
  {
    name: "form-session-over",
    only: "page",
    reach: async (scene) => {
      await chosen(scene, "sandbox");
      await scene.find("#login").fill("boutique@sandbox.example");
      await scene.find("#secret").fill(PASSWORD);
      await scene.page.context().clearCookies();
      await save(scene);
      await scene.find("#over .notice").waitFor();
    },
  },
  {
    name: "form-edit",
    reach: async (scene) => {
      await scene.open();
      const { id } = await scene.save("boutique", { user: scene.account.user, sender: "devis@sandbox.example" });
      await scene.go(`profiles/edit?id=${id}`);
    },
  },
  {
    name: "form-edit-other-server",
    reach: async (scene) => {
      await scene.open();
      await scene.go(`profiles/edit?id=${(await scene.save("boutique")).id}`);
      await scene.find("#host").fill("smtp.exemple.fr");
      await scene.find("#host").blur();
      await scene.find("#secret-moved:not(:empty)").waitFor();
      await scene.find("#at-host button").waitFor();
      await scene.find("#guide h2").waitFor({ state: "detached" });
    },
  },
  {
    name: "form-copy",
    reach: async (scene) => {
      await scene.open();
      await scene.list("boutique");
      await scene.find(".more > summary").click();
      await scene.press(scene.find(".more button[formaction$=duplicate]"), /profiles\/edit/);
    },
  },
  {
    name: "form-conflict",
    reach: async (scene) => {
      await scene.open();
      const { id } = await scene.save("boutique");
      await scene.go(`profiles/edit?id=${id}`);
      await scene.find("#login").fill("caisse@sandbox.example");
      await scene.find("#sender_name").fill(scene.say("Chez Élise", "Elise’s"));
      await scene.find("#secret").fill(PASSWORD);
      // Another tab saves first.
      await scene.save("atelier", { id });
      await scene.press(scene.find("#profile-form .actions .primary"), /stale=1/);
    },
  },
  { name: "encoding", reach: (scene) => follows(scene, "boutique", { password: "abcdefghijklmnop" }) },
  { name: "encoding-characters-removed", reach: (scene) => follows(scene, "boutique") },
  {
    name: "encoding-characters-found",
    reach: (scene) => follows(scene, "boutique", { host: "silence.sandbox.example", password: " abcdefghijklmnop " }),
  },
  {
    name: "encoding-warnings",
    reach: (scene) => follows(scene, "boutique", { security: "starttls", sender: "claire@orange.fr", password: "abcd–efgh–ijkl" }),
  },
];

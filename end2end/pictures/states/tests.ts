// Tester: while it runs, its outcomes, the code of its mail, its report.
import type { Scene, Settings } from "../scene";
import type { State } from "../states";

const open = async (scene: Scene, summaries: string) => {
  for (const summary of await scene.find(summaries).filter({ visible: true }).all()) await summary.click();
};

/** A test that stops after some lines of its stream. */
const running = (lines: number, then?: (scene: Scene) => Promise<unknown>): State["reach"] => async (scene) => {
  await scene.open();
  await scene.list("boutique");
  await scene.holdTestAfter(lines);
  await scene.find(".toolbar [data-test]").click();
  await scene.find(".panel .phase").first().waitFor();
  await then?.(scene);
};

const ends = (persona: string, settings?: Settings): State["reach"] => (scene) => scene.tested(persona, settings);

export const tests: State[] = [
  { name: "test-begins", reach: running(2) },
  { name: "test-signs-in", reach: running(9, (scene) => scene.find(".phase.ok").nth(1).waitFor()) },
  {
    name: "test-sends",
    reach: running(15, async (scene) => {
      await scene.find(".phase.ok").nth(2).waitFor();
      await scene.find(".panel .log summary").click();
      await scene.find(".panel .stage").nth(6).waitFor();
    }),
  },
  {
    name: "test-stopped",
    reach: running(9, async (scene) => {
      await scene.find(".phase.ok").nth(1).waitFor();
      await scene.find(".panel .stop").click();
      await scene.find(".panel .stop").waitFor({ state: "hidden" });
    }),
  },
  { name: "test-passed", reach: ends("boutique") },
  {
    name: "test-passed-details",
    reach: async (scene) => {
      await scene.tested("boutique");
      await open(scene, ".panel summary");
    },
  },
  {
    name: "test-passed-own-servers",
    reach: async (scene) => {
      await scene.open();
      await scene.ownServers();
      await scene.list("boutique");
      await scene.test();
    },
  },
  {
    name: "test-code-wrong",
    reach: async (scene) => {
      await scene.tested("boutique");
      await scene.confirm((await scene.code()) === "000000" ? "111111" : "000000");
    },
  },
  {
    name: "test-code-later",
    reach: async (scene) => {
      await scene.tested("boutique");
      await scene.go("profiles");
    },
  },
  {
    name: "test-received",
    reach: async (scene) => {
      await scene.tested("boutique");
      await scene.confirm(await scene.code());
    },
  },
  {
    name: "test-received-own-servers",
    reach: async (scene) => {
      await scene.open();
      await scene.ownServers();
      await scene.list("boutique");
      await scene.test();
      await scene.confirm(await scene.code());
    },
  },
  { name: "test-outcome-unknown", reach: ends("coupe") },
  { name: "failed-bad-password", reach: ends("mot-de-passe") },
  {
    name: "failed-three-times",
    reach: async (scene) => {
      const id = await scene.tested("mot-de-passe");
      for (const _ of [2, 3]) {
        await scene.go(`profiles?selected=${id}`);
        await scene.test();
      }
      await scene.go(`profiles?selected=${id}`);
      await scene.find(".toolbar [data-test]").click();
      await scene.find(".panel .result > *").first().waitFor();
    },
  },
  { name: "failed-app-password", reach: ends("application") },
  { name: "failed-basic-auth", reach: ends("sans-basic") },
  { name: "failed-smtp-disabled", reach: ends("smtp-coupe") },
  { name: "failed-login-blocked", reach: ends("bloque") },
  { name: "failed-sender", reach: ends("au-nom-de", { sender: "devis@sandbox.example" }) },
  { name: "failed-greylisted", reach: ends("liste-grise") },
  { name: "failed-quota", reach: ends("quota") },
  { name: "failed-mailbox-full", reach: ends("boite-pleine") },
  { name: "failed-junk", reach: ends("indesirable") },
  { name: "failed-certificate-name", reach: ends("boutique", { host: "other-name.sandbox.example" }) },
  { name: "failed-certificate-expired", reach: ends("boutique", { host: "expired.sandbox.example" }) },
  { name: "failed-timeout", reach: ends("boutique", { host: "silence.sandbox.example" }) },
  { name: "failed-host-unknown", reach: ends("boutique", { host: "smtp.sandbx.example" }) },
  { name: "failed-port", reach: ends("boutique", { port: "465" }) },
  {
    name: "failed-encryption-mendable",
    reach: async (scene) => {
      await scene.tested("boutique", { security: "starttls" });
      await open(scene, ".panel summary");
    },
  },
  {
    name: "report-passed",
    reach: async (scene) => {
      const id = await scene.tested("boutique");
      await scene.go(`profiles/report?id=${id}`);
      await open(scene, "main summary");
    },
  },
  {
    name: "report-failed",
    reach: async (scene) => {
      const id = await scene.tested("application");
      await scene.go(`profiles/report?id=${id}`);
      await open(scene, "main summary");
    },
  },
  {
    name: "report-none",
    reach: async (scene) => {
      await scene.open();
      await scene.go(`profiles/report?id=${(await scene.save("boutique")).id}`);
    },
  },
];

import { defineConfig } from "@playwright/test";
import type { Databases } from "./tests/demo";

// Uses Playwright's own browser, unless CHROMIUM names another one, for machines that cannot download it.
const executablePath = process.env.CHROMIUM || undefined;
const args = executablePath
  ? ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"]
  : [];

// TRACE=1 keeps a trace of each test that fails. It is not the default: recording takes a fifth of the suite's time.
export default defineConfig<{}, Databases>({
  testDir: "tests",
  fullyParallel: true,
  workers: 2,
  timeout: 60_000,
  expect: { timeout: 10_000 },
  forbidOnly: true,
  // Stored by states.spec.ts.
  snapshotPathTemplate: "{testDir}/snapshots/{arg}{ext}",
  updateSnapshots: process.env.UPDATE ? "changed" : "none",
  reporter: [["list"]],
  use: { browserName: "chromium", locale: "fr-FR", launchOptions: { executablePath, args }, trace: process.env.TRACE ? "retain-on-failure" : "off" },
  projects: [
    { name: "with-wasm", grepInvert: /@without/ },
    // Every test runs a second time without JavaScript, unless its title says that it needs it (@wasm), and on the
    // other database. Tests of features that exist only without JavaScript have @without.
    { name: "without-javascript", use: { javaScriptEnabled: false, database: "postgres" }, grepInvert: /@wasm/ },
    // Tests that do not depend on the database run on one (@once).
    { name: "postgresql", use: { database: "postgres" }, grep: /@wasm/, grepInvert: /@once/ },
  ],
});

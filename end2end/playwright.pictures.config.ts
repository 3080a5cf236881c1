// `make screenshots`: every state as files to look at, in target/screenshots. Nothing is compared; a state that cannot
// be reached is a failure, and the others are still taken.
import base from "./playwright.config";
import { defineConfig } from "@playwright/test";

export default defineConfig({
  ...base,
  testDir: "pictures",
  outputDir: "../target/screenshots-failed",
  timeout: 180_000,
  use: { ...base.use, actionTimeout: 15_000 },
  globalTeardown: "./pictures/sheet.ts",
  projects: [{ name: "pictures" }],
});

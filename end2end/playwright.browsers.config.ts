// The other browsers, and Lighthouse. Each is driven by its own protocol; Playwright only runs the tests.
import { defineConfig } from "@playwright/test";

export default defineConfig({
  testDir: "browsers",
  workers: 1,
  timeout: 120_000,
  expect: { timeout: 15_000 },
  forbidOnly: true,
  reporter: [["list"]],
});

// The types of the npm package match its examples.
import { execFileSync } from "node:child_process";
import { expect, test } from "@playwright/test";

test("the package's examples type-check @wasm", () => {
  try {
    execFileSync("npx", ["tsc", "-p", "tsconfig.packages.json"], { encoding: "utf8", stdio: "pipe" });
  } catch (error) {
    expect((error as { stdout: string }).stdout).toBe("");
  }
});

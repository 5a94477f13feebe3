import { defineConfig, devices } from "@playwright/test";
import { stackInfo } from "./e2e/stack";

export default defineConfig({
  testDir: "e2e",
  fullyParallel: false,
  workers: 1,
  retries: 0,
  timeout: 60_000,
  expect: { timeout: 15_000 },
  outputDir: "test-results",
  use: {
    baseURL: stackInfo().demo.url,
    ...devices["Desktop Chrome"],
    // As somebody's system may be set. Whatever moves would only be waited for.
    contextOptions: { reducedMotion: "reduce" },
    launchOptions: {
      ...(process.env.SLUICE_CHROMIUM && { executablePath: process.env.SLUICE_CHROMIUM }),
      args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
    },
    trace: "off",
  },
});

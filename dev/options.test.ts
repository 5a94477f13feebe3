import { spawnSync } from "node:child_process";
import { expect, it } from "vitest";

/** A port that the demo refuses: should an option be overlooked, nothing starts. */
const run = (...args: string[]) => spawnSync(process.execPath, ["dev/bootstrap.mjs", ...args], { encoding: "utf8", env: { ...process.env, PORT: "0" } });

it.each(["demo", "dev"])("npm run %s explains itself with --help and starts nothing", (command) => {
  const { status, stdout } = run(command, "--help");
  expect(status).toBe(0);
  expect(stdout).toMatch(new RegExp(`^Usage: npm run ${command}`));
  expect(stdout).toContain("--fresh");
});

it.each([["demo", "--frsh"], ["dev", "fresh"], ["demo", "--dev"]])("%s names the argument %s that it does not know", (command, argument) => {
  const { status, stderr } = run(command, argument);
  expect(status).toBe(2);
  expect(stderr).toContain(`${argument}.\nUsage:`);
});

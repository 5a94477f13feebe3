import { existsSync, readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { checkFiles, checkPlaces } from "./identity-checks";

it("each check of people, sessions and tokens has its place, and is found there by its title", () => {
  const places = checkPlaces();
  expect([...new Set(places.map(({ check }) => check))]).toEqual(Array.from({ length: 36 }, (_, i) => i + 1).filter((check) => check !== 34));
  for (const { check, file, title } of places) {
    expect(existsSync(file), `${check}: ${file}`).toBe(true);
    expect(readFileSync(file, "utf8"), `${check}: ${file}`).toContain(title);
  }
});

it("the files of the checks are those of the lanes that `npm run test:identity` has", () => {
  expect(checkFiles("test/identity", "test/http", "test/protocol", "e2e", "lib", "app", "dev").length).toBe(new Set(checkPlaces().map(({ file }) => file)).size);
});

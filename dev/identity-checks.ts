import { readFileSync } from "node:fs";

const table = "test/identity/README.md";

/** One place where a check of people, sessions and tokens is made: the check's number, the file, and words of a test's title in it. */
export type Place = { check: number; file: string; title: string };

/** The table of `test/identity/README.md`. */
export function checkPlaces(): Place[] {
  let check = 0;
  return readFileSync(table, "utf8").split("\n").flatMap((line): Place[] => {
    const [, number = "", , file, title] = /^\| (\d*) \| ([^|]*) \| `([^`]+)` \| (.+?) \|$/.exec(line) ?? [];
    if (!file || !title) return [];
    if (number) check = Number(number);
    return [{ check, file, title }];
  });
}

/** The files below these folders that hold checks. */
export function checkFiles(...folders: string[]): string[] {
  return [...new Set(checkPlaces().map(({ file }) => file))].filter((file) => folders.some((folder) => file.startsWith(`${folder}/`)));
}

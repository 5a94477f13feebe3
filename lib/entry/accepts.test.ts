import { expect, it } from "vitest";
import { accepts } from "./accepts";

it.each([[undefined], [""], ["*/*"], ["text/html, */*;q=0.1"], ["application/json"], ["application/*"], ["APPLICATION/JSON; charset=utf-8"], ["application/problem+json"]])("Accept: %s is met by JSON", (header) => {
  expect(accepts(header, [])).toBe(true);
});

it.each([["text/html"], ["image/*"], ["application/xml"], ["application/json;q=0"], ["nonsense"], ["text/event-stream"]])("Accept: %s is not met by JSON", (header) => {
  expect(accepts(header, [])).toBe(false);
});

it("a stream and plain text are met where a route has them", () => {
  expect(accepts("text/event-stream", ["text/event-stream"])).toBe(true);
  expect(accepts("text/*", ["text/plain"])).toBe(true);
});

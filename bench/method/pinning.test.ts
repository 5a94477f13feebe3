import { expect, it } from "vitest";
import { coresFor } from "./pinning";

it("the server shares its core with nothing, the generator its own from three cores on", () => {
  expect(coresFor(1)).toBeNull();
  expect(coresFor(2)).toEqual({ server: "0", stores: "1", generator: "1" });
  expect(coresFor(4)).toEqual({ server: "0", stores: "1,3", generator: "2" });
});

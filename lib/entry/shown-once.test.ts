import { describe, expect, it } from "vitest";
import { newSecret } from "@/lib/keys";
import { withoutShownOnce } from "./shown-once";

const again = (data: unknown) => JSON.parse(withoutShownOnce(JSON.stringify({ status: "success", data }))) as { data: unknown; message?: string };

describe("a replayed answer", () => {
  it("lacks keys, webhook secrets and tokens wherever they stand, and says so", () => {
    const { data, message } = again({ id: "1", key: newSecret().value, inner: [{ refresh_token: newSecret("srt").value, secret: "whsec_abc" }], access_token: "eyJhbGciOi.eyJzdWIi.c2ln" });
    expect(data).toEqual({ id: "1", inner: [{}] });
    for (const name of ["key", "refresh_token", "secret", "access_token"]) expect(message).toContain(name);
  });

  it("keeps a name that only looks like a key: of one of an earlier system we know no more than its hash", () => {
    const ours = newSecret().value;
    const names = ["flash_production", `kaa_${"0".repeat(64)}`, ours.slice(0, -1) + (ours.endsWith("0") ? "1" : "0")];
    const data = names.map((name) => ({ name }));
    expect(again(data)).toEqual({ status: "success", data });
  });
});

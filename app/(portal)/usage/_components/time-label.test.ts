import { afterEach, expect, it } from "vitest";
import { axisLabel, exactLabel, rowLabel } from "./time-label";

const zone = process.env.TZ;
afterEach(() => {
  if (zone === undefined) delete process.env.TZ;
  else process.env.TZ = zone;
});

it("plot and table name the same hour in the same zone, wherever the reader is", () => {
  for (const place of ["Asia/Tokyo", "America/New_York", "UTC"]) {
    process.env.TZ = place;
    expect(axisLabel("2026-03-01T23:00:00.000Z", "hour")).toBe("23:00");
    expect(exactLabel("2026-03-01T23:00:00.000Z", "hour")).toMatch(/^Mar 1, 2026, 23:00 UTC$/);
    expect(rowLabel("2026-03-01T23:00:00.000Z", "hour")).toBe("2026-03-01 23:00");
    expect(axisLabel("2026-03-01T00:00:00.000Z", "day")).toBe("Mar 1");
  }
});

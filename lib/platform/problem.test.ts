import { expect, it } from "vitest";
import { type ErrorCode, SluiceError } from "./errors";
import { problemHeaders, problems } from "./problem";

it("every 503 says when to come again, also one whose cause knows no time; nothing else does by itself", () => {
  for (const code of Object.keys(problems) as ErrorCode[]) {
    const headers = problemHeaders(new SluiceError(code, "x"));
    if (problems[code].status === 503) expect(Number(headers["Retry-After"]), code).toBeGreaterThanOrEqual(1);
    else expect(headers, code).not.toHaveProperty("Retry-After");
    expect(problemHeaders(new SluiceError(code, "x", { retryAfterSeconds: 2 })), code).toHaveProperty("Retry-After", "2");
  }
});

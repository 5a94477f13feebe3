import { afterEach, expect, it, vi } from "vitest";
import { CallbackRouteError, InvalidCheck, MissingCSRF } from "@auth/core/errors";
import { moveClock, resetClock } from "@/lib/platform/clock";
import { logger, safeError } from "@/lib/platform/logger";
import { logAuthError } from "./auth-log";

afterEach(() => {
  resetClock();
  vi.restoreAllMocks();
});

it("400 requests with garbage are at most one warning a minute, without what was sent", () => {
  const [warn, error] = [vi.spyOn(logger, "warn"), vi.spyOn(logger, "error")];
  moveClock(120_000);
  for (let i = 0; i < 400; i++) logAuthError(i % 2 ? new MissingCSRF("what they sent") : new InvalidCheck("what they sent"));
  expect(error).not.toHaveBeenCalled();
  expect(warn).toHaveBeenCalledTimes(1);
  moveClock(190_000);
  logAuthError(new MissingCSRF("what they sent"));
  expect(warn.mock.calls.map(([fields]) => fields)).toEqual([{ type: "InvalidCheck", count: 1 }, { type: "MissingCSRF", count: 400 }]);
});

it("a body that is no JSON and an unknown provider are the visitor's errors", () => {
  const error = vi.spyOn(logger, "error");
  for (const thrown of [new SyntaxError("Expected property name in {x"), new Error('Provider with id "x" not found.')]) logAuthError(thrown);
  expect(error).not.toHaveBeenCalled();
  logAuthError(new TypeError("a fault of ours"));
  expect(error).toHaveBeenCalledTimes(1);
});

it("a code that a visitor made up is no error of ours, and a refused client secret is one", () => {
  const error = vi.spyOn(logger, "error");
  const refusedWith = (code: string) => Object.assign(new CallbackRouteError(), { cause: { err: Object.assign(new Error("server responded with an error"), { error: code }), provider: "keycloak" } });
  logAuthError(refusedWith("invalid_grant"));
  expect(error).not.toHaveBeenCalled();
  logAuthError(refusedWith("invalid_client"));
  expect(error).toHaveBeenCalledTimes(1);
});

it("failures are bounded by the minute", () => {
  moveClock(400_000);
  const [warn, error] = [vi.spyOn(logger, "warn"), vi.spyOn(logger, "error").mockReturnValue(undefined)];
  for (let i = 0; i < 50; i++) logAuthError(new CallbackRouteError());
  expect(error).toHaveBeenCalledTimes(20);
  expect(warn).toHaveBeenCalledTimes(1);
  moveClock(61_000);
  logAuthError(new CallbackRouteError());
  expect(error).toHaveBeenCalledTimes(21);
});

it("an answer of Keycloak's is written with its code, and its body is left out", () => {
  const answered = Object.assign(new Error("server responded with an error in the response body", { cause: { error: "unauthorized_client", error_description: "what Keycloak sent" } }), { error: "unauthorized_client", status: 401 });
  const said = safeError(answered);
  expect(said).toMatchObject({ code: "unauthorized_client", status: 401 });
  expect(JSON.stringify(said)).not.toMatch(/object Object|what Keycloak sent/);
});

it("the cause that Auth.js wraps is written out, scrubbed, and its notes are left out", () => {
  const cause = { err: new Error("unexpected response: Bearer abc.def", { cause: new Error("invalid_client") }), provider: "keycloak", code: "their-code" };
  const said = safeError(new Error("Read more", { cause }));
  expect(said).toMatchObject({ cause: { message: "unexpected response: [redacted]", cause: { message: "invalid_client" } } });
  expect(JSON.stringify(said)).not.toMatch(/object Object|their-code|abc\.def/);
});

import { expect, it } from "vitest";
import { signInError } from "./errors";

it("each cause of a failed sign-in has its own words, with what to do", () => {
  expect(signInError("client_refused")?.text).toMatch(/KEYCLOAK_CLIENT_SECRET/);
  expect(signInError("token_refused")?.text).toMatch(/half a minute/);
  expect(signInError("AccessDenied")?.text).toMatch(/declined the terms/);
});

it("an unknown code is never shown", () => {
  for (const code of ["constructor", "__proto__", "<b>x</b>"]) expect(JSON.stringify(signInError(code))).not.toContain(code);
});

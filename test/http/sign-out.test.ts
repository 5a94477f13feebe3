import { afterAll, describe, expect, it } from "vitest";
import { type Browser, call, demo, doors, resetParts, signIn } from "./client";

afterAll(resetParts);

const path = "/api/auth/signout";
const lives = async (cookie: string) => (await call(demo.url, "GET", "/api/v1/auth/me", { cookie })).status === 200;
const cookieOf = (browser: Browser) => browser.cookies(demo.url);
const asForm = { "content-type": "application/x-www-form-urlencoded" };

describe("nobody is signed out by a foreign page", () => {
  it("by a link, an image or a form without the page's own secret, at either door", async () => {
    const cookie = cookieOf(await signIn("uma"));
    for (const base of Object.values(doors)) {
      for (const method of ["GET", "HEAD"]) {
        await call(base, method, path, { cookie, headers: { "sec-fetch-site": "cross-site" } });
        await call(base, method, `${path}?csrfToken=guess`, { cookie });
        await call(base, method, "/signed-out?state=guess", { cookie });
      }
      await call(base, "POST", path, { cookie, headers: { ...asForm, origin: "https://evil.test" }, raw: "" });
      await call(base, "POST", path, { cookie, headers: { ...asForm, origin: "https://evil.test" }, raw: "csrfToken=guess" });
      expect(await lives(cookie), base).toBe(true);
    }
  });

  it("and a link to the page of the signed-out does not make believe that they are", async () => {
    const cookie = cookieOf(await signIn("uma"));
    const page = await call(demo.url, "GET", "/signed-out?state=guess", { cookie });
    expect(page.text).toContain("You are still signed in");
    expect(page.text).not.toContain("here and at Keycloak has ended");
    expect((await call(demo.url, "GET", "/signed-out?state=guess")).text).not.toContain("here and at Keycloak has ended");
  });
});

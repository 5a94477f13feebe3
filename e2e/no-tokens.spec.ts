import { demoUrl, signIn, signOut } from "./people";
import { expect, test, tokensInCookies } from "./test";

test("whoever looks for tokens in answers sees one in a page, in what an action says, in an address and in a cookie", async ({ page, context, sightings }) => {
  // Made up, and of the right form.
  const token = `${["eyJhbGciOiJSUzI1NiJ9", "eyJzdWIiOiJub2JvZHkifQ"].join(".")}.c2lnbmF0dXJl`;
  const answers = {
    "/planted/page": { contentType: "text/html", body: `<p data-x="${token}">` },
    "/planted/action": { contentType: "text/x-component", body: `0:{"a":"${token}"}` },
    "/planted/address": { contentType: "text/html", body: "", headers: { "x-went-to": `https://elsewhere.test/?id_token_hint=${token}` } },
  };
  for (const [path, answer] of Object.entries(answers)) await page.route(`${demoUrl}${path}`, (route) => route.fulfill(answer));
  for (const path of Object.keys(answers)) {
    await page.goto(path);
    await expect.poll(() => sightings.tokens).toContain(`GET ${path}`);
  }
  sightings.tokens.length = 0;
  await context.addCookies([{ name: "planted", value: token, url: demoUrl }]);
  expect(await tokensInCookies(context)).toEqual(["cookie planted"]);
  await context.clearCookies();
});

test("a sign-in, a page and a sign-out are looked through", async ({ page, sightings }) => {
  await signIn(page, "uma");
  await page.goto("/keys");
  await expect(page.getByRole("heading", { name: "API keys" })).toBeVisible();
  await signOut(page);
  expect(sightings.looked).toBeGreaterThan(10);
});

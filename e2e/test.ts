import { type BrowserContext, expect, type Page, type Request, test as base } from "@playwright/test";
import { signedToken } from "../dev/leaks";
import { demoUrl } from "./people";

const readable = /^(text\/(html|plain|x-component|css)|application\/(json|problem\+json|javascript)|text\/javascript)/;

/** Files of the build that were looked through: their names change with their contents. */
const builtFilesSeen = new Set<string>();

/** Responses in which a token was seen, by method and path; and how many were looked through. */
export type Sightings = { tokens: string[]; looked: number };

/** Every test of a browser also tells that no answer of ours held a token: not in headers and cookies, pages, what React fetches, nor results of actions. */
export const test = base.extend<{ sightings: Sightings }>({
  sightings: [async ({ context }, use) => {
    const seen: Sightings = { tokens: [], looked: 0 };
    const looking = new Set<Promise<void>>();
    // At once, since some never end and some are broken off.
    context.on("response", (response) => {
      if (response.url().startsWith(demoUrl) && signedToken.test(JSON.stringify(response.headers()))) seen.tokens.push(nameOf(response.request()));
    });
    context.on("requestfinished", (request) => {
      const url = request.url();
      if (!url.startsWith(demoUrl) || builtFilesSeen.has(url)) return;
      const looks = lookThrough(request, seen).then(() => { if (url.includes("/_next/static/")) builtFilesSeen.add(url); }, () => undefined);
      looking.add(looks);
      void looks.finally(() => looking.delete(looks));
    });
    await use(seen);
    await Promise.all(looking);
    seen.tokens.push(...(await tokensInCookies(context)));
    expect(seen.tokens).toEqual([]);
  }, { auto: true }],
  page: async ({ page }, provide) => {
    const [goto, reload] = [page.goto.bind(page), page.reload.bind(page)];
    page.goto = (...args) => goto(...args).finally(() => listens(page));
    page.reload = (...args) => reload(...args).finally(() => listens(page));
    await provide(page);
  },
});

const nameOf = (request: Request) => `${request.method()} ${new URL(request.url()).pathname}`;

async function lookThrough(request: Request, seen: Sightings): Promise<void> {
  const response = request.existingResponse();
  if (!response) return;
  const headers = await response.allHeaders();
  // A redirect has no body, nor has a page that was left before it was read.
  const body = readable.test(headers["content-type"] ?? "") ? await response.text().catch(() => "") : "";
  seen.looked++;
  if (signedToken.test(body) || signedToken.test(JSON.stringify(headers))) seen.tokens.push(nameOf(request));
}

/** Waits until the buttons of a page of ours do something: a click before that is lost, and nobody's test is about that. Pages without React are not waited for long. */
async function listens(page: Page): Promise<void> {
  if (!page.url().startsWith(demoUrl)) return;
  await page.waitForFunction(() => [...document.querySelectorAll("button")].every((button) => Object.keys(button).some((key) => key.startsWith("__reactProps"))), null, { timeout: 5000 }).catch(() => undefined);
}

/** Of our own, by name. */
export async function tokensInCookies(context: BrowserContext): Promise<string[]> {
  return (await context.cookies(demoUrl)).filter(({ value }) => signedToken.test(value)).map(({ name }) => `cookie ${name}`);
}

export { expect };

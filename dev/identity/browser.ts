import { createHash, randomBytes } from "node:crypto";

/** Enough of a browser to sign in by script: cookies with their paths, redirects one at a time, forms. */
export class Browser {
  private readonly cookies = new Map<string, { path: string; name: string; value: string }>();

  /** One request, no redirect followed. */
  async request(url: string, fields?: Record<string, string>): Promise<Response> {
    const { pathname } = new URL(url);
    const cookie = [...this.cookies.values()].filter((one) => pathname.startsWith(one.path)).map((one) => `${one.name}=${one.value}`).join("; ");
    const response = await fetch(url, {
      method: fields ? "POST" : "GET",
      redirect: "manual",
      headers: { ...(cookie ? { cookie } : {}) },
      ...(fields ? { body: new URLSearchParams(fields) } : {}),
    });
    for (const line of response.headers.getSetCookie()) this.keep(line);
    return response;
  }

  /** Follows redirects within the realm; stops at a page, or at the first address outside of it. */
  async open(url: string, fields?: Record<string, string>): Promise<{ url: string; status: number; html: string }> {
    const { origin } = new URL(url);
    let at = url;
    let response = await this.request(at, fields);
    while (response.status >= 300 && response.status < 400) {
      at = new URL(response.headers.get("location") ?? "", at).href;
      if (new URL(at).origin !== origin) return { url: at, status: response.status, html: "" };
      response = await this.request(at);
    }
    return { url: at, status: response.status, html: await response.text() };
  }

  private keep(line: string): void {
    const [pair = "", ...attributes] = line.split(";").map((part) => part.trim());
    const name = pair.slice(0, pair.indexOf("="));
    const value = pair.slice(pair.indexOf("=") + 1);
    const path = attributes.find((one) => one.toLowerCase().startsWith("path="))?.slice(5) ?? "/";
    const key = `${path}|${name}`;
    if (value === "" || attributes.some((one) => /^expires=Thu, 01 Jan 1970/i.test(one))) this.cookies.delete(key);
    else this.cookies.set(key, { path, name, value });
  }
}

/** Where the first form of a page goes, with its hidden fields. */
export function formOf(html: string, base: string): { action: string; hidden: Record<string, string> } {
  const action = /<form[^>]* action="([^"]+)"/.exec(html)?.[1];
  if (action === undefined) throw new Error("This page has no form");
  const hidden = [...html.matchAll(/<input type="hidden" name="([^"]+)" value="([^"]*)"/g)].map(([, name, value]) => [name, unescape(value ?? "")]);
  return { action: new URL(unescape(action), base).href, hidden: Object.fromEntries(hidden) as Record<string, string> };
}

function unescape(text: string): string {
  return text.replace(/&#(\d+);/g, (_, code: string) => String.fromCharCode(Number(code))).replaceAll("&amp;", "&");
}

export function newVerifier(): { verifier: string; challenge: string } {
  const verifier = randomBytes(32).toString("base64url");
  return { verifier, challenge: createHash("sha256").update(verifier).digest("base64url") };
}

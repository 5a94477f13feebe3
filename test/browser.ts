/** A small cookie jar: enough to walk through a sign-in as a browser would. */
export class Browser {
  /** Where it went last, also when nobody answered there. */
  lastAddress: string | null = null;
  /** What it says of itself with every request. */
  readonly headers: Record<string, string> = {};
  /** @param stopAt an address to which it does not follow a redirect. */
  constructor(private readonly stopAt?: string) {}

  private readonly jars = new Map<string, Map<string, string>>();

  cookies(url: string): string {
    return [...(this.jars.get(new URL(url).host) ?? [])].map(([name, value]) => `${name}=${value}`).join("; ");
  }

  cookie(url: string, name: string): string | undefined {
    return this.jars.get(new URL(url).host)?.get(name);
  }

  /** Does to its cookies what somebody could who has the machine in hand; undefined takes one away. */
  tamper(url: string, name: string, value: string | undefined): void {
    const { host } = new URL(url);
    const jar = this.jars.get(host) ?? new Map<string, string>();
    this.jars.set(host, jar);
    if (value === undefined) jar.delete(name);
    else jar.set(name, value);
  }

  async go(url: string, init: RequestInit = {}): Promise<{ response: Response; text: string; url: string }> {
    let at = url;
    let next = init;
    for (let hops = 0; hops < 20; hops++) {
      this.lastAddress = at;
      const response = await fetch(at, { ...next, redirect: "manual", headers: { ...this.headers, ...next.headers, cookie: this.cookies(at) } });
      this.remember(at, response);
      const location = response.headers.get("location");
      if (!location || response.status < 300 || response.status > 399) return { response, text: await response.text(), url: at };
      await response.arrayBuffer();
      at = new URL(location, at).href;
      if (this.stopAt && at.startsWith(this.stopAt)) return { response, text: "", url: at };
      next = {};
    }
    throw new Error(`too many redirects at ${at}`);
  }

  private remember(url: string, response: Response): void {
    const { host } = new URL(url);
    const jar = this.jars.get(host) ?? new Map<string, string>();
    this.jars.set(host, jar);
    for (const line of response.headers.getSetCookie()) {
      const [pair = "", ...attributes] = line.split(";");
      const at = pair.indexOf("=");
      const name = pair.slice(0, at);
      if (attributes.some((a) => /^\s*max-age=0$/i.test(a) || /^\s*expires=thu, 01 jan 1970/i.test(a))) jar.delete(name);
      else jar.set(name, pair.slice(at + 1));
    }
  }

  /** Posts the first form of a page with these fields, hidden ones included. */
  async submit(page: { text: string; url: string }, fields: Record<string, string>): Promise<{ response: Response; text: string; url: string }> {
    const action = /<form[^>]*action="([^"]*)"/i.exec(page.text)?.[1]?.replaceAll("&amp;", "&");
    const hidden = Object.fromEntries([...page.text.matchAll(/<input[^>]*type="hidden"[^>]*>/gi)].map(([tag]) => [/name="([^"]*)"/.exec(tag)?.[1] ?? "", /value="([^"]*)"/.exec(tag)?.[1] ?? ""]));
    return this.go(new URL(action ?? page.url, page.url).href, { method: "POST", headers: { "content-type": "application/x-www-form-urlencoded" }, body: new URLSearchParams({ ...hidden, ...fields }) });
  }
}

export type Answer = { status: number; headers: Headers; json: unknown; text: string };
type Asked = { signal: AbortSignal; method?: "GET" | "POST"; headers?: Record<string, string>; form?: Record<string, string>; json?: unknown };

const textMax = 1_000_000;

/** One call as the outside world sees it: redirects are not followed, nothing is repeated. @throws for no answer. */
export async function call(url: string, { signal, method = "GET", headers, form, json }: Asked): Promise<Answer> {
  const body = form ? new URLSearchParams(form) : json === undefined ? undefined : JSON.stringify(json);
  const response = await fetch(url, { method, redirect: "manual", signal, body, headers: { accept: "application/json", ...(json !== undefined && { "content-type": "application/json" }), ...headers } });
  const text = (await response.text()).slice(0, textMax);
  return { status: response.status, headers: response.headers, text, json: jsonOf(text) };
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** RFC 6749 section 2.3.1: both halves are form-encoded first. */
export function basic({ id, secret }: { id: string; secret: string }): { authorization: string } {
  const encode = (text: string) => encodeURIComponent(text).replaceAll("%20", "+");
  return { authorization: `Basic ${Buffer.from(`${encode(id)}:${encode(secret)}`).toString("base64")}` };
}

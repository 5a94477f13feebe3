import { Agent, request } from "undici";

export type Answer = { status: number; /** Of a header that came more than once, the first. */ header(name: string): string | null; json: unknown; text: string };
type Asked = { signal: AbortSignal; method?: "GET" | "POST"; headers?: Record<string, string>; form?: Record<string, string>; json?: unknown };

const bytesMax = 10_000_000;
const agent = new Agent({ connect: { timeout: 3000 } });

/** One call as the product makes it: by undici (`fetch` knows forbidden ports), without following redirects, never repeated. @throws for no answer. */
export async function call(url: string, { signal, method = "GET", headers, form, json }: Asked): Promise<Answer> {
  const body = form ? new URLSearchParams(form).toString() : json === undefined ? undefined : JSON.stringify(json);
  const type = form ? "application/x-www-form-urlencoded" : "application/json";
  const answer = await request(url, { method, signal, body, dispatcher: agent, headers: { accept: "application/json", ...(body !== undefined && { "content-type": type }), ...headers } });
  const text = await textOf(answer.body as AsyncIterable<Buffer>);
  const header = (name: string) => [answer.headers[name]].flat()[0] ?? null;
  return { status: answer.statusCode, header, text, json: jsonOf(text) };
}

/** What lies beyond the bound is cut off: nobody here reads that far. */
async function textOf(body: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body) {
    chunks.push(chunk);
    if ((size += chunk.length) > bytesMax) break;
  }
  return Buffer.concat(chunks).toString("utf8");
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

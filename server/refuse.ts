import type { ServerResponse } from "node:http";

/** What the door says by itself, before anything behind it is asked. */
export function refuse(response: ServerResponse, status: 400 | 404 | 503, words: string): void {
  response.writeHead(status, { "Content-Type": "text/plain; charset=utf-8", "Cache-Control": "no-store", ...(status === 503 && { "Retry-After": "2" }) });
  response.end(`${words}\n`);
}

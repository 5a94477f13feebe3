import type { ServerResponse } from "node:http";

/** What the door says by itself, before anything behind it is asked. */
export function refuse(response: ServerResponse, status: 400 | 404 | 408 | 429 | 503, words: string): void {
  response.writeHead(status, {
    "Content-Type": "text/plain; charset=utf-8", "Cache-Control": "no-store",
    ...((status === 429 || status === 503) && { "Retry-After": "2" }),
    // What is left of a body that came too slowly, or is not wanted, is not waited for.
    ...((status === 408 || status === 429) && { Connection: "close" }),
  });
  response.end(`${words}\n`);
}

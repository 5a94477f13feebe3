import type { ApiContext } from "@/lib/entry/api";
import { setHeader } from "@/lib/entry/headers";
import { env } from "@/lib/platform/env";

/** Leads on from a page of a bare array (contract section 2): the address that was asked for, as the public knows it, with another cursor. */
export function linkNextPage(c: ApiContext, nextCursor: string | null): void {
  if (nextCursor === null) return;
  const url = new URL(c.req.url);
  url.searchParams.set("cursor", nextCursor);
  setHeader(c, "Link", `<${env().AUTH_URL}${url.pathname}${url.search}>; rel="next"`);
}

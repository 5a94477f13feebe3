import { portalStatus } from "@/lib/entry/status";

export const dynamic = "force-dynamic";

/** What the status page asks while it is open. For anybody, also when nobody can be signed in. */
export async function GET(): Promise<Response> {
  return Response.json(await portalStatus(), { headers: { "cache-control": "no-store" } });
}

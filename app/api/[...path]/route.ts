import { createApi } from "@/lib/api";

export const runtime = "nodejs";
export const dynamic = "force-dynamic";

let app: ReturnType<typeof createApi> | undefined;

/** The second door: where Next.js itself is the server, the same Hono app answers through it. */
async function handle(request: Request): Promise<Response> {
  app ??= createApi();
  return app.fetch(request);
}

export { handle as DELETE, handle as GET, handle as HEAD, handle as OPTIONS, handle as PATCH, handle as POST, handle as PUT };

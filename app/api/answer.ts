import { createApi } from "@/lib/api";

let app: ReturnType<typeof createApi> | undefined;

/** The second door: where Next.js itself is the server, the same Hono app answers through it. */
export async function answer(request: Request): Promise<Response> {
  app ??= createApi();
  return app.fetch(request);
}

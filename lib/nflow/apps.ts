import type { z } from "zod";
import { type Context, requirePermission } from "@/lib/access";
import { notFound, SluiceError } from "@/lib/platform/errors";
import { callUpstream, readJson, upstreamFailure, type UpstreamRequest } from "@/lib/upstream";
import { Application, ApplicationPage, type CreateAppInput, type RemoveAppsInput, type SearchAppsInput } from "./schemas";

/** NFlow's applications, read and changed as the caller. Each throws what `upstreamFailure` and `callUpstream` name. */

export async function searchApps(ctx: Context, input: SearchAppsInput): Promise<ApplicationPage> {
  requirePermission(ctx, "nflow:read");
  return ask(ctx, { needs: "nflow:read", method: "POST", template: "/builder/apps/search", body: input }, ApplicationPage);
}

/** @throws SluiceError `not_found` for unknown and removed names. */
export async function getApp(ctx: Context, name: string): Promise<Application> {
  requirePermission(ctx, "nflow:read");
  // These segments cannot be a name: the one is another operation, the others the other side would resolve away.
  if (name === "search" || name === "remove" || name === "recover" || /^\.+$/.test(name)) throw notFound("No such application.");
  return ask(ctx, { needs: "nflow:read", method: "GET", template: "/builder/apps/:name", names: { name } }, Application);
}

/** @throws SluiceError `conflict` when the name is taken, also by a removed application. */
export async function createApp(ctx: Context, input: CreateAppInput): Promise<Application> {
  requirePermission(ctx, "nflow:write");
  return ask(ctx, { needs: "nflow:write", method: "POST", template: "/builder/apps", body: input }, Application);
}

/** Removes softly: NFlow can bring them back. */
export async function removeApps(ctx: Context, input: RemoveAppsInput): Promise<void> {
  requirePermission(ctx, "nflow:write");
  const answer = await callUpstream(ctx, { engine: "nflow", needs: "nflow:write", method: "POST", template: "/builder/apps/remove", body: input });
  if (answer.status >= 300) throw await upstreamFailure(answer);
  answer.body.resume();
}

async function ask<S extends z.ZodType>(ctx: Context, request: Omit<UpstreamRequest, "engine">, schema: S): Promise<z.output<S>> {
  const answer = await callUpstream(ctx, { engine: "nflow", ...request });
  if (answer.status >= 300) throw await upstreamFailure(answer);
  const parsed = schema.safeParse(await readJson(answer));
  if (!parsed.success) throw new SluiceError("upstream_error", "NFlow's answer is not what its contract says.", { cause: parsed.error });
  return parsed.data;
}

import "server-only";
import { revalidatePath } from "next/cache";
import { headers } from "next/headers";
import type { z } from "zod";
import type { Context } from "@/lib/access";
import { checkCall } from "@/lib/keys";
import { env } from "@/lib/platform/env";
import { isSluiceError, SluiceError } from "@/lib/platform/errors";
import { logger } from "@/lib/platform/logger";
import { type Problem, toProblem } from "@/lib/platform/problem";
import { confirmAdministrator } from "@/lib/tenants";
import { findSignedIn } from "./page";
import { parseInput, refuseHostile } from "./parse";
import { requestIdFrom } from "./request-id";

export type ActionResult<T> = { ok: true; data: T } | { ok: false; problem: Problem };

/**
 * The door of server actions, which anybody can reach by a direct POST: the same-origin check that Next.js skips when no
 * `Origin` is sent, the session, where asked for how fresh it is, the input. Failures come back as problems, never as thrown errors.
 */
export function action<S extends z.ZodType, T>(schema: S, verb: (ctx: Context, input: z.output<S>) => Promise<T>, options: { revalidate?: string; /** It wants a recent proof of who is there. */ fresh?: boolean } = {}): (input: z.input<S>) => Promise<ActionResult<T>> {
  return async function run(input: z.input<S>): Promise<ActionResult<T>> {
    const sent = await headers();
    const requestId = requestIdFrom(sent.get("x-request-id"));
    try {
      requireSameOrigin(sent.get("origin"));
      const found = await findSignedIn();
      if (!found) throw new SluiceError("session_expired", "Your session has ended. Sign in again.");
      if (!found.isActive) throw new SluiceError("owner_disabled", "Your access is switched off.");
      if (options.fresh) found.ctx.requireFresh?.();
      // What a person does by hand counts like what their programs do.
      const verdict = await checkCall({ kind: "user", userId: found.session.userId }, { ip: found.ctx.ip, requestId, cost: 1 });
      if (!verdict.ok) throw verdict.error;
      if (options.fresh) await confirmAdministrator(found.ctx);
      refuseHostile(input);
      const data = await verb(found.ctx, parseInput(schema, input));
      if (options.revalidate) revalidatePath(options.revalidate);
      return { ok: true, data };
    } catch (error) {
      if (!isSluiceError(error) || isSluiceError(error, "internal_error")) logger.error({ err: error, requestId }, "action failed");
      return { ok: false, problem: toProblem(error, { baseUrl: env().AUTH_URL, path: "", requestId }) };
    }
  };
}

/** Next.js lets an action without `Origin` pass; we do not. For actions that are not made with `action`. */
export function requireSameOrigin(origin: string | null): void {
  if (origin !== new URL(env().AUTH_URL).origin) throw new SluiceError("cross_origin", "This can only be done from the portal's own pages.");
}

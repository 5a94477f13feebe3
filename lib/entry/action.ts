import "server-only";
import { revalidatePath } from "next/cache";
import { headers } from "next/headers";
import type { z } from "zod";
import type { CallTrace, Context } from "@/lib/access";
import { checkCall, noteCaller } from "@/lib/keys";
import { env } from "@/lib/platform/env";
import { isSluiceError, SluiceError } from "@/lib/platform/errors";
import { logger } from "@/lib/platform/logger";
import { type Problem, toProblem } from "@/lib/platform/problem";
import { confirmAdministrator } from "@/lib/tenants";
import { recordCall } from "@/lib/usage";
import { knownFailure } from "./known-failure";
import { findSignedIn, type SignedIn } from "./page";
import { parseInput, refuseHostile } from "./parse";
import { requestIdFrom } from "./request-id";

export type ActionResult<T> = { ok: true; data: T } | { ok: false; problem: Problem };

type ActionOptions = {
  /** What it is called in its person's request log, behind `portal/`: an address of its own it has none. */
  name: string;
  revalidate?: string;
  /** It wants a recent proof of who is there. */
  fresh?: boolean;
};

/**
 * The door of server actions, which anybody can reach by a direct POST: the same-origin check that Next.js skips when no
 * `Origin` is sent, the session, where asked for how fresh it is, the input. Failures come back as problems, never as thrown errors,
 * and are kept like those of the API: the person may ask why they were refused.
 */
export function action<S extends z.ZodType, T>(schema: S, verb: (ctx: Context, input: z.output<S>) => Promise<T>, options: ActionOptions): (input: z.input<S>) => Promise<ActionResult<T>> {
  return async function run(input: z.input<S>): Promise<ActionResult<T>> {
    const startedAt = performance.now();
    const sent = await headers();
    const requestId = requestIdFrom(sent.get("x-request-id"));
    const call: CallTrace = { credits: 0, portal: true };
    let found: SignedIn | null = null;
    const ended = (status: number, error?: unknown) => {
      if (!found || !call.by) return;
      const ms = performance.now() - startedAt;
      recordCall({ requestId, ip: found.ctx.ip, userAgent: found.ctx.userAgent, call, by: call.by, atMs: Math.round(Date.now() - ms), method: "POST", route: `portal/${options.name}`, status, ms, error });
    };
    try {
      requireSameOrigin(sent.get("origin"));
      found = await findSignedIn();
      if (!found) throw new SluiceError("session_expired", "Your session has ended. Sign in again.");
      call.by = { userId: found.session.userId, tenantId: found.ctx.tenantId, refused: true };
      if (!found.isActive) throw new SluiceError("owner_disabled", "Your access is switched off.");
      if (options.fresh) found.ctx.requireFresh?.();
      // What a person does by hand counts like what their programs do.
      const verdict = await checkCall({ kind: "user", userId: found.session.userId }, { ip: found.ctx.ip, requestId, cost: 1 });
      noteCaller(call, verdict);
      if (!verdict.ok) throw verdict.error;
      if (options.fresh) await confirmAdministrator(found.ctx);
      refuseHostile(input);
      const data = await verb({ ...found.ctx, call }, parseInput(schema, input));
      if (options.revalidate) revalidatePath(options.revalidate);
      ended(200);
      return { ok: true, data };
    } catch (given) {
      const error = knownFailure(given);
      if (!isSluiceError(given) || isSluiceError(given, "internal_error")) logger.error({ err: given, requestId }, "action failed");
      const problem = toProblem(error, { baseUrl: env().AUTH_URL, path: "", requestId });
      ended(problem.status, error);
      return { ok: false, problem };
    }
  };
}

/** Next.js lets an action without `Origin` pass; we do not. For actions that are not made with `action`. */
export function requireSameOrigin(origin: string | null): void {
  if (origin !== new URL(env().AUTH_URL).origin) throw new SluiceError("cross_origin", "This can only be done from the portal's own pages.");
}

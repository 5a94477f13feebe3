import { z } from "zod";

export const SignOutSessionInput = z.strictObject({ id: z.string().regex(/^[\w-]{43}$/, "is not a session") });
export type SignOutSessionInput = z.infer<typeof SignOutSessionInput>;

/** A session as its person sees it. Instants are ISO 8601. */
export type SessionView = {
  id: string;
  /** The one that asks. */
  isThis: boolean;
  /** "Firefox 140 on Linux" */
  device: string;
  address: string | null;
  signedInAt: string;
  lastSeenAt: string;
  endsAt: string;
  /** How it was signed in, in words. */
  method: string;
};

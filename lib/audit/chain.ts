import canonicalize from "canonicalize";
import { sha256Hex } from "@/lib/platform/crypto";

/** An event as exports show it and as its hash covers it (HTTP contract, section 8). */
export type SealedEvent = {
  seq: number;
  at: string;
  tenantId: string;
  actor: { type: string; id: string | null };
  action: string;
  target: { type: string; id: string } | null;
  ip: string | null;
  userAgent: string | null;
  requestId: string | null;
  data: unknown;
  prevHash: string;
  hash: string;
};

export const firstPrevHash = "0".repeat(64);

/** `hex(SHA-256(prevHash + "\n" + JCS(event without prevHash and hash)))`, JCS being RFC 8785's canonical JSON. */
export function auditHash(prevHash: string, event: Omit<SealedEvent, "prevHash" | "hash">): string {
  return sha256Hex(`${prevHash}\n${canonicalize(event)}`);
}

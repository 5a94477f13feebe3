import { randomUUID } from "node:crypto";

const acceptable = /^[A-Za-z0-9._-]{1,128}$/;

/** The caller's own id when it is harmless in logs and headers, else a new one. */
export function requestIdFrom(given: string | null | undefined): string {
  return given && acceptable.test(given) ? given : randomUUID();
}

export const isRequestId = (given: string): boolean => acceptable.test(given);

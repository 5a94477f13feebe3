let offsetMs = 0;

/** Milliseconds since the epoch. Tests move it, so nobody sleeps. */
export function now(): number {
  return Date.now() + offsetMs;
}

export function nowDate(): Date {
  return new Date(now());
}

/** For tests: moves our clock (not Redis's or PostgreSQL's). */
export function moveClock(byMs: number): void {
  offsetMs += byMs;
}

export function resetClock(): void {
  offsetMs = 0;
}

import type { CannonRequest } from "autocannon";

/**
 * What the generator is told, by IPC. The requests are dealt out to the connections, and each sends its own in turn.
 * `rate`: per second over all connections, instead of as fast as answers come. `expect`: the only right status, any 2xx if left out.
 */
export type Order = { id: number; url: string; connections: number; seconds: number; rate?: number; expect?: number; requests: CannonRequest[] };
export type Load = Omit<Order, "id" | "seconds">;
/** What it answers: `cpuSeconds` are its own. */
export type Told = { id: number; requests: number; failures: number; statuses: Record<number, number>; wallSeconds: number; cpuSeconds: number; p50: number; p99: number; max: number };

import type { CannonRequest } from "autocannon";

/** What the generator is told, by IPC. Requests are sent in turn by each connection. */
export type Order = { id: number; url: string; connections: number; seconds: number; rate?: number; requests: CannonRequest[] };
export type Load = Omit<Order, "id" | "seconds">;
/** What it answers: `cpuSeconds` are its own. */
export type Told = { id: number; requests: number; failures: number; statuses: Record<number, number>; wallSeconds: number; cpuSeconds: number; p50: number; p99: number; max: number };

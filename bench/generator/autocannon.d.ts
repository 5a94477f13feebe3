// The package ships without types, and is there only once `npm run bench` has installed it.
declare module "autocannon" {
  import type { EventEmitter } from "node:events";

  export type CannonRequest = { method?: string; path?: string; headers?: Record<string, string>; body?: string };
  export type CannonOptions = { url: string; connections: number; duration: number; overallRate?: number; requests: CannonRequest[]; timeout?: number; sampleInt?: number; setupClient?(client: Client): void };
  type Client = { setRequests(requests: CannonRequest[]): void };
  /** Times are ms with fractions; the result's own histogram has whole ms and is not used. */
  interface Cannon extends EventEmitter {
    on(event: "response", listener: (client: Client, statusCode: number, bytes: number, responseMs: number) => void): this;
    on(event: "reqError", listener: (error: Error) => void): this;
    on(event: "done", listener: (result: { errors: number; timeouts: number; duration: number }) => void): this;
  }
  export default function autocannon(options: CannonOptions, done?: (error: Error | null) => void): Cannon;
}

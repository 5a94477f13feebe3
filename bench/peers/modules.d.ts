// The packages are there only once `npm run bench` has installed them; this is what the peer uses of them.
declare module "better-auth" {
  export type SecondaryStorage = { get(key: string): Promise<string | null>; getAndDelete(key: string): Promise<string | null>; increment(key: string, ttlSeconds: number): Promise<number>; set(key: string, value: string, ttlSeconds?: number): Promise<void>; delete(key: string): Promise<void> };
  export type Options = { baseURL: string; secret: string; database: unknown; secondaryStorage?: SecondaryStorage; plugins: unknown[]; rateLimit?: { enabled: boolean }; telemetry?: { enabled: boolean }; emailAndPassword?: { enabled: boolean }; logger?: { disabled: boolean } };
  export function betterAuth(options: Options): {
    options: Options;
    api: {
      signUpEmail(call: { body: { email: string; password: string; name: string } }): Promise<{ user: { id: string } }>;
      createApiKey(call: { body: { userId: string; name: string } }): Promise<{ key: string }>;
      verifyApiKey(call: { body: { key: string } }): Promise<{ valid: boolean; error: { code?: string } | null }>;
    };
  };
}
declare module "better-auth/db/migration" {
  export function getMigrations(options: unknown): Promise<{ runMigrations(): Promise<void> }>;
}
declare module "@better-auth/api-key" {
  export function apiKey(options: { storage: "database" | "secondary-storage"; rateLimit: { enabled: boolean; timeWindow: number; maxRequests: number } }): unknown;
}

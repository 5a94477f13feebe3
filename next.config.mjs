/** @type {import("next").NextConfig} */
const config = {
  poweredByHeader: false,
  reactStrictMode: true,
  // The API's paths must answer with and without a trailing slash; a redirect would turn a POST into a GET.
  skipTrailingSlashRedirect: true,
  // Drivers that find their own files or workers at run time, and what shares process-wide state with the door.
  serverExternalPackages: ["pg", "ioredis", "bullmq", "pino", "undici", "@prisma/client", "@prisma/adapter-pg", "@hono/node-server", "prom-client"],
  experimental: {
    serverActions: { bodySizeLimit: "1mb" },
    optimizePackageImports: ["radix-ui", "lucide-react"],
  },
  // `npm run verify` checks types once for the whole tree; a build on a fresh machine need not do it again.
  typescript: { ignoreBuildErrors: true },
  devIndicators: false,
  // Where Next.js itself is the server, these paths of the contract reach the same API. Behind our own door they never get here.
  async rewrites() {
    return {
      beforeFiles: [
        { source: "/health", destination: "/api/_root/health" },
        { source: "/info", destination: "/api/_root/info" },
        { source: "/.well-known/jwks.json", destination: "/api/_root/.well-known/jwks.json" },
      ],
    };
  },
};

export default config;

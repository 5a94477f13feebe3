import manifest from "@/package.json";

export function serviceInfo() {
  const version = (name: keyof typeof manifest.dependencies) => manifest.dependencies[name];
  return {
    service_name: manifest.name,
    version: manifest.version,
    description: manifest.description,
    dependencies: { next: version("next"), hono: version("hono"), "next-auth": version("next-auth"), prisma: version("@prisma/client"), ioredis: version("ioredis") },
  };
}

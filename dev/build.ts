import { execFileSync, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { build as bundle } from "esbuild";

const sources = ["app", "lib", "server", "prisma", "public", "server.ts", "middleware.ts", "instrumentation.ts", "next.config.mjs", "postcss.config.mjs", "tsconfig.json", "package-lock.json"];
const stampFile = join(".next", "sluice-build");

function* files(path: string): Generator<string> {
  if (!existsSync(path)) return;
  const entries = readdirSyncOrNull(path);
  if (!entries) {
    yield path;
    return;
  }
  for (const entry of entries.sort()) if (entry !== "generated") yield* files(join(path, entry));
}

function readdirSyncOrNull(path: string): string[] | null {
  try {
    return readdirSync(path);
  } catch {
    return null;
  }
}

/** What the build depends on, as one hash: the second start of the demo builds nothing. */
function fingerprint(): string {
  const hash = createHash("sha256");
  for (const source of sources) for (const file of files(source)) if (!file.endsWith(".test.ts")) hash.update(file).update(readFileSync(file));
  return hash.digest("hex");
}

/** Generates the Prisma client, builds the pages with Next.js and bundles the door, unless all of it is fresh. */
export async function build(say: (line: string) => void): Promise<void> {
  const wanted = fingerprint();
  if (existsSync(stampFile) && existsSync("dist/server.mjs") && readFileSync(stampFile, "utf8") === wanted) return;
  generateClient();
  say("building the portal (next build), about half a minute");
  await nextBuild();
  rmSync("dist", { recursive: true, force: true });
  await bundle({
    entryPoints: ["server.ts"], outdir: "dist", outExtension: { ".js": ".mjs" }, splitting: true, bundle: true, platform: "node", format: "esm", target: "node20",
    packages: "external", alias: { "server-only": "./dev/lib/empty.mjs" }, sourcemap: true, logLevel: "warning",
  });
  mkdirSync(".next", { recursive: true });
  writeFileSync(stampFile, wanted);
}

export function generateClient(): void {
  const stamp = join("lib", "generated", "prisma", ".schema");
  const schema = createHash("sha256").update(readFileSync("prisma/schema.prisma")).digest("hex");
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === schema) return;
  execFileSync(process.execPath, ["node_modules/prisma/build/index.js", "generate"], { stdio: ["ignore", "ignore", "inherit"] });
  writeFileSync(stamp, schema);
}

function nextBuild(): Promise<void> {
  return new Promise((done, fail) => {
    const child = spawn(process.execPath, ["node_modules/next/dist/bin/next", "build"], { stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, NODE_ENV: "production", NODE_OPTIONS: "", NEXT_TELEMETRY_DISABLED: "1" } });
    let words = "";
    const hear = (chunk: Buffer) => { words = (words + chunk.toString()).slice(-6000); };
    child.stdout.on("data", hear);
    child.stderr.on("data", hear);
    child.on("exit", (code) => (code === 0 ? done() : fail(new Error(`next build failed:\n${words}`))));
  });
}

if (process.argv[1]?.endsWith("build.ts")) {
  build((line) => process.stdout.write(`${line}\n`)).catch((error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(1);
  });
}

import { type SpawnSyncReturns, spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { cached, program } from "../cache";
import { launch } from "./launch";

export const keycloakVersion = process.env.KEYCLOAK_VERSION ?? "26.7.3";

/**
 * Keycloak's distribution, unpacked, built for its file database, and a database that has its tables already: a start
 * then takes 10 to 20 s instead of a minute. Fetched with Maven, whose settings know where artifacts come from.
 */
export async function installKeycloak(say: (line: string) => void): Promise<{ home: string; template: string }> {
  const dir = await cached(`keycloak-${keycloakVersion}-ready`, async (draft) => {
    const mvn = program("mvn", "maven", say);
    const artifact = `org.keycloak:keycloak-quarkus-dist:${keycloakVersion}:zip`;
    say(`fetching Keycloak ${keycloakVersion} (about 175 MB), once`);
    need(spawnSync(mvn, ["-q", "-B", "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy", `-Dartifact=${artifact}`, `-DoutputDirectory=${draft}`], { encoding: "utf8" }), "Maven could not fetch Keycloak");
    const zip = join(draft, `keycloak-quarkus-dist-${keycloakVersion}.zip`);
    say("unpacking and building it (about a minute), once");
    need(spawnSync(program("unzip", "unzip", say), ["-q", zip, "-d", draft], { encoding: "utf8" }), "the archive could not be unpacked");
    rmSync(zip);
    const home = join(draft, "home");
    renameSync(join(draft, `keycloak-${keycloakVersion}`), home);
    chmodSync(join(home, "bin", "kc.sh"), 0o755);
    need(spawnSync(join(home, "bin", "kc.sh"), ["build", "--db=dev-file"], { encoding: "utf8", env: { ...process.env, JAVA_HOME: javaHome(say) } }), "Keycloak could not be built");
    const template = join(draft, "template");
    mkdirSync(template);
    const started = await launch({ home, dataDir: template, javaHome: javaHome(say) });
    await started.stop();
  });
  return { home: join(dir, "home"), template: join(dir, "template") };
}

/** Keycloak 26 runs on Java 17, 21 and 25. Empty: `java` of the PATH. */
export function javaHome(say: (line: string) => void): string {
  const root = "/usr/lib/jvm";
  const known = existsSync(root) ? readdirSync(root).filter((name) => /\b(17|21|25)\b/.test(name)).sort().map((name) => join(root, name)) : [];
  const found = [process.env.JAVA_HOME ?? "", ...known].find((dir) => dir && existsSync(join(dir, "bin", "java")) && isGood(join(dir, "bin", "java")));
  if (found) return found;
  if (!isGood(program("java", "openjdk-17-jre-headless", say))) throw new Error("Keycloak needs Java 17, 21 or 25; set JAVA_HOME");
  return "";
}

function isGood(java: string): boolean {
  return /version "(17|21|25)\b/.test(spawnSync(java, ["-version"], { encoding: "utf8" }).stderr);
}

function need(result: SpawnSyncReturns<string>, words: string): void {
  if (result.status !== 0) throw new Error(`${words}:\n${(result.stderr + result.stdout).split("\n").slice(-12).join("\n")}${result.error ? result.error.message : ""}`);
}

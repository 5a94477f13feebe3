import { existsSync, readFileSync } from "node:fs";
import { SourceMap, type SourceMapping } from "node:module";
import { relative } from "node:path";
import { fileURLToPath } from "node:url";

type Frame = { functionName: string; url: string; lineNumber: number; columnNumber: number };
/** What `node --cpu-prof` writes, as far as it is read here. Times are microseconds. */
export type CpuProfile = { nodes: { id: number; callFrame: Frame; children?: number[] }[]; samples: number[]; timeDeltas: number[]; startTime: number };
export type Spent = { name: string; share: number };
/** `behalf`: by the innermost function of our own that was being served, with all that it called. */
export type Summary = { packages: Spent[]; functions: Spent[]; behalf: Spent[] };

/** Where a function lives: `lib/keys/check-call.ts:39`, `node_modules/pino/…`, `node:internal/…`. */
export type Place = { group: string; place: string; ours?: boolean };
/** Of the profile's own clock, microseconds; what lies outside (start and stop) does not count. */
export type Window = { from: number; to: number };

const nothing = new Set(["(idle)", "(root)"]);

/**
 * Who spent the time: self time by package and by function, as shares of what was not idle. What V8 does for itself
 * (garbage collection, "(program)" for native code) stands under its own name.
 */
export function summarise(profile: CpuProfile, placeOf: (frame: Frame) => Place, window: Window = { from: 0, to: Number.POSITIVE_INFINITY }): Summary {
  const frames = new Map(profile.nodes.map(({ id, callFrame }) => [id, { callFrame, ...placeOf(callFrame) }]));
  const parents = new Map(profile.nodes.flatMap(({ id, children = [] }) => children.map((child) => [child, id] as const)));
  const nearestOwn = (id: number): string => {
    for (let at: number | undefined = id; at !== undefined; at = parents.get(at)) {
      const frame = frames.get(at);
      if (frame?.ours) return nameOf(frame.callFrame, frame.place);
    }
    return "(nothing of ours on the stack)";
  };
  const [packages, functions, behalf] = [new Tally(), new Tally(), new Tally()];
  let at = profile.startTime;
  profile.samples.forEach((id, i) => {
    const frame = frames.get(id);
    const micros = profile.timeDeltas[i] ?? 0;
    at += micros;
    if (!frame || nothing.has(frame.callFrame.functionName) || at < window.from || at > window.to) return;
    packages.add(frame.group, micros);
    functions.add(nameOf(frame.callFrame, frame.place), micros);
    behalf.add(nearestOwn(id), micros);
  });
  return { packages: packages.ranked(), functions: functions.ranked(), behalf: behalf.ranked() };
}

const nameOf = ({ functionName }: Frame, place: string) => `${functionName || "(anonymous)"} ${place}`.trim();

class Tally {
  private readonly spent = new Map<string, number>();
  private total = 0;

  add(name: string, micros: number): void {
    this.total += micros;
    this.spent.set(name, (this.spent.get(name) ?? 0) + micros);
  }

  ranked(): Spent[] {
    return [...this.spent].map(([name, micros]) => ({ name, share: micros / (this.total || 1) })).sort((a, b) => b.share - a.share);
  }
}

/** Places by package; our own bundles are read through the source maps beside them. */
export function placesOf(): (frame: Frame) => Place {
  const maps = new Map<string, SourceMap | null>();
  const mapOf = (path: string) => {
    if (!maps.has(path)) maps.set(path, existsSync(`${path}.map`) ? new SourceMap(JSON.parse(readFileSync(`${path}.map`, "utf8"))) : null);
    return maps.get(path);
  };
  return (frame) => {
    if (!frame.url) return { group: frame.functionName.startsWith("(") ? frame.functionName : "native code", place: "" };
    if (frame.url.startsWith("node:")) return { group: "node", place: `${frame.url}:${frame.lineNumber + 1}` };
    const path = frame.url.startsWith("file:") ? fileURLToPath(frame.url) : frame.url;
    const inPackage = packageOf(path);
    if (inPackage) return { group: inPackage, place: `${path.slice(path.lastIndexOf("node_modules/"))}:${frame.lineNumber + 1}` };
    const origin = mapOf(path)?.findEntry(frame.lineNumber, frame.columnNumber) as Partial<SourceMapping> | undefined;
    if (origin?.originalSource) {
      const source = origin.originalSource.replace(/^(\.\.\/)+/, "");
      return { group: `sluice: ${source.split("/").slice(0, 2).join("/")}`, place: `${source}:${(origin.originalLine ?? 0) + 1}`, ours: true };
    }
    return { group: "sluice", place: `${relative(process.cwd(), path)}:${frame.lineNumber + 1}` };
  };
}

/** The innermost package of a path, scope included. */
export function packageOf(path: string): string | null {
  return /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1] ?? null;
}

import { spawn } from "node:child_process";
import { afterEach, expect, it, vi } from "vitest";
import { logger } from "@/lib/platform/logger";
import { keepRunning } from "./keep-running";

afterEach(() => { vi.restoreAllMocks(); });

const start = () => spawn(process.execPath, ["-e", "setInterval(() => undefined, 1000)"], { stdio: "ignore" });
const untilReady = (child: ReturnType<typeof start>) => new Promise<void>((ready) => child.once("spawn", () => ready()));

it("a child that ends with its group while the others are stopped is not started again", async () => {
  const told = vi.spyOn(logger, "error").mockReturnValue(undefined);
  const children: ReturnType<typeof start>[] = [];
  const kept = keepRunning("pages", { start: () => { children.push(start()); return children.at(-1) ?? start(); }, untilReady });
  await kept.ready;
  kept.letEnd();
  const [child] = children;
  const ended = new Promise((done) => child?.once("exit", done));
  child?.kill("SIGTERM");
  await ended;
  await kept.stop("SIGTERM", 1000);
  expect([children.length, told.mock.calls.length]).toEqual([1, 0]);
});

it("a child that ends unasked is started again", async () => {
  const told = vi.spyOn(logger, "error").mockReturnValue(undefined);
  const children: ReturnType<typeof start>[] = [];
  const kept = keepRunning("pages", { start: () => { children.push(start()); return children.at(-1) ?? start(); }, untilReady });
  await kept.ready;
  children[0]?.kill("SIGKILL");
  await expect.poll(() => children.length).toBe(2);
  expect(told).toHaveBeenCalledTimes(1);
  await kept.stop("SIGKILL", 1000);
});

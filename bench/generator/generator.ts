import { type ChildProcess, spawn } from "node:child_process";
import { stopChild } from "../../dev/lib/process";
import { pinned } from "../method/pinning";
import type { Load, Order, Told } from "./orders";

export type Generator = { run(load: Load, seconds: number): Promise<Told>; stop(): Promise<void> };

/** Starts the process that makes load; one order at a time. */
export async function startGenerator(): Promise<Generator> {
  const [file = "", ...args] = pinned("generator", [process.execPath, "--import", "tsx", "bench/generator/main.ts"]);
  const child = spawn(file, args, { stdio: ["ignore", "inherit", "inherit", "ipc"], env: { ...process.env, NODE_OPTIONS: "" } });
  await new Promise<void>((done, fail) => {
    child.once("message", () => done());
    child.once("exit", (code) => fail(new Error(`the generator ended while starting (${code})`)));
  });
  let last = 0;
  return {
    run: (load, seconds) => answer(child, { ...load, seconds, id: ++last }),
    stop: () => stopChild(child),
  };
}

function answer(child: ChildProcess, order: Order): Promise<Told> {
  return new Promise((done, fail) => {
    const gone = (code: number | null) => fail(new Error(`the generator ended (${code})`));
    child.once("exit", gone);
    const hear = (told: Told) => {
      if (told.id !== order.id) return;
      child.off("message", hear).off("exit", gone);
      done(told);
    };
    child.on("message", hear);
    child.send(order);
  });
}

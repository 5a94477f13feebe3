import { once } from "node:events";
import { createServer, request } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, it } from "vitest";
import type { ApiContext } from "./api";
import { clientGone } from "./send-stream";

type Outgoing = NonNullable<NonNullable<ApiContext["env"]>["outgoing"]>;
const signalFor = (outgoing: Outgoing) => clientGone({ env: { outgoing } } as ApiContext);

/** What a door has of a call: its answer, and the caller's end of it. */
async function aCall() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const caller = request({ port: (server.address() as AddressInfo).port }).on("error", () => undefined);
  caller.end();
  const [, outgoing] = (await once(server, "request")) as [unknown, Outgoing];
  return { caller, outgoing, close: () => server.close() };
}

it("a caller who left before anybody listened is known to be gone, one who leaves later as well, and one who was answered is not", async () => {
  const early = await aCall();
  const left = once(early.outgoing, "close");
  early.caller.destroy();
  await left;
  expect(signalFor(early.outgoing).aborted).toBe(true);

  const late = await aCall();
  const signal = signalFor(late.outgoing);
  expect(signal.aborted).toBe(false);
  late.caller.destroy();
  await once(signal, "abort");

  const served = await aCall();
  const whole = signalFor(served.outgoing);
  const over = once(served.outgoing, "close");
  served.caller.on("response", (answer) => answer.resume());
  served.outgoing.end("ok");
  await over;
  expect([whole.aborted, signalFor(served.outgoing).aborted]).toEqual([false, false]);
  for (const { close } of [early, late, served]) close();
});

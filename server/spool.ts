import type { ServerResponse } from "node:http";
import type { Readable } from "node:stream";

/** Bytes of answers that clients have not taken yet: of one, of one once all have too much, and of all. */
export const spoolBounds = { perAnswerMax: 1_048_576, perAnswerWhenFull: 65_536, bytesMax: 67_108_864, stalledMs: 30_000 } as const;

let heldBytes = 0;

/**
 * Passes an answer of the page process on, keeping what the client has not taken yet, so that a client that reads slowly does not
 * hold a connection to it. Beyond the bounds the page process waits; a client that takes nothing for `stalledMs` is cut off.
 */
export function spool(from: Readable, to: ServerResponse): Promise<void> {
  return new Promise((done, fail) => {
    let held = 0;
    let takenAt = Date.now();
    const note = () => {
      const now = to.writableLength;
      if (now < held || now === 0) takenAt = Date.now();
      heldBytes += now - held;
      held = now;
    };
    const watch = setInterval(() => {
      note();
      if (held > 0 && Date.now() - takenAt > spoolBounds.stalledMs) to.destroy();
    }, 1000);
    const isFull = () => held > (heldBytes > spoolBounds.bytesMax ? spoolBounds.perAnswerWhenFull : spoolBounds.perAnswerMax);
    const resume = () => {
      note();
      if (!isFull()) from.resume();
    };
    from.on("data", (chunk: Buffer) => {
      to.write(chunk);
      note();
      if (isFull()) from.pause();
    }).once("end", () => {
      to.end();
      done();
    }).once("error", fail);
    to.on("drain", resume).once("close", () => {
      clearInterval(watch);
      heldBytes -= held;
      held = 0;
      from.destroy();
      done();
    });
  });
}

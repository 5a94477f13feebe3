import { sendJson } from "../../lib/calls";
import { Faults, pause } from "../../lib/faults";
import { startFront } from "../front";

/** Before a real Flowise: keeps what passed and makes the faults that the stand-in can make. */
export async function startFlowiseFront(target: string): Promise<{ origin: string; close(): Promise<void> }> {
  const faults = new Faults();
  return startFront({
    target,
    control: async (order) => {
      const wrong = faults.apply(Buffer.from(JSON.stringify(order)));
      if (wrong) throw new Error(wrong);
    },
    async before({ req, res }) {
      await pause(faults.delayMs);
      const failure = faults.nextFailure();
      if (failure) {
        if (failure.retryAfter !== undefined) res.setHeader("retry-after", String(failure.retryAfter));
        sendJson(res, failure.status, failure.body ?? { statusCode: failure.status, success: false, message: "Error: injected", stack: {} });
        return true;
      }
      if (!/^Bearer eyJ/.test(req.headers.authorization ?? "") || !faults.nextUnauthorized()) return false;
      sendJson(res, 401, { error: "Unauthorized Access" });
      return true;
    },
    // A slow flow: each frame waits, whatever pieces they came in.
    async piece(_passing, chunk, write) {
      if (faults.chunkDelayMs === 0) return write(chunk);
      for (const frame of chunk.toString("utf8").split(/(?<=\n\n)/)) {
        await pause(faults.chunkDelayMs);
        write(Buffer.from(frame));
      }
    },
  });
}

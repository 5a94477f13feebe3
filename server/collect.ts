import type { IncomingMessage } from "node:http";
import { SluiceError } from "@/lib/platform/errors";
import { bodyTooLarge, pageBodyBytesMax } from "./bounds";

/** Bodies that are still arriving: of all clients, of one address, and the bytes that they may hold together. */
export const pendingBounds = { max: 1024, perAddressMax: 64, bytesMax: 67_108_864 } as const;

type Pending = { from: string; bytes: number; giveUp: (error: SluiceError) => void };

const tooSlow = () => new SluiceError("request_timeout", "The request took too long to arrive. Send it again.");

/**
 * Collects the bodies of page requests before a connection to the page process is taken, so that a client that sends slowly holds
 * none. Whoever opens too many at once loses the oldest of their own, and everybody together the oldest of all: a body that arrives
 * whole, as a browser's does, is never in the way of another.
 */
export class Collector {
  private readonly pending = new Set<Pending>();
  private bytes = 0;

  /**
   * @param from the client's address, as limits name it.
   * @returns the body, empty where there is none.
   * @throws SluiceError `body_too_large`, `request_timeout`; `bad_request` when it ended early
   */
  collect(request: IncomingMessage, from: string, timeoutMs: number): Promise<Buffer> {
    return new Promise((done, fail) => {
      const chunks: Buffer[] = [];
      const mine: Pending = { from, bytes: 0, giveUp: (error) => end(() => fail(error)) };
      const timer = setTimeout(() => mine.giveUp(tooSlow()), timeoutMs);
      const add = (chunk: Buffer) => {
        mine.bytes += chunk.length;
        this.bytes += chunk.length;
        if (mine.bytes > pageBodyBytesMax) return mine.giveUp(bodyTooLarge());
        chunks.push(chunk);
        this.dropOldest();
      };
      const whole = () => end(() => done(Buffer.concat(chunks)));
      const broken = () => mine.giveUp(new SluiceError("bad_request", "The body ended early. Send the request again."));
      const end = (settle: () => void) => {
        clearTimeout(timer);
        request.off("data", add).off("end", whole).off("close", broken).off("error", broken);
        if (this.pending.delete(mine)) this.bytes -= mine.bytes;
        settle();
      };
      this.pending.add(mine);
      request.on("data", add).once("end", whole).once("close", broken).once("error", broken);
      const ofAddress = [...this.pending].filter((one) => one.from === from);
      if (ofAddress.length > pendingBounds.perAddressMax) ofAddress[0]?.giveUp(tooSlow());
      this.dropOldest();
    });
  }

  private dropOldest(): void {
    while (this.pending.size > pendingBounds.max || this.bytes > pendingBounds.bytesMax) {
      const [oldest] = this.pending;
      if (!oldest) return;
      oldest.giveUp(tooSlow());
    }
  }
}

import { connect, createServer, type Socket } from "node:net";

type Pair = { near: Socket; far: Socket };

/** A TCP connection between a process and one of its parts, with a hand on it. */
export type Link = {
  port: number;
  /** Ends every connection and lets nobody in: the port answers with a reset, as a machine whose service is down. */
  cut(): void;
  /** Takes everything and passes nothing on, as a network that swallows packets: the other side notices by its own time-outs only. */
  freeze(): void;
  /** What is connected now never hears anything again, as from a machine that lost its power; new connections pass. */
  abandon(): void;
  /** What is sent arrives so much later, in both directions. */
  delay(ms: number): void;
  /** As at the beginning; what was held while frozen arrives now. */
  resume(): void;
  /** New connections go there; present ones stay where they are. */
  retarget(port: number): void;
  /** Bytes that the near side has sent so far, passed on or not. */
  sent(): number;
  close(): Promise<void>;
};

/** Listens on a free port of the loopback address and passes to another. */
export async function openLink(targetPort: number): Promise<Link> {
  let target = targetPort;
  let state: "open" | "cut" | "frozen" = "open";
  let delayMs = 0;
  let sent = 0;
  const pairs = new Set<Pair>();
  const abandoned: Pair[] = [];

  const pass = (from: Socket, to: Socket) => {
    from.on("data", (chunk: Buffer) => {
      if (delayMs > 0) setTimeout(() => { if (!to.destroyed) to.write(chunk); }, delayMs);
      else if (!to.write(chunk)) {
        from.pause();
        to.once("drain", () => { if (state !== "frozen") from.resume(); });
      }
    });
    from.on("end", () => to.end());
    from.on("error", () => to.destroy());
    from.on("close", () => to.destroy());
  };

  const server = createServer((near) => {
    if (state === "cut") return void near.resetAndDestroy();
    const far = connect({ port: target, host: "127.0.0.1", noDelay: true });
    near.setNoDelay(true);
    const pair = { near, far };
    pairs.add(pair);
    near.on("data", (chunk: Buffer) => { sent += chunk.length; });
    pass(near, far);
    pass(far, near);
    near.once("close", () => pairs.delete(pair));
    if (state === "frozen") hold(pair);
  });
  const hold = ({ near, far }: Pair) => {
    near.pause();
    far.pause();
  };
  await new Promise<void>((done, fail) => server.once("error", fail).listen(0, "127.0.0.1", () => done()));

  return {
    port: (server.address() as { port: number }).port,
    cut: () => {
      state = "cut";
      for (const { near, far } of pairs) {
        near.resetAndDestroy();
        far.destroy();
      }
    },
    freeze: () => {
      state = "frozen";
      for (const pair of pairs) hold(pair);
    },
    abandon: () => {
      for (const pair of pairs) {
        hold(pair);
        abandoned.push(pair);
      }
      pairs.clear();
    },
    delay: (ms) => { delayMs = ms; },
    resume: () => {
      state = "open";
      delayMs = 0;
      for (const { near, far } of pairs) {
        near.resume();
        far.resume();
      }
    },
    sent: () => sent,
    retarget: (port) => { target = port; },
    close: () => new Promise((done) => {
      for (const { near, far } of [...pairs, ...abandoned]) {
        near.destroy();
        far.destroy();
      }
      server.close(() => done());
    }),
  };
}

import { env } from "@/lib/platform/env";
import { SluiceError } from "@/lib/platform/errors";

/** Bodies up to here are held without asking: there is no end of them, and each is small. Bytes. */
export const freeBytes = 1_048_576;
/** How long a large body waits for room. It stays on its way meanwhile, where the network holds it and not we. */
const waitMsMax = 10_000;

let held = 0;
const waiting: { bytes: number; go: () => void }[] = [];

/**
 * Room for a body larger than `freeBytes` among all that this process holds (`BODY_MEMORY`). One that would not even fit alone is let in when
 * nothing else is held, since `UPLOAD_LIMIT` allows it.
 *
 * @returns gives the room back; once or often.
 * @throws SluiceError `rate_limited` when there is no room in time.
 */
export async function roomFor(bytes: number): Promise<() => void> {
  if (bytes <= freeBytes) return () => undefined;
  if (waiting.length > 0 || !fits(bytes)) await turn(bytes);
  else held += bytes;
  let isHeld = true;
  return () => {
    if (!isHeld) return;
    isHeld = false;
    held -= bytes;
    letIn();
  };
}

const fits = (bytes: number) => held === 0 || held + bytes <= env().BODY_MEMORY;

/** In the order in which they came, so that a large one is not passed by small ones for ever. */
function turn(bytes: number): Promise<void> {
  return new Promise((done, fail) => {
    const place = { bytes, go: () => { clearTimeout(timer); done(); } };
    const timer = setTimeout(() => {
      waiting.splice(waiting.indexOf(place), 1);
      fail(new SluiceError("rate_limited", "Too many large bodies are being worked on. Try again in a few seconds.", { retryAfterSeconds: 5 }));
      letIn();
    }, waitMsMax);
    waiting.push(place);
  });
}

function letIn(): void {
  for (let next = waiting[0]; next && fits(next.bytes); next = waiting[0]) {
    waiting.shift();
    held += next.bytes;
    next.go();
  }
}

/** Bytes of large bodies that are held now. */
export const heldBytes = (): number => held;

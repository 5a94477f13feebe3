import { Agent, DecoratorHandler, type Dispatcher } from "undici";
import { env } from "@/lib/platform/env";

const shared = globalThis as typeof globalThis & { sluiceConnections?: { agent: Agent; dispatcher: Dispatcher } };

/** An option of a request beside undici's own. */
export type Sending = { onSend?: () => void };

/** The connections to the engines: a pool for each. */
export function connections(): Dispatcher {
  if (!shared.sluiceConnections) {
    const agent = new Agent({ connections: env().UPSTREAM_CONNECTIONS, pipelining: 1, keepAliveTimeout: 10_000, connect: { timeout: env().UPSTREAM_CONNECT_TIMEOUT_MS } });
    shared.sluiceConnections = { agent, dispatcher: agent.compose(tellWhenSent) };
  }
  return shared.sluiceConnections.dispatcher;
}

/** Whether an engine had a request decides about credits; until a connection takes it, the engine knows nothing of it. */
const tellWhenSent: Dispatcher.DispatcherComposeInterceptor = (dispatch) => (options, handler) => {
  const { onSend } = options as Sending;
  if (!onSend) return dispatch(options, handler);
  const telling: Dispatcher.DispatchHandler = new DecoratorHandler(handler);
  const start = telling.onRequestStart?.bind(telling);
  telling.onRequestStart = (controller, context) => {
    start?.(controller, context);
    // A caller who left while the connection was made: the request never goes out.
    if (!controller.aborted) onSend();
  };
  return dispatch(options, telling);
};

/** Ends the pools, for tests and shutdown. */
export async function closeUpstream(): Promise<void> {
  const current = shared.sluiceConnections;
  shared.sluiceConnections = undefined;
  await current?.agent.destroy();
}

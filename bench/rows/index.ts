import { addedTime } from "./added-time";
import { betterAuth } from "./better-auth";
import { boundFlow } from "./bound-flow";
import { keyCheck } from "./key-check";
import { manyKeys } from "./many-keys";
import { mixedLoad } from "./mixed-load";
import { openStreams } from "./open-streams";
import { proxy } from "./proxy";
import type { Row } from "./row";
import { sessionToken } from "./session-token";
import { twoProcesses } from "./two-processes";
import { wrongKey } from "./wrong-key";

/** In the order of the results. */
export const rows: Row[] = [keyCheck, betterAuth, mixedLoad, proxy, addedTime, boundFlow, wrongKey, manyKeys, openStreams, sessionToken, twoProcesses];

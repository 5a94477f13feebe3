import { keyCheck } from "./key-check";
import { proxy } from "./proxy";
import { addedTime } from "./added-time";
import type { Row } from "./row";

/** In the order of the results. */
export const rows: Row[] = [keyCheck, proxy, addedTime];

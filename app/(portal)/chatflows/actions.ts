"use server";

import { action } from "@/lib/entry/action";
import { runChatflow } from "@/lib/chatflows";
import { PredictInput } from "@/lib/chatflows/schemas";

/** A plain answer, with the token of the session that asks. */
export const runChatflowAction = action(PredictInput, runChatflow, { name: "runChatflow" });

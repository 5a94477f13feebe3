"use server";

import { whatIfCall } from "@/lib/api";
import { action } from "@/lib/entry/action";
import { WhatIfInput } from "@/lib/keys/schemas";

export const whatIfAction = action(WhatIfInput, whatIfCall, { name: "whatIf" });

"use server";

import { action } from "@/lib/entry/action";
import { createApp, removeApps } from "@/lib/nflow";
import { CreateAppInput, RemoveAppsInput } from "@/lib/nflow/schemas";

export const createAppAction = action(CreateAppInput, createApp, { name: "createApp", revalidate: "/nflow" });

export const removeAppAction = action(RemoveAppsInput, removeApps, { name: "removeApp", revalidate: "/nflow" });

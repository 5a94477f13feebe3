import { expect, it } from "vitest";
import { createApi } from "./app";

const api = createApi();
const problemAt = async (path: string) => (await (await api.request(path)).json()) as { detail: string; error: string; message?: string };

it("`error` repeats the detail everywhere, `message` wherever an address begins with /api/v1/chat, chatflows included", async () => {
  for (const path of ["/api/v1/chat/credits", "/api/v1/chatflows", "/api/v1/chatflows/my-chatflows", "/api/v1/chatflows-uploads/x", "/api/v1/auth/me", "/api/admin/chatflows"]) {
    const { detail, error, message } = await problemAt(path);
    expect([error, message], path).toEqual([detail, path.startsWith("/api/v1/chat") ? detail : undefined]);
  }
});

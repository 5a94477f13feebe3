import { expect, it } from "vitest";
import { aPerson, contextOf } from "@/dev/testing/people";
import { createKey } from "@/lib/keys";
import { CreateKeyInput } from "@/lib/keys/schemas";
import { db } from "@/lib/platform/db";
import { createApi } from "./app";

const api = createApi();
const post = (path: string, body: object) => api.request(`/api/v1${path}`, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
const told = ({ status, headers }: Response) => [status, headers.get("x-ratelimit-limit"), headers.get("x-ratelimit-remaining"), headers.get("ratelimit-policy"), headers.get("ratelimit")?.split(";t=")[0]];

it("the doors that take a key or refresh token in the body tell of the key's limit, on what is refused after its check too", async () => {
  const { secret } = await createKey(contextOf(await aPerson()), CreateKeyInput.parse({ name: "k", rateLimit: { requests: 5, window: 60 } }));
  const left = (status: number, n: number) => [status, "5", String(n), '"key";q=5;w=60', `"key";r=${n}`];

  const first = await post("/chat/authenticate", { api_key: secret });
  expect(told(first)).toEqual(left(200, 4));
  const second = await post("/chat/refresh", { refresh_token: ((await first.json()) as { refresh_token: string }).refresh_token });
  expect(told(second)).toEqual(left(200, 3));
  const third = await post("/auth/token/refresh", { refresh_token: ((await second.json()) as { refresh_token: string }).refresh_token });
  expect(told(third)).toEqual(left(200, 2));

  const { refresh_token, user } = (await third.json()) as { refresh_token: string; user: { id: string } };
  await db().refreshToken.updateMany({ where: { family: { userId: user.id } }, data: { expiresAt: new Date(0) } });
  expect(told(await post("/auth/token/refresh", { refresh_token }))).toEqual(left(401, 1));
});

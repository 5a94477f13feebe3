import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { flowIds } from "../../dev/flowise/flows";
import { call, callsTo, control, demo, forgetCalls, keyOf, type RecordedCall, resetParts, revoke, tokenOf, tokensOf } from "../http/client";
import { answers, aSession, type Fleet, isReal, rotationsInTurn, search, type Session, startFleet, store } from "./fleet";
import { refreshesSince } from "./ledger";

let fleet: Fleet;
let admin: { id: string; key: string };

beforeAll(async () => {
  await resetParts();
  fleet = await startFleet();
  admin = await keyOf("ada", { permissions: ["*"] });
  await call(demo.url, "POST", `/api/admin/chatflows/${flowIds.broken}/users/email/uma@acme.test`, { key: admin.key });
});
afterEach(resetParts);
afterAll(async () => {
  await revoke("ada", admin.id);
  await fleet.stop();
});

const predict = (session: Session, chatflow: string, path = "/api/v1/chat/predict", member = 0) =>
  call(fleet.at(member).url, "POST", path, { cookie: session.cookie, headers: { origin: demo.url }, body: { chatflow_id: chatflow, question: "one two three" } });
const predictions = async () => (await callsTo("flowise")).filter(({ path }) => path.includes("/prediction/"));
const keysOf = (calls: RecordedCall[]) => calls.map(({ headers }) => headers["idempotency-key"]);

describe.each(rotationsInTurn)("with $name", ({ settings }) => {
  it("an engine's 401 for a token that lives makes one forced refresh and one retry; the second 401 is told", async () => {
    await control("identity", settings);
    const session = await aSession();
    expect((await search(fleet.at(0), session)).status).toBe(200);
    const from = Date.now();
    await forgetCalls("nflow");
    await control("nflow", { unauthorizedNext: 1 });
    expect(answers([await search(fleet.at(1), session)])).toEqual(["200"]);
    expect([(await callsTo("nflow")).length, (await refreshesSince(from)).sent]).toEqual([2, 1]);
    await forgetCalls("nflow");
    await control("nflow", { unauthorizedNext: 9 });
    expect(answers([await search(fleet.at(2), session)])).toEqual(["502 upstream_unauthorised"]);
    expect((await callsTo("nflow")).length).toBe(2);
    // One may be forced in five seconds: within them none was, after them one.
    expect((await refreshesSince(from)).sent).toBeLessThanOrEqual(2);
  });

  it("a call that changes something carries the same idempotency key when a 401 makes it go twice, and goes once when the engine fails", async () => {
    await control("identity", settings);
    const session = await aSession();
    await predict(session, flowIds.support);
    await forgetCalls("flowise");
    await control("flowise", { unauthorizedNext: 1 });
    expect((await predict(session, flowIds.support)).status).toBe(200);
    const twice = await predictions();
    expect(twice).toHaveLength(2);
    expect(twice[0]?.headers["idempotency-key"]).toMatch(/\w{8}/);
    expect(new Set(keysOf(twice)).size).toBe(1);
    await forgetCalls("flowise");
    await control("flowise", { failNext: { status: 503, times: 5 } });
    expect((await predict(session, flowIds.support)).status).toBeGreaterThanOrEqual(500);
    expect(await predictions()).toHaveLength(1);
  });

  it("a stream is asked for again when its 401 comes before the first byte, and never once it has begun", async () => {
    await control("identity", settings);
    const session = await aSession();
    await predict(session, flowIds.support);
    await forgetCalls("flowise");
    await control("flowise", { unauthorizedNext: 1 });
    const stream = await predict(session, flowIds.support, "/api/v1/chat/predict/stream");
    expect(stream.headers.get("content-type")).toContain("text/event-stream");
    expect(stream.text).not.toContain('"event":"error"');
    expect(await predictions()).toHaveLength(2);
    await forgetCalls("flowise");
    const broken = await predict(session, flowIds.broken, "/api/v1/chat/predict/stream");
    expect(broken.text).toContain('"event":"error"');
    expect(await predictions()).toHaveLength(1);
  });
});

it("two engines asked for at once each get a token of their own, however often it is renewed", async () => {
  const pairs = isReal ? 100 : 40;
  await control("identity", { tokenExpiresIn: 1 });
  const session = await aSession("ada");
  await Promise.all([forgetCalls("nflow"), forgetCalls("flowise")]);
  for (let done = 0; done < pairs; done += 10) {
    const burst = Array.from({ length: 10 }, (_, i) => [search(fleet.at(i), session), predict(session, flowIds.support, "/api/v1/chat/predict", i + 1)]);
    expect([...new Set(answers(await Promise.all(burst.flat())))]).toEqual(["200"]);
  }
  for (const engine of ["nflow", "flowise"] as const) {
    const made = engine === "nflow" ? await callsTo("nflow") : await predictions();
    expect(made.length, engine).toBeGreaterThanOrEqual(pairs);
    expect([...new Set(made.map((one) => tokenOf(one).aud))], engine).toEqual([engine]);
  }
}, 300_000);

it("a hundred calls with keys of one owner and nothing cached make one refresh of their grant; ten owners make ten", async () => {
  // Their first machine access: giving it anew would end the one before, and a job would look at what Keycloak says of that.
  const owners = Array.from({ length: 10 }, (_, i) => `owner${String.fromCharCode(97 + i)}`);
  await control("identity", { createUsers: Object.fromEntries(owners.map((name) => [name, ["user"]])) });
  const bearers = await Promise.all(owners.map(async (name) => (await tokensOf(name)).access_token));
  const aKey = async (bearer: string) => (await call(demo.url, "POST", "/api/v1/auth/api-keys", { bearer, body: { name: "cold", permissions: ["nflow:read"] } })).json.data as { key: string };
  const keys = await Promise.all(bearers.map(aKey));
  const second = await aKey(bearers[0] ?? "");
  const cold = async (keyFor: (i: number) => { key: string } | undefined) => {
    for (const name of await store.keys("sl:g:*")) if (/:(self|nflow|flowise)$/.test(name)) await store.del(name);
    const from = Date.now();
    const results = await Promise.all(Array.from({ length: 100 }, (_, i) => search(fleet.at(i), { key: keyFor(i)?.key ?? "" })));
    expect([...new Set(answers(results))]).toEqual(["200"]);
    return refreshesSince(from, "sluice-direct");
  };
  expect(await cold((i) => (i % 2 ? keys[0] : second))).toMatchObject({ sent: 1, granted: 1, refused: 0 });
  expect(await cold((i) => keys[i % keys.length])).toMatchObject({ sent: 10, granted: 10, refused: 0 });
}, 60_000);

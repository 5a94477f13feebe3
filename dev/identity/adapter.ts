import type { Adapter } from "oidc-provider";
import { nowSeconds } from "./realm";
import type { State } from "./state";

type Artifact = State["data"]["artifacts"][string];

/** Keeps what oidc-provider remembers in our state, so that one file holds all of it. */
export function adapterFor(state: State): (model: string) => Adapter {
  const { artifacts } = state.data;
  const live = (entry: Artifact | undefined) => (entry && (entry.expiresAt === null || entry.expiresAt > nowSeconds()) ? entry : undefined);

  return (model) => {
    const key = (id: string) => `${model}:${id}`;
    const findBy = (field: string, value: string) =>
      Object.entries(artifacts).find(([id, entry]) => id.startsWith(`${model}:`) && entry.payload[field] === value && live(entry))?.[1].payload;

    return {
      async upsert(id, payload, expiresInSeconds) {
        artifacts[key(id)] = { payload: structuredClone(payload), expiresAt: expiresInSeconds === undefined ? null : nowSeconds() + expiresInSeconds };
        state.changed();
      },
      async find(id) {
        const found = Object.hasOwn(artifacts, key(id)) ? live(artifacts[key(id)]) : undefined;
        return found && structuredClone(found.payload);
      },
      async findByUid(uid) {
        const found = findBy("uid", uid);
        return found && structuredClone(found);
      },
      async findByUserCode(userCode) {
        const found = findBy("userCode", userCode);
        return found && structuredClone(found);
      },
      async consume(id) {
        const found = artifacts[key(id)];
        if (found) found.payload.consumed = nowSeconds();
        state.changed();
      },
      async destroy(id) {
        delete artifacts[key(id)];
        state.changed();
      },
      async revokeByGrantId(grantId) {
        for (const [id, entry] of Object.entries(artifacts)) if (entry.payload.grantId === grantId) delete artifacts[id];
        state.changed();
      },
    };
  };
}

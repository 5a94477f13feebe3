import { generateKeyPairSync, randomBytes } from "node:crypto";
import { chmodSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { calculateJwkThumbprint, type JWK } from "jose";
import { lifetimes, nowSeconds } from "./realm";

/** A person's sign-in in one browser, or by password. Instants are epoch seconds. */
export type SsoSession = { sid: string; uid: string | null; userId: string; startedAt: number; usedAt: number; authTime: number | null };

/** What one client holds of a session; all its refresh tokens live and die with it. */
export type ClientSession = {
  sid: string;
  clientId: string;
  userId: string;
  offline: boolean;
  /** Of the browser's session: absolute ends count from here. */
  startedAt: number;
  /** When the client came in; what it held of an earlier stay is worth nothing. */
  openedAt: number;
  usedAt: number;
  authTime: number | null;
  acr: string;
  /** Grows with every rotation, so that "issued before" has an answer within one second too. */
  sequence: number;
  /** A refresh token was used too often: the client is out, though the session itself lives on. */
  detached?: true;
  /** Per sign-in, the refresh token used last. */
  chains: Record<string, { tokenId: string; uses: number; sequence: number }>;
};

/** Somebody who made an account of their own. */
export type Registered = { id: string; username: string; email: string; firstName: string; lastName: string };

export type Consent = { scopes: string[]; givenAt: number; changedAt: number };

type Data = {
  version: 1;
  port: number;
  keys: { signing: JWK; encryption: JWK; refreshSecret: string; cookieKey: string };
  sso: Record<string, SsoSession>;
  /** Keyed by {@link clientSessionKey}. */
  clientSessions: Record<string, ClientSession>;
  /** By user id, then client id. */
  consents: Record<string, Record<string, Consent>>;
  /** By user id: offline tokens from before this second no longer work, since an administrator signed the person out. */
  notBefore: Record<string, number>;
  registered: Registered[];
  /** Of whoever chose a password of their own, by user id: its salt and `scrypt` of both, in hex. */
  passwords: Record<string, { salt: string; hash: string }>;
  /** Ids of access tokens that were revoked one by one, with their end. */
  revoked: Record<string, number>;
  /** What oidc-provider keeps: browser sessions, interactions, grants, codes. */
  artifacts: Record<string, { payload: Record<string, unknown>; expiresAt: number | null }>;
};

const writeDelayMs = 100;

/** Everything that has to survive a restart, in memory and soon after in one file. */
export class State {
  private timer: NodeJS.Timeout | undefined;

  private constructor(readonly data: Data, private readonly file: string | undefined) {}

  /** Reads the file, or starts afresh when there is none. @throws when the file is there but not ours. */
  static async open(file: string | undefined): Promise<State> {
    return new State((file && read(file)) || (await fresh()), file);
  }

  /** To be called after each change; the file follows within a tenth of a second. */
  changed(): void {
    if (!this.file || this.timer) return;
    this.timer = setTimeout(() => this.flush(), writeDelayMs);
  }

  /** Writes at once. The file replaces the old one whole, so a crash leaves either. */
  flush(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    if (!this.file) return;
    this.prune();
    const next = `${this.file}.next`;
    mkdirSync(dirname(this.file), { recursive: true });
    writeFileSync(next, JSON.stringify(this.data), { mode: 0o600 });
    chmodSync(next, 0o600);
    renameSync(next, this.file);
  }

  private prune(): void {
    const now = nowSeconds();
    for (const [id, entry] of Object.entries(this.data.artifacts)) {
      if (entry.expiresAt !== null && entry.expiresAt <= now) delete this.data.artifacts[id];
    }
    for (const [id, end] of Object.entries(this.data.revoked)) {
      if (end <= now) delete this.data.revoked[id];
    }
    for (const [sid, session] of Object.entries(this.data.sso)) {
      if (session.usedAt + lifetimes.ssoIdle <= now) delete this.data.sso[sid];
    }
    for (const [key, session] of Object.entries(this.data.clientSessions)) {
      const isOver = session.offline ? session.usedAt + lifetimes.offlineIdle <= now : this.data.sso[session.sid] === undefined;
      if (isOver) delete this.data.clientSessions[key];
    }
  }
}

export function clientSessionKey(sid: string, clientId: string, offline: boolean): string {
  return `${offline ? "offline" : "online"}|${sid}|${clientId}`;
}

function read(file: string): Data | undefined {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
  const data = JSON.parse(text) as Data;
  if (data.version !== 1) throw new Error(`${file} was written by another version; remove it to start over`);
  // A file from before these were kept.
  data.notBefore ??= {};
  data.registered ??= [];
  data.passwords ??= {};
  for (const session of Object.values(data.clientSessions)) session.openedAt ??= session.startedAt;
  return data;
}

async function fresh(): Promise<Data> {
  return {
    version: 1,
    port: 0,
    keys: {
      signing: await newKey("sig", "RS256"),
      encryption: await newKey("enc", "RSA-OAEP"),
      refreshSecret: randomBytes(64).toString("base64url"),
      cookieKey: randomBytes(32).toString("base64url"),
    },
    sso: {},
    clientSessions: {},
    consents: {},
    notBefore: {},
    registered: [],
    passwords: {},
    revoked: {},
    artifacts: {},
  };
}

async function newKey(use: "sig" | "enc", alg: string): Promise<JWK> {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const jwk = privateKey.export({ format: "jwk" }) as JWK;
  return { ...jwk, use, alg, kid: await calculateJwkThumbprint(jwk) };
}

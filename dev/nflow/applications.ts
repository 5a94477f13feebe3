import { randomUUID } from "node:crypto";
import type { Caller } from "./server";

export type Answer = { status: number; body?: unknown; retryAfter?: number };

type Application = {
  id: string; name: string; displayName: string; description?: string; tagNames: string[]; profiles: string[]; credentials: string[];
  createdAt: string; updatedAt: string; removed: boolean; log: { username: string; sub: string; message: string; timestamp: number }[];
};

const refusal = (status: number, ...errors: string[]): Answer => ({ status, body: { refId: `ref-${randomUUID().slice(0, 8)}`, errors } });
const named = (name: string) => ({ name, displayName: name });
const strings = (value: unknown, fallback: string[]): string[] => (Array.isArray(value) ? value.map(String) : fallback);

/** The applications of every organisation. A removed one still holds its name. */
export class Applications {
  private readonly organisations: Record<string, Application[]>;

  constructor(state: Record<string, Application[]>) {
    this.organisations = state;
  }

  toJSON(): Record<string, Application[]> {
    return this.organisations;
  }

  private of(caller: Caller): Application[] {
    const at = new Date().toISOString();
    return (this.organisations[caller.organisation] ??= [{ id: randomUUID(), name: "onboarding", displayName: "Onboarding", description: "Checklists for new colleagues", tagNames: [], profiles: ["admin"], credentials: [], createdAt: at, updatedAt: at, removed: false, log: [] }]);
  }

  private live(caller: Caller, name: string): Application | undefined {
    return this.of(caller).find((a) => a.name === name && !a.removed);
  }

  create(caller: Caller, body: Record<string, unknown>): Answer {
    const name = String(body.name);
    if (!/^[a-z][a-z0-9_]{0,62}$/.test(name)) return refusal(422, "INVALID_NAME");
    if (this.of(caller).some((a) => a.name === name)) return refusal(409, "NAME_TAKEN");
    const at = new Date().toISOString();
    const application: Application = {
      id: randomUUID(), name, displayName: String(body.displayName), ...(body.description !== undefined && { description: String(body.description) }),
      tagNames: strings(body.tagNames, []), profiles: strings(body.profiles, ["admin"]), credentials: strings(body.credentials, []), createdAt: at, updatedAt: at, removed: false, log: [],
    };
    this.of(caller).push(application);
    note(application, caller, "created");
    return { status: 201, body: wire(application) };
  }

  get(caller: Caller, name: string): Answer {
    const application = this.live(caller, name);
    return application ? { status: 200, body: wire(application) } : refusal(404, "NOT_FOUND");
  }

  update(caller: Caller, name: string, body: Record<string, unknown>): Answer {
    const application = this.live(caller, name);
    if (!application) return refusal(404, "NOT_FOUND");
    if (body.displayName !== undefined) application.displayName = String(body.displayName);
    if (body.description !== undefined) application.description = String(body.description);
    application.tagNames = strings(body.tagNames, application.tagNames);
    application.profiles = strings(body.profiles, application.profiles);
    application.credentials = strings(body.credentials, application.credentials);
    application.updatedAt = new Date().toISOString();
    note(application, caller, "updated");
    return { status: 200, body: wire(application) };
  }

  search(caller: Caller, body: Record<string, unknown>): Answer {
    const offset = Number(body.offset ?? 0);
    const limit = Number(body.limit ?? 20);
    const text = String(body.searchText ?? "").toLowerCase();
    const tags = strings(body.tagNames, []);
    const by = (["name", "displayName", "createdAt", "updatedAt"] as const).find((field) => field === body.sortBy) ?? "createdAt";
    const found = this.of(caller)
      .filter((a) => a.removed === (body.onlyDeleted === true))
      .filter((a) => !text || `${a.name} ${a.displayName} ${a.description ?? ""}`.toLowerCase().includes(text))
      .filter((a) => tags.every((tag) => a.tagNames.includes(tag)))
      .sort((a, b) => a[by].localeCompare(b[by]) * (body.sortOrder === "DESC" ? -1 : 1));
    const data = found.slice(offset, offset + limit).map((application) => {
      const { profiles: _profiles, ...summary } = wire(application);
      return summary;
    });
    return { status: 200, body: { data, pageInfo: { limit, offset, total: found.length } } };
  }

  /** All or nothing: one unknown name, and nothing moves. */
  setRemoved(caller: Caller, body: Record<string, unknown>, removed: boolean): Answer {
    const names = strings(body.names, []);
    const chosen = names.map((name) => this.of(caller).find((a) => a.name === name && a.removed === !removed));
    if (chosen.some((a) => !a)) return refusal(404, "NOT_FOUND");
    for (const application of chosen) {
      if (!application) continue;
      application.removed = removed;
      note(application, caller, removed ? "removed" : "recovered");
    }
    return { status: 200 };
  }

  auditLogs(caller: Caller, name: string): Answer {
    const application = this.live(caller, name);
    if (!application) return refusal(404, "NOT_FOUND");
    return {
      status: 200,
      body: application.log.map(({ username, sub, message, timestamp }) => ({ user: { guid: sub, name: username, username }, message, timestamp, success: true, resourceType: "application", resourceId: application.id, resourceName: application.name })),
    };
  }
}

function note(application: Application, caller: Caller, message: string): void {
  application.log.push({ username: caller.username, sub: caller.sub, message, timestamp: Date.now() });
}

function wire(a: Application) {
  return {
    id: a.id, name: a.name, displayName: a.displayName, ...(a.description !== undefined && { description: a.description }), tags: a.tagNames.map((name) => ({ ...named(name), attributes: {} })),
    credentials: a.credentials.map(named), profiles: a.profiles.map((name) => ({ id: `profile-${name}`, ...named(name) })), createdAt: a.createdAt, updatedAt: a.updatedAt,
  };
}

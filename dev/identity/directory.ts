import { createHash, randomBytes, randomUUID, scryptSync, timingSafeEqual } from "node:crypto";
import { people, type Person, type RealmRole } from "./realm";
import type { Registered, State } from "./state";

/** The people, with what a test has done to them: that lives in memory, and a restart is a reset. What they did themselves stays. */
export class Directory {
  private readonly disabled = new Set<string>();
  private readonly deleted = new Set<string>();
  private readonly roles = new Map<string, readonly RealmRole[]>();
  private readonly created: Person[] = [];
  private readonly groups = new Map<string, readonly string[]>();
  private gathered: Map<string, Person> | undefined;

  /** @param password everybody's, but for whoever chose another. */
  constructor(private readonly state: State, private readonly password: string) {}

  /** Everybody who exists, by name. */
  list(): Person[] {
    return [...this.everybody().values()];
  }

  find(id: string): Person | undefined {
    return this.everybody().get(id);
  }

  /** By username or email, case aside. */
  findByLogin(login: string): Person | undefined {
    const wanted = login.trim().toLowerCase();
    return this.list().find((one) => one.username === wanted || one.email === wanted);
  }

  isEnabled(id: string): boolean {
    return this.find(id) !== undefined && !this.disabled.has(id);
  }

  isPassword(id: string, candidate: string): boolean {
    const own = this.state.data.passwords[id];
    if (own) return timingSafeEqual(scryptSync(candidate, own.salt, 32), Buffer.from(own.hash, "hex"));
    const digest = (text: string) => createHash("sha256").update(text).digest();
    return timingSafeEqual(digest(candidate), digest(this.password));
  }

  setPassword(id: string, password: string): void {
    const salt = randomBytes(16).toString("hex");
    this.state.data.passwords[id] = { salt, hash: scryptSync(password, salt, 32).toString("hex") };
    this.state.changed();
  }

  /** Somebody new, who has neither role nor group. @returns their id */
  register(person: Omit<Registered, "id">, password: string): string {
    const id = randomUUID();
    this.state.data.registered.push({ ...person, id });
    this.gathered = undefined;
    this.setPassword(id, password);
    return id;
  }

  /** Each has an id of their own: whoever is created again under a name is somebody else. */
  create(username: string, roles: readonly RealmRole[]): void {
    this.gathered = undefined;
    this.created.push({ id: randomUUID(), username, email: `${username}@acme.test`, firstName: "Some", lastName: "Body", roles, groups: ["/acme"] });
  }

  disable(id: string): void {
    this.disabled.add(id);
  }

  enable(id: string): void {
    this.disabled.delete(id);
  }

  delete(id: string): void {
    this.gathered = undefined;
    this.deleted.add(id);
    const { data } = this.state;
    data.registered = data.registered.filter((one) => one.id !== id);
    delete data.passwords[id];
    this.state.changed();
  }

  setRoles(id: string, roles: readonly RealmRole[]): void {
    this.gathered = undefined;
    this.roles.set(id, roles);
  }

  setGroups(id: string, groups: readonly string[]): void {
    this.gathered = undefined;
    this.groups.set(id, groups);
  }

  reset(): void {
    this.gathered = undefined;
    this.created.length = 0;
    this.disabled.clear();
    this.deleted.clear();
    this.roles.clear();
    this.groups.clear();
  }

  /** By id, in the order of names. Gathered anew after a change: a realm of ten thousand is asked about each of them. */
  private everybody(): Map<string, Person> {
    if (this.gathered) return this.gathered;
    const all = [...people, ...this.registered(), ...this.created].filter((one) => !this.deleted.has(one.id)).map((one) => this.now(one));
    this.gathered = new Map(all.sort((a, b) => (a.username < b.username ? -1 : 1)).map((one) => [one.id, one]));
    return this.gathered;
  }

  private registered(): Person[] {
    return this.state.data.registered.map((one) => ({ ...one, roles: [], groups: [] }));
  }

  private now(one: Person): Person {
    return { ...one, roles: this.roles.get(one.id) ?? one.roles, groups: this.groups.get(one.id) ?? one.groups };
  }
}

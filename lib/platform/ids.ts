import { v5, v7 } from "uuid";

/** A new record id: UUIDv7, so that ids sort by their time. */
export function newId(): string {
  return v7();
}

/** RFC 9562 version 5: the same name in the same namespace gives the same id. */
export function nameId(name: string, namespace: string): string {
  return v5(name, namespace);
}

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

export function isUuid(value: string): boolean {
  return uuid.test(value);
}

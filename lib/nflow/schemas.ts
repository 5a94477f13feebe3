import { z } from "zod";

/** Inputs and shapes of NFlow's applications, as its OpenAPI document has them: strict with callers, tolerant of what NFlow adds. */

const noNul = (value: string) => !value.includes("\u0000");
const text = (max: number) => z.string().max(max).refine(noNul, "must not contain null characters");
const apiName = z.string().min(1, "must not be empty").max(200).refine(noNul, "must not contain null characters");
const names = z.array(apiName).max(100);
const customProps = z.union([z.string().max(100_000), z.record(z.string(), z.unknown())]);

/** `NewName` of NFlow's document. */
const newName = z.string().regex(/^[A-Za-z][A-Za-z0-9_-]{0,127}$/, "must be letters, digits, underscores and hyphens, starting with a letter");

export const CreateAppInput = z.strictObject({
  name: newName,
  displayName: text(200).min(1, "must not be empty"),
  description: text(2000).optional(),
  profiles: names.optional(),
  credentials: names.optional(),
  tagNames: names.optional(),
  customProps: customProps.optional(),
});
export type CreateAppInput = z.output<typeof CreateAppInput>;

export const SearchAppsInput = z.strictObject({
  offset: z.int().min(0).max(1_000_000).optional(),
  limit: z.int().min(1).max(100).optional(),
  sortBy: text(100).optional(),
  sortOrder: z.enum(["ASC", "DESC"]).optional(),
  searchText: text(200).optional(),
  tagNames: names.optional(),
  onlyDeleted: z.boolean().optional(),
});
export type SearchAppsInput = z.output<typeof SearchAppsInput>;

export const RemoveAppsInput = z.strictObject({ names: names.min(1, "must name at least one application") });
export type RemoveAppsInput = z.output<typeof RemoveAppsInput>;

const Tag = z.looseObject({ name: z.string(), displayName: z.string().optional() });

/** An application as NFlow answers it. */
export const Application = z.looseObject({
  id: z.string(), name: z.string(), displayName: z.string(), description: z.string().nullish(),
  tags: z.array(Tag).optional(), createdAt: z.string().optional(), updatedAt: z.string().optional(),
});
export type Application = z.infer<typeof Application>;

export const ApplicationPage = z.looseObject({ data: z.array(Application), pageInfo: z.looseObject({ limit: z.number(), offset: z.number(), total: z.number() }) });
export type ApplicationPage = z.infer<typeof ApplicationPage>;

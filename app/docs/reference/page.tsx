import type { Metadata } from "next";
import Link from "next/link";
import { openApiDocument } from "@/lib/api/document";
import { OperationView } from "./operation-view";
import { readDocument } from "./operations";

export const metadata: Metadata = { title: "Reference" };

const slug = (tag: string) => tag.toLowerCase().replace(/[^a-z0-9]+/g, "-");

export default function Reference() {
  const { version, groups, schemas } = readDocument(openApiDocument());
  return (
    <article>
      <h1 className="text-3xl font-semibold tracking-tight">Reference</h1>
      <p className="mt-3 max-w-3xl text-muted">
        Version {version}, written from the same schemas that check each request. For machines: <a href="/api/openapi.json" className="text-primary-ink underline underline-offset-4">/api/openapi.json</a>. Any call may also answer with an <Link href="/docs/errors" className="text-primary-ink underline underline-offset-4">error</Link>.
      </p>
      <nav aria-label="Groups" className="mt-6">
        <ul className="flex flex-wrap gap-2">
          {groups.map(({ tag }) => <li key={tag}><a href={`#${slug(tag)}`} className="block rounded-md border px-3 py-1.5 text-sm transition-colors hover:border-primary/60">{tag}</a></li>)}
        </ul>
      </nav>
      {groups.map(({ tag, operations }) => (
        <section key={tag} aria-labelledby={slug(tag)} className="mt-10">
          <h2 id={slug(tag)} className="scroll-mt-6 text-lg font-semibold tracking-tight">{tag}</h2>
          <h3 className="sr-only">Calls</h3>
          <div className="mt-2 divide-y border-y">
            {operations.map((operation) => <OperationView key={operation.id} operation={operation} schemas={schemas} />)}
          </div>
        </section>
      ))}
    </article>
  );
}

import type { Metadata } from "next";
import Link from "next/link";
import { notFound } from "next/navigation";
import { type ErrorCode, problems } from "@/lib/entry/portal";
import { Badge } from "@/app/_components/ui/badge";
import { errorWords } from "../words";

type Props = { params: Promise<{ code: string }> };

export async function generateMetadata({ params }: Props): Promise<Metadata> {
  const { code } = await params;
  return { title: Object.hasOwn(problems, code) ? code : "Not found" };
}

export default async function ErrorPage({ params }: Props) {
  const { code } = await params;
  if (!Object.hasOwn(problems, code)) notFound();
  const row = problems[code as ErrorCode];
  const words = errorWords[code as ErrorCode];
  return (
    <article className="max-w-3xl">
      <p className="text-sm text-muted"><Link href="/docs/errors" className="underline underline-offset-4 hover:text-foreground">Errors</Link></p>
      <h1 className="mt-2 text-3xl font-semibold tracking-tight">{row.title}</h1>
      <p className="mt-3 flex flex-wrap gap-2"><Badge tone="water" className="font-mono">{code}</Badge><Badge tone="outline" className="font-mono">{row.status}</Badge></p>
      <h2 className="mt-8 font-semibold">What it means</h2>
      <p className="mt-1.5 text-[0.9375rem] leading-relaxed">{words.means}</p>
      <h2 className="mt-6 font-semibold">What to do</h2>
      <p className="mt-1.5 text-[0.9375rem] leading-relaxed">{words.todo}</p>
    </article>
  );
}

import type { Problem } from "@/lib/entry/portal";
import { Card } from "@/app/_components/ui/card";
import { FailedState } from "@/app/_components/ui/failed-state";
import { Reload } from "../../nflow/_components/reload";

export function ListFailed({ title, problem }: { title: string; problem: Problem }) {
  return <Card><FailedState title={title} references={[{ label: "Request", value: problem.requestId }]} action={problem.code === "insufficient_permission" ? null : <Reload />}>{problem.detail}</FailedState></Card>;
}

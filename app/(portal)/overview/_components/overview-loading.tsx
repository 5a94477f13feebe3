import { Skeleton } from "@/app/_components/ui/skeleton";

export function OverviewLoading() {
  return (
    <div role="status" aria-label="Loading">
      <Skeleton className="h-8 w-56" />
      <Skeleton className="mt-2 mb-6 h-5 w-80 max-w-full" />
      <div className="grid gap-5 md:grid-cols-2">{[0, 1, 2, 3].map((panel) => <Skeleton key={panel} className="h-44 rounded-lg" />)}</div>
    </div>
  );
}

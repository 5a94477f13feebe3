import { Skeleton } from "./skeleton";

/** Holds the place of a page's title and its one card. */
export function PageLoading() {
  return (
    <div role="status" aria-label="Loading">
      <Skeleton className="h-8 w-48 max-w-full" />
      <Skeleton className="mt-2 mb-6 h-5 w-full max-w-md" />
      <Skeleton className="h-80 w-full rounded-lg" />
    </div>
  );
}

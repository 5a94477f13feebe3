/** Runs once when the page process starts: a setting that cannot be used stops it, with one line each. */
export async function register(): Promise<void> {
  if (process.env.NEXT_RUNTIME !== "nodejs") return;
  (await import("./server/check-env")).checkEnv();
  await (await import("./lib/platform/key-rings")).keepAnnouncingKeyRings({ silent: true });
}

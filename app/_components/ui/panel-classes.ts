/** What all dialogs look like, those that ask and those that hold a form. */
export const overlayClasses = "fixed inset-0 z-50 bg-[oklch(0.15_0.03_228/0.55)] data-[state=open]:animate-in data-[state=open]:fade-in-0";
export const panelClasses =
  "fixed z-50 flex max-h-[calc(100dvh-2rem)] w-[calc(100vw-2rem)] flex-col rounded-xl border bg-surface text-foreground shadow-float top-1/2 left-1/2 -translate-x-1/2 -translate-y-1/2 data-[state=open]:animate-in data-[state=open]:fade-in-0 data-[state=open]:zoom-in-98";

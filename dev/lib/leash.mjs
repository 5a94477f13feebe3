// Preloaded into every part of the embedded stack: a part whose launcher is gone has nobody to stop it, so it ends itself.
process.on("disconnect", () => process.exit(0));

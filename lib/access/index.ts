export * from "./context";
export * from "./permissions";

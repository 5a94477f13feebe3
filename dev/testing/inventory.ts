import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import ts from "typescript";

/** Everything of the portal that can be reached from outside, as its source says, and which door it goes through. */
export type Inventory = {
  /** `path` as Next.js serves it, `[id]` and all. `door` is null when the page is not made with `page()`. */
  pages: { file: string; path: string; door: "page" | null }[];
  /** Exports of `"use server"` files. `door` is null when one is not made with `action()`; `fresh` when it wants a recent proof of who is there. */
  actions: { file: string; name: string; door: "action" | null; fresh: boolean }[];
  /** Route handlers of Next.js. */
  handlers: { file: string; path: string }[];
  /** Functions that are server actions by a directive of their own, where no list would find them. */
  inlineActions: string[];
};

const doors = { page: "@/lib/entry/page", action: "@/lib/entry/action" } as const;

/** Reads the sources below `<root>/app`; nothing is run. */
export function takeInventory(root: string): Inventory {
  const inventory: Inventory = { pages: [], actions: [], handlers: [], inlineActions: [] };
  const app = join(root, "app");
  const files = readdirSync(app, { recursive: true, encoding: "utf8" }).filter((name) => /\.tsx?$/.test(name) && !name.endsWith(".test.ts")).sort();
  for (const name of files) {
    const file = relative(root, join(app, name));
    const source = ts.createSourceFile(file, readFileSync(join(root, file), "utf8"), ts.ScriptTarget.Latest, true);
    if (/(^|\/)page\.tsx$/.test(name)) inventory.pages.push({ file, path: pathOf(name), door: madeWith(source, defaultExport(source), "page") ? "page" : null });
    if (/(^|\/)route\.ts$/.test(name)) inventory.handlers.push({ file, path: pathOf(name) });
    if (hasDirective(source.statements)) for (const [exported, value] of exportsOf(source)) inventory.actions.push({ file, name: exported, door: madeWith(source, value, "action") ? "action" : null, fresh: wantsFresh(value) });
    else if (holdsDirective(source)) inventory.inlineActions.push(file);
  }
  return inventory;
}

function wantsFresh(made: ts.Expression | null): boolean {
  const options = made && ts.isCallExpression(made) ? made.arguments[2] : undefined;
  return options !== undefined && ts.isObjectLiteralExpression(options) && options.properties.some((property) =>
    ts.isPropertyAssignment(property) && property.name.getText() === "fresh" && property.initializer.kind === ts.SyntaxKind.TrueKeyword);
}

function pathOf(name: string): string {
  const parts = name.split("/").slice(0, -1).filter((part) => !part.startsWith("("));
  return `/${parts.join("/")}`;
}

const isUseServer = (statement: ts.Node) => ts.isExpressionStatement(statement) && ts.isStringLiteral(statement.expression) && statement.expression.text === "use server";

function hasDirective(statements: ts.NodeArray<ts.Statement>): boolean {
  for (const statement of statements) {
    if (!ts.isExpressionStatement(statement) || !ts.isStringLiteral(statement.expression)) return false;
    if (isUseServer(statement)) return true;
  }
  return false;
}

function holdsDirective(node: ts.Node): boolean {
  return isUseServer(node) || (ts.forEachChild(node, (child) => holdsDirective(child) || undefined) ?? false);
}

function defaultExport(source: ts.SourceFile): ts.Expression | null {
  for (const statement of source.statements) if (ts.isExportAssignment(statement) && !statement.isExportEquals) return statement.expression;
  return null;
}

/** What a file exports by name, with the expression that makes it; null for a function of its own, or one from elsewhere. */
function exportsOf(source: ts.SourceFile): [string, ts.Expression | null][] {
  return source.statements.flatMap((statement): [string, ts.Expression | null][] => {
    if (ts.isExportAssignment(statement)) return [["default", statement.expression]];
    if (ts.isExportDeclaration(statement) && statement.exportClause && ts.isNamedExports(statement.exportClause)) return statement.exportClause.elements.map((element) => [element.name.text, null]);
    if (ts.isExportDeclaration(statement)) return [["*", null]];
    if (!ts.canHaveModifiers(statement) || !ts.getModifiers(statement)?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword)) return [];
    if (ts.isVariableStatement(statement)) return statement.declarationList.declarations.map((one) => [one.name.getText(source), one.initializer ?? null]);
    return ts.isFunctionDeclaration(statement) ? [[statement.name?.text ?? "default", null]] : [];
  });
}

/** Whether it is a call of the door's own function, imported from where it lives: one of the same name guards nothing. */
function madeWith(source: ts.SourceFile, made: ts.Expression | null, door: keyof typeof doors): boolean {
  if (!made || !ts.isCallExpression(made) || !ts.isIdentifier(made.expression) || made.expression.text !== door) return false;
  return source.statements.some((statement) => ts.isImportDeclaration(statement) && ts.isStringLiteral(statement.moduleSpecifier) && statement.moduleSpecifier.text === doors[door]
    && statement.importClause?.namedBindings !== undefined && ts.isNamedImports(statement.importClause.namedBindings)
    && statement.importClause.namedBindings.elements.some((element) => element.name.text === door && !element.propertyName));
}

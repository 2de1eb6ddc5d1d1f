// The type service: TypeScript's language service over the learner's files,
// in a worker of its own. It is called with {id, method, args} and answers
// {id, value} or {id, error}.

import ts from "typescript";

type Files = Record<string, string>;

const options: ts.CompilerOptions = {
  target: ts.ScriptTarget.ES2022,
  module: ts.ModuleKind.ESNext,
  moduleResolution: ts.ModuleResolutionKind.Bundler,
  lib: ["lib.es2023.d.ts"],
  types: [],
  strict: true,
  noImplicitAny: false, // a handler's parameters need no annotations in a lesson
  allowJs: true,
  checkJs: false,
  allowImportingTsExtensions: true,
  resolveJsonModule: true,
  jsx: ts.JsxEmit.Preserve,
  noEmit: true,
  skipLibCheck: true,
};

// What a bundler makes of files that are not code, and an Env for who declares none.
const modules = `
declare module "*.wasm" { const module: WebAssembly.Module; export default module; }
declare module "*.txt" { const text: string; export default text; }
declare module "*.html" { const text: string; export default text; }
declare module "*.sql" { const text: string; export default text; }
declare module "*.bin" { const data: ArrayBuffer; export default data; }
interface Env { [binding: string]: any }
`;

let fixed: Files = {};
const shelf = new Map<string, string>(); // declarations of imported packages
let folders = new Set<string>();
const registry = ts.createDocumentRegistry();
const files = new Map<string, { text: string; version: number }>();
let service: ts.LanguageService | null = null;

const read = (path: string): string | undefined => files.get(path)?.text ?? fixed[path] ?? shelf.get(path);
const isCode = (path: string): boolean => /\.([cm]?[jt]s|[jt]sx)$/.test(path);

const host: ts.LanguageServiceHost = {
  getCompilationSettings: () => options,
  getScriptFileNames: () => [
    ...Object.keys(fixed).filter((f) => !f.startsWith("/lib.")),
    ...[...files.keys()].filter(isCode),
  ],
  getScriptVersion: (path) => String(files.get(path)?.version ?? 0),
  getScriptSnapshot: (path) => {
    const text = read(path);
    return text === undefined ? undefined : ts.ScriptSnapshot.fromString(text);
  },
  getCurrentDirectory: () => "/",
  getDefaultLibFileName: () => "/lib.es2023.d.ts",
  fileExists: (path) => read(path) !== undefined,
  readFile: read,
  directoryExists: (dir) => folders.has(dir.replace(/(.)\/$/, "$1")),
  getDirectories: () => [],
};

/** Every folder above some file. */
function listFolders(): void {
  folders = new Set(["/"]);
  for (const path of [...files.keys(), ...Object.keys(fixed), ...shelf.keys()]) {
    for (let at = path.lastIndexOf("/"); at > 0 && !folders.has(path.slice(0, at)); at = path.lastIndexOf("/", at - 1)) folders.add(path.slice(0, at));
  }
}

/** A service that resolves every import anew; parsed files are kept. */
function begin(): void {
  listFolders();
  service?.dispose();
  service = ts.createLanguageService(host, registry);
  service.getProgram();
}

const full = (path: string): string => `/${path}`;
const short = (path: string): string => path.replace(/^\//, "");
const unpack = (types: BufferSource): Files => JSON.parse(new TextDecoder().decode(types)) as Files;
const plain = (parts: readonly { text: string }[] | undefined): string => (parts ?? []).map((p) => p.text).join("");

function ready(): ts.LanguageService {
  if (!service) throw new Error("not started");
  return service;
}

export interface TypeDiagnostic { from: number; to: number; severity: "error" | "warning" | "hint"; message: string; code: number }
export interface TypeCompletion { label: string; type: string; sort: string }

// A package's types may still be on their way, and Node's modules have none:
// the build says when an import leads nowhere.
const isShelf = (d: ts.Diagnostic): boolean => {
  if (![2307, 7016, 2792].includes(d.code) || !d.file || d.start === undefined) return false;
  const name = d.file.text.slice(d.start + 1, d.start + (d.length ?? 0) - 1);
  return !name.startsWith(".") && !name.startsWith("/");
};

const methods = {
  /** Loads the fixed types, packed as JSON, and the project; answers once the first program is built. */
  start(types: BufferSource, project: Files): void {
    fixed = { ...unpack(types), "/modules.d.ts": modules };
    methods.update(project);
    begin();
  },

  /** Takes the declarations of a package that the project imports, packed as JSON. */
  shelf(types: BufferSource): void {
    for (const [path, text] of Object.entries(unpack(types))) shelf.set(path, text);
    begin();
  },

  /** Takes the whole project; files that are the same keep their version. */
  update(project: Files): void {
    for (const path of [...files.keys()]) if (!(short(path) in project)) files.delete(path);
    for (const [path, text] of Object.entries(project)) {
      const old = files.get(full(path));
      if (old?.text !== text) files.set(full(path), { text, version: (old?.version ?? 0) + 1 });
    }
    listFolders();
  },

  diagnostics(path: string): TypeDiagnostic[] {
    const s = ready();
    const f = full(path);
    if (!isCode(f) || !files.has(f)) return [];
    const severity = { [ts.DiagnosticCategory.Error]: "error", [ts.DiagnosticCategory.Warning]: "warning" } as const;
    return [...s.getSyntacticDiagnostics(f), ...s.getSemanticDiagnostics(f)]
      .filter((d) => d.start !== undefined && !isShelf(d))
      .map((d) => ({
        from: d.start ?? 0,
        to: (d.start ?? 0) + (d.length ?? 0),
        severity: severity[d.category as keyof typeof severity] ?? "hint",
        message: ts.flattenDiagnosticMessageText(d.messageText, "\n"),
        code: d.code,
      }));
  },

  completions(path: string, pos: number, explicit: boolean): { from: number; options: TypeCompletion[] } | null {
    const f = full(path);
    const text = read(f) ?? "";
    const word = /[\w$]*$/.exec(text.slice(Math.max(0, pos - 100), pos))?.[0] ?? "";
    const before = text[pos - word.length - 1] ?? "";
    if (!explicit && !word && !/[.'"`/]/.test(before)) return null;
    const info = ready().getCompletionsAtPosition(f, pos, { includeCompletionsForModuleExports: false });
    if (!info) return null;
    return {
      from: pos - word.length,
      options: info.entries.filter((e) => e.kind !== ts.ScriptElementKind.warning).slice(0, 600)
        .map((e) => ({ label: e.name, type: e.kind, sort: e.sortText })),
    };
  },

  details(path: string, pos: number, name: string): { type: string; docs: string } | null {
    const d = ready().getCompletionEntryDetails(full(path), pos, name, {}, undefined, {}, undefined);
    return d ? { type: plain(d.displayParts), docs: plain(d.documentation) } : null;
  },

  hover(path: string, pos: number): { from: number; to: number; type: string; docs: string } | null {
    const q = ready().getQuickInfoAtPosition(full(path), pos);
    return q ? { from: q.textSpan.start, to: q.textSpan.start + q.textSpan.length, type: plain(q.displayParts), docs: plain(q.documentation) } : null;
  },

  /** Where the name at pos is defined, in the learner's own files only. */
  definition(path: string, pos: number): { path: string; line: number; column: number } | null {
    for (const d of ready().getDefinitionAtPosition(full(path), pos) ?? []) {
      const text = files.get(d.fileName)?.text;
      if (text === undefined) continue;
      const lines = text.slice(0, d.textSpan.start).split("\n");
      return { path: short(d.fileName), line: lines.length, column: (lines.at(-1)?.length ?? 0) + 1 };
    }
    return null;
  },

  /** The file's text as TypeScript formats it. */
  format(path: string): string {
    const f = full(path);
    let text = read(f) ?? "";
    const settings = { ...ts.getDefaultFormatCodeSettings("\n"), indentSize: 2, tabSize: 2, semicolons: ts.SemicolonPreference.Ignore };
    const edits = ready().getFormattingEditsForDocument(f, settings);
    for (const e of [...edits].sort((a, b) => b.span.start - a.span.start)) {
      text = text.slice(0, e.span.start) + e.newText + text.slice(e.span.start + e.span.length);
    }
    return text;
  },
};

export type TypeMethods = typeof methods;

interface Call { id: number; method: keyof TypeMethods; args: unknown[] }

const scope = globalThis as unknown as {
  onmessage: (e: { data: Call }) => void;
  postMessage: (m: unknown) => void;
};

scope.onmessage = ({ data: { id, method, args } }) => {
  try {
    scope.postMessage({ id, value: (methods[method] as (...a: unknown[]) => unknown)(...args) });
  } catch (e) {
    scope.postMessage({ id, error: (e as Error).message });
  }
};

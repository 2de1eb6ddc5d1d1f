// D1: the client half. A statement is a query with its values; the outside runs
// what is sent as one transaction. Results have the shapes and texts of Workers D1.

import { ArrayIsArray, ArrayPush, NativeError, NativeTypeError, NumberIsFinite, ObjectDefineProperty, ReflectApply, bytesOf } from "./primordials";
import { backend } from "./backend";
import { stackOf } from "./errors";
import { binding } from "./bindings";

type Row = Record<string, unknown>;
type Result = { success: true; meta: Record<string, unknown>; results: Row[] };
/** What the outside gives for one statement, taken apart. */
type Raw = { columns: string[]; rows: unknown[][]; meta: Record<string, unknown> };

function error(text: string, code = "D1_ERROR", cause = text): Error {
  return new NativeError(`${code}: ${text}`, { cause: new NativeError(cause) });
}
const said = (e: unknown): string => (e instanceof NativeError ? e.message : `${e}`);

/** A value as D1 sends it: JSON has no number for NaN and the infinities. */
function bindable(v: unknown): unknown {
  switch (typeof v) {
    case "number": return NumberIsFinite(v) ? v : null;
    case "string": return v;
    case "boolean": return v ? 1 : 0;
    case "object":
      if (v === null) return v;
      if (ArrayIsArray(v)) {
        const bytes = new Uint8Array(v.length);
        for (let i = 0; i < v.length; i++) {
          if (typeof v[i] !== "number") throw error(`Type 'object' not supported for value '${v}'`, "D1_TYPE_ERROR");
          bytes[i] = v[i];
        }
        return bytes;
      }
      // The elements of an array of numbers, each as one byte.
      if (bytesOf(v) !== undefined) return v instanceof ArrayBuffer ? bytesOf(v) : Uint8Array.from(v as ArrayLike<number>);
  }
  throw error(`Type '${typeof v}' not supported for value '${v as string}'`, "D1_TYPE_ERROR");
}

const fixed = 8; // columns, rows read, rows written, last row id, changes, duration, whether anything changed, bytes
function parse(list: any[]): Raw {
  const columns: string[] = list[0], rows: unknown[][] = [], n = columns.length;
  for (let i = fixed; n > 0 && i + n <= list.length; i += n) {
    const row: unknown[] = [];
    for (let j = 0; j < n; j++) {
      const v = list[i + j];
      // Blobs arrive as lists of numbers, as D1 gives them.
      row[j] = v === undefined || v === Infinity || v === -Infinity ? null : bytesOf(v) === undefined ? v : [...bytesOf(v)!];
    }
    ArrayPush(rows, row);
  }
  return {
    columns, rows,
    meta: { served_by: "coldstart", duration: list[5], changes: list[4], last_row_id: list[3], changed_db: list[6], size_after: list[7], rows_read: list[1], rows_written: list[2] },
  };
}
function objects(r: Raw): Row[] {
  const out: Row[] = [];
  for (let i = 0; i < r.rows.length; i++) {
    const o: Row = {};
    for (let j = 0; j < r.columns.length; j++) o[r.columns[j]] = r.rows[i][j];
    ArrayPush(out, o);
  }
  return out;
}
const result = (r: Raw): Result => ({ success: true, meta: r.meta, results: objects(r) });

let send: (db: D1Database, name: string, list: D1PreparedStatement[]) => Promise<Raw[]>;
let made: (db: D1Database, query: string, values: unknown[]) => D1PreparedStatement;
let partsOf: (s: D1PreparedStatement) => [D1Database, string, unknown[]];
let isStatement: (o: unknown) => o is D1PreparedStatement;

class D1PreparedStatement {
  #db!: D1Database;
  #query = "";
  #values: unknown[] = [];
  static {
    made = (db, query, values) => {
      const s = new D1PreparedStatement();
      s.#db = db;
      s.#query = query;
      s.#values = values;
      return s;
    };
    partsOf = (s) => [s.#db, s.#query, s.#values];
    isStatement = (o): o is D1PreparedStatement => typeof o === "object" && o !== null && #db in o;
  }
  bind(...values: unknown[]): D1PreparedStatement {
    const list: unknown[] = [];
    for (let i = 0; i < values.length; i++) list[i] = bindable(values[i]);
    return made(this.#db, this.#query, list);
  }
  async first(column?: string): Promise<unknown> {
    const [r] = await send(this.#db, "first", [this]);
    if (r.rows.length === 0) return null;
    const row = objects({ ...r, rows: [r.rows[0]] })[0];
    if (column === undefined) return row;
    if (!Object.hasOwn(row, column)) throw error(`Column not found (${column})`, "D1_COLUMN_NOTFOUND", "Column not found");
    return row[column];
  }
  async run(): Promise<Result> {
    return result((await send(this.#db, "run", [this]))[0]);
  }
  async all(): Promise<Result> {
    return result((await send(this.#db, "all", [this]))[0]);
  }
  async raw(options?: { columnNames?: boolean }): Promise<unknown[][]> {
    const [r] = await send(this.#db, "raw", [this]);
    return options?.columnNames ? [r.columns, ...r.rows] : r.rows;
  }
}

class D1Database {
  #id: string;
  #name: string;
  constructor(id: string, name: string) {
    this.#id = id;
    this.#name = name;
  }
  static {
    send = async (db, name, list) => {
      const flat: unknown[] = [];
      for (let i = 0; i < list.length; i++) {
        const [, query, values] = partsOf(list[i]);
        ArrayPush(flat, query, values);
      }
      let all: any[][];
      try {
        all = await backend("d1", `${db.#name}.${name}`, "d1.query", db.#id, flat);
      } catch (e) {
        throw stackOf(error(said(e)), e);
      }
      const out: Raw[] = [];
      for (let i = 0; i < all.length; i++) out[i] = parse(all[i]);
      return out;
    };
  }
  prepare(query: string): D1PreparedStatement {
    if (typeof query !== "string") throw new NativeTypeError("D1: prepare() takes the query as a string.");
    return made(this, query, []);
  }
  async batch(list: D1PreparedStatement[]): Promise<Result[]> {
    if (!ArrayIsArray(list)) throw new NativeTypeError("D1: batch() takes an array of prepared statements.");
    for (let i = 0; i < list.length; i++) if (!isStatement(list[i])) throw new NativeTypeError(`D1: element ${i} of the batch is not a prepared statement: make it with prepare().`);
    if (list.length === 0) throw error("No SQL statements detected.");
    const raw = await send(this, "batch", list), out: Result[] = [];
    for (let i = 0; i < raw.length; i++) out[i] = result(raw[i]);
    return out;
  }
  async exec(text: string): Promise<{ count: number; duration: number }> {
    if (typeof text !== "string") throw new NativeTypeError("D1: exec() takes statements as one string.");
    try {
      const [count, duration] = await backend("d1", `${this.#name}.exec`, "d1.exec", this.#id, text);
      return { count, duration };
    } catch (e) {
      throw stackOf(error(said(e), "D1_EXEC_ERROR"), e);
    }
  }
  withSession(_constraintOrBookmark?: string): D1DatabaseSession {
    return new D1DatabaseSession(this);
  }
  async dump(): Promise<never> {
    throw error("dump() is not available here: it belongs to D1's alpha.");
  }
}

/** There is one copy of a database here, so a session sees what everyone sees. */
class D1DatabaseSession {
  #db: D1Database;
  constructor(db: D1Database) {
    this.#db = db;
  }
  prepare(query: string) { return this.#db.prepare(query); }
  batch(list: D1PreparedStatement[]) { return ReflectApply(this.#db.batch, this.#db, [list]); }
  getBookmark(): string | null { return null; }
}

for (const [name, C] of Object.entries({ D1Database, D1PreparedStatement, D1DatabaseSession })) ObjectDefineProperty(C.prototype, Symbol.toStringTag, { value: name, configurable: true });
binding("d1", (b) => new D1Database(b.id, b.name));

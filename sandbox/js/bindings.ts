// env: one object made from the Worker's bindings. Each kind of binding registers
// its maker; kinds the platform does not have say so when they are used.

import { JSONParse, NativeError, ObjectCreate, ObjectDefineProperty, ReflectOwnKeys } from "./primordials";

/** A binding as the host describes it. */
export type Binding = { name: string; type: string; value: string; id: string; service: string; entrypoint: string; class: string; props: string; limit: number; period: number };
type Maker = (b: Binding) => unknown;

const makers: Record<string, Maker> = ObjectCreate(null);

/** Registers the maker for a type of binding. */
export function binding(type: string, f: Maker): void {
  makers[type] = f;
}
binding("text", (b) => b.value);
binding("secret", (b) => b.value);
binding("json", (b) => JSONParse(b.value));

/** The env of this isolate. */
export const env: Record<string, unknown> = {};

/** Gives an object a property of its own: a binding may be called __proto__. */
function own(o: object, k: string, value: unknown): void {
  ObjectDefineProperty(o, k, { value, writable: true, enumerable: true, configurable: true });
}

/** Fills env; list holds ten values a binding, in the order of Binding's fields. */
export function makeEnv(list: any[]): void {
  for (let i = 0; i < list.length; i += 10) {
    const b: Binding = { name: list[i], type: list[i + 1], value: list[i + 2], id: list[i + 3], service: list[i + 4], entrypoint: list[i + 5], class: list[i + 6], props: list[i + 7], limit: list[i + 8], period: list[i + 9] };
    const f = makers[b.type];
    own(env, b.name, f !== undefined ? f(b) : missing(b));
  }
}

const missing = (b: Binding): unknown => absent(() => new NativeError(`env.${b.name}: bindings of type "${b.type}" are not available here.`));

/** What stands for something that is not here: it can be looked at and handed on, and says so when it is used. */
export function absent(error: () => Error): object {
  const say = () => {
    throw error();
  };
  return new Proxy({}, { get: (_, k) => (typeof k === "symbol" || k === "then" || k === "toJSON" ? undefined : say()) });
}

/** Service-worker syntax: bindings are globals. */
export function exposeEnv(): void {
  const keys = ReflectOwnKeys(env) as string[];
  for (let i = 0; i < keys.length; i++) own(globalThis, keys[i], env[keys[i]]);
}

// Calls of bindings to what is outside the isolate.

import { op } from "./host";
import { hostAsyncAt } from "./async";
import { here } from "./errors";
import { refuseAtStart } from "./run";

const CALL = op("call");

/** Performs a binding operation. kind and name are for the trace: ("kv", "NOTES.put"). */
export function backend(kind: string, name: string, operation: string, ...args: unknown[]): Promise<any> {
  return backendAt(here(), kind, name, operation, ...args);
}

/** The same for work that had to be waited for first; at was made where the program asked. */
export function backendAt(at: Error, kind: string, name: string, operation: string, ...args: unknown[]): Promise<any> {
  refuseAtStart(name + "()");
  return hostAsyncAt(at, CALL, kind, name, operation, args);
}

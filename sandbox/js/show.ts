// What console shows of platform objects, whose state is private: the same
// properties in the same order as Workers show them.

import { ArrayPush, ObjectGetPrototypeOf } from "./primordials";
import { entriesView, showAs } from "./inspect";
import { AbortController, AbortSignal } from "./abort";
import { Blob, File } from "./blob";
import { FormData, formEntries } from "./formdata";
import { Headers, guardOf, headersList } from "./headers";
import { Request } from "./request";
import { Response } from "./response";
import { $readableStreamController, $state, ReadableStream, TransformStream, WritableStream, isLocked } from "./streams";
import { URL, URLSearchParams, paramsList } from "./url";
import { Event } from "./events";
import { TextDecoder, TextEncoder } from "./encoding";
import { WebSocket } from "./websocket";
import { CryptoKey } from "./subtle";
import { bodyLength } from "./body";

const pick = (C: { prototype: object }, names: string[]) => showAs(C.prototype, (o) => {
  const out: Record<string, unknown> = {};
  for (let i = 0; i < names.length; i++) out[names[i]] = o[names[i]];
  return out;
});

pick(Response, ["status", "statusText", "headers", "ok", "redirected", "url", "webSocket", "cf", "type", "body", "bodyUsed"]);
pick(Request, ["method", "url", "headers", "redirect", "fetcher", "signal", "cf", "integrity", "keepalive", "cache", "body", "bodyUsed"]);
pick(URL, ["origin", "href", "protocol", "username", "password", "host", "hostname", "port", "pathname", "search", "hash", "searchParams"]);
pick(Blob, ["size", "type"]);
pick(File, ["name", "lastModified", "size", "type"]);
pick(AbortController, ["signal"]);
pick(AbortSignal, ["aborted", "reason", "onabort"]);
pick(Event, ["type", "eventPhase", "composed", "bubbles", "cancelable", "defaultPrevented", "returnValue", "currentTarget", "target", "srcElement", "timeStamp", "isTrusted", "cancelBubble"]);
pick(TextEncoder, ["encoding"]);
pick(TextDecoder, ["encoding", "fatal", "ignoreBOM"]);
pick(WebSocket, ["readyState", "url", "protocol", "extensions"]);
pick(CryptoKey, ["type", "extractable", "algorithm", "usages"]);

const pairs = (l: unknown[]): [unknown, unknown][] => {
  const out: [unknown, unknown][] = [];
  for (let i = 0; i < l.length; i += 2) ArrayPush(out, [l[i], l[i + 1]]);
  return out;
};
entriesView(Headers.prototype, (h: Headers) => {
  const at: Record<string, number> = { __proto__: null } as any, out: [unknown, unknown][] = [], l = headersList(h);
  for (let i = 0; i < l.length; i += 2) {
    if (at[l[i]] === undefined) at[l[i]] = ArrayPush(out, [l[i], l[i + 1]]) - 1;
    else out[at[l[i]]][1] += ", " + l[i + 1];
  }
  return { entries: out, hidden: { "[immutable]": guardOf(h) === "immutable" } };
});
entriesView(URLSearchParams.prototype, (p: URLSearchParams) => ({ entries: pairs(paramsList(p)), hidden: {} }));
entriesView(FormData.prototype, (f: FormData) => ({ entries: formEntries(f), hidden: {} }));

showAs(ReadableStream.prototype, (s) => ({
  locked: isLocked(s), "[state]": s[$state], "[supportsBYOB]": ObjectGetPrototypeOf(s[$readableStreamController]) === (globalThis as any).ReadableByteStreamController.prototype, "[length]": bodyLength(s),
}));
showAs(WritableStream.prototype, (s) => ({ locked: s.locked, "[state]": s[$state], "[expectsBytes]": false }));
showAs(TransformStream.prototype, (s) => ({ readable: s.readable, writable: s.writable }));

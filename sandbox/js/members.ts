// The order in which for-in lists the members of an object, as in Workers' runtime:
// programs that look at a request or its headers this way print what they find.

import { FormData } from "./formdata";
import { File, Blob } from "./blob";
import { Headers } from "./headers";
import { Request } from "./request";
import { Response } from "./response";
import { Event } from "./events";
import { AbortSignal } from "./abort";
import { TextDecoder, TextEncoder } from "./encoding";
import { URL, URLSearchParams } from "./url";
import { MessagePort } from "./message";
import { WritableStreamDefaultWriter } from "web-streams-polyfill";

const parts = "protocol username password host hostname port pathname search hash";
for (const [C, names] of [
  [Headers, "get getAll getSetCookie has set append delete forEach entries keys values"],
  [Request, "clone method url headers redirect fetcher signal cf integrity keepalive cache"],
  [Response, "clone status statusText headers ok redirected url webSocket cf type"],
  [FormData, "append delete get getAll has set entries keys values forEach"],
  [Blob, "size type slice arrayBuffer bytes text stream"],
  [File, "name lastModified"],
  [URL, `origin href ${parts} searchParams toJSON toString`],
  [URLSearchParams, "size append delete get getAll has set sort entries keys values forEach toString"],
  [Event, "type eventPhase composed bubbles cancelable defaultPrevented returnValue currentTarget target srcElement timeStamp isTrusted cancelBubble stopImmediatePropagation preventDefault stopPropagation composedPath NONE CAPTURING_PHASE AT_TARGET BUBBLING_PHASE"],
  [AbortSignal, "aborted reason onabort throwIfAborted"],
  [TextEncoder, "encode encodeInto encoding"],
  [TextDecoder, "decode encoding fatal ignoreBOM"],
  [MessagePort, "postMessage close start onmessage"],
  [WritableStreamDefaultWriter, "closed ready desiredSize abort close write releaseLock"],
] as [{ prototype: any; name: string }, string][]) {
  const proto = C.prototype, had = Object.getOwnPropertyDescriptors(proto);
  for (const name of names.split(" ")) {
    if (had[name] === undefined) throw new Error(`members.ts: ${C.name} has no ${name}`);
    if (!had[name].configurable) continue;
    delete proto[name];
    Object.defineProperty(proto, name, had[name]);
  }
}

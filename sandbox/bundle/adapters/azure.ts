// Runs Azure Functions (version 4 of the programming model) that answer HTTP.
// Functions live below /api, at their route or else their name.
import "coldstart:entry";
import { functions, HttpRequest, HttpResponse, InvocationContext } from "@azure/functions";
import type { HttpFunction, HttpResponseInit } from "@azure/functions";

const PREFIX = "/api/";

export default {
  async fetch(request: Request, env: Record<string, unknown>): Promise<Response> {
    for (const [name, value] of Object.entries(env)) {
      if (typeof value === "string" && globalThis.process?.env) {
        process.env[name] = value;
      }
    }
    const path = new URL(request.url).pathname;
    if (!path.startsWith(PREFIX)) {
      return new Response(null, { status: 404 });
    }
    let best: { fn: HttpFunction; params: Record<string, string>; literal: number } | undefined;
    for (const fn of functions) {
      const match = matchRoute(fn.route, path.slice(PREFIX.length));
      if (match && fn.methods.includes(request.method) && (!best || match.literal > best.literal)) {
        best = { fn, ...match };
      }
    }
    if (!best) {
      return new Response(null, { status: 404 });
    }
    try {
      return toResponse(await best.fn.handler(new HttpRequest(request, best.params), new InvocationContext(best.fn.name)));
    } catch (error) {
      console.error(error);
      return new Response(null, { status: 500 });
    }
  },
};

/**
 * Matches a route template: fixed parts, {name}, {name?}, {name:int}, {*rest}.
 * literal counts the fixed parts: the route with more of them wins.
 */
function matchRoute(template: string, path: string): { params: Record<string, string>; literal: number } | undefined {
  const wanted = template.replace(/^\/|\/$/g, "").split("/");
  const given = path.replace(/\/$/, "").split("/").map(decodePart);
  const params: Record<string, string> = {};
  let literal = 0;
  for (let i = 0; i < wanted.length; i++) {
    const hole = /^\{(\*?)(\w+)(?::(\w+)[^}?]*)?(\?)?\}$/.exec(wanted[i]);
    if (!hole) {
      if (wanted[i].toLowerCase() !== (given[i] ?? "").toLowerCase()) return undefined;
      literal++;
      continue;
    }
    const [, star, name, type, optional] = hole;
    if (star) {
      params[name] = given.slice(i).join("/");
      return { params, literal };
    }
    const value = given[i];
    if (value === undefined || value === "") {
      if (!optional) return undefined;
      continue;
    }
    if (type && !fits(type, value)) return undefined;
    params[name] = value;
  }
  return given.length <= wanted.length ? { params, literal } : undefined;
}

function decodePart(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

function fits(type: string, value: string): boolean {
  switch (type) {
    case "int":
    case "long":
      return /^-?\d+$/.test(value);
    case "bool":
      return /^(true|false)$/i.test(value);
    case "alpha":
      return /^[a-z]+$/i.test(value);
    case "guid":
      return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(value);
    default:
      return true;
  }
}

function toResponse(result: unknown): Response {
  if (result instanceof Response) return result;
  if (result === undefined || result === null) return new Response(null, { status: 204 });
  const init: HttpResponseInit = result instanceof HttpResponse ? result.init : (result as HttpResponseInit);
  const headers = new Headers(init.headers);
  for (const c of init.cookies ?? []) {
    let text = `${c.name}=${encodeURIComponent(c.value)}`;
    if (c.path) text += `; Path=${c.path}`;
    if (c.maxAge !== undefined) text += `; Max-Age=${c.maxAge}`;
    if (c.httpOnly) text += "; HttpOnly";
    if (c.secure) text += "; Secure";
    if (c.sameSite) text += `; SameSite=${c.sameSite}`;
    headers.append("set-cookie", text);
  }
  if (init.jsonBody !== undefined) {
    if (!headers.has("content-type")) headers.set("content-type", "application/json");
    return new Response(JSON.stringify(init.jsonBody), { status: init.status ?? 200, headers });
  }
  return new Response(init.body ?? null, { status: init.status ?? 200, headers });
}

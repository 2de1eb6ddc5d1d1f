// Runs an AWS Lambda handler behind what API Gateway calls an HTTP API, with
// payload format 2.0: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
//
//   export const handler = async (event, context) => ({ statusCode: 200, body: "hello" });
//
// Request in, event out; result in, Response out. Lambda reaches the internet
// through a gateway in just this way.
import * as entry from "coldstart:entry";

type Result =
  | string
  | {
      statusCode?: number | string;
      headers?: Record<string, string | number | boolean>;
      multiValueHeaders?: Record<string, string[]>;
      cookies?: string[];
      body?: string;
      isBase64Encoded?: boolean;
    }
  | null
  | undefined;

const TIMEOUT_MS = 10_000;
const TEXT = /^(text\/|application\/(json|javascript|xml|x-www-form-urlencoded)|.*\+(json|xml))/;

export default {
  async fetch(request: Request, env: Record<string, unknown>): Promise<Response> {
    const handler = (entry as any).handler ?? (entry as any).default?.handler;
    if (typeof handler !== "function") {
      throw new TypeError("This file exports no function named handler.");
    }
    exposeEnvironment(env);
    try {
      const event = await toEvent(request);
      return toResponse(await run(handler, event, makeContext(event.requestContext.requestId)));
    } catch (error) {
      // API Gateway shows the caller nothing of an error; it goes to the log.
      console.error(error);
      return Response.json({ message: "Internal Server Error" }, { status: 500 });
    }
  },
};

/** Lambda has its settings in process.env, so bindings that are text go there. */
function exposeEnvironment(env: Record<string, unknown>) {
  for (const [name, value] of Object.entries(env)) {
    if (typeof value === "string" && globalThis.process?.env) {
      process.env[name] = value;
    }
  }
}

async function toEvent(request: Request) {
  const url = new URL(request.url);
  const now = new Date();
  const bytes = request.body ? new Uint8Array(await request.arrayBuffer()) : undefined;
  const isText = TEXT.test(request.headers.get("content-type") ?? "text/plain");

  // Names in lower case, repeated ones joined; cookies have a list of their own.
  const headers: Record<string, string> = {};
  request.headers.forEach((value, name) => {
    if (name !== "cookie") headers[name] = value;
  });
  headers.host ??= url.host;
  const cookies = request.headers.get("cookie")?.split(/;\s*/);

  const query: Record<string, string> = {};
  for (const name of new Set(url.searchParams.keys())) {
    query[name] = url.searchParams.getAll(name).join(",");
  }

  return {
    version: "2.0",
    routeKey: "$default",
    rawPath: decodePath(url.pathname),
    rawQueryString: url.search.slice(1),
    ...(cookies && { cookies }),
    headers,
    ...(Object.keys(query).length > 0 && { queryStringParameters: query }),
    requestContext: {
      accountId: "123456789012",
      apiId: "api-id",
      domainName: url.hostname,
      domainPrefix: url.hostname.split(".")[0],
      http: {
        method: request.method,
        path: decodePath(url.pathname),
        protocol: "HTTP/1.1",
        sourceIp: request.headers.get("cf-connecting-ip") ?? "127.0.0.1",
        userAgent: request.headers.get("user-agent") ?? "",
      },
      requestId: crypto.randomUUID(),
      routeKey: "$default",
      stage: "$default",
      time: gatewayTime(now),
      timeEpoch: now.getTime(),
    },
    ...(bytes && bytes.length > 0 && { body: isText ? new TextDecoder().decode(bytes) : toBase64(bytes) }),
    isBase64Encoded: bytes !== undefined && bytes.length > 0 && !isText,
  };
}

/** A path that is not valid percent-encoding stays as it is. */
function decodePath(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

/** 21/Nov/2026:14:05:09 +0000 */
function gatewayTime(date: Date): string {
  const month = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ")[date.getUTCMonth()];
  const two = (n: number) => String(n).padStart(2, "0");
  const clock = [date.getUTCHours(), date.getUTCMinutes(), date.getUTCSeconds()].map(two).join(":");
  return `${two(date.getUTCDate())}/${month}/${date.getUTCFullYear()}:${clock} +0000`;
}

function makeContext(requestId: string) {
  const deadline = Date.now() + TIMEOUT_MS;
  return {
    functionName: "function",
    functionVersion: "$LATEST",
    invokedFunctionArn: "arn:aws:lambda:us-east-1:123456789012:function:function",
    memoryLimitInMB: "128",
    awsRequestId: requestId,
    logGroupName: "/aws/lambda/function",
    logStreamName: "[$LATEST]" + requestId.replaceAll("-", ""),
    callbackWaitsForEmptyEventLoop: true,
    getRemainingTimeInMillis: () => Math.max(0, deadline - Date.now()),
  };
}

/** A handler returns a promise, or it takes a third argument and calls it. */
function run(handler: Function, event: unknown, context: unknown): Promise<Result> {
  return new Promise((resolve, reject) => {
    const callback = (error: unknown, result?: Result) => (error ? reject(error) : resolve(result));
    const returned = handler(event, context, callback);
    if (typeof returned?.then === "function") {
      returned.then(resolve, reject);
    } else if (handler.length < 3) {
      resolve(returned);
    }
  });
}

function toResponse(result: Result): Response {
  // Without a statusCode, whatever came back is the JSON body of a 200.
  if (typeof result !== "object" || result === null || !("statusCode" in result)) {
    const body = typeof result === "string" ? result : JSON.stringify(result ?? null);
    return new Response(body, { headers: { "content-type": "application/json" } });
  }
  const headers = new Headers();
  for (const [name, value] of Object.entries(result.headers ?? {})) {
    headers.set(name, String(value));
  }
  for (const cookie of result.cookies ?? []) {
    headers.append("set-cookie", cookie);
  }
  if (!headers.has("content-type")) {
    headers.set("content-type", "text/plain;charset=UTF-8");
  }
  if (typeof (result.body ?? "") !== "string") {
    throw new TypeError("The body of a response is text: use JSON.stringify.");
  }
  const status = Number(result.statusCode);
  const empty = status === 204 || status === 304;
  const body = result.isBase64Encoded ? fromBase64(result.body ?? "") : (result.body ?? "");
  return new Response(empty ? null : body, { status, headers });
}

function toBase64(bytes: Uint8Array): string {
  let text = "";
  for (let i = 0; i < bytes.length; i += 0x8000) {
    text += String.fromCharCode(...bytes.subarray(i, i + 0x8000));
  }
  return btoa(text);
}

function fromBase64(text: string): Uint8Array {
  return Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
}

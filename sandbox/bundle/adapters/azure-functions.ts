// What @azure/functions (version 4) gives to functions that answer HTTP:
//
//   app.http("login", { methods: ["POST"], route: "login", handler: async (request, context) => ({ body: "User logged in" }) });
//
// app collects them; the adapter in azure.ts calls them.
// https://learn.microsoft.com/azure/azure-functions/functions-reference-node
export interface HttpFunction {
  name: string;
  methods: string[];
  route: string;
  handler: (request: HttpRequest, context: InvocationContext) => unknown;
}

export const functions: HttpFunction[] = [];

type Options = { methods?: string[]; route?: string; authLevel?: string; handler: HttpFunction["handler"] };

function register(name: string, options: Options | HttpFunction["handler"], methods: string[]) {
  const o = typeof options === "function" ? { handler: options } : options;
  functions.push({ name, route: o.route ?? name, methods: (o.methods ?? methods).map((m) => m.toUpperCase()), handler: o.handler });
}

const elsewhere = (kind: string) => (name: string) => {
  console.warn(`The ${kind} function ${name} is not started here; only functions that answer HTTP are.`);
};

export const app = {
  http: (name: string, options: Options) => register(name, options, ["GET", "POST"]),
  get: (name: string, options: Options | HttpFunction["handler"]) => register(name, options, ["GET"]),
  post: (name: string, options: Options | HttpFunction["handler"]) => register(name, options, ["POST"]),
  put: (name: string, options: Options | HttpFunction["handler"]) => register(name, options, ["PUT"]),
  patch: (name: string, options: Options | HttpFunction["handler"]) => register(name, options, ["PATCH"]),
  deleteRequest: (name: string, options: Options | HttpFunction["handler"]) => register(name, options, ["DELETE"]),
  timer: elsewhere("timer"),
  storageBlob: elsewhere("blob"),
  storageQueue: elsewhere("queue"),
  serviceBusQueue: elsewhere("Service Bus"),
  serviceBusTopic: elsewhere("Service Bus"),
  eventHub: elsewhere("Event Hub"),
  eventGrid: elsewhere("Event Grid"),
  cosmosDB: elsewhere("Cosmos DB"),
  generic: elsewhere("generic"),
  setup: () => {},
  hook: { appStart: () => {}, appTerminate: () => {}, preInvocation: () => {}, postInvocation: () => {} },
};

/** A request: like a fetch Request, with the query and the route's parameters at hand. */
export class HttpRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: Headers;
  readonly query: URLSearchParams;
  readonly user = null;
  #request: Request;

  constructor(request: Request, readonly params: Record<string, string>) {
    this.#request = request;
    this.method = request.method;
    this.url = request.url;
    this.headers = request.headers;
    this.query = new URL(request.url).searchParams;
  }

  get body() {
    return this.#request.body;
  }
  get bodyUsed() {
    return this.#request.bodyUsed;
  }
  text = () => this.#request.text();
  json = () => this.#request.json();
  arrayBuffer = () => this.#request.arrayBuffer();
  blob = () => this.#request.blob();
  formData = () => this.#request.formData();
  clone = () => new HttpRequest(this.#request.clone() as Request, this.params);
}

export interface HttpResponseInit {
  status?: number;
  body?: any;
  jsonBody?: unknown;
  headers?: HeadersInit;
  cookies?: { name: string; value: string; path?: string; maxAge?: number; httpOnly?: boolean; secure?: boolean; sameSite?: string }[];
  enableContentNegotiation?: boolean;
}

/** A response, for code that writes new HttpResponse({ … }). */
export class HttpResponse {
  readonly status: number;
  readonly headers: Headers;
  readonly cookies: NonNullable<HttpResponseInit["cookies"]>;
  readonly init: HttpResponseInit;

  constructor(init: HttpResponseInit = {}) {
    this.init = init;
    this.status = init.status ?? 200;
    this.headers = new Headers(init.headers);
    this.cookies = init.cookies ?? [];
  }
}

/** What a function knows of its call, and where it logs. */
export class InvocationContext {
  readonly invocationId = crypto.randomUUID();
  readonly triggerMetadata: Record<string, unknown> = {};
  readonly options: Record<string, unknown> = {};
  readonly extraInputs = new Map();
  readonly extraOutputs = new Map();

  constructor(readonly functionName: string) {}

  log = (...args: unknown[]) => console.log(...args);
  trace = (...args: unknown[]) => console.debug(...args);
  debug = (...args: unknown[]) => console.debug(...args);
  info = (...args: unknown[]) => console.info(...args);
  warn = (...args: unknown[]) => console.warn(...args);
  error = (...args: unknown[]) => console.error(...args);
}

export default { app, HttpRequest, HttpResponse, InvocationContext };

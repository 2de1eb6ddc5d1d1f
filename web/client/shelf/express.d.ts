// What lessons use of express 5: written here, because the package has no types
// of its own. Not the whole of it.

export interface Request<P = Record<string, string>, B = any, Q = Record<string, any>> {
  readonly app: Application;
  readonly baseUrl: string;
  body: B;
  cookies: Record<string, string>;
  readonly headers: Record<string, string | string[] | undefined>;
  readonly hostname: string;
  readonly ip: string | undefined;
  readonly method: string;
  readonly originalUrl: string;
  readonly params: P;
  readonly path: string;
  readonly protocol: string;
  readonly query: Q;
  readonly secure: boolean;
  url: string;
  accepts(...types: string[]): string | false;
  get(name: string): string | undefined;
  header(name: string): string | undefined;
  is(type: string | string[]): string | false | null;
}

export interface Response<T = any> {
  readonly app: Application;
  readonly headersSent: boolean;
  readonly locals: Record<string, any>;
  statusCode: number;
  append(name: string, value: string | string[]): this;
  attachment(name?: string): this;
  clearCookie(name: string, options?: object): this;
  cookie(name: string, value: string | object, options?: { maxAge?: number; httpOnly?: boolean; secure?: boolean; sameSite?: boolean | "lax" | "strict" | "none"; path?: string; domain?: string; expires?: Date }): this;
  end(data?: string | Uint8Array): this;
  format(by: Record<string, () => void>): this;
  get(name: string): string | undefined;
  getHeader(name: string): number | string | string[] | undefined;
  header(name: string, value: string | string[]): this;
  json(body?: T): this;
  links(links: Record<string, string>): this;
  location(url: string): this;
  redirect(url: string): void;
  redirect(status: number, url: string): void;
  removeHeader(name: string): void;
  send(body?: T): this;
  sendStatus(code: number): this;
  set(name: string, value?: string | string[]): this;
  set(headers: Record<string, string>): this;
  setHeader(name: string, value: number | string | string[]): this;
  status(code: number): this;
  type(type: string): this;
  vary(name: string): this;
  write(data: string | Uint8Array): boolean;
}

export interface NextFunction {
  (error?: unknown): void;
  (to: "route" | "router"): void;
}

export type RequestHandler<P = Record<string, string>> = (request: Request<P>, response: Response, next: NextFunction) => unknown;
export type ErrorRequestHandler = (error: any, request: Request, response: Response, next: NextFunction) => unknown;

type Handlers<P> = (RequestHandler<P> | RequestHandler<P>[])[];

/** The parameters that a path names: "/users/:id" has { id: string }. */
export type RouteParameters<Path extends string> = string extends Path ? Record<string, string>
  : Path extends `${string}:${infer Rest}` ? { [K in ParameterName<Rest>]: string } & (Rest extends `${string}/${infer More}` ? RouteParameters<`/${More}`> : unknown)
  : unknown;
type ParameterName<Rest extends string> = Rest extends `${infer Name}/${string}` ? ParameterName<Name>
  : Rest extends `${infer Name}-${string}` ? Name : Rest extends `${infer Name}.${string}` ? Name : Rest;

interface Route<Self> {
  <Path extends string>(path: Path, ...handlers: Handlers<RouteParameters<Path>>): Self;
  (path: RegExp | (string | RegExp)[], ...handlers: Handlers<Record<string, string>>): Self;
}

interface Routes<Self> {
  all: Route<Self>;
  delete: Route<Self>;
  head: Route<Self>;
  options: Route<Self>;
  patch: Route<Self>;
  post: Route<Self>;
  put: Route<Self>;
  param(name: string, handler: (request: Request, response: Response, next: NextFunction, value: string, name: string) => unknown): Self;
  route(path: string): Router;
  use(...handlers: (RequestHandler | ErrorRequestHandler | Router)[]): Self;
  use(path: string | RegExp | (string | RegExp)[], ...handlers: (RequestHandler | ErrorRequestHandler | Router)[]): Self;
}

export interface Router extends Routes<Router> {
  (request: Request, response: Response, next: NextFunction): void;
  get: Route<Router>;
}

export interface Application extends Routes<Application> {
  (request: any, response: any, next?: NextFunction): void;
  get: Route<Application> & ((setting: string) => any);
  readonly locals: Record<string, any>;
  disable(setting: string): this;
  enable(setting: string): this;
  enabled(setting: string): boolean;
  listen(port?: number, ...rest: any[]): any;
  set(setting: string, value: any): this;
}

type AnyRouter = Router;

declare function express(): Application;

declare namespace express {
  function json(options?: { limit?: number | string; strict?: boolean; type?: string }): RequestHandler;
  function raw(options?: { limit?: number | string; type?: string }): RequestHandler;
  function text(options?: { limit?: number | string; type?: string }): RequestHandler;
  function urlencoded(options?: { extended?: boolean; limit?: number | string }): RequestHandler;
  function Router(options?: { caseSensitive?: boolean; mergeParams?: boolean; strict?: boolean }): AnyRouter;

}

export default express;
export declare function Router(options?: { caseSensitive?: boolean; mergeParams?: boolean; strict?: boolean }): Router;
export declare const json: typeof express.json;
export declare const raw: typeof express.raw;
export declare const text: typeof express.text;
export declare const urlencoded: typeof express.urlencoded;

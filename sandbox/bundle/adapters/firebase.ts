// What firebase-functions gives to functions that answer HTTP, in its first and
// second generation:
//
//   exports.login = onRequest((req, res) => { res.send("User logged in"); });
//   exports.login = functions.https.onRequest((req, res) => { … });
type Handler = (req: any, res: any) => unknown;

export function onRequest(options: object | Handler, handler?: Handler): Handler {
  return typeof options === "function" ? (options as Handler) : handler!;
}

/** A callable function: JSON in, JSON out, called by the vendor's client. */
export function onCall(options: object | Function, handler?: Function): Handler {
  const call = typeof options === "function" ? options : handler!;
  return async (req, res) => {
    try {
      res.json({ result: await call({ data: req.body.data, rawRequest: req }) });
    } catch (error: any) {
      if (!(error instanceof HttpsError)) console.error(error);
      const known = error instanceof HttpsError;
      res.status(known ? error.httpStatus : 500).json({
        error: { status: known ? error.status : "INTERNAL", message: known ? error.message : "INTERNAL" },
      });
    }
  };
}

const STATUS: Record<string, number> = {
  ok: 200, cancelled: 499, unknown: 500, "invalid-argument": 400, "deadline-exceeded": 504, "not-found": 404,
  "already-exists": 409, "permission-denied": 403, unauthenticated: 401, "resource-exhausted": 429,
  "failed-precondition": 400, aborted: 409, "out-of-range": 400, unimplemented: 501, internal: 500, unavailable: 503,
};

export class HttpsError extends Error {
  readonly httpStatus: number;
  readonly status: string;
  constructor(readonly code: string, message: string, readonly details?: unknown) {
    super(message);
    this.httpStatus = STATUS[code] ?? 500;
    this.status = code.toUpperCase().replaceAll("-", "_");
  }
}

export const logger = {
  debug: console.debug,
  info: console.info,
  log: console.log,
  warn: console.warn,
  error: console.error,
};

export const https = { onRequest, onCall, HttpsError };
export const setGlobalOptions = () => {};
export const region = () => ({ https });
export const runWith = () => ({ https, region });

export default { https, logger, onRequest, onCall, setGlobalOptions, region, runWith };

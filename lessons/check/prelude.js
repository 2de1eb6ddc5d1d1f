// What checks.js sees: test, and in each test's argument send, expect and the
// rest. Stands before checks.js in one module that runs on goja; host.call
// reaches the Go half with one JSON text each way.
(function (global, host) {
  "use strict";
  var tests = [];

  function add(kind) {
    return function (name, body) {
      if (typeof name !== "string" || typeof body !== "function") throw new TypeError('test needs a name and a function: test("1: greets", async ({ send, expect }) => { … })');
      tests.push({ name: name, kind: kind, body: body });
    };
  }
  var test = add("test");
  test.hidden = add("hidden");
  test.guard = add("guard");
  global.test = test;

  async function ask(op, args) {
    var out = JSON.parse(await host.call(op, JSON.stringify(args)));
    if (out.failure) throw new Failure(out.failure.message, out.failure.expected, out.failure.got);
    if (out.misuse) throw new Misuse(out.misuse);
    return out.value;
  }

  // A Failure is the learner's: an expectation that does not hold. A Misuse
  // is the author's: a helper called in a way it does not take.
  class Failure extends Error {
    constructor(message, expected, got) {
      super(message);
      this.name = "Failure";
      this.expected = expected;
      this.got = got;
    }
  }
  class Misuse extends Error {
    constructor(message) {
      super(message);
      this.name = "Misuse";
    }
  }

  // show writes a value as a learner would read it, of bounded length.
  function show(v, depth) {
    depth = depth || 0;
    var s;
    if (typeof v === "string") s = JSON.stringify(v);
    else if (typeof v === "function") s = "a function";
    else if (v instanceof RegExp) s = String(v);
    else if (v instanceof Error) s = v.name + ": " + v.message;
    else if (v instanceof Uint8Array) s = v.length + " bytes";
    else if (Array.isArray(v)) s = depth > 2 ? "[…]" : "[" + v.slice(0, 20).map((x) => show(x, depth + 1)).join(", ") + (v.length > 20 ? ", …" : "") + "]";
    else if (typeof v === "object" && v !== null)
      s = depth > 2 ? "{…}" : "{" + Object.keys(v).slice(0, 20).map((k) => " " + k + ": " + show(v[k], depth + 1)).join(",") + (Object.keys(v).length > 20 ? ", …" : "") + " }";
    else if (typeof v === "number" && v % 1 !== 0) s = String(Math.round(v * 1e6) / 1e6);
    else s = String(v);
    return s.length > 300 && depth === 0 ? s.slice(0, 299) + "…" : s;
  }

  function same(a, b) {
    if (Object.is(a, b)) return true;
    if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
    if (Array.isArray(a) !== Array.isArray(b)) return false;
    if (a instanceof Uint8Array && a.length !== b.length) return false;
    var ka = Object.keys(a).filter((k) => a[k] !== undefined);
    var kb = Object.keys(b).filter((k) => b[k] !== undefined);
    return ka.length === kb.length && ka.every((k) => Object.prototype.hasOwnProperty.call(b, k) && same(a[k], b[k]));
  }

  function number(v, name) {
    if (typeof v !== "number") throw new Misuse(name + " compares numbers, not " + show(v));
    return v;
  }

  // Each matcher answers [holds, what was expected].
  var matchers = {
    toBe: (got, want) => [Object.is(got, want), show(want)],
    toEqual: (got, want) => [same(got, want), show(want)],
    toContain: (got, want) => [got != null && typeof got.includes === "function" && (typeof got === "string" ? got.includes(want) : Array.from(got).some((x) => same(x, want))), "something with " + show(want)],
    toMatch: (got, want) => [typeof got === "string" && (want instanceof RegExp ? want.test(got) : got.includes(want)), "a text like " + show(want)],
    toMatchObject: (got, want) => [typeof got === "object" && got !== null && Object.keys(want).every((k) => same(got[k], want[k])), "an object with " + show(want)],
    toBeLessThan: (got, want) => [typeof got === "number" && got < number(want, "toBeLessThan"), "less than " + show(want)],
    toBeLessThanOrEqual: (got, want) => [typeof got === "number" && got <= number(want, "toBeLessThanOrEqual"), "at most " + show(want)],
    toBeGreaterThan: (got, want) => [typeof got === "number" && got > number(want, "toBeGreaterThan"), "more than " + show(want)],
    toBeGreaterThanOrEqual: (got, want) => [typeof got === "number" && got >= number(want, "toBeGreaterThanOrEqual"), "at least " + show(want)],
    toBeCloseTo: (got, want, digits) => [typeof got === "number" && Math.abs(got - number(want, "toBeCloseTo")) < Math.pow(10, -(digits === undefined ? 2 : digits)) / 2, "about " + show(want)],
    toBeWithin: (got, want, share) => [typeof got === "number" && Math.abs(got - number(want, "toBeWithin")) <= Math.abs(want) * number(share, "toBeWithin"), show(want) + " ± " + show(share * 100) + " %"],
    toBeOneOf: (got, want) => [want.some((x) => same(got, x)), "one of " + show(want)],
    toHaveLength: (got, want) => [got != null && got.length === want, "length " + show(want)],
    toBeTruthy: (got) => [!!got, "something true"],
    toBeFalsy: (got) => [!got, "something false"],
    toBeDefined: (got) => [got !== undefined, "a value"],
    toBeUndefined: (got) => [got === undefined, "undefined"],
    toBeNull: (got) => [got === null, "null"],
  };

  function expect(got, sentence) {
    if (got !== null && typeof got === "object" && typeof got.then === "function") throw new Misuse("expect was given a promise; write await before it");
    function make(not) {
      var out = {};
      Object.keys(matchers).forEach(function (name) {
        out[name] = function (want, extra) {
          var r = matchers[name](got, want, extra);
          if (r[0] === not) throw new Failure(sentence || "", (not ? "not " : "") + r[1], name === "toHaveLength" && got != null ? "length " + got.length : show(got));
        };
      });
      return out;
    }
    var e = make(false);
    e.not = make(true);
    return e;
  }

  var digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  function toBase64(bytes) {
    var out = "";
    for (var i = 0; i < bytes.length; i += 3) {
      var n = (bytes[i] << 16) | ((bytes[i + 1] || 0) << 8) | (bytes[i + 2] || 0);
      out += digits[n >> 18] + digits[(n >> 12) & 63] + (i + 1 < bytes.length ? digits[(n >> 6) & 63] : "=") + (i + 2 < bytes.length ? digits[n & 63] : "=");
    }
    return out;
  }
  function fromBase64(text) {
    var clean = text.replace(/=+$/, "");
    var out = new Uint8Array(Math.floor((clean.length * 3) / 4));
    for (var i = 0, bits = 0, held = 0, at = 0; i < clean.length; i++) {
      held = (held << 6) | digits.indexOf(clean[i]);
      bits += 6;
      if (bits >= 8) {
        bits -= 8;
        out[at++] = (held >> bits) & 255;
      }
    }
    return out;
  }

  function headers(pairs) {
    var lower = pairs.map((p) => [p[0].toLowerCase(), p[1]]);
    return {
      get: function (name) {
        var found = lower.filter((p) => p[0] === name.toLowerCase()).map((p) => p[1]);
        return found.length ? found.join(", ") : null;
      },
      has: (name) => lower.some((p) => p[0] === name.toLowerCase()),
      getSetCookie: () => lower.filter((p) => p[0] === "set-cookie").map((p) => p[1]),
      entries: () => lower.slice(),
      [Symbol.iterator]: () => lower[Symbol.iterator](),
    };
  }

  function response(raw) {
    if (raw.headers === undefined) return raw; // scheduled and queue events have none
    return {
      status: raw.status,
      statusText: raw.statusText,
      ok: raw.status >= 200 && raw.status < 300,
      headers: headers(raw.headers),
      body: raw.body,
      text: async () => raw.body,
      json: async function () {
        try {
          return JSON.parse(raw.body);
        } catch (e) {
          if (raw.fault) throw new Failure("Your code was stopped, or threw, before it answered", "JSON", "nothing");
          throw new Failure("The body should be JSON; Response.json(value) makes it so", "JSON", show(raw.body));
        }
      },
      bytes: async () => fromBase64(raw.base64),
      logs: raw.logs,
      trace: raw.trace,
      fault: raw.fault,
    };
  }

  function options(o) {
    o = Object.assign({}, o);
    if (o.json !== undefined) {
      o.body = JSON.stringify(o.json);
      o.headers = Object.assign({ "content-type": "application/json" }, o.headers);
      delete o.json;
    }
    if (o.body instanceof ArrayBuffer) o.body = new Uint8Array(o.body);
    if (o.body instanceof Uint8Array) {
      o.base64 = toBase64(o.body);
      delete o.body;
    }
    if (o.headers && typeof o.headers[Symbol.iterator] !== "function") o.headers = Object.keys(o.headers).map((k) => [k, String(o.headers[k])]);
    else if (o.headers) o.headers = Array.from(o.headers);
    return o;
  }

  function context(i, given, noted) {
    var call = (op, ...args) => ask(op, [i].concat(args));
    return {
      expect: expect,
      send: async (request, o) => response(await call("send", request, options(o))),
      curl: async (hostname, path, o) => response(await call("send", "https://" + hostname + (path || "/"), Object.assign(options(o), { routed: true }))),
      measure: async (n, request, o) => await call("measure", n, request, options(o)),
      evict: () => call("evict"),
      tick: (cron, o) => call("tick", cron, o || {}),
      enqueue: (queue, messages, o) => call("enqueue", queue, messages, o || {}),
      upload: (bucket, key, body, o) => call("upload", bucket, key, body === undefined ? "" : String(body), o || {}),
      call: (file, name, args, o) => call("call", file, name, args || [], o || {}),
      kill: (worker) => call("kill", worker),
      box: (name, o) => call("box", name, o || {}),
      pool: (config, load) => call("pool", config, load || {}),
      lab: (id) => call("lab", id),
      exportZip: () => call("export"),
      wait: (ms) => call("wait", ms),
      note: function (text) {
        noted.push(call("note", String(text)));
        return noted[noted.length - 1];
      },
      fail: function (sentence, expected, got) {
        throw new Failure(sentence, expected, got === undefined ? undefined : show(got));
      },
      files: given.files,
      answers: given.answers,
      nonce: given.nonce,
    };
  }

  global.__coldstartChecks = async function () {
    var given = await ask("begin", [tests.map((t) => ({ name: t.name, kind: t.kind }))]);
    for (var i = 0; i < tests.length; i++) {
      if (given.only && given.only.indexOf(i) < 0) continue;
      await ask("start", [i]);
      var end = { passed: true };
      var noted = []; // who writes a note need not wait for it
      try {
        await tests[i].body(context(i, given, noted));
        await Promise.all(noted);
      } catch (e) {
        end = { passed: false, kind: "thrown", name: String(e && e.name), message: e && e.message !== undefined ? String(e.message) : show(e), stack: String((e && e.stack) || "") };
        if (e instanceof Failure) {
          end.kind = "failure";
          end.expected = e.expected;
          end.got = e.got;
        } else if (e instanceof Misuse) end.kind = "misuse";
        else if (e && e.name === "Error") end.kind = "failure";
      }
      await ask("end", [i, end]);
    }
    await ask("done", []);
    return tests.length;
  };
})(globalThis, globalThis.host);

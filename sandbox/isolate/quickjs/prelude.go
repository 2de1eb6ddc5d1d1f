package quickjs

// prelude is the driver's own script. It is called with the native host
// function and the operation names, before the bootstrap, and returns what the
// driver calls later. Everything it uses is captured here, because learner code
// may patch any global.
const prelude = `(function (native, names) {
	"use strict";
	const create = Object.create, keys = Object.keys, own = Reflect.getOwnPropertyDescriptor;
	const define = Object.defineProperty, StringOf = String, Fail = TypeError, Buffer = ArrayBuffer;
	const isArray = Array.isArray, isView = Buffer.isView, Bytes = Uint8Array;
	const getter = (o, k) => own(o, k).get;
	const call = Function.prototype.call;
	const uncurry = (f) => call.bind(f);
	const typed = Object.getPrototypeOf(Bytes.prototype);
	const view = {
		typed: [uncurry(getter(typed, "buffer")), uncurry(getter(typed, "byteOffset")), uncurry(getter(typed, "byteLength"))],
		data: [uncurry(getter(DataView.prototype, "buffer")), uncurry(getter(DataView.prototype, "byteOffset")), uncurry(getter(DataView.prototype, "byteLength"))],
	};
	const stackGetter = own(Error.prototype, "stack")?.get;
	const nativeStack = stackGetter && uncurry(stackGetter);
	const stacks = new WeakMap(), kept = uncurry(WeakMap.prototype.get);
	// The engine's InternalError (stack overflow, string too long) is a
	// RangeError in other engines.
	if (typeof InternalError === "function") {
		Object.setPrototypeOf(InternalError.prototype, RangeError.prototype);
		define(InternalError.prototype, "name", { value: "RangeError", configurable: true, writable: true });
		define(InternalError.prototype, "constructor", { value: RangeError, configurable: true, writable: true });
		delete globalThis.InternalError;
	}
	// stackText writes the frames that the engine gives to Error.prepareStackTrace as it writes them itself.
	const stackText = (sites) => {
		let s = "";
		for (let i = 0; i < sites.length; i++) {
			const f = sites[i], name = f.getFunctionName() ?? "";
			s += f.isNative() ? "    at " + name + " (native)\n" : "    at " + (name === "" ? "<anonymous>" : name) + " (" + (f.getFileName() ?? "") + ":" + (f.getLineNumber() ?? 0) + ":" + (f.getColumnNumber() ?? 0) + ")\n";
		}
		return s;
	};
	const then = uncurry(Promise.prototype.then);
	// touch looks at everything that can be reached from an object without
	// running a getter: the engine makes many built-ins when they are first
	// looked at, and what is made here is shared by all isolates.
	const touch = (root) => {
		const seen = new Set([root]);
		for (const o of seen) {
			const see = (v) => { if (typeof v === "function" || typeof v === "object" && v !== null) seen.add(v); };
			see(Reflect.getPrototypeOf(o));
			for (const k of Reflect.ownKeys(o)) {
				const d = own(o, k);
				see(d.value);
				see(d.get);
				see(d.set);
			}
		}
	};
	const classes = create(null);
	classes.Error = Error;
	classes.TypeError = TypeError;
	const table = create(null);
	for (let i = 0; i < names.length; i++) table[names[i]] = i;
	const host = {
		op(name) {
			const i = table[name];
			if (i === undefined) throw new Fail("host operation " + StringOf(name) + " does not exist");
			return i;
		},
		call: native,
		// What an engine can tell that scripts cannot.
		engine: {
			stacks, // of what the bootstrap gave a stack as a property of its own
			stackText,
			promiseState(p) {
				const state = native(-1, p);
				return [state, state === 0 ? undefined : native(-2, p)];
			},
		},
	};
	return [
		host,
		// makeError builds what a host operation throws.
		function makeError(name, message, code) {
			const Class = classes[name] ?? classes.Error;
			const e = name === "DOMException" ? new Class(message, code) : new Class(message);
			if (name === "DOMException") return e;
			if (Class === classes.Error && name !== "Error" && name !== "") define(e, "name", { value: name, configurable: true, writable: true });
			return e;
		},
		// newBuffer makes the ArrayBuffer that the driver then fills.
		function newBuffer(n) { return new Buffer(n); },
		// bytesOf gives a view's bytes as a Uint8Array.
		function bytesOf(v, data) {
			const [buffer, offset, length] = data ? view.data : view.typed;
			return new Bytes(buffer(v), offset(v), length(v));
		},
		// loaded hands a module's namespace to the bootstrap once its promise settles.
		function loaded(promise, namespace, done, failed) {
			then(promise, () => { done(namespace); }, failed ? (e) => { failed(e); } : undefined);
		},
		// exports takes what a classic script left as its module's exports.
		function exports() {
			const d = own(globalThis, "__exports");
			delete globalThis.__exports;
			return d === undefined ? undefined : d.value;
		},
		// stackOf gives the engine's own frames of an error. It runs nothing of
		// the bootstrap's or the learner's, so it works while code is being stopped.
		function stackOf(e) {
			const s = nativeStack ? nativeStack(e) : own(e, "stack")?.value;
			if (typeof s === "string") return s;
			const frames = s ?? kept(stacks, e);
			return isArray(frames) ? stackText(frames) : frames;
		},
		// finish runs after the bootstrap: it records the error classes, among
		// them the bootstrap's own, and removes the bootstrap's global.
		function finish(entries) {
			for (const k of Object.getOwnPropertyNames(globalThis)) {
				if (!k.endsWith("Error") && k !== "DOMException") continue;
				const d = own(globalThis, k);
				if (typeof d.value === "function") classes[k] = d.value;
			}
			delete globalThis.__coldstart;
			touch(globalThis);
			touch(entries);
			return keys(entries).filter((k) => typeof entries[k] === "function");
		},
	];
})`

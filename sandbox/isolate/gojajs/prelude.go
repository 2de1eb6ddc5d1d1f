package gojajs

// prelude is the driver's own script, evaluated first. It is called with the
// native host function and the operation names and captures what it uses,
// because learner code may patch any global.
const prelude = `(function (native, names) {
	"use strict";
	var own = Object.getOwnPropertyDescriptor, define = Object.defineProperty, create = Object.create;
	var Fail = TypeError, Text = String, Buffer = ArrayBuffer, isArray = Array.isArray;
	var uncurry = Function.prototype.call.bind(Function.prototype.bind, Function.prototype.call);
	var getter = function (o, k) { return uncurry(own(o, k).get); };
	var typed = Object.getPrototypeOf(Uint8Array.prototype);
	var part = [["buffer", "byteOffset", "byteLength"].map(function (k) { return getter(typed, k); }),
		["buffer", "byteOffset", "byteLength"].map(function (k) { return getter(DataView.prototype, k); })];
	var typedBuffer = part[0][0], typedOffset = part[0][1], typedLength = part[0][2];
	var dataBuffer = part[1][0], dataOffset = part[1][1], dataLength = part[1][2];
	var bufferLength = getter(Buffer.prototype, "byteLength"), isView = Buffer.isView;
	var classes = create(null), table = create(null);
	// Goja has no DOMException of its own. Web IDL, 3.14: the properties are the prototype's, an instance is an Error.
	var codes = ["IndexSizeError", , "HierarchyRequestError", "WrongDocumentError", "InvalidCharacterError", , "NoModificationAllowedError",
		"NotFoundError", "NotSupportedError", "InUseAttributeError", "InvalidStateError", "SyntaxError", "InvalidModificationError",
		"NamespaceError", "InvalidAccessError", , "TypeMismatchError", "SecurityError", "NetworkError", "AbortError", "URLMismatchError",
		"QuotaExceededError", "TimeoutError", "InvalidNodeTypeError", "DataCloneError"];
	var Base = Error, construct = Reflect.construct, thrown = new WeakMap();
	var get = uncurry(WeakMap.prototype.get), set = uncurry(WeakMap.prototype.set), indexOf = uncurry(Array.prototype.indexOf);
	var DOMException = function (message, name) {
		if (new.target === undefined) throw new Fail("Class constructor DOMException cannot be invoked without 'new'");
		var e = construct(Base, [], new.target);
		set(thrown, e, { message: message === undefined ? "" : Text(message), name: name === undefined ? "Error" : Text(name) });
		return e;
	};
	define(DOMException, "name", { value: "DOMException", configurable: true });
	define(DOMException, "length", { value: 0, configurable: true });
	define(DOMException, "prototype", { value: create(Error.prototype), writable: false });
	define(DOMException.prototype, "constructor", { value: DOMException, writable: true, configurable: true });
	define(DOMException.prototype, Symbol.toStringTag, { value: "DOMException", configurable: true });
	var shown = function (key, of) {
		define(DOMException.prototype, key, { enumerable: true, configurable: true, get: function () {
			var t = get(thrown, this);
			if (t === undefined) throw new Fail("Illegal invocation");
			return of(t);
		} });
	};
	shown("name", function (t) { return t.name; });
	shown("message", function (t) { return t.message; });
	shown("code", function (t) { return indexOf(codes, t.name) + 1; });
	codes.forEach(function (n, i) {
		n = { URLMismatchError: "URL_MISMATCH_ERR", InUseAttributeError: "INUSE_ATTRIBUTE_ERR" }[n] || n.replace(/Error$/, "").replace(/([a-z])([A-Z])/g, "$1_$2").toUpperCase() + "_ERR";
		define(DOMException, n, { value: i + 1, enumerable: true });
		define(DOMException.prototype, n, { value: i + 1, enumerable: true });
	});
	define(globalThis, "DOMException", { value: DOMException, writable: true, configurable: true });
	classes.Error = Error;
	classes.TypeError = TypeError;
	for (var i = 0; i < names.length; i++) table[names[i]] = i;
	return {
		host: {
			op: function (name) {
				var i = table[name];
				if (i === undefined) throw new Fail("host operation " + Text(name) + " does not exist");
				return i;
			},
			call: native,
		},
		makeError: function (name, message, code) {
			var Class = classes[name] || classes.Error;
			if (name === "DOMException" && classes[name]) return new Class(message, code);
			var e = new Class(message);
			if (Class === classes.Error && name !== "Error" && name !== "") define(e, "name", { value: name, configurable: true, writable: true });
			return e;
		},
		// kind sorts an object: 1 array, 2 ArrayBuffer, 3 view, 0 anything else.
		kind: function (v) {
			if (isArray(v)) return 1;
			if (isView(v)) return 3;
			try { bufferLength(v); return 2; } catch (e) { return 0; }
		},
		buffer: function (v) { try { return typedBuffer(v); } catch (e) { return dataBuffer(v); } },
		offset: function (v) { try { return typedOffset(v); } catch (e) { return dataOffset(v); } },
		length: function (v) { try { return typedLength(v); } catch (e) { return dataLength(v); } },
		exports: function () {
			var x = globalThis.__exports;
			delete globalThis.__exports;
			return x;
		},
		finish: function () {
			Object.getOwnPropertyNames(globalThis).forEach(function (k) {
				if (!/Error$|^DOMException$/.test(k)) return;
				var d = own(globalThis, k);
				if (typeof d.value === "function") classes[k] = d.value;
			});
			delete globalThis.__coldstart;
		},
	};
})`

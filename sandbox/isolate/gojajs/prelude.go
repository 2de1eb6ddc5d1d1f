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

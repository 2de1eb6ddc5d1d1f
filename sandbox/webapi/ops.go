package webapi

// Operations that Backend.Call performs. Arguments and results are plain
// values (see isolate.Value); texts marked "encoded" are sandbox/js/serialize.ts
// texts, which the outside stores and passes on without looking inside. An
// *isolate.Throw chooses the class of the JavaScript error, a *FaultError that
// of the Worker that was called.
//
//	rpc.call   [type, binding, worker, entrypoint, class, object, props, method, encoded arguments] → encoded result
//	           Invoke it as Invocation{Type: "rpc", Payload: method + "\n" + encoded arguments};
//	           Sink.Result gives the encoded result.

package webapi

import (
	"coldstart/sandbox/isolate"
)

// Ops is the table of host operations, the same in every process: a snapshot
// made with it can be used wherever this function made the table.
func Ops() *isolate.Ops {
	o := &isolate.Ops{}
	for _, add := range []func(*isolate.Ops){
		runOps, bodyOps, timerOps, logOps, urlOps, textOps, formOps, cryptoOps, fetchOps, socketOps, stackOps, rpcOps, codecOps, bundleOps, syncOps, wasmOps, intlOps,
	} {
		add(o)
	}
	return o
}

// of is the Worker whose isolate calls.
func of(h *isolate.Loop) *Worker { return h.Owner().(*Worker) }

// runOf is the run whose turn it is; nil while the module loads.
func runOf(h *isolate.Loop) *run {
	r, _ := h.Account().Owner.(*run)
	return r
}

// The getters below take an argument apart. Scripts of ours are the only
// callers, so a wrong type is a bug of ours and becomes the zero value.
func arg(args []isolate.Value, i int) isolate.Value {
	if i < len(args) {
		return args[i]
	}
	return nil
}

func str(args []isolate.Value, i int) string  { s, _ := arg(args, i).(string); return s }
func num(args []isolate.Value, i int) float64 { f, _ := arg(args, i).(float64); return f }
func integer(args []isolate.Value, i int) int { return int(num(args, i)) }
func flag(args []isolate.Value, i int) bool   { b, _ := arg(args, i).(bool); return b }
func data(args []isolate.Value, i int) []byte { b, _ := arg(args, i).([]byte); return b }
func list(args []isolate.Value, i int) []any  { l, _ := arg(args, i).([]any); return l }
func typeError(message string) error          { return &isolate.Throw{Name: "TypeError", Message: message} }

func domError(name, message string) error {
	return &isolate.Throw{Name: "DOMException", Code: name, Message: message}
}

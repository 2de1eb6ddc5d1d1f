package bundle

import (
	"fmt"
	"strings"

	"coldstart/sandbox/trace"
)

// absent warns of a key whose bindings exist elsewhere only. Their names are
// bound all the same, so that code that uses one is told what is missing.
func (r *configReader) absent(m member) {
	names := absentNames(m.key, m.node)
	said := fmt.Sprintf("%q is not available here.", m.key)
	if len(names) > 0 {
		var uses []string
		for _, n := range names {
			uses = append(uses, "env."+shorten(n.value.(string)))
		}
		said = fmt.Sprintf("%q is not available here; using %s throws an error.", m.key, shorten(strings.Join(uses, " or ")))
	}
	r.warnAt(m.node.keyAt, said, trace.AbsentBindings[m.key])
	typ := m.key
	if typ == "analytics" { // a Binding of that Type is a dataset
		typ = "analytics_sql"
	}
	for _, n := range names {
		r.bind(n, trace.Binding{Name: n.value.(string), Type: typ})
	}
}

// absentNames finds what the entries under a key call their bindings.
func absentNames(key string, n *node) []*node {
	var names []*node
	switch n.kind {
	case kindList:
		for _, item := range n.items {
			names = append(names, absentNames(key, item)...)
		}
	case kindObject:
		called := "binding"
		switch key {
		case "send_email", "logfwdr", "unsafe":
			called = "name"
		case "wasm_modules", "text_blobs", "data_blobs": // NAME: path
			for _, m := range n.members {
				names = append(names, &node{kind: kindString, value: m.key, at: m.node.keyAt})
			}
			return names
		}
		for _, m := range n.members {
			switch {
			case m.key == called && m.node.kind == kindString && m.node.value != "":
				names = append(names, m.node)
			case m.key == "bindings":
				names = append(names, absentNames(key, m.node)...)
			}
		}
	}
	return names
}

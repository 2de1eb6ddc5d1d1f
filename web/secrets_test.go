package web

import (
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"testing"
)

// What only its owner knows is compared in a time that does not depend on it.
// No clock shows that in a test, so the source is read: each place that judges
// such a secret calls a comparison made for it, and no other kind of comparison
// touches what it is compared with. Tokens, codes and phrases have no row: they
// are looked up by their hash.
func TestSecretsAreComparedInConstantTime(t *testing.T) {
	for _, c := range []struct {
		file, function string
		secrets        []string // names that may not meet ==, != or another comparison
	}{
		{"session.go", "session", []string{"mac"}},
		{"password.go", "checkPassword", []string{"key", "argon"}},
		{"oidc.go", "providerRequest", []string{"providerMAC"}},
		{"oidc/provider.go", "Finish", []string{"state", "State"}},
		{"oidc/token.go", "believe", []string{"nonce", "Nonce"}},
	} {
		file, err := parser.ParseFile(token.NewFileSet(), c.file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		found, constant := false, 0
		for _, d := range file.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok || f.Name.Name != c.function {
				continue
			}
			found = true
			ast.Inspect(f, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.CallExpr:
					switch to := named(n.Fun); {
					case to == "hmac.Equal" || to == "subtle.ConstantTimeCompare":
						if slices.ContainsFunc(n.Args, func(e ast.Expr) bool { return mentions(e, c.secrets) }) {
							constant++
						}
					case slices.Contains([]string{"bytes.Equal", "bytes.Compare", "strings.EqualFold", "strings.Compare", "slices.Equal", "reflect.DeepEqual"}, to):
						if slices.ContainsFunc(n.Args, func(e ast.Expr) bool { return mentions(e, c.secrets) }) {
							t.Errorf("%s: %s judges a secret with %s", c.file, c.function, to)
						}
					}
				case *ast.BinaryExpr:
					if n.Op != token.EQL && n.Op != token.NEQ {
						break
					}
					for _, pair := range [][2]ast.Expr{{n.X, n.Y}, {n.Y, n.X}} {
						_, literal := pair[1].(*ast.BasicLit) // whether there is one at all
						call, isCall := pair[0].(*ast.CallExpr)
						if isCall && slices.Contains([]string{"hmac.Equal", "subtle.ConstantTimeCompare", "len"}, named(call.Fun)) {
							continue
						}
						if !literal && mentions(pair[0], c.secrets) {
							t.Errorf("%s: %s judges a secret with %s", c.file, c.function, n.Op)
						}
					}
				}
				return true
			})
		}
		if !found || constant == 0 {
			t.Errorf("%s: %s (found: %v) calls no comparison in constant time", c.file, c.function, found)
		}
	}
}

// named is a called function as it is written: a, or a.b.
func named(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.SelectorExpr:
		if x, ok := e.X.(*ast.Ident); ok {
			return x.Name + "." + e.Sel.Name
		}
	}
	return ""
}

// mentions reports whether one of these names, or text, is in an expression.
func mentions(e ast.Expr, names []string) bool {
	found := false
	ast.Inspect(e, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.Ident:
			found = found || slices.Contains(names, n.Name)
		case *ast.BasicLit:
			found = found || n.Kind == token.STRING && slices.Contains(names, n.Value[1:len(n.Value)-1])
		}
		return true
	})
	return found
}

package trace

import (
	"reflect"
	"slices"
	"testing"
)

// Every limit can be set by a name of its own, as far as the ceiling lets it.
func TestEveryLimitHasAName(t *testing.T) {
	names := LimitNames()
	if n := reflect.TypeFor[Limits]().NumField(); len(names) != n {
		t.Fatalf("%d names for %d limits", len(names), n)
	}
	fields := map[int]string{}
	for _, name := range names {
		var l Limits
		if !l.Name(name, 1, Limits{}) || l.Named(name) != 1 {
			t.Errorf("%s: 1 became %d", name, l.Named(name))
		}
		v := reflect.ValueOf(l)
		for i := range v.NumField() {
			if v.Field(i).IsZero() {
				continue
			}
			if other := fields[i]; other != "" {
				t.Errorf("%s and %s are one limit", name, other)
			}
			fields[i] = name
		}
		most := Ceiling().Named(name)
		if most < 1 {
			t.Errorf("%s has no ceiling", name)
		}
		if l.Name(name, most+1, Ceiling()); l.Named(name) != most {
			t.Errorf("%s: one more than the ceiling %d became %d", name, most, l.Named(name))
		}
		if l.Name(name, 1<<62, Limits{}); l.Named(name) < 1 {
			t.Errorf("%s: a huge number became %d", name, l.Named(name))
		}
		before := l
		if l.Name(name, -1, Ceiling()); l != before {
			t.Errorf("%s: -1 is taken", name)
		}
	}
	if len(fields) != len(names) {
		t.Errorf("the names reach %d of %d limits", len(fields), len(names))
	}
	var l Limits
	if l.Name("colour", 1, Limits{}) || l != (Limits{}) || l.Named("colour") != 0 || slices.Contains(names, "colour") {
		t.Error("a limit that is none can be set")
	}
}

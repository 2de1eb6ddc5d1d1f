package jsonline

import (
	"math"
	"strings"
	"testing"
)

func TestErrorsSayWhere(t *testing.T) {
	read := func(v *Value) error {
		if err := v.Object("min", "kind", "health"); err != nil {
			return err
		}
		if _, err := v.Int("min", 0, 1000, math.NaN()); err != nil {
			return err
		}
		if _, err := v.String("kind", "group", "fixed"); err != nil {
			return err
		}
		if h := v.Get("health"); h != nil {
			_, err := h.Number("every_s", 0.5, 60, 10)
			return err
		}
		return nil
	}
	for _, c := range []struct{ text, want string }{
		{"{\n  \"min\": 2,\n}", "a.json:2: This is not JSON."},
		{"{\n  \"min\": 02}", "a.json:2: This is not JSON."},
		{"{\n  min: 2}", "a.json:2: This is not JSON."},
		{"{\n  \"min\": 2", "a.json:2: The file ends too early"},
		{"", "a.json:1: The file ends too early"},
		{"{\"min\": 2}\n]", "a.json:2: "},
		{"{\"min\": 2}\n3", "a.json:2: Something follows"},
		{"[]", "a.json:1: The file must be an object"},
		{"{\n  \"min\": \"2\"\n}", "a.json:2: min must be a number from 0 to 1000, not the text \"2\"."},
		{"{\n  \"min\": 1.5\n}", "a.json:2: min is 1.5; it must be a whole number."},
		{"{\n\n\"min\": -1}", "a.json:3: min is -1; it must lie between 0 and 1000."},
		{"{\"min\": 1e999}", "a.json:1: min is 1e999; it must lie between"},
		{"{}", "a.json:1: min is missing; write a number from 0 to 1000."},
		{"{\"min\": 1,\n\"mn\": 1}", "a.json:2: There is no setting mn. Known here: min, kind, health."},
		{"{\"min\": 1,\n\"min\": 1}", "a.json:2: min stands here twice"},
		{"{\"min\": 1,\n\"kind\": \"x\"}", "a.json:2: kind must be one of group, fixed, not the text \"x\"."},
		{"{\"min\": 1,\n\"health\": {\n\"every_s\": null}}", "a.json:3: health.every_s must be a number from 0.5 to 60, not null."},
		{strings.Repeat("[", 40), "a.json:1: Brackets are nested deeper than 32."},
		{strings.Repeat(" ", mostBytes+1), "a.json:1: The file is larger"},
	} {
		v, err := Parse("a.json", []byte(c.text))
		if err == nil {
			err = read(v)
		}
		if err == nil || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("%.40q: got %v, want %q", c.text, err, c.want)
		}
	}
}

func TestValues(t *testing.T) {
	v, err := Parse("a.json", []byte("{\n\"a\": [1, {\"b\": \"x\"}],\n\"c\": true\n}"))
	if err != nil {
		t.Fatal(err)
	}
	b := v.Get("a").Items[1]
	s, err := b.String("b")
	if err != nil || s != "x" || b.Line != 2 || b.Name != "a[1]" || v.Get("c").Line != 3 || v.Get("c").Kind != "true" {
		t.Errorf("got %q %v %+v %+v", s, err, b, v.Get("c"))
	}
	if n, err := v.Number("d", 0, 1, 0.5); n != 0.5 || err != nil {
		t.Errorf("a missing number is %v, %v", n, err)
	}
	if s, err := v.String("d", "one", "two"); s != "one" || err != nil {
		t.Errorf("a missing word is %q, %v", s, err)
	}
	if (&Error{Line: 3, Message: "m"}).Error() != "m" {
		t.Error("without a file the message stands alone")
	}
}

func FuzzParse(f *testing.F) {
	f.Add(`{"a":[1,2,{"b":null}],"c":"d"}`)
	f.Add("{\n")
	f.Fuzz(func(t *testing.T, s string) {
		v, err := Parse("f", []byte(s))
		if (v == nil) == (err == nil) {
			t.Fatalf("got %v and %v", v, err)
		}
	})
}

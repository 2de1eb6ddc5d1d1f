package query

import (
	"strings"
	"testing"
)

func TestStatements(t *testing.T) {
	for sql, want := range map[string]string{
		"":                          "",
		"; ;":                       "none|none",
		"select 1; -- c":            "SELECT|none",
		"select 1; ":                "SELECT",
		"select 1; select ';'":      "SELECT|SELECT",
		"/* ; */ pragma x":          "PRAGMA",
		"explain query plan vacuum": "VACUUM",
		"-- c\nattach 'x' as y":     "ATTACH",
		"create trigger a after insert on b begin select 1; select case when 1 then 2 end; end; select 1": "CREATE|SELECT",
		"select \"a;b\", [c;d], `e;f`": "SELECT",
		"select 'unclosed; x":          "SELECT",
	} {
		var got []string
		for _, s := range statements(sql) {
			if len(s.words) == 0 {
				s.words = []string{"none"}
			}
			got = append(got, s.words[0])
		}
		if strings.Join(got, "|") != want {
			t.Errorf("%q: %q, want %q", sql, got, want)
		}
	}
}

func FuzzStatements(f *testing.F) {
	f.Add("select 1; create trigger x begin end; explain")
	f.Fuzz(func(t *testing.T, sql string) {
		n := 0
		for _, s := range statements(sql) {
			n += len(s.text)
			_ = s.allowed()
		}
		if n > len(sql) {
			t.Error("more text than there was")
		}
	})
}

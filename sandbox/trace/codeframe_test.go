package trace

import "testing"

func TestCodeFrame(t *testing.T) {
	const source = "one\ntwo\n\tthree = π😀x;\r\nfour\nfive\n"
	for _, test := range []struct {
		name         string
		line, column int
		want         string
	}{
		{"middle", 3, 13, "  1 | one\n  2 | two\n> 3 | \tthree = π😀x;\n    | \t          ^\n  4 | four"},
		{"first", 1, 1, "> 1 | one\n    | ^\n  2 | two"},
		{"last, without column", 5, 0, "  3 | \tthree = π😀x;\n  4 | four\n> 5 | five"},
		{"outside", 9, 1, ""},
		{"zero", 0, 1, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := CodeFrame(source, test.line, test.column); got != test.want {
				t.Errorf("got\n%s\nwant\n%s", got, test.want)
			}
		})
	}
}

func TestUTF16Column(t *testing.T) {
	for offset, want := range map[int]int{-1: 1, 0: 1, 2: 2, 6: 4, 7: 5, 99: 5} {
		if got := UTF16Column("π😀x", offset); got != want {
			t.Errorf("offset %d: got %d, want %d", offset, got, want)
		}
	}
}

func FuzzCodeFrame(f *testing.F) {
	f.Add("a\nb", 1, 2)
	f.Fuzz(func(t *testing.T, source string, line, column int) { CodeFrame(source, line, column) })
}

package classroom

import (
	"fmt"
	"strings"
	"testing"

	"coldstart/sandbox/platform"
)

// Objects of before their ids told their namespace are found by the half of
// their id, and their ids are listed.
func TestObjectsOfBeforeAreFound(t *testing.T) {
	s, err := open(t.Context(), newDatabase(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	if err := s.migrate(t.Context(), 9); err != nil {
		t.Fatal(err)
	}
	r := s.Records()
	a, b, c := strings.Repeat("0a", 32), strings.Repeat("1b", 32), strings.Repeat("2c", 32)
	project := platform.Project{Learner: "l", Project: "p"}
	before := []struct{ kind, name, key string }{
		{"durable", "w\nC\n" + a + ":a room: blue", "k"},
		{"durable", "w\nC\n" + a, "k"}, // reached by its id, before that was the same object
		{"durable", "w\nC\n" + b, "k"},
		{"sql", "w\nC\n" + c + ":é" + c, "db"},
		{"sql", "d1\nshop", "db"},
		{"sql", "d1\n" + a + ":x", "db"},
		{"alarm", "", "w\nC\n" + a + ":a room: blue"},
		{"alarm", "", "w\nC\n" + b},
		{"kv", "w\nC\n" + a, "k"},
	}
	for i, x := range before {
		change := platform.Change{Record: platform.Record{Key: x.key, Value: fmt.Append(nil, i)}}
		if err := r.Write(t.Context(), platform.Namespace{Project: project, Kind: x.kind, Name: x.name}, []platform.Change{change}, nil); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.migrate(t.Context(), newest); err != nil {
		t.Fatal(err)
	}
	for _, x := range []struct{ kind, name, key, want string }{
		{"durable", "w\nC\n" + a[:32], "k", "0"},
		{"durable", "w\nC\n" + b[:32], "k", "2"},
		{"sql", "w\nC\n" + c[:32], "db", "3"},
		{"sql", "d1\nshop", "db", "4"},
		{"sql", "d1\n" + a + ":x", "db", "5"},
		{"alarm", "", "w\nC\n" + a[:32], "6"},
		{"alarm", "", "w\nC\n" + b[:32], "7"},
		{"kv", "w\nC\n" + a, "k", "8"},
		{"object", "w\nC", a, ""},
		{"object", "w\nC", b, ""},
		{"object", "w\nC", c, ""},
	} {
		got, err := r.Get(t.Context(), platform.Namespace{Project: project, Kind: x.kind, Name: x.name}, x.key)
		if err != nil || got == nil || string(got.Value) != x.want {
			t.Errorf("%s %q %q: %+v, %v", x.kind, x.name, x.key, got, err)
		}
	}
}

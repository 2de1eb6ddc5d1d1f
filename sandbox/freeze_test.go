package sandbox

import (
	"bytes"
	"strings"
	"testing"
)

const visits = `let visits = 0; const seen = [];
export default { async fetch(request, env) {
	const { pathname } = new URL(request.url);
	if (pathname === "/fill") seen.push(new Uint8Array(1 << 20).fill(7));
	if (pathname === "/random") return new Response(String(Math.random()));
	return new Response("visit " + ++visits);
} };`

// TestFreeze freezes an isolate in a real runner, forks it and rewinds it.
func TestFreeze(t *testing.T) {
	s := open(t)
	k := key("ada")
	deploy(t, s, k, worker(visits))
	first := get(t, s, k, "/").sum.Isolate
	get(t, s, k, "/")
	to := func(id string) func(*Run) { return func(r *Run) { r.Isolate = id } }
	visit := func(id, path, want string) {
		t.Helper()
		if a := get(t, s, k, path, to(id)); a.body != want || a.sum.Isolate != id {
			t.Errorf("%q of isolate %s, want %q of %s", a.body, a.sum.Isolate, want, id)
		}
	}
	written := func(id string) int {
		t.Helper()
		pages, err := s.Written(t.Context(), k, id)
		if err != nil {
			t.Fatal(err)
		}
		return bytes.Count(pages, []byte{3})
	}

	if _, err := s.Rewind(t.Context(), k, first); err == nil || !strings.Contains(err.Error(), "not frozen") {
		t.Errorf("rewinding what was not frozen: %v", err)
	}
	st, err := s.Freeze(t.Context(), k, first)
	if err != nil {
		t.Fatal(err)
	}
	if st.Pages == 0 || st.Took <= 0 {
		t.Errorf("freezing took %+v", st)
	}
	visit(first, "/", "visit 3")
	few := written(first)
	if few == 0 {
		t.Error("a visit wrote no page")
	}
	visit(first, "/fill", "visit 4")
	if more := written(first); more < few+256 {
		t.Errorf("a megabyte more made %d pages written, a visit alone %d", more, few)
	}

	fork, _, err := s.Fork(t.Context(), k, first)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(s.Isolates(k)); n != 2 {
		t.Errorf("%d isolates after one fork", n)
	}
	visit(fork, "/", "visit 3")
	visit(first, "/", "visit 5")
	if _, err := s.Rewind(t.Context(), k, first); err != nil {
		t.Fatal(err)
	}
	if n := written(first); n > 2 {
		t.Errorf("%d pages differ after rewinding", n)
	}
	visit(first, "/", "visit 3")
	visit(fork, "/", "visit 4")
	if get(t, s, k, "/random", to(first)).body == get(t, s, k, "/random", to(fork)).body {
		t.Error("an isolate and its fork drew the same random number")
	}

	again, _, err := s.Fork(t.Context(), k, fork) // a fork is frozen where it began
	if err != nil {
		t.Fatal(err)
	}
	visit(again, "/", "visit 3")
	if _, _, err := s.Fork(t.Context(), key("bob"), fork); err == nil {
		t.Error("another learner forked the isolate")
	}
	if err := s.Evict(t.Context(), k, ""); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Freeze(t.Context(), k, first); err == nil {
		t.Error("an isolate that is gone was frozen")
	}
	if a := get(t, s, k, "/"); a.body != "visit 1" {
		t.Errorf("after eviction: %q", a.body)
	}
}

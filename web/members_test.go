package web

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
)

// Pages that ask within a moment are answered by one question to the store.
func TestMembersAskTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var asked atomic.Int64
		m := members{ask: func(tokens []string) (map[string]string, error) {
			asked.Add(1)
			found := map[string]string{}
			for _, token := range tokens {
				if token != "revoked" {
					found[token] = "workspace of " + token
				}
			}
			return found, nil
		}}
		for round := range 2 {
			var wg sync.WaitGroup
			for i := range 100 {
				token := fmt.Sprint("page ", i)
				wg.Go(func() {
					if got, err := m.workspace(t.Context(), token); got != "workspace of "+token || err != nil {
						t.Errorf("%s is of %q, %v", token, got, err)
					}
				})
			}
			wg.Go(func() {
				if got, err := m.workspace(t.Context(), "revoked"); got != "" || err != nil {
					t.Errorf("a revoked session is of %q, %v", got, err)
				}
			})
			wg.Wait()
			if n := asked.Load(); n != int64(round+1) {
				t.Errorf("%d questions after round %d", n, round)
			}
		}
	})
}

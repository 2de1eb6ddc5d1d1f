package classroom

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"testing"
)

// together holds the writer back until n more transactions wait, so that they
// travel in one group.
func together(t *testing.T, s *Store, n int, each func(i int)) {
	t.Helper()
	var wg sync.WaitGroup
	held, release := make(chan struct{}), make(chan struct{})
	wg.Go(func() {
		err := s.tx(context.Background(), func(*sql.Tx) error {
			close(held)
			<-release
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	})
	<-held
	for i := range n {
		wg.Go(func() { each(i) })
	}
	for waiting := 0; waiting < n; {
		s.writer.mu.Lock()
		waiting = len(s.writer.waiting)
		s.writer.mu.Unlock()
	}
	close(release)
	wg.Wait()
}

func insert(ctx context.Context, s *Store, name string, after func(*sql.Tx) error) error {
	return s.tx(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `INSERT INTO secrets (name, value) VALUES ($1, '')`, name); err != nil {
			return err
		}
		return after(tx)
	})
}

func names(t *testing.T, s *Store) int {
	t.Helper()
	var n int
	if err := s.read.QueryRowContext(t.Context(), `SELECT count(*) FROM secrets`).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// Of a group each keeps its own fate: one that fails, one that panics and one
// whose caller has gone take nobody with them.
func TestGroupKeepsFatesApart(t *testing.T) {
	onlySQLite(t)
	s, _ := newStore(t)
	mine := errors.New("mine")
	gone, leave := context.WithCancel(t.Context())
	leave()
	const n = 40
	together(t, s, n, func(i int) {
		name := fmt.Sprint("n", i)
		ok := func(*sql.Tx) error { return nil }
		var err, want error
		switch i % 4 {
		case 0:
			err = insert(t.Context(), s, name, ok)
		case 1:
			err, want = insert(t.Context(), s, name, func(*sql.Tx) error { return mine }), mine
		case 2:
			err, want = insert(gone, s, name, ok), context.Canceled
		case 3:
			func() {
				defer func() {
					if p := recover(); p != "mine too" {
						t.Errorf("transaction %d: panic %v", i, p)
					}
				}()
				_ = insert(t.Context(), s, name, func(*sql.Tx) error { panic("mine too") })
			}()
		}
		if !errors.Is(err, want) || (err == nil) != (want == nil) {
			t.Errorf("transaction %d: %v, want %v", i, err, want)
		}
	})
	if got := names(t, s); got != n/4 {
		t.Errorf("%d rows, want %d", got, n/4)
	}
}

// What undoes the whole transaction, such as a full disk or an interrupted
// statement, fails its culprit only.
func TestGroupSurvivesALostTransaction(t *testing.T) {
	onlySQLite(t)
	s, _ := newStore(t)
	mine := errors.New("mine")
	const n = 20
	together(t, s, n, func(i int) {
		name := fmt.Sprint("n", i)
		if i != n/2 {
			if err := insert(t.Context(), s, name, func(*sql.Tx) error { return nil }); err != nil {
				t.Errorf("transaction %d: %v", i, err)
			}
			return
		}
		err := insert(t.Context(), s, name, func(tx *sql.Tx) error {
			_, err := tx.ExecContext(t.Context(), `ROLLBACK`)
			return errors.Join(err, mine)
		})
		if !errors.Is(err, mine) {
			t.Errorf("the culprit: %v", err)
		}
	})
	if got := names(t, s); got != n-1 {
		t.Errorf("%d rows, want %d", got, n-1)
	}
}

package box

import (
	"context"
	"fmt"
	"time"
)

// Sample is one measurement: so many copies hold so many bytes together.
type Sample struct {
	Copies int   `json:"copies"`
	Bytes  int64 `json:"bytes"`
}

// Row is one kind in a filling: at which counts of copies its memory is read,
// rising, and what came of it.
type Row struct {
	Kind    Kind
	Counts  []int
	Samples []Sample        // filled in by Fill
	First   []time.Duration // of each copy, filled in by Fill
	Full    bool            // the cap was met before the last count
}

// RowError says which row could not go on.
type RowError struct {
	Row *Row
	Err error
}

func (e *RowError) Error() string { return e.Err.Error() }

// Unwrap gives the cause.
func (e *RowError) Unwrap() error { return e.Err }

// Fill starts copies of every row's kind up to its counts, the rows in turn,
// and reads their memory at each count, of a Resting kind once they rest. A row that holds more than limit bytes
// gets no further copies once it has two samples, which a line needs; so the
// most that a filling holds is about limit a row, or two copies. told is
// called after each sample. The copies live on until their kind is closed. A
// failure is a *RowError; Fill may be called again without that row, and goes on.
func Fill(ctx context.Context, rows []*Row, limit int64, told func(*Row)) error {
	for more := true; more; {
		more = false
		for _, r := range rows {
			if r.Full || len(r.Samples) >= len(r.Counts) {
				continue
			}
			if err := r.step(ctx, limit); err != nil {
				return &RowError{r, err}
			}
			told(r)
			more = true
		}
	}
	return nil
}

// probe is after how many new copies, at most, the memory is looked at on the
// way to the next count.
const probe = 10

func (r *Row) step(ctx context.Context, limit int64) error {
	want := r.Counts[len(r.Samples)]
	look := min(want, 2)
	var held int64
	for len(r.First) < want && !r.Full {
		b, err := r.Kind.Start(ctx)
		if err != nil {
			return err
		}
		r.First = append(r.First, b.FirstByte())
		n := len(r.First)
		if n < look && n < want {
			continue
		}
		if held, err = r.Kind.Memory(); err != nil {
			return err
		}
		// No further than what the copies so far say will fit.
		room := (limit - held) / max(held/int64(n), 1)
		look = n + int(min(max(room, 1), probe))
		r.Full = held > limit && n >= 2
	}
	if n := len(r.Samples); n > 0 && r.Samples[n-1].Copies >= len(r.First) {
		return fmt.Errorf("box: the counts %v do not rise", r.Counts)
	}
	if k, ok := r.Kind.(Resting); ok {
		if err := k.Rest(ctx); err != nil {
			return err
		}
		var err error
		if held, err = r.Kind.Memory(); err != nil {
			return err
		}
	}
	r.Samples = append(r.Samples, Sample{Copies: len(r.First), Bytes: held})
	return nil
}

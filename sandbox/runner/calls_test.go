package runner

import (
	"errors"
	"testing"

	"github.com/fxamacker/cbor/v2"

	"coldstart/sandbox/webapi"
)

// Answers that the isolate does not take are held in the child up to a bound; who
// asked for more is told, and small ones arrive all the same.
func TestAnswersNobodyTakesAreBounded(t *testing.T) {
	const each = 8 << 20
	var taken []func()
	var dropped int
	done := func(v any, err error) {
		h, handed := v.(webapi.Handed)
		switch {
		case handed && err == nil:
			taken = append(taken, h.Taken)
		case errors.Is(err, errTooMuchAnswered):
			dropped++
		case v != "small" || err != nil:
			t.Errorf("answered with %T %v", v, err)
		}
	}
	r := &childRun{calls: map[uint32]func(any, error){}}
	answer := func(result any) {
		r.next++
		r.calls[r.next] = done
		if err := r.handle(frame{kind: kindReply, payload: must(cbor.Marshal(replyMsg{Call: r.next, Result: result}))}); err != nil {
			t.Fatal(err)
		}
	}
	large := make([]byte, each)
	for range answersMax/each + 3 {
		answer(large)
	}
	answer("small")
	if len(taken) != answersMax/each || dropped != 3 {
		t.Errorf("%d answers are held and %d dropped, want %d and 3", len(taken), dropped, answersMax/each)
	}
	taken[0]()
	answer(large)
	if len(taken) != answersMax/each+1 || dropped != 3 {
		t.Errorf("after one was taken, %d were held and %d dropped", len(taken), dropped)
	}
}

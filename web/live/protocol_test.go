package live

import (
	"bytes"
	"encoding/json"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The client's tests read the same files, so a name that only one side
// changes fails here or there.
func TestProtocolExamplesRoundTrip(t *testing.T) {
	t.Run("client", func(t *testing.T) { roundTrip[ClientMessage](t, "testdata/client.json") })
	t.Run("server", func(t *testing.T) { roundTrip[ServerMessage](t, "testdata/server.json") })
}

func roundTrip[M any](t *testing.T, file string) {
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var examples []json.RawMessage
	if err := json.Unmarshal(data, &examples); err != nil {
		t.Fatal(err)
	}
	if len(examples) == 0 {
		t.Fatalf("%s has no examples", file)
	}
	for _, want := range examples {
		var m M
		dec := json.NewDecoder(bytes.NewReader(want))
		dec.DisallowUnknownFields()
		if err := dec.Decode(&m); err != nil {
			t.Errorf("%s: %v", want, err)
			continue
		}
		got, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		var a, b any
		if err := json.Unmarshal(want, &a); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(got, &b); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(a, b); diff != "" {
			t.Errorf("%s changed on its way (-example +ours):\n%s", want, diff)
		}
	}
}

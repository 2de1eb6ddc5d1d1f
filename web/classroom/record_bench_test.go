package classroom

import (
	"fmt"
	"path/filepath"
	"testing"

	"coldstart/sandbox/platform"
)

// BenchmarkRecordWrite is one write into a namespace that holds a few thousand
// records, with the sum over all that is compared with the quota.
func BenchmarkRecordWrite(b *testing.B) {
	s, err := Open(b.Context(), Config{Path: filepath.Join(b.TempDir(), "coldstart.db")})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	ns := platform.Namespace{Project: platform.Project{Learner: "l", Project: "p"}, Kind: "queue", Name: "q"}
	check := func(platform.Usage) error { return nil }
	change := func(i int) platform.Change {
		return platform.Change{Record: platform.Record{Key: fmt.Sprintf("%08d", i), Value: make([]byte, 200), Meta: []byte("{}")}}
	}
	var batch []platform.Change
	for i := range 3000 {
		batch = append(batch, change(i))
	}
	if err := s.Records().Write(b.Context(), ns, batch, check); err != nil {
		b.Fatal(err)
	}
	for i := 0; b.Loop(); i++ {
		if err := s.Records().Write(b.Context(), ns, []platform.Change{change(i % 3000)}, check); err != nil {
			b.Fatal(err)
		}
	}
}

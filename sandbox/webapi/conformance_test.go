package webapi_test

import (
	"flag"
	"fmt"
	"regexp"
	"slices"
	"sync"
	"testing"

	"coldstart/sandbox/conformance"
)

var (
	corpus = flag.String("corpus", "../conformance/testdata", "folder that directly holds the cases' *.json")
	cases  = flag.String("cases", "", "regular expression of the cases to play")
	quiet  = flag.Bool("quiet", false, "print only the scores")
)

// TestCorpus plays the recorded cases in this process, without builders,
// runners and the real platform; sandbox/conformance plays them through those.
func TestCorpus(t *testing.T) {
	all, err := conformance.Load(*corpus)
	if err != nil {
		t.Fatal(err)
	}
	only := regexp.MustCompile(*cases)
	d := newDoor(t)
	type score struct{ passed, failed int }
	var mu sync.Mutex
	areas, total := map[string]*score{}, score{}
	var wg sync.WaitGroup
	slots := make(chan struct{}, 4)
	for _, c := range all {
		if !only.MatchString(c.Name) {
			continue
		}
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			diff := conformance.Run(t.Context(), d, c)
			mu.Lock()
			defer mu.Unlock()
			a := areas[c.Area]
			if a == nil {
				a = &score{}
				areas[c.Area] = a
			}
			if diff == "" {
				a.passed++
				total.passed++
				return
			}
			a.failed++
			total.failed++
			if !*quiet {
				fmt.Printf("FAIL %s: %s\n%s\n", c.Name, c.About, diff)
			}
		})
	}
	wg.Wait()
	names := make([]string, 0, len(areas))
	for n := range areas {
		names = append(names, n)
	}
	slices.Sort(names)
	for _, n := range names {
		fmt.Printf("%-16s %3d passed, %d failed\n", n, areas[n].passed, areas[n].failed)
	}
	fmt.Printf("%d passed, %d failed\n", total.passed, total.failed)
}

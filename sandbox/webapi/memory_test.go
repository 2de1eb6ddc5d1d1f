package webapi_test

import (
	"encoding/base64"
	"fmt"
	"sync"
)

func base64Text(b []byte) string { return base64.StdEncoding.EncodeToString(b) }

// memoryKV is storage in memory for the bindings of a project.
type memoryKV struct {
	mu sync.Mutex
}

func newMemoryKV() *memoryKV { return &memoryKV{} }

func (m *memoryKV) call(op string, _ []any) (any, error) {
	return nil, fmt.Errorf("the test's platform has no operation %s", op)
}

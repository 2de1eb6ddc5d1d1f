package lab

import (
	"slices"
	"testing"
)

func TestParseCurl(t *testing.T) {
	got := ParseCurl("{\"project\":\"proof\"}\r\nhttps://a.example/proof?nonce=x 0.05 0.3\r\nsomething else 1 2\n  https://a.example/ 0.25 1\nhttps://a.example/ 0.4 0.1\nhttps://a.example/ 0 0.1\nhttps://a.example/ 12345 99999\n")
	if want := []Curl{{50_000, 300_000}, {250_000, 1_000_000}}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if got := ParseCurl(""); got == nil || len(got) != 0 {
		t.Errorf("of nothing: %v", got)
	}
}

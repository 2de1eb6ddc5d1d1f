package lab

import (
	"regexp"
	"strconv"
)

// Online is a Worker here, raced against itself, and what curl told of the same
// Worker somewhere else.
type Online struct {
	Here Race   `json:"here"`
	Curl []Curl `json:"curl"`
}

// Curl is what curl printed of one request, in µs since it began: when the
// connection stood, and when the first byte came.
type Curl struct {
	Connect int64 `json:"connect"`
	First   int64 `json:"first"`
}

// mostCurl is how many requests count of a text that somebody pasted.
const mostCurl = 100

var curlLine = regexp.MustCompile(`(?m)^[ \t]*https?://\S+ (\d{1,3}(?:\.\d+)?) (\d{1,3}(?:\.\d+)?)[ \t\r]*$`)

// ParseCurl finds the lines that `curl -w '\n%{url_effective} %{time_connect} %{time_starttransfer}\n'`
// printed, in whatever was pasted around them. Lines whose first byte did not
// come after the connection are left out.
func ParseCurl(text string) []Curl {
	out := []Curl{}
	for _, m := range curlLine.FindAllStringSubmatch(text, mostCurl) {
		connect, err1 := strconv.ParseFloat(m[1], 64)
		first, err2 := strconv.ParseFloat(m[2], 64)
		if err1 == nil && err2 == nil && first > connect && connect > 0 {
			out = append(out, Curl{int64(connect * 1e6), int64(first * 1e6)})
		}
	}
	return out
}

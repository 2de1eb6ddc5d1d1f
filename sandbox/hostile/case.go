package hostile

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Part is one piece of a generated text: literal, or repeated N times.
type Part struct {
	Text   string `json:"text"`
	Repeat string `json:"repeat"`
	N      int    `json:"n"`
}

// Project is the code that misbehaves.
type Project struct {
	Main        string            `json:"main"`
	Files       map[string]string `json:"files"`
	FilesGen    map[string][]Part `json:"files_gen"`
	FilesBase64 map[string][]byte `json:"files_base64"`
	Env         map[string]any    `json:"env"`
	Bindings    map[string]string `json:"bindings"`
}

// Request is one request to the case's project, or to its peer's.
type Request struct {
	Method  string            `json:"method"`
	Path    string            `json:"path"`
	Headers map[string]string `json:"headers"`
	Body    *string           `json:"body"`
	BodyGen []Part            `json:"body_gen"`
	To      string            `json:"to"`
}

// Limits are what the run is configured with; 0 keeps the default.
type Limits struct {
	CPUms    int `json:"cpu_ms"`
	WallMs   int `json:"wall_ms"`
	MemoryMB int `json:"memory_mb"`
}

// Case is one attack and what must be true afterwards.
type Case struct {
	Project
	Name       string    `json:"name"`
	Area       string    `json:"area"`
	About      string    `json:"about"`
	Title      string    `json:"title"`
	Parse      string    `json:"parse"`
	Peer       *Project  `json:"peer"`
	Requests   []Request `json:"requests"`
	Concurrent bool      `json:"concurrent"`
	Limits     Limits    `json:"limits"`
	Must       Must      `json:"must"`
}

// Must is the list of checks. Zero means "not asked", except for CanaryHits.
type Must struct {
	Outcome       string   `json:"outcome"`
	Host          string   `json:"host"`
	FirstOutcome  string   `json:"first_outcome"`
	MaxWallMs     int      `json:"max_wall_ms"`
	LastMaxWallMs int      `json:"last_max_wall_ms"`
	NotInOutput   []string `json:"not_in_output"`
	NotInHTML     []string `json:"not_in_html"`
	NotInLogBytes []string `json:"not_in_log_bytes"`
	BodyContains  string   `json:"body_contains"`
	BodyMaxKB     int      `json:"body_max_kb"`
	LogMaxKB      int      `json:"log_max_kb"`
	LogRecords    *int     `json:"log_records"`
	MaxRSSGrowth  int      `json:"max_rss_growth_mb"`
	CanaryHits    int      `json:"canary_hits"`
	UpstreamHits  *int     `json:"upstream_hits_max"`
	UpstreamNot   []string `json:"upstream_not_seen"`
	HeaderAbsent  []string `json:"response_header_absent"`
	HeaderAppOrig []string `json:"response_header_absent_on_app_origin"`
	FramingValid  bool     `json:"framing_valid"`
	NoFileOutside bool     `json:"no_file_outside"`
	Browser       string   `json:"browser"`
	FollowMax     int      `json:"preview_follow_max"`
}

// Load reads every *.json of the folders, in the order of their names. Unknown
// keys are errors, so that a misspelt check cannot pass silently.
func Load(dirs ...string) ([]Case, error) {
	var cases []Case
	for _, dir := range dirs {
		paths, err := filepath.Glob(filepath.Join(dir, "*.json"))
		if err != nil {
			return nil, err
		}
		if len(paths) == 0 {
			return nil, fmt.Errorf("no *.json in %s", dir)
		}
		slices.Sort(paths)
		for _, p := range paths {
			b, err := os.ReadFile(p)
			if err != nil {
				return nil, err
			}
			var c Case
			d := json.NewDecoder(bytes.NewReader(b))
			d.DisallowUnknownFields()
			if err := d.Decode(&c); err != nil {
				return nil, fmt.Errorf("%s: %w", p, err)
			}
			if err := c.complete(); err != nil {
				return nil, fmt.Errorf("%s: %w", p, err)
			}
			cases = append(cases, c)
		}
	}
	return cases, nil
}

// complete fills in what a case may leave out, and refuses what cannot be played.
func (c *Case) complete() error {
	if len(c.Requests) == 0 {
		c.Requests = []Request{{}}
	}
	for i := range c.Requests {
		q := &c.Requests[i]
		if q.Method == "" {
			q.Method = "GET"
		}
		if q.Path == "" {
			q.Path = "/"
		}
		if q.To == "peer" && c.Peer == nil || q.To != "peer" && q.To != "" {
			return fmt.Errorf("request %d is for %q, which the case does not have", i+1, q.To)
		}
	}
	if c.Must.Browser != "" && c.Must.Browser != "parent-untouched" {
		return fmt.Errorf("browser: nobody knows how to check %q", c.Must.Browser)
	}
	if c.Must.Host != "" && c.Must.Host != "alive" {
		return fmt.Errorf("host: nobody knows how to check %q", c.Must.Host)
	}
	for _, list := range []string{c.Must.Outcome, c.Must.FirstOutcome} {
		for o := range strings.SplitSeq(list, "|") {
			if list != "" && !slices.Contains([]string{"ok", "error", "timeout", "memory", "blocked"}, o) {
				return fmt.Errorf("there is no outcome %q", o)
			}
		}
	}
	return nil
}

// expand joins generated parts.
func expand(parts []Part) string {
	var b strings.Builder
	for _, p := range parts {
		b.WriteString(p.Text)
		for range p.N {
			b.WriteString(p.Repeat)
		}
	}
	return b.String()
}

// filled gives the project's files with placeholders replaced: text and binary apart.
func (p *Project) filled(names *strings.Replacer) (text map[string]string, binary map[string][]byte) {
	text = map[string]string{}
	for path, s := range p.Files {
		text[path] = names.Replace(s)
	}
	for path, parts := range p.FilesGen {
		text[path] = names.Replace(expand(parts))
	}
	return text, maps.Clone(p.FilesBase64)
}

// body is the request's body, generated or given.
func (r *Request) body(names *strings.Replacer) string {
	switch {
	case len(r.BodyGen) > 0:
		return names.Replace(expand(r.BodyGen))
	case r.Body != nil:
		return names.Replace(*r.Body)
	}
	return ""
}

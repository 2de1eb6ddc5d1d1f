package lab

import (
	"encoding/json"
	"testing"

	"coldstart/sandbox/trace"
)

// at walks a JSON text by keys.
func at(t *testing.T, data json.RawMessage, keys ...string) any {
	t.Helper()
	var v any
	if err := json.Unmarshal(data, &v); err != nil {
		t.Fatalf("%v in %s", err, data)
	}
	for _, k := range keys {
		m, _ := v.(map[string]any)
		v = m[k]
	}
	return v
}

func TestLogin(t *testing.T) {
	labs := realLabs(t)
	own := trace.Project{Files: map[string][]byte{}}
	for _, name := range DialectNames {
		own.Files[name+"/wrangler.jsonc"] = []byte(`{ "name": "` + name + `", "main": "index.js", "compatibility_date": "2026-11-01" }`)
		own.Files[name+"/index.js"] = []byte(`export default { fetch: () => new Response("own", { status: 202 }) };`)
	}
	d, err := labs.Login(t.Context(), "ada", &own, "POST", "ada", "tea")
	if err != nil {
		t.Fatal(err)
	}
	where := map[string][]string{ // the method, by dialect
		"express": {"req", "method"}, "lambda": {"event", "requestContext", "http", "method"}, "gcf": {"req", "method"},
		"azure": {"request", "method"}, "worker": {"request", "method"},
	}
	for _, row := range d.Rows {
		if row.Answer.Status != 200 || row.Answer.Body != "User logged in" || row.Own.Status != 202 || row.Own.Body != "own" {
			t.Errorf("%s: %+v, own %+v", row.Name, row.Answer, row.Own)
		}
		if got := at(t, row.Given, where[row.Name]...); got != "POST" {
			t.Errorf("%s: the method is %v in %s", row.Name, got, row.Given)
		}
		if len(row.Back) == 0 || row.Source == "" {
			t.Errorf("%s: gives back %q", row.Name, row.Back)
		}
	}
	if got := at(t, d.Rows[1].Back, "statusCode"); got != 200.0 {
		t.Errorf("Lambda's answer: %v", got)
	}

	for _, try := range []struct {
		method, pass string
		status       int
	}{{"POST", "coffee", 401}, {"GET", "tea", 405}} {
		d, err := labs.Login(t.Context(), "ada", nil, try.method, "ada", try.pass)
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range d.Rows {
			if row.Answer.Status != try.status || row.Own != nil {
				t.Errorf("%s %s: %s answers %+v", try.method, try.pass, row.Name, row.Answer)
			}
		}
	}
}

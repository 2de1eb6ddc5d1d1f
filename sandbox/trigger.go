package sandbox

import (
	"context"
	"encoding/json"
	"net/url"
	"slices"
	"strconv"
	"time"

	"coldstart/sandbox/trace"
	"coldstart/sandbox/webapi"
)

// TriggerPath is where a request starts the scheduled handler; see Run.Trigger.
const TriggerPath = "/cdn-cgi/handler/scheduled"

// triggers reports whether a run is a request for TriggerPath, and its query.
func triggers(r *Run) (url.Values, bool) {
	if !r.Trigger || r.Type != "fetch" {
		return nil, false
	}
	u, err := url.Parse(r.URL)
	if err != nil || u.Path != TriggerPath {
		return nil, false
	}
	return u.Query(), true
}

// trigger gives a Worker a scheduled event and answers with its outcome, "ok" or
// "exception".
func (s *Sandbox) trigger(ctx context.Context, r Run, q url.Values) (*Response, error) {
	at := time.Now().UnixMilli()
	if t, err := strconv.ParseInt(q.Get("time"), 10, 64); err == nil {
		at = t
	}
	payload, err := json.Marshal(map[string]any{"cron": q.Get("cron"), "scheduledTime": at})
	if err != nil {
		return nil, err
	}
	if r.Worker == "" {
		r.Worker = s.scheduled(r.Key, q.Get("cron"))
	}
	r.Type, r.Payload, r.Body = "scheduled", payload, nil
	resp, err := s.Invoke(ctx, r)
	if err != nil {
		return nil, err
	}
	var end struct {
		Outcome string `json:"outcome"`
	}
	if json.Unmarshal(resp.Result, &end) != nil || end.Outcome == "" {
		end.Outcome = "exception"
	}
	resp.Head = trace.ResponseHead{Status: 200, Headers: [][2]string{{"Content-Type", "text/plain;charset=UTF-8"}}}
	if end.Outcome != "ok" {
		resp.Head.Status = 500
	}
	resp.Body = webapi.NewMemory([]byte(end.Outcome))
	return resp, nil
}

// scheduled is the Worker of a project that has a cron trigger: this one, else
// any. "" leaves the choice to the route table.
func (s *Sandbox) scheduled(key Key, cron string) (name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p, err := s.chosen(key)
	if err != nil {
		return ""
	}
	for _, w := range p.deploy.Workers {
		if slices.Contains(w.Crons, cron) {
			return w.Name
		}
		if name == "" && len(w.Crons) > 0 {
			name = w.Name
		}
	}
	return name
}

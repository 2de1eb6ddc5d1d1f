package web

import (
	"context"
	"fmt"
	"strings"

	"github.com/a-h/templ"

	"coldstart/web/lab"
	"coldstart/web/live"
	"coldstart/web/view"
)

// eventsLab wakes one handler for each kind of trigger.
func (s *Site) eventsLab() experiment {
	return &labOf[lab.Events]{
		labInfo: labInfo{PerProject: true, LabInfo: view.LabInfo{
			ID: "events", Title: "Events", Heading: "Asleep until needed", Verb: "Let things happen",
			Lead:        "A request, an upload, a changed row, a message that fails, the clock: each wakes its handler, and when all is quiet nothing runs.",
			Description: "HTTP, uploads, row changes, a queue’s retries and the clock, and no isolate when all is quiet.",
			Fields: []view.LabField{{Name: "triggers", Label: "What happens", Value: strings.Join(lab.EventTriggers, " "), Kind: view.LabSeveral, Options: []view.LabOption{
				{Value: "http", Label: "HTTP request"},
				{Value: "upload", Label: "upload, told of twice"},
				{Value: "row", Label: "row change"},
				{Value: "odd", Label: "failing message"},
				{Value: "cron", Label: "a day of the clock"},
			}}},
		}},
		Run: func(ctx context.Context, r *labRun[lab.Events]) (*lab.Events, error) {
			own, err := s.lessonProject(r.Project)
			if err != nil {
				return nil, err
			}
			triggers := strings.Fields(r.Values["triggers"])
			if len(triggers) == 0 {
				return nil, &live.InputError{Message: "Nothing happens: choose at least one trigger."}
			}
			out, err := s.labs.Wake(ctx, r.Project.Workspace, own, triggers, func(e *lab.Events, say string) { r.Show(e, say) })
			return out, s.told(err)
		},
		Draw: func(record *lab.Events, _ map[string]string) templ.Component {
			if record == nil {
				record = &lab.Events{}
			}
			return view.EventsView(eventsView(record))
		},
		Check: func(e *lab.Events) any {
			return map[string]any{"own": e.Own, "items": e.Items, "before": e.Before, "after": e.After}
		},
	}
}

// eventNames are the triggers as the page calls them, with their lane.
var eventNames = map[string]struct {
	name string
	lane int
}{"http": {"HTTP", 0}, "upload": {"upload", 1}, "repeat": {"upload, again", 1}, "row": {"row change", 2}, "odd": {"message", 3}, "cron": {"cron", 4}}

func eventsView(d *lab.Events) view.Events {
	out := view.Events{Took: d.Took, Invocations: len(d.Items)}
	for _, i := range d.Items {
		n := eventNames[i.Trigger]
		out.Items = append(out.Items, view.EventItem{
			At: i.At, Took: i.Took, Lane: n.lane, Trigger: n.name, Handler: i.Handler, What: i.What, Said: i.Said, End: i.End, Worker: i.Worker, Attempt: i.Attempt, Cold: i.Cold,
		})
	}
	for _, s := range d.Samples {
		out.Samples = append(out.Samples, view.EventSample{At: s.At, Isolates: s.Isolates})
		out.Most = max(out.Most, s.Isolates)
	}
	out.Before, out.After, out.Over = quiet(d.Before), quiet(d.After), d.After.Took > 0
	whose := "handlers that the lab brings along"
	if d.Own {
		whose = "your handlers"
	}
	out.How = fmt.Sprintf("Every row is one real invocation of %s, n = %d. The upload is stored in a bucket by a Worker of the lab, which then sends the notice that R2 would send; the row change and the failing message are simulated by the same Worker. Queue, delivery and retries are the platform’s own, with one message a batch and no delay. The clock is the lab’s: an hour passes in 60 ms. An isolate that nobody needs goes after 1 s; the lab’s own Worker counts among the isolates alive. %s.",
		whose, len(d.Items), d.Stamp.String())
	return out
}

// quiet is what a quiet second held.
func quiet(q lab.Quiet) string {
	if q.Took == 0 {
		return ""
	}
	return fmt.Sprintf("%d invocations, %d isolates", q.Invocations, q.Isolates)
}

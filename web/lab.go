package web

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/a-h/templ"

	"coldstart/lessons/check"
	"coldstart/sandbox/trace"
	"coldstart/web/classroom"
	"coldstart/web/lab"
	"coldstart/web/live"
	"coldstart/web/view"
)

// labs are the labs of this server, in the order of the page that lists them.
// Each has a file of its own here, in web/lab and in web/view; this list is
// where it joins.
func (s *Site) labList() []experiment {
	return []experiment{
		s.raceLab(),
		s.densityLab(),
		s.isolationLab(),
		s.routingLab(),
		s.eventsLab(),
		s.dialectsLab(),
		s.snapshotLab(),
		s.processLab(),
		s.autoscaleLab(),
		s.rolloutLab(),
		s.onlineLab(),
		s.costLab(),
		s.edgeLab(),
	}
}

// experiment is a lab as the frame sees it. Every one is a *labOf.
type experiment interface {
	info() *labInfo
	// run measures, or answers an action, and keeps the record.
	run(ctx context.Context, s *Site, r live.LabRun) error
	// known is what is kept of a learner, drawn and as figures; record nil before the first run.
	known(record json.RawMessage, values map[string]string) (labKnown, error)
}

// labInfo is what a lab says of itself.
type labInfo struct {
	view.LabInfo
	// PerProject keeps a record for each project, because the lab is about the
	// learner's own code. Otherwise a learner has one, wherever it was measured.
	PerProject bool
}

// record is the name under which what the lab measured is kept.
func (i *labInfo) record(project string) string {
	if i.PerProject {
		return i.ID + "/" + project
	}
	return i.ID
}

// labKnown is what is known of a lab's record R.
type labKnown struct {
	drawn   templ.Component    // nil: nothing to draw
	figures map[string]string  // for the text's placeholders
	numbers map[string]float64 // to grade predictions with
	check   any                // what lab() gives to checks; nil before the first run
	values  map[string]string  // of the fields that it was made with
}

// labOf is a lab whose record is an R, which is kept as JSON.
type labOf[R any] struct {
	labInfo
	// Run measures. What it returns is kept and drawn, also with an error; nil keeps what was.
	Run func(ctx context.Context, r *labRun[R]) (*R, error)
	// Act answers r.Action beside any run; nil when there is nothing to answer.
	Act func(ctx context.Context, r *labRun[R]) (*R, error)
	// Draw draws a record, or with nil what stands there before the first run.
	// values are those of the lab's fields. It may give nil.
	Draw    func(record *R, values map[string]string) templ.Component
	Values  func(*R) map[string]string  // of the fields that the record was made with, so that its page shows them; nil for none
	Figures func(*R) map[string]string  // for the text's placeholders; nil for none
	Numbers func(*R) map[string]float64 // the same to calculate with; nil for none
	Check   func(*R) any                // for lab() in checks; nil gives the record itself
}

// labRun is one run of a lab with the record R.
type labRun[R any] struct {
	live.LabRun    // Values hold every field of the lab, checked, and of an action also what else came
	Last        *R // what was kept before; nil for nothing
	// Show draws what is known so far, and says where the lab stands. It is
	// cheap to call ten times a second and not more often.
	Show func(record *R, say string)
}

// heed gives f what the pages ask of the lab while it runs, one after the
// other, until stop is called. f does not wait for anything.
func (r *labRun[R]) heed(f func(live.LabAct)) (stop func()) {
	over := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			select {
			case a := <-r.Acts:
				f(a)
			case <-over:
				return
			}
		}
	})
	return func() { close(over); wg.Wait() }
}

// Say tells where the lab stands, in one sentence.
func (r *labRun[R]) Say(format string, args ...any) {
	r.Emit(live.LabEvent{Say: fmt.Sprintf(format, args...)})
}

func (l *labOf[R]) info() *labInfo { return &l.labInfo }

func (l *labOf[R]) known(record json.RawMessage, values map[string]string) (labKnown, error) {
	var k labKnown
	var r *R
	if record != nil {
		r = new(R)
		if err := json.Unmarshal(record, r); err != nil {
			return k, fmt.Errorf("read what lab %q measured: %w", l.ID, err)
		}
		k.check = r
		if l.Check != nil {
			k.check = l.Check(r)
		}
		if l.Figures != nil {
			k.figures = l.Figures(r)
		}
		if l.Values != nil {
			k.values = l.Values(r)
		}
		if l.Numbers != nil {
			k.numbers = l.Numbers(r)
		}
	}
	if l.Draw != nil {
		k.drawn = l.Draw(r, values)
	}
	return k, nil
}

func (l *labOf[R]) run(ctx context.Context, s *Site, base live.LabRun) error {
	do := l.Run
	if base.Action != "" {
		do = l.Act
	}
	if do == nil {
		return &live.InputError{Message: "This lab cannot do that. Load the page again."}
	}
	values := l.values(base.Values)
	if base.Action != "" { // an action has values of its own, which it checks itself
		for name, v := range base.Values {
			if _, ok := values[name]; !ok {
				values[name] = v
			}
		}
	}
	base.Values = values
	r := &labRun[R]{LabRun: base}
	r.Show = func(record *R, say string) {
		r.Emit(live.LabEvent{Say: say, HTML: s.drawLab(ctx, l.ID, l.Draw(record, values))})
	}
	name := l.record(base.Project.ID)
	store, workspace := s.config.Store, base.Project.Workspace
	last, err := s.labRecord(ctx, workspace, name)
	if err != nil {
		return err
	}
	if last != nil {
		r.Last = new(R)
		if json.Unmarshal(last, r.Last) != nil {
			r.Last = nil // of an older form
		}
	}
	record, err := do(ctx, r)
	if record != nil {
		data, merr := json.Marshal(record)
		if merr != nil {
			return errors.Join(err, fmt.Errorf("keep lab %q: %w", l.ID, merr))
		}
		// Kept before it is shown: who reloads on seeing it sees it again.
		err = errors.Join(err, store.SaveLab(context.WithoutCancel(ctx), workspace, name, data))
		e := live.LabEvent{HTML: s.drawLab(ctx, l.ID, l.Draw(record, values))}
		if l.Figures != nil {
			e.Figures = l.Figures(record)
		}
		r.Emit(e)
	}
	switch {
	case errors.Is(err, lab.ErrBusy):
		return errors.Join(&live.InputError{Message: "Many labs wait already. Try again in a minute."}, err)
	case errors.Is(err, lab.ErrTime):
		return errors.Join(&live.InputError{Message: "That took too long. What was measured stays."}, err)
	}
	return err
}

// values are the lab's fields as they count: what was given where it is
// allowed, else the default.
func (i *labInfo) values(given map[string]string) map[string]string {
	out := make(map[string]string, len(i.Fields))
	for _, f := range i.Fields {
		v, ok := given[f.Name]
		if !ok || !f.Allows(v) {
			v = f.Value
		}
		out[f.Name] = v
	}
	return out
}

// shown is a lab with its fields holding values, in a lesson or on its own page.
func (i *labInfo) shown(values map[string]string, lesson bool) view.LabInfo {
	out := i.LabInfo
	out.Fields = slices.Clone(i.Fields)
	for k := range out.Fields {
		out.Fields[k].Value = values[out.Fields[k].Name]
		if out.Fields[k].Lesson && !lesson || out.Fields[k].Unless != "" && values[out.Fields[k].Unless] != "" {
			out.Fields[k].Label = ""
		}
	}
	return out
}

func (s *Site) drawLab(ctx context.Context, id string, c templ.Component) string {
	if c == nil {
		return ""
	}
	var b bytes.Buffer
	if err := c.Render(ctx, &b); err != nil {
		s.log.Error("lab not drawn", "lab", id, "error", err)
		return ""
	}
	return b.String()
}

// lab finds a lab, nil when this server has none of that name.
func (s *Site) lab(id string) experiment {
	for _, l := range s.experiments {
		if l.info().ID == id {
			return l
		}
	}
	return nil
}

// labRunner runs labs for the hub.
type labRunner struct{ s *Site }

// Lab implements live.Labs.
func (k labRunner) Lab(ctx context.Context, r live.LabRun) error {
	l := k.s.lab(r.Lab)
	if l == nil {
		return &live.InputError{Message: "There is no such lab on this server."}
	}
	return l.run(ctx, k.s, r)
}

// labRecord is what is kept under a name, nil for nothing.
func (s *Site) labRecord(ctx context.Context, workspace, name string) (json.RawMessage, error) {
	record, err := s.config.Store.Lab(ctx, workspace, name)
	if errors.Is(err, classroom.ErrNotFound) {
		return nil, nil
	}
	return record, err
}

// labsOf are the labs as one learner's project knows them.
type labsOf struct {
	s       *Site
	project string
	records map[string]json.RawMessage
}

func (s *Site) labsOf(ctx context.Context, workspace, project string) (labsOf, error) {
	records, err := s.config.Store.Labs(ctx, workspace)
	return labsOf{s, project, records}, err
}

// of is what is known of one lab; a record of an older form counts as none.
func (k labsOf) of(l experiment, values map[string]string) labKnown {
	known, err := l.known(k.records[l.info().record(k.project)], values)
	if err != nil {
		k.s.log.Error("lab's record not read", "lab", l.info().ID, "error", err)
		known, _ = l.known(nil, values)
	}
	return known
}

// view is a lab as a page shows it, nil for one that this server does not
// have. Its fields hold what was asked for, else what the last run was made
// with, else what the lesson's args say.
func (k labsOf) view(id, action string, args, asked map[string]string) *view.Lab {
	l := k.s.lab(id)
	if l == nil {
		return nil
	}
	given := maps.Clone(args)
	if given == nil {
		given = map[string]string{}
	}
	maps.Copy(given, k.of(l, l.info().values(args)).values)
	maps.Copy(given, asked)
	values := l.info().values(given)
	known := k.of(l, values)
	return &view.Lab{LabInfo: l.info().shown(values, k.project != labProject(id)), Action: action, Drawn: known.drawn, Blank: known.check == nil && !l.info().Live}
}

// figures are those of all labs, for the text's placeholders.
func (k labsOf) figures() map[string]string {
	out := map[string]string{}
	for _, l := range k.s.experiments {
		if k.records[l.info().record(k.project)] != nil {
			maps.Copy(out, k.of(l, l.info().values(nil)).figures)
		}
	}
	return out
}

// numbers are the figures to calculate with.
func (k labsOf) numbers() map[string]float64 {
	out := map[string]float64{}
	for _, l := range k.s.experiments {
		if k.records[l.info().record(k.project)] != nil {
			maps.Copy(out, k.of(l, l.info().values(nil)).numbers)
		}
	}
	return out
}

// checkLab gives checks what the learner's lab measured, nil before it ran.
func (s *Site) checkLab(ctx context.Context, workspace, project, id string) (any, error) {
	if id == "repeats" {
		return s.repeats(ctx, workspace, project)
	}
	l := s.lab(id)
	if l == nil {
		return nil, fmt.Errorf("there is no lab %q here", id)
	}
	record, err := s.labRecord(ctx, workspace, l.info().record(project))
	if record == nil || err != nil {
		return nil, err
	}
	known, err := l.known(record, l.info().values(nil))
	return known.check, err
}

// repeats are the kept series of ×20 that a learner ran in a project, newest
// first, each as measure would tell it, with its temperature.
func (s *Site) repeats(ctx context.Context, workspace, project string) (any, error) {
	runs, err := s.config.Store.Runs(ctx, workspace, project, classroom.KeepRuns)
	if err != nil {
		return nil, err
	}
	type series struct {
		id          string
		temperature trace.Temperature
	}
	var order []series
	sets := map[series][]*trace.Summary{}
	for i := range runs {
		r := &runs[i]
		id, _, many := strings.Cut(r.ID, ".")
		if !many || r.Summary.Outcome != "ok" {
			continue
		}
		of := series{id, r.Summary.Temperature}
		if sets[of] == nil {
			order = append(order, of)
		}
		sets[of] = append(sets[of], &r.Summary)
	}
	if len(order) == 0 {
		return nil, errors.New("you have not pressed ×20 yet")
	}
	out := make([]map[string]any, len(order))
	for i, of := range order {
		out[i] = check.Repeats(sets[of])
		out[i]["temperature"] = of.temperature
	}
	return out, nil
}

// press is a lab's button without scripts: it measures, or does what the
// button says, until it has its result.
func (s *Site) press(c *call, form url.Values, project string) (experiment, error) {
	id := c.param("lab")
	if id == "" { // in a lesson
		id = form.Get("lab")
	}
	l := s.lab(id)
	if l == nil {
		return nil, fail(http.StatusBadRequest, "There is no such lab on this server. Load the page again.")
	}
	if err := s.allowRun(c); err != nil {
		return nil, err
	}
	p, err := s.begin(c.r.Context(), c.session, project)
	if err != nil {
		return nil, err
	}
	spec := live.LabSpec{ID: "f" + classroom.NewID(9), Lab: id, Action: form.Get("do"), Values: formValues(form)}
	err = s.hub.Lab(c.r.Context(), live.Key(p), spec)
	if errors.Is(err, lab.ErrTime) {
		err = nil // what was measured stands in the page, with its n
	}
	return l, err
}

// formValues are the fields of a lab's form; of a name that is there several
// times all values, with a space between. Lines end as scripts send them.
func formValues(form url.Values) map[string]string {
	out := map[string]string{}
	for name, v := range form {
		if name != "lab" && name != "do" {
			out[name] = strings.ReplaceAll(strings.Join(v, " "), "\r\n", "\n")
		}
	}
	return out
}

// lessonLab is a lab's button in a lesson, without scripts.
func (s *Site) lessonLab(c *call) error {
	l, form, err := s.lessonForm(c)
	if err != nil {
		return err
	}
	x, err := s.press(c, form, l.ID)
	if err != nil {
		return err
	}
	return c.seeOther(lessonURL(l, "", "", "lab-"+x.info().ID))
}

// labProject is the name under which a lab's own page is followed.
func labProject(id string) string { return "lab-" + id }

// isLab reports whether a project's name is that of a lab's own page.
func (s *Site) isLab(project string) bool {
	id, ok := strings.CutPrefix(project, "lab-")
	return ok && s.lab(id) != nil
}

// labsPage lists the labs.
func (s *Site) labsPage(c *call) error {
	p := view.LabsPage{Shell: c.shell(), Share: s.labs.Share()}
	p.Title, p.Description = "Labs", "Experiments on this server's own isolates, processes and containers."
	for _, l := range s.experiments {
		p.Labs = append(p.Labs, l.info().LabInfo)
	}
	return c.page(http.StatusOK, view.LabsView(p))
}

// labPage is a lab without a lesson around it. Its address may give values for
// its fields.
func (s *Site) labPage(c *call) error {
	l := s.lab(c.param("lab"))
	if l == nil {
		return fail(http.StatusNotFound, "There is no lab at this address.")
	}
	i := l.info()
	p := view.LabPage{Shell: c.shell(), Project: labProject(i.ID)}
	p.Title, p.Description, p.Lead = i.Heading, i.Description, i.Lead
	known := labsOf{s: s, project: p.Project}
	if c.session.stored {
		var err error
		if known, err = s.labsOf(c.r.Context(), c.session.workspace.ID, p.Project); err != nil {
			return err
		}
	}
	p.Lab = *known.view(i.ID, "/labs/"+i.ID, nil, formValues(c.r.URL.Query()))
	return c.page(http.StatusOK, view.LabView(p))
}

// labPost is the page's button without scripts.
func (s *Site) labPost(c *call) error {
	form, err := c.form()
	if err != nil {
		return err
	}
	if s.lab(c.param("lab")) == nil {
		return fail(http.StatusNotFound, "There is no lab at this address.")
	}
	l, err := s.press(c, form, labProject(c.param("lab")))
	if err != nil {
		return err
	}
	// The values go on in the address, so that the page shows them.
	values, given := url.Values{}, formValues(form)
	for _, f := range l.info().Fields {
		if v, ok := given[f.Name]; ok && v != f.Value && len(v) < 500 {
			values.Set(f.Name, v)
		}
	}
	to := "/labs/" + l.info().ID
	if len(values) > 0 {
		to += "?" + values.Encode()
	}
	return c.seeOther(to)
}

// labNumber is a field's value as a number; fields of kind number hold one.
func labNumber(values map[string]string, name string) float64 {
	n, err := strconv.ParseFloat(values[name], 64)
	if err != nil {
		return 0
	}
	return n
}

package web

import (
	"context"
	"errors"
	"net/http"

	"github.com/gorilla/websocket"

	"coldstart/lessons"
	"coldstart/lessons/check"
	"coldstart/sandbox/trace"
	"coldstart/web/classroom"
	"coldstart/web/live"
)

// liveSession opens the socket of a page. An upgrade is a GET, which browsers
// let any site send, so the origin is checked here and exactly.
func (s *Site) liveSession(c *call) error {
	if !websocket.IsWebSocketUpgrade(c.r) {
		return fail(http.StatusUpgradeRequired, "This address speaks WebSocket.")
	}
	if !s.sameOrigin(c.r) {
		return fail(http.StatusForbidden, "Only this site's own pages may open a live session. Behind a proxy, the server needs its public address: start it with --public-url.")
	}
	x := c.session
	s.hub.Open(c.w, c.r, live.Learner{
		Workspace: x.workspace.ID,
		Member: func(ctx context.Context) bool {
			if workspace, err := s.members.workspace(ctx, x.token); err != nil || workspace == x.workspace.ID {
				return true
			}
			now, err := s.session(ctx, c.r)                                       // it may not be stored yet
			return err != nil || now != nil && now.workspace.ID == x.workspace.ID // a database that hiccups ends nobody's session
		},
		Begin: func(ctx context.Context, project string) error {
			_, err := s.begin(ctx, x, project)
			return err
		},
		Opened: func() { s.tellNews(false, x.workspace.ID) },
	})
	return nil
}

// begin gives a learner's project, stored with the lesson's starter if it was
// not stored before.
func (s *Site) begin(ctx context.Context, x *session, id string) (classroom.Project, error) {
	p, err := s.config.Store.Project(ctx, x.workspace.ID, id, 0)
	if !errors.Is(err, classroom.ErrNotFound) {
		return p, err
	}
	catalog, err := s.catalogFor(ctx, x)
	if err != nil {
		return p, err
	}
	l := catalog.ByID(id)
	if l == nil && s.isLab(id) { // a lab's own page has no files to begin with
		return classroom.Project{Workspace: x.workspace.ID, ID: id}, s.store(ctx, x)
	}
	if l == nil {
		return p, &live.InputError{Message: "This project was not saved yet. Save it, then run."}
	}
	if err := s.store(ctx, x); err != nil {
		return p, err
	}
	settings := lessonSettings(l)
	archive, err := l.Archive()
	if err != nil {
		return p, err
	}
	p, err = s.config.Store.Save(ctx, x.workspace.ID, id, classroom.Change{
		Files: l.Starter, Kind: classroom.KindBegin, Title: &l.Title, Settings: &settings,
		Lesson: l.ID, LessonRevision: l.Hash, Archive: archive, Slug: s.slug(x.workspace.ID, id),
	})
	var conflict *classroom.Conflict
	if errors.As(err, &conflict) { // another page was quicker
		return conflict.Current, nil
	}
	if err == nil {
		s.saved(p)
	}
	return p, err
}

// saved tells everyone who has to know of a newer revision.
func (s *Site) saved(p classroom.Project) {
	s.tellServers(topicSaved, p)
}

func lessonSettings(l *lessons.Lesson) classroom.Settings {
	return classroom.Settings{Main: l.Main(), Limits: classroom.SetLimits(l.Limits)}
}

// checker runs a lesson's checks for the hub.
type checker struct{ s *Site }

// Check implements live.Checker.
func (k checker) Check(ctx context.Context, p classroom.Project, emit func(live.CheckEvent)) error {
	l, err := k.s.begun(ctx, k.s.lessonByID(p.Lesson), p.LessonRevision)
	if err != nil {
		return err
	}
	if l == nil || len(l.Declared) == 0 {
		return &live.InputError{Message: "This lesson has no checks."}
	}
	answers, err := k.s.config.Store.Answers(ctx, p.Workspace, l.ID)
	if err != nil {
		return err
	}
	given := make(map[string][]string, len(answers))
	for id, a := range answers {
		given[id] = a.Answer
	}
	config := check.Config{
		Door: k.s.config.Door, Learner: p.Workspace, Answers: given, Now: k.s.config.Now,
		Box: func(ctx context.Context, name string, options map[string]any) (check.Line, error) {
			if walls, given := options["walls"]; given && name == "container" {
				return k.s.checkWalls(ctx, walls)
			}
			return k.s.checkBox(ctx, p.Workspace, name)
		},
		Lab: func(ctx context.Context, name string) (any, error) { return k.s.checkLab(ctx, p.Workspace, p.ID, name) },
	}
	result, err := check.Run(ctx, config, l, p.Files, func(e check.Event) { emit(checkEvent(e)) })
	var script *check.ScriptError
	if errors.As(err, &script) {
		k.s.log.Error("checks are broken", "lesson", l.ID, "error", err)
		emit(live.CheckEvent{Done: true, Passed: result.Passed, Total: max(result.Total, len(l.Declared)), Fault: &trace.Fault{
			Kind: trace.FaultPlatform, Message: "This lesson's own check stopped. It was not your code.", Hint: "Tell your instructor: " + script.Error(),
		}})
		return nil
	}
	if err != nil {
		return err
	}
	emit(live.CheckEvent{Done: true, Passed: result.Passed, Total: result.Total, Fault: result.Fault})
	return nil
}

func checkEvent(e check.Event) live.CheckEvent {
	out := live.CheckEvent{Task: e.Task, Name: e.Name, State: e.State}
	if f := e.Failure; f != nil {
		out.Message, out.Expected, out.Got, out.Request = f.Message, f.Expected, f.Got, f.Request
		out.Frame, out.Logs, out.Fault = f.Frame, f.Logs, f.Fault
	}
	if out.Message == "" && len(e.Notes) > 0 {
		out.Message = e.Notes[0]
	}
	return out
}

package web

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"

	"coldstart/lessons"
	"coldstart/web/classroom"
	"coldstart/web/view"
)

// keepReplaced is how many revisions are remembered that were replaced while
// the server runs, for pages that were open before and are typed in after.
const keepReplaced = 200

// revisions are the lessons that are not in the catalog any more and that
// drafts still finish on.
type revisions struct {
	mu       sync.Mutex
	of       *lessons.Catalog           // the lessons that revived fits
	revived  map[string]*lessons.Lesson // by id and hash
	replaced map[string]string          // archives
	order    []string                   // of replaced, the oldest first
}

// replacing remembers what a new catalog has otherwise.
func (r *revisions) replacing(old, next *lessons.Catalog) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, l := range old.Lessons() {
		if now := next.ByID(l.ID); l.ID == "" || now == nil || now.Hash == l.Hash {
			continue
		}
		archive, err := l.Archive()
		if err != nil {
			return err
		}
		key := l.ID + " " + l.Hash
		if r.replaced == nil {
			r.replaced = map[string]string{}
		}
		if _, twice := r.replaced[key]; !twice {
			r.order = append(r.order, key)
		}
		r.replaced[key] = archive
		if len(r.order) > keepReplaced {
			delete(r.replaced, r.order[0])
			r.order = r.order[1:]
		}
	}
	return nil
}

// begun is the revision of a lesson that a draft began with; the present one
// when that is it, when what it held is not kept, and always where lessons are
// written: an author's draft follows what they save.
func (s *Site) begun(ctx context.Context, now *lessons.Lesson, hash string) (*lessons.Lesson, error) {
	if now == nil || s.author != nil || hash == "" || hash == now.Hash {
		return now, nil
	}
	r, catalog, key := &s.revisions, s.sets.shown.Load().all, now.ID+" "+hash
	r.mu.Lock()
	if r.of != catalog {
		r.of, r.revived = catalog, map[string]*lessons.Lesson{}
	}
	old, archive := r.revived[key], r.replaced[key]
	r.mu.Unlock()
	if old != nil {
		return old, nil
	}
	if archive == "" {
		var err error
		archive, err = s.config.Store.LessonRevision(ctx, now.ID, hash)
		if errors.Is(err, classroom.ErrNotFound) {
			return now, nil
		}
		if err != nil {
			return nil, err
		}
	}
	old, err := now.Revive(archive)
	if err == nil && old.Hash != hash {
		err = errors.New("it is another one")
	}
	if err != nil {
		s.log.Error("a kept revision of a lesson cannot be read", "lesson", now.ID, "revision", hash, "error", err)
		return now, nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.of == catalog && len(r.revived) < keepReplaced {
		r.revived[key] = old
	}
	return old, nil
}

// mine is the lesson as a learner has it: in the revision that their draft
// began with, else the present one.
func (s *Site) mine(ctx context.Context, workspace string, now *lessons.Lesson) (*lessons.Lesson, error) {
	p, err := s.config.Store.Project(ctx, workspace, now.ID, 0)
	if errors.Is(err, classroom.ErrNotFound) {
		return now, nil
	}
	if err != nil {
		return nil, err
	}
	return s.begun(ctx, now, p.LessonRevision)
}

// mineByID is the lesson of that id as mine gives it, nil for none.
func (s *Site) mineByID(c *call, id string) (*lessons.Lesson, error) {
	l, err := c.lessonFor(id)
	if l == nil || err != nil {
		return nil, err
	}
	return s.mine(c.r.Context(), c.session.workspace.ID, l)
}

// keepRevisions keeps what drafts of the present lessons began with, and
// removes what no draft needs any more.
func (s *Site) keepRevisions() {
	var present []classroom.Archived
	for _, l := range s.sets.shown.Load().all.Lessons() {
		if l.ID != "" {
			present = append(present, classroom.Archived{Lesson: l.ID, Hash: l.Hash, Pack: l.Archive})
		}
	}
	if err := s.config.Store.KeepRevisions(s.ctx, present); err != nil && s.ctx.Err() == nil {
		s.log.Error("revisions of lessons were not looked through", "error", err)
	}
}

// updateBanner says that there is a newer revision than the learner's, once
// they have begun, until they take it or say that they keep theirs.
func (s *Site) updateBanner(ctx context.Context, p *view.LessonPage, x studying, took bool) error {
	at := x.present.URL()
	switch {
	case x.project.Revision == 0 || s.author != nil:
	case x.project.LessonRevision == x.present.Hash:
		if x.project.UndoTo == 0 {
			return nil
		}
		versions, err := s.config.Store.Versions(ctx, x.project.Workspace, x.project.ID)
		if err != nil {
			return err
		}
		p.Back = slices.ContainsFunc(versions, func(v classroom.Version) bool {
			return v.Revision == x.project.UndoTo && v.Lesson != "" && v.Lesson != x.project.LessonRevision
		})
		if took && p.Back {
			p.Banner = "This is the newer revision. Your files are as they were; what is new at the start stands beside them."
			p.BannerDo = []view.Link{{Text: "Undo the update", Href: at + "/undo"}}
		}
	case x.lesson == x.present:
		p.Banner = "This lesson was updated since you began, and what it was then is not kept. Your files are as you left them."
		p.BannerDo = []view.Link{{Text: "Update, keep my code", Href: at + "/update"}}
	case x.project.Declined == x.present.Hash:
		p.Newer = &view.Link{Text: "Update, keep my code", Href: at + "/update"}
	default:
		p.Banner = "You go on with the revision that you began with. There is a newer one."
		if since := x.present.Since(x.lesson); len(since) > 0 {
			p.Banner = "You go on with the revision that you began with. A newer one changes " + listed(since) + "."
		}
		p.BannerDo = []view.Link{{Text: "Update, keep my code", Href: at + "/update"}, {Text: "Keep the one I began with", Href: at + "/keep"}}
	}
	return nil
}

// listed is an enumeration, cut where it would be longer than it helps.
func listed(all []string) string {
	const most = 5
	if len(all) > most {
		all = append(all[:most-1:most-1], "more")
	}
	if len(all) == 1 {
		return all[0]
	}
	return strings.Join(all[:len(all)-1], ", ") + " and " + all[len(all)-1]
}

// lessonKeep keeps the revision that the draft began with; the page does not
// ask again until there is another one.
func (s *Site) lessonKeep(c *call) error {
	l, err := c.lesson()
	if err != nil {
		return err
	}
	err = s.config.Store.Decline(c.r.Context(), c.session.workspace.ID, l.ID, l.Hash)
	if errors.Is(err, classroom.ErrNotFound) {
		return fail(http.StatusNotFound, "You have not begun this lesson, so it is the new one already.")
	}
	if err != nil {
		return err
	}
	return c.seeOther(l.URL())
}

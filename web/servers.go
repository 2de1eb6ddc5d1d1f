package web

import (
	"slices"
	"strconv"
	"strings"

	"coldstart/web/bus"
	"coldstart/web/classroom"
	"coldstart/web/live"
)

// What the servers of one site tell each other. Of projects the text is
// workspace, project, slug and revision, with spaces between; of learners who
// did something, or to whom their class said something, it is the workspace, of
// classes whose members changed the class.
const (
	topicSaved   = "saved"
	topicDeleted = "deleted"
	topicLearner = "learner"
	topicClass   = "class"
	topicNews    = "news"
	topicLessons = "lessons" // an instructor brought some or took them back; the text is the set
)

// touched says to every server that a learner did something in a lesson that
// their class sees.
func (s *Site) touched(workspace, lesson string) {
	s.config.Bus.Publish(bus.Message{Topic: topicLearner, Text: workspace + " " + lesson})
}

// classChanged says to every server that a class changed: itself, who is in it,
// or what they say of themselves.
func (s *Site) classChanged(class string) {
	s.config.Bus.Publish(bus.Message{Topic: topicClass, Text: class})
}

// news says to every server that a learner's class has something new for them.
func (s *Site) news(workspace string) {
	s.config.Bus.Publish(bus.Message{Topic: topicNews, Text: workspace})
}

// tellNews tells the pages that learners have open here what their class says
// to them now; of those in no class only those who may have left one are told
// so. It returns at once.
func (s *Site) tellNews(left bool, workspaces ...string) {
	here := s.hub.Connected()
	workspaces = slices.DeleteFunc(workspaces, func(w string) bool { return !slices.Contains(here, w) })
	if len(workspaces) == 0 {
		return
	}
	s.background(func() {
		for _, w := range workspaces {
			if err := s.tellOne(left, w); err != nil {
				if s.ctx.Err() == nil {
					s.log.Error("what a class says was not read", "error", err)
				}
				return
			}
		}
	})
}

func (s *Site) tellOne(left bool, workspace string) error {
	s.telling.Lock() // what was read later is told later
	defer s.telling.Unlock()
	news, class, err := s.classNews(s.ctx, workspace)
	if err != nil || class == "" && !left {
		return err
	}
	s.hub.Tell(workspace, live.ServerMessage{Type: "class", Class: &news})
	return nil
}

// tellServers says to every server, this one first, that a project changed.
func (s *Site) tellServers(topic string, p classroom.Project) {
	s.config.Bus.Publish(bus.Message{Topic: topic, Text: strings.Join([]string{p.Workspace, p.ID, p.Slug, strconv.FormatInt(p.Revision, 10)}, " ")})
}

// heard acts on what a server of the site says.
func (s *Site) heard(m bus.Message) {
	switch m.Topic {
	case topicLearner:
		workspace, lesson, _ := strings.Cut(m.Text, " ")
		s.boards.touched(workspace, lesson)
		return
	case topicNews:
		s.tellNews(true, m.Text)
		return
	case topicLessons:
		s.lookForSets()
		return
	case topicClass:
		s.boards.changed(m.Text)
		return
	case topicSaved, topicDeleted:
	default:
		return
	}
	f := strings.Split(m.Text, " ")
	if len(f) != 4 {
		return // of another version of the program
	}
	revision, err := strconv.ParseInt(f[3], 10, 64)
	if err != nil {
		return
	}
	p := classroom.Project{Workspace: f[0], ID: f[1], Slug: f[2], Revision: revision}
	if m.Topic == topicDeleted {
		s.forgetWorker(p)
	} else {
		s.changed(p.Slug)
		s.hub.Saved(p)
	}
	s.boards.touched(p.Workspace, p.ID) // a lesson's project has its id
}

// lookForSets loads what instructors brought to other servers. It returns at once.
func (s *Site) lookForSets() {
	s.background(func() {
		if err := s.refreshSets(s.ctx); err != nil && s.ctx.Err() == nil {
			s.log.Error("lessons of instructors were not loaded", "error", err)
		}
	})
}

// missed is called when other servers may have said something that was lost:
// every Worker is looked up again by its next request, every live view draws
// anew, every page hears its class again.
func (s *Site) missed() {
	s.boards.missed()
	s.lookForSets()
	s.tellNews(true, s.hub.Connected()...)
	s.workers.mu.Lock()
	defer s.workers.mu.Unlock()
	for _, w := range s.workers.known {
		w.fresh.Store(false)
	}
}

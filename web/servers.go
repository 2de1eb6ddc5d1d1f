package web

import (
	"strconv"
	"strings"

	"coldstart/web/bus"
	"coldstart/web/classroom"
)

// What the servers of one site tell each other. Of projects the text is
// workspace, project, slug and revision, with spaces between; of learners who
// did something it is the workspace, of classes whose members changed the class.
const (
	topicSaved   = "saved"
	topicDeleted = "deleted"
	topicLearner = "learner"
	topicClass   = "class"
)

// touched says to every server that a learner did something their class sees.
func (s *Site) touched(workspace string) {
	s.config.Bus.Publish(bus.Message{Topic: topicLearner, Text: workspace})
}

// classChanged says to every server that who is in a class, or what they say
// of themselves, changed.
func (s *Site) classChanged(class string) {
	s.config.Bus.Publish(bus.Message{Topic: topicClass, Text: class})
}

// tellServers says to every server, this one first, that a project changed.
func (s *Site) tellServers(topic string, p classroom.Project) {
	s.config.Bus.Publish(bus.Message{Topic: topic, Text: strings.Join([]string{p.Workspace, p.ID, p.Slug, strconv.FormatInt(p.Revision, 10)}, " ")})
}

// heard acts on what a server of the site says.
func (s *Site) heard(m bus.Message) {
	switch m.Topic {
	case topicLearner:
		s.boards.touched(m.Text)
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
	s.changed(f[2])
	s.boards.touched(f[0])
	if m.Topic == topicSaved {
		s.hub.Saved(classroom.Project{Workspace: f[0], ID: f[1], Slug: f[2], Revision: revision})
	}
}

// missed is called when other servers may have said something that was lost:
// every Worker is looked up again by its next request, every live view draws anew.
func (s *Site) missed() {
	s.boards.missed()
	s.workers.mu.Lock()
	defer s.workers.mu.Unlock()
	for _, w := range s.workers.known {
		w.fresh.Store(false)
	}
}

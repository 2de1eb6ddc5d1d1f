package web

import (
	"strconv"
	"strings"

	"coldstart/web/bus"
	"coldstart/web/classroom"
)

// What the servers of one site tell each other about projects. The text is
// workspace, project, slug and revision, with spaces between.
const (
	topicSaved   = "saved"
	topicDeleted = "deleted"
)

// tellServers says to every server, this one first, that a project changed.
func (s *Site) tellServers(topic string, p classroom.Project) {
	s.config.Bus.Publish(bus.Message{Topic: topic, Text: strings.Join([]string{p.Workspace, p.ID, p.Slug, strconv.FormatInt(p.Revision, 10)}, " ")})
}

// heard acts on what a server of the site says.
func (s *Site) heard(m bus.Message) {
	if m.Topic != topicSaved && m.Topic != topicDeleted {
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
	if m.Topic == topicSaved {
		s.hub.Saved(classroom.Project{Workspace: f[0], ID: f[1], Slug: f[2], Revision: revision})
	}
}

// missed is called when other servers may have said something that was lost:
// every Worker is looked up again by its next request.
func (s *Site) missed() {
	s.workers.mu.Lock()
	defer s.workers.mu.Unlock()
	for _, w := range s.workers.known {
		w.fresh.Store(false)
	}
}

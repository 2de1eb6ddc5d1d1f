package web

import (
	"net/http"

	"coldstart/static"
	"coldstart/web/view"
)

// health says that the process answers.
func (s *Site) health(c *call) error {
	return c.send(http.StatusOK, "text/plain; charset=utf-8", []byte("ok\n"))
}

// ready says whether new visitors should be sent here.
func (s *Site) ready(c *call) error {
	if s.closing.Load() {
		return fail(http.StatusServiceUnavailable, "The server restarts.")
	}
	if err := s.config.Store.Ready(c.r.Context()); err != nil {
		return &Error{Status: http.StatusServiceUnavailable, Message: "The database does not answer.", Err: err}
	}
	for _, r := range s.config.Door.Stats().Runners {
		if r.Role == "run" && !r.Spare {
			return c.send(http.StatusOK, "text/plain; charset=utf-8", []byte("ready\n"))
		}
	}
	return fail(http.StatusServiceUnavailable, "No runner is up yet.")
}

// assets serves the built assets; their names carry a hash, so they may be kept.
func (s *Site) assets(c *call) error {
	c.w.Header().Del("Cache-Control")
	s.static.ServeHTTP(c.w, c.r)
	return nil
}

func (s *Site) favicon(c *call) error {
	c.w.Header().Set("Location", static.Path("favicon.svg"))
	c.w.WriteHeader(http.StatusFound)
	return nil
}

func (s *Site) robots(c *call) error {
	return c.send(http.StatusOK, "text/plain; charset=utf-8", []byte("User-agent: *\nDisallow: /w/\nDisallow: /api/\n"))
}

// stats is the sandbox's state, for the host.
func (s *Site) stats(c *call) error { return c.json(http.StatusOK, s.config.Door.Stats()) }

// gallery shows every component with sample data; it holds nothing of anyone.
func (s *Site) gallery(c *call) error {
	return c.page(http.StatusOK, view.GalleryView(view.GalleryPage{Shell: c.shell(), Samples: view.Gallery()}))
}

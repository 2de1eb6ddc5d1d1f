package web

import (
	"errors"
	"net/http"

	"coldstart/web/classroom"
	"coldstart/web/view"
)

// setupPage is where the one-time link leads. Without a good token it tells nothing.
func (s *Site) setupPage(c *call) error {
	token := c.r.URL.Query().Get("token")
	if err := s.config.Store.CheckHostOffer(c.r.Context(), token); err != nil {
		return setupError(err)
	}
	return c.page(http.StatusOK, view.Setup(view.SetupPage{Shell: c.shell(), Token: token}))
}

// setupClaim makes the browser's workspace the host's. Its session gets a new
// token, because its rights have grown.
func (s *Site) setupClaim(c *call) error {
	form, err := c.form()
	if err != nil {
		return err
	}
	token, err := s.config.Store.ClaimHost(c.r.Context(), form.Get("token"), c.session.workspace.ID)
	if err != nil {
		return setupError(err)
	}
	c.w.Header().Del("Set-Cookie")
	s.setCookie(c.w, c.r, token)
	c.did("", classroom.RoleHost)
	s.log.Info("host's place claimed", "request", c.id)
	return c.seeOther("/host")
}

func setupError(err error) error {
	switch {
	case errors.Is(err, classroom.ErrUsed):
		return &Error{Status: http.StatusGone, Heading: "This link was used", Message: "It works once. If it was not you who used it, restart the server with a fresh data folder.", Err: err}
	case errors.Is(err, classroom.ErrExpired):
		return &Error{Status: http.StatusGone, Heading: "This link has expired", Message: "It works for an hour. Restart the server; it prints a new one.", Err: err}
	case errors.Is(err, classroom.ErrNotFound):
		return &Error{Status: http.StatusForbidden, Heading: "This needs the server's link", Message: "The server prints it when it starts. Open that one.", Err: err}
	}
	return err
}

package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"coldstart/sandbox"
	"coldstart/web/classroom"
	"coldstart/web/live"
	"coldstart/web/view"
)

// offerAge is how long the link to a new account works.
const offerAge = 7 * 24 * time.Hour

// accountName is the form of a name to sign in with: a word or an address.
var accountName = regexp.MustCompile(`^[a-z0-9][a-z0-9._+-]{0,63}(@[a-z0-9.-]{1,190})?$`)

func (s *Site) signInPage(c *call) error {
	return c.page(http.StatusOK, view.SignIn(view.SignInPage{Shell: c.shell(), Provider: s.providerName()}))
}

func (s *Site) signIn(c *call) error {
	form, err := c.form()
	if err != nil {
		return err
	}
	name := strings.ToLower(strings.TrimSpace(form.Get("name")))
	password := form.Get("password")
	address := bucketKey(s.caller(c.r))
	judged, err := s.passwords.enter(c.r.Context(), address, tooManyTries)
	if err != nil {
		return err
	}
	defer judged()
	if len(name) > 255 || len(password) > 1000 {
		return fail(http.StatusBadRequest, "That is longer than a name and a password are.")
	}
	// Also slowed for each name, wherever the tries come from.
	named, err := s.names.take(c.r.Context(), name)
	if err != nil {
		return err
	}
	defer named()
	if left, _ := s.byName.left(name); left < 1 {
		return &Error{Status: http.StatusTooManyRequests, Message: "Too many wrong passwords for this name. Wait a minute.", Retry: 60}
	}
	a, err := s.config.Store.AccountByName(c.r.Context(), name)
	if err != nil && !errors.Is(err, classroom.ErrNotFound) {
		return err
	}
	if !checkPassword(a.Password, password) {
		s.passwords.wrong(address)
		_ = s.byName.take(name, "")
		return c.page(http.StatusUnprocessableEntity, view.SignIn(view.SignInPage{Shell: c.shell(), Provider: s.providerName(), Name: name, Error: "Name and password do not belong together."}))
	}
	return s.signedIn(c, a)
}

// signedIn gives this browser an account's session.
func (s *Site) signedIn(c *call, a classroom.Account) error {
	token, err := s.config.Store.SignIn(c.r.Context(), a.ID, c.session.workspace.ID)
	if err != nil {
		return err
	}
	if c.session.workspace.ID == a.Workspace { // this browser was signed in: it keeps one session, the new one
		if err := s.config.Store.DropDevice(c.r.Context(), c.session.token); err != nil {
			return err
		}
	}
	c.enter(token)
	c.did(a.Name, a.Role)
	s.log.Info("signed in", "request", c.id, "role", a.Role)
	return c.seeOther("/classes")
}

// signOut ends this browser's session; the next page begins a new one.
func (s *Site) signOut(c *call) error {
	a, err := s.config.Store.AccountOf(c.r.Context(), c.session.workspace.ID)
	if errors.Is(err, classroom.ErrNotFound) {
		return fail(http.StatusConflict, "This browser is not signed in with an account, so it could not come back.")
	}
	if err != nil {
		return err
	}
	if err := s.config.Store.DropDevice(c.r.Context(), c.session.token); err != nil {
		return err
	}
	c.did(a.Name, a.Role)
	c.enter(s.newSession().token)
	return c.seeOther("/")
}

func (s *Site) accountPage(c *call) error {
	token := c.r.URL.Query().Get("token")
	a, err := s.config.Store.CheckAccountOffer(c.r.Context(), token)
	if err != nil {
		return offerError(err)
	}
	if err := c.notHosts(a); err != nil {
		return err
	}
	return c.page(http.StatusOK, view.Account(view.AccountPage{Shell: c.shell(), Token: token, Name: a.Name}))
}

func (s *Site) accountAccept(c *call) error {
	form, err := c.form()
	if err != nil {
		return err
	}
	token, password := form.Get("token"), form.Get("password")
	a, err := s.config.Store.CheckAccountOffer(c.r.Context(), token)
	if err != nil {
		return offerError(err)
	}
	if err := c.notHosts(a); err != nil {
		return err
	}
	again := func(why string) error {
		return c.page(http.StatusUnprocessableEntity, view.Account(view.AccountPage{Shell: c.shell(), Token: token, Name: a.Name, Error: why}))
	}
	switch n := utf8.RuneCountInString(password); {
	case n < 12:
		return again("A password has twelve characters or more.")
	case n > 200:
		return again("A password has two hundred characters at most.")
	case strings.Contains(strings.ToLower(password), a.Name):
		return again("The password holds the name. Take another one.")
	}
	session, err := s.config.Store.AcceptAccount(c.r.Context(), token, hashPassword(password), c.session.workspace.ID)
	if err != nil {
		return offerError(err)
	}
	c.enter(session)
	c.did(a.Name, a.Role)
	s.log.Info("account taken into use", "request", c.id, "role", a.Role)
	if a.Role == classroom.RoleHost {
		return c.seeOther("/host")
	}
	return c.seeOther("/classes")
}

// notHosts refuses an instructor's account in the host's browser: a host who
// tries the link before giving it away would be signed out of their own place,
// or the instructor would get into it.
func (c *call) notHosts(a classroom.Account) error {
	if c.session.workspace.Role != classroom.RoleHost || a.Role == classroom.RoleHost {
		return nil
	}
	return &Error{Status: http.StatusConflict, Heading: "This is the host’s browser", Message: fmt.Sprintf("The link is for %s. Open it in their browser, or in a private window: here it would take the host’s place.", a.Name)}
}

func offerError(err error) error {
	switch {
	case errors.Is(err, classroom.ErrUsed):
		return &Error{Status: http.StatusGone, Heading: "This link was used", Message: "It works once. Sign in with the password, or ask the host for a new link.", Err: err}
	case errors.Is(err, classroom.ErrExpired):
		return &Error{Status: http.StatusGone, Heading: "This link has expired", Message: "It works for seven days. Ask the host for a new one.", Err: err}
	case errors.Is(err, classroom.ErrNotFound):
		return &Error{Status: http.StatusForbidden, Heading: "This needs a link of the host", Message: "The host makes accounts and gives their links away. Open the newest one whole.", Err: err}
	}
	return err
}

// hostPage lists the accounts.
func (s *Site) hostPage(c *call) error {
	return s.showHost(c, http.StatusOK, view.HostPage{})
}

func (s *Site) showHost(c *call, status int, p view.HostPage) error {
	accounts, err := s.config.Store.Accounts(c.r.Context())
	if err != nil {
		return err
	}
	p.Shell, p.Provider = c.shell(), s.providerName()
	for _, a := range accounts {
		p.Accounts = append(p.Accounts, view.AccountRow{
			ID: a.ID, Name: a.Name, Role: a.Role, Ready: a.Workspace != "", Self: a.Workspace == c.session.workspace.ID, Made: a.Created,
		})
	}
	for _, set := range s.config.Settings {
		p.Settings = append(p.Settings, view.HostSetting(set))
	}
	return c.page(status, view.Host(p))
}

func (s *Site) hostAccount(c *call) error {
	form, err := c.form()
	if err != nil {
		return err
	}
	name := strings.ToLower(strings.TrimSpace(form.Get("name")))
	if !accountName.MatchString(name) {
		return s.showHost(c, http.StatusUnprocessableEntity, view.HostPage{Error: "A name is a word or an e-mail address: letters, figures, dots, dashes."})
	}
	role := classroom.RoleInstructor
	if form.Get("role") == classroom.RoleHost {
		role = classroom.RoleHost
	}
	a, err := s.config.Store.CreateAccount(c.r.Context(), name, role)
	if errors.Is(err, classroom.ErrTaken) {
		return s.showHost(c, http.StatusUnprocessableEntity, view.HostPage{Error: "There is an account of that name already."})
	}
	if err != nil {
		return err
	}
	c.deed.Detail = a.Name
	s.log.Info("account made", "request", c.id, "role", role)
	return s.offer(c, a)
}

func (s *Site) hostLink(c *call) error {
	a, err := s.config.Store.Account(c.r.Context(), c.param("account"))
	if err != nil {
		return err
	}
	c.deed.Detail = a.Name
	return s.offer(c, a)
}

// offer makes the link with which an account's owner chooses a password, and shows it.
func (s *Site) offer(c *call, a classroom.Account) error {
	token, err := s.config.Store.OfferAccount(c.r.Context(), a.ID, offerAge)
	if err != nil {
		return err
	}
	return s.showHost(c, http.StatusOK, view.HostPage{Offered: a.Name, Link: s.base(c.r) + "/account?token=" + url.QueryEscape(token)})
}

func (s *Site) hostRemove(c *call) error {
	form, err := c.form()
	if err != nil {
		return err
	}
	a, err := s.config.Store.Account(c.r.Context(), c.param("account"))
	if err != nil {
		return err
	}
	if form.Get("sure") != "yes" {
		return fail(http.StatusBadRequest, "Tick the box first: nobody reaches the account’s classes afterwards.")
	}
	if a.Workspace == c.session.workspace.ID {
		return fail(http.StatusConflict, "That is the account you are signed in with.")
	}
	if err := s.config.Store.DeleteAccount(c.r.Context(), a.ID); err != nil {
		return err
	}
	c.deed.Detail = a.Name
	s.log.Info("account removed", "request", c.id, "role", a.Role)
	return c.seeOther("/host")
}

// forgetWorkers takes projects that are gone, or somebody else's now, out of
// every server's sandbox and out of what they know of public names.
func (s *Site) forgetWorkers(projects []classroom.Project) {
	for _, p := range projects {
		s.tellServers(topicDeleted, p)
	}
}

// forgetWorker does so on this server: isolates, cron triggers and alarms end.
func (s *Site) forgetWorker(p classroom.Project) {
	key := live.Key(p)
	s.dropWorker(p.Slug)
	s.deploy.Forget(key)
	forget := s.config.Door.Evict
	if f, ok := s.config.Door.(interface {
		Forget(ctx context.Context, key sandbox.Key, fresh string) error
	}); ok {
		forget = f.Forget
	}
	if err := forget(s.ctx, key, ""); err != nil {
		s.log.Error("a project that is gone is still in the sandbox", "error", err)
	}
}

package web

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/http"
	"strings"

	"coldstart/web/classroom"
)

// The session cookie. Over plain http (a classroom's LAN) browsers refuse the
// __Host- prefix, so the name is the bare one there.
const (
	cookieName       = "coldstart"
	secureCookieName = "__Host-coldstart"
	cookieAge        = 400 * 24 * 3600 // seconds; the most that browsers keep
)

// session is one browser's workspace. The workspace's row is made with its
// first write; until then its id is known all the same, from the token.
type session struct {
	token     string
	workspace classroom.Workspace
	stored    bool
}

// sign is a short code that only this server can make for a text.
func (s *Site) sign(purpose string, parts ...string) []byte {
	h := hmac.New(sha256.New, s.secret)
	h.Write([]byte(purpose))
	for _, p := range parts {
		h.Write([]byte{0})
		h.Write([]byte(p))
	}
	return h.Sum(nil)
}

// name is a code as an id: n characters of Crockford's alphabet, five bits each.
func (s *Site) name(n int, purpose string, parts ...string) string {
	const alphabet = "0123456789abcdefghjkmnpqrstvwxyz"
	sum := s.sign(purpose, parts...)
	out := make([]byte, n)
	for i := range out {
		out[i] = alphabet[sum[i]&31]
	}
	return string(out)
}

// slug is the public name of a project's Worker. It is known before the
// project is stored, so that the page can show the address at once.
func (s *Site) slug(workspace, project string) string { return s.name(16, "slug", workspace, project) }

func (s *Site) newSession() *session {
	token := classroom.NewToken()
	return &session{token: token, workspace: classroom.Workspace{ID: s.name(20, "workspace", token), Role: classroom.RoleLearner}}
}

var errTwoCookies = fail(http.StatusBadRequest, "Your browser sent two session cookies, so we cannot tell who you are. Delete this site's cookies and load the page again.")

// session finds whose request this is: nil when it carries no cookie of ours,
// or one that was replaced since.
func (s *Site) session(ctx context.Context, r *http.Request) (*session, error) {
	cookies := r.CookiesNamed(s.cookieName(r))
	if len(cookies) > 1 {
		return nil, errTwoCookies
	}
	if len(cookies) == 0 {
		return nil, nil
	}
	token, mac, ok := strings.Cut(cookies[0].Value, ".")
	if !ok || len(token) != 22 || !hmac.Equal([]byte(mac), []byte(s.mac(token))) {
		return nil, nil
	}
	w, err := s.config.Store.Workspace(ctx, token)
	if err == nil {
		return &session{token: token, workspace: w, stored: true}, nil
	}
	if !errors.Is(err, classroom.ErrNotFound) {
		return nil, err
	}
	id := s.name(20, "workspace", token)
	switch _, err := s.config.Store.WorkspaceByID(ctx, id); {
	case err == nil:
		return nil, nil // the workspace has a newer token: this one is dead
	case !errors.Is(err, classroom.ErrNotFound):
		return nil, err
	}
	return &session{token: token, workspace: classroom.Workspace{ID: id, Role: classroom.RoleLearner}}, nil
}

func (s *Site) mac(token string) string {
	return base64.RawURLEncoding.EncodeToString(s.sign("cookie", token)[:16])
}

func (s *Site) cookieName(r *http.Request) string {
	if s.secure(r) {
		return secureCookieName
	}
	return cookieName
}

// setCookie gives the browser its session, for another 400 days.
func (s *Site) setCookie(w http.ResponseWriter, r *http.Request, token string) {
	http.SetCookie(w, &http.Cookie{
		Name: s.cookieName(r), Value: token + "." + s.mac(token), Path: "/", MaxAge: cookieAge,
		Secure: s.secure(r), HttpOnly: true, SameSite: http.SameSiteLaxMode,
	})
}

// store makes the workspace's row if it has none yet.
func (s *Site) store(ctx context.Context, x *session) error {
	if x.stored {
		return nil
	}
	if err := s.config.Store.CreateWorkspace(ctx, x.workspace.ID, x.token); err != nil {
		return err
	}
	x.stored = true
	return nil
}

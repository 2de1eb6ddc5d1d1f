package web

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/a-h/templ"

	"coldstart/web/classroom"
	"coldstart/web/view"
)

// call is one request on its way through the site.
type call struct {
	site    *Site
	w       *response
	r       *http.Request
	id      string // number of the request, shown with errors
	route   string // pattern, for the log
	param   func(string) string
	session *session // who asks; nil on public routes
	nonce   string
	failure error                // what went wrong, for the log
	deed    classroom.AuditEvent // what an instructor or the host does
	body    *steadyBody
}

// headers sets what every answer of the site's own host carries.
func (c *call) headers() {
	c.nonce = newNonce()
	c.w.deadline = c.site.config.Timeouts.Write
	h := c.w.Header()
	h.Set("X-Request-Id", c.id)
	h.Set("Content-Security-Policy", policy(c.nonce))
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	// Not no-referrer: browsers then send "Origin: null" with the site's own forms.
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()")
	h.Set("Cache-Control", "no-store")
	if strings.HasPrefix(c.site.config.PublicURL, "https://") {
		h.Set("Strict-Transport-Security", "max-age=31536000")
	}
}

// policy is the content security policy of the site's own pages. Previews are
// framed from /w/, which answers in an opaque origin.
func policy(nonce string) string {
	return strings.Join([]string{
		"default-src 'none'", "script-src 'self'", "style-src 'self' 'nonce-" + nonce + "'", "img-src 'self' data:", "font-src 'self'",
		"connect-src 'self'", "worker-src 'self'", "manifest-src 'self'", "frame-src 'self'", "form-action 'self'", "base-uri 'none'",
		"frame-ancestors 'none'", "object-src 'none'",
	}, "; ")
}

func newNonce() string {
	b := make([]byte, 16)
	rand.Read(b) // never fails: it ends the program instead
	return base64.StdEncoding.EncodeToString(b)
}

// shell is what the layout of every page needs of this request.
func (c *call) shell() view.Shell {
	theme := ""
	if cookie, err := c.r.Cookie("theme"); err == nil && (cookie.Value == "light" || cookie.Value == "dark") {
		theme = cookie.Value
	}
	you := &view.Link{Text: "You and your classes", Href: "/you"}
	if c.session != nil && teacher(c.session.workspace) {
		you = &view.Link{Text: "Your classes", Href: "/classes"}
	}
	return view.Shell{Nonce: c.nonce, Theme: theme, Author: c.site.author != nil, Class: you}
}

// page draws a page whole, then sends it.
func (c *call) page(status int, page templ.Component) error {
	var buf bytes.Buffer
	if err := page.Render(c.r.Context(), &buf); err != nil {
		return fmt.Errorf("render %s: %w", c.route, err)
	}
	return c.send(status, "text/html; charset=utf-8", buf.Bytes())
}

// json sends a value.
func (c *call) json(status int, v any) error {
	data, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encode answer of %s: %w", c.route, err)
	}
	return c.send(status, "application/json", data)
}

// send sends a whole body, compressed when the visitor can read that.
func (c *call) send(status int, kind string, data []byte) error {
	h := c.w.Header()
	h.Set("Content-Type", kind)
	h.Add("Vary", "Accept-Encoding")
	if encoding, packed := compressed(c.r.Header.Get("Accept-Encoding"), data); encoding != "" {
		h.Set("Content-Encoding", encoding)
		data = packed
	}
	h.Set("Content-Length", strconv.Itoa(len(data)))
	c.w.WriteHeader(status)
	if c.r.Method == http.MethodHead {
		return nil
	}
	_, _ = c.w.Write(data) // the visitor went away: nobody is left to tell
	return nil
}

// seeOther sends the browser to one of the site's own pages after a form.
func (c *call) seeOther(path string) error {
	c.w.Header().Set("Location", path)
	c.w.WriteHeader(http.StatusSeeOther)
	return nil
}

// wantsJSON reports whether an error should be JSON rather than a page.
func (c *call) wantsJSON() bool {
	accept := c.r.Header.Get("Accept")
	return strings.HasPrefix(c.r.URL.Path, "/api/") || strings.Contains(accept, "application/json") && !strings.Contains(accept, "text/html")
}

// respond tells the visitor of an error: the one place that does.
func (s *Site) respond(c *call, err error) {
	e := visible(err)
	c.failure = err
	if c.w.wrote {
		return // too late to say anything: the answer has begun
	}
	if c.nonce == "" {
		c.headers()
	}
	h := c.w.Header()
	if e.Retry > 0 {
		h.Set("Retry-After", strconv.Itoa(e.Retry))
	}
	if e.Status == http.StatusRequestEntityTooLarge || e.Status == http.StatusRequestTimeout {
		h.Set("Connection", "close")
	}
	if c.wantsJSON() {
		err = c.json(e.Status, map[string]string{"error": e.Message, "request": c.id})
	} else {
		err = c.page(e.Status, view.ErrorView(s.errorPage(c, e)))
	}
	if err != nil && !c.w.wrote {
		c.w.Header().Del("Content-Encoding")
		http.Error(c.w, e.Message, e.Status)
	}
	if e.Status == http.StatusRequestEntityTooLarge && c.body != nil {
		_ = http.NewResponseController(c.w).Flush()
		c.body.drain(2 * workerBody)
	}
}

func (s *Site) errorPage(c *call, e *Error) view.ErrorPage {
	p := view.ErrorPage{Shell: c.shell(), Status: e.Status, Heading: e.Heading, Message: e.Message, Request: c.id}
	if e.Status < 500 && (p.Heading != "" || e.Status == http.StatusNotFound || e.Status == http.StatusTooManyRequests) {
		p.Request = "" // the page says what to do; nobody has to look anything up
	}
	switch {
	case p.Heading != "":
	case e.Status == http.StatusNotFound:
		p.Heading = "No page at " + shortPath(c.r.URL.Path)
		if near := s.nearest(c.r.URL.Path); near != nil {
			p.Links = append(p.Links, *near)
		}
	case e.Status == http.StatusTooManyRequests:
		p.Heading = "Too fast"
	case e.Status >= 500:
		p.Heading = "Our side failed"
	default:
		p.Heading = "That did not work"
	}
	if id, ok := strings.CutPrefix(c.r.URL.Path, "/labs/"); ok && s.lab(id) != nil {
		p.Links = append(p.Links, view.Link{Text: "Back to the lab", Href: c.r.URL.Path})
	}
	if back := s.back(c); back != "" && e.Status < 500 {
		p.Links = append(p.Links, view.Link{Text: "Back", Href: back})
	}
	if e.SignIn {
		p.Links = append(p.Links, view.Link{Text: "Sign in", Href: "/signin"})
	}
	p.Links = append(p.Links, view.Link{Text: "All lessons", Href: "/"})
	return p
}

// back is the page whose form was sent here, "" when none is known that can be
// asked for again.
func (s *Site) back(c *call) string {
	from, err := url.Parse(c.r.Referer())
	if err != nil || c.r.Method != http.MethodPost || from.Host != c.r.Host || from.Opaque != "" {
		return ""
	}
	isPage := func(r route) bool { return r.method == http.MethodGet && r.path == c.route }
	if from.Path == c.r.URL.Path && !slices.ContainsFunc(s.routes, isPage) {
		return ""
	}
	return from.RequestURI()
}

func shortPath(p string) string {
	p = printable(strings.ReplaceAll(p, "\n", " "))
	if len(p) > 60 {
		return strings.ToValidUTF8(p[:57], "") + "…"
	}
	return p
}

// nearest is the page whose address is most like a wrong one.
func (s *Site) nearest(path string) *view.Link {
	if len(path) > 100 {
		return nil
	}
	var best *view.Link
	least := len(path)/2 + 1
	for _, l := range s.catalog.Load().Lessons() {
		if d := distance(path, l.URL()); d < least {
			least, best = d, &view.Link{Text: l.Title, Href: l.URL()}
		}
	}
	return best
}

// distance counts the bytes to change between two short texts (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		before := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := before
			if a[i] != b[j] {
				cost++
			}
			before = row[j+1]
			row[j+1] = min(cost, row[j+1]+1, row[j]+1)
		}
	}
	return row[len(b)]
}

// maxFields is how many fields a form may have.
const maxFields = 200

func tooManyFields() error {
	return fail(http.StatusBadRequest, "The form has more than %d fields.", maxFields)
}

// form reads a posted form.
func (c *call) form() (url.Values, error) {
	kind, params, err := mime.ParseMediaType(c.r.Header.Get("Content-Type"))
	if err != nil || !slices.Contains([]string{"application/x-www-form-urlencoded", "multipart/form-data"}, kind) {
		return nil, fail(http.StatusUnsupportedMediaType, "This address takes a form.")
	}
	if kind == "multipart/form-data" {
		c.r.Body = newPartsBody(c.r.Body, params["boundary"], maxFields)
		err = c.r.ParseMultipartForm(maxForm)
	} else {
		var body []byte
		if body, err = readWhole(c.r.Body); err == nil {
			if bytes.Count(body, []byte("&")) >= maxFields {
				return nil, tooManyFields()
			}
			c.r.PostForm, err = url.ParseQuery(string(body))
		}
	}
	if err != nil {
		if e := visible(err); e.Status < 500 {
			return nil, err
		}
		return nil, &Error{Status: http.StatusBadRequest, Message: "The form could not be read. Load the page again.", Err: err}
	}
	if len(c.r.PostForm) > maxFields {
		return nil, tooManyFields()
	}
	return c.r.PostForm, nil
}

func unixMillis(t time.Time) int64 { return t.UnixMilli() }

package view

import (
	"flag"
	"net"
	"net/http"
	"os"
	"os/signal"
	"testing"

	"coldstart/lessons"
	"coldstart/static"

	"github.com/a-h/templ"
)

var previewAt = flag.String("preview", "", "serve the sample pages at this address until interrupted, to look at them")

// policy is the site's Content-Security-Policy with the samples' nonce: what the
// pages need beyond it is refused in front of the reader's eyes.
const policy = "default-src 'none'; script-src 'self'; style-src 'self' 'nonce-c2FtcGxl'; img-src 'self' data:; font-src 'self'; connect-src 'self'; worker-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; object-src 'none'"

// TestPreview serves the pages for the eye: go test ./web/view -run Preview -preview 127.0.0.1:8099
func TestPreview(t *testing.T) {
	if *previewAt == "" {
		t.Skip("for looking at pages only: give -preview ADDRESS")
	}
	mux := http.NewServeMux()
	for name, page := range SamplePages() {
		mux.HandleFunc("GET /"+name, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Security-Policy", policy)
			templ.Handler(page).ServeHTTP(w, r)
		})
	}
	catalog, problems := lessons.Load(lessons.Shipped())
	for _, p := range problems {
		t.Log(p)
	}
	for _, l := range catalog.Lessons() {
		page := LessonText(catalog, l, Learned{}, &l.Text)
		page.Files, page.Limits, page.Actions = FilesOf(l.Starter, page.Open, nil), l.Limits, SampleLesson().Actions
		page.Nonce, page.Public = "c2FtcGxl", "http://127.0.0.1:8080/w/k7q2m9xd"
		mux.HandleFunc("GET "+l.URL(), func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Security-Policy", policy)
			templ.Handler(Lesson(page)).ServeHTTP(w, r)
		})
		t.Log(l.URL())
	}
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", policy)
		templ.Handler(Home(HomePage{Begin: Link{"Begin", "/"}, Tracks: Tracks(catalog, nil), Total: 32})).ServeHTTP(w, r)
	})
	mux.Handle(static.Prefix, static.Handler())
	listener, err := net.Listen("tcp", *previewAt)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("http://%s/gallery", listener.Addr())
	server := &http.Server{Handler: mux}
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, os.Interrupt)
	go func() { <-stop; _ = server.Close() }()
	_ = server.Serve(listener)
}

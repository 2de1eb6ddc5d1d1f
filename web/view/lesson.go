package view

import (
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
)

// pageData is what the lesson page tells its script; web/client/_page.ts reads it.
type pageData struct {
	Lesson   string            `json:"lesson"`
	Project  string            `json:"project"`
	Revision int64             `json:"revision"`
	Text     string            `json:"text"`           // revision of the lesson
	Back     string            `json:"back,omitempty"` // address of the undo of an update; absent when there is none
	Files    map[string]string `json:"files"`
	Starter  map[string]string `json:"starter"`
	Open     string            `json:"open"`
	Request  pageRequest       `json:"request"`
	URL      string            `json:"url"`
	Live     string            `json:"live"`
	Solution bool              `json:"solution"`
	Limits   pageLimits        `json:"limits"`
	Author   bool              `json:"author,omitempty"`
	Runs     int               `json:"runs,omitempty"` // the counter of the newest run on the page
}

type pageRequest struct {
	Method  string      `json:"method"`
	Path    string      `json:"path"`
	Headers [][2]string `json:"headers,omitempty"`
	Body    string      `json:"body,omitempty"`
}

type pageLimits struct {
	CPU    int64 `json:"cpu_us"`
	Memory int64 `json:"memory_bytes"`
	Idle   int64 `json:"idle_us"`
}

func newPageData(p LessonPage) pageData {
	d := pageData{
		Lesson: p.ID, Project: p.Project, Revision: p.Revision, Text: p.Text, Open: openFile(p),
		Files: make(map[string]string, len(p.Files)), Starter: p.Starter,
		Request: pageRequest{requestMethod(p.Request), requestPath(p.Request), p.Request.Headers, p.Request.Body},
		URL:     p.Public, Live: p.Actions.Live, Solution: len(p.Solution) > 0, Author: p.Author,
		Limits: pageLimits{p.Limits.CPU.Microseconds(), p.Limits.Memory, p.Limits.IdleAfter.Microseconds()},
	}
	for _, f := range p.Files {
		d.Files[f.Path] = f.Text
	}
	if p.Back {
		d.Back = p.Actions.Undo
	}
	if d.Starter == nil {
		d.Starter = d.Files
	}
	if p.Result.Run != nil {
		d.Runs = p.Result.Run.N
	}
	return d
}

func lessonShell(p LessonPage) Shell {
	s := p.Shell
	if s.Title == "" {
		s.Title = p.Title
	}
	if s.Script == "" {
		s.Script = "lesson.js"
	}
	if len(s.Crumbs) == 0 {
		s.Crumbs = []Link{p.Track, {Text: p.Title}}
	}
	if s.Note == "" {
		s.Note = capital(lessonPlace(p))
		if done, all := tasksDone(p); all > 0 {
			s.Note += fmt.Sprintf(" · %d of %s", done, count(all, "task"))
		}
		if points, total := score(p); total > 0 {
			s.Note += fmt.Sprintf(" · %d of %s", points, count(total, "point"))
		}
	}
	return s
}

func capital(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

func lessonPlace(p LessonPage) string {
	if p.Challenge {
		return "challenge"
	}
	if p.Of == 0 {
		return "a project of yours"
	}
	return fmt.Sprintf("lesson %d of %d", p.Number, p.Of)
}

func tasksDone(p LessonPage) (done, all int) {
	for _, part := range p.Parts {
		if part.Task == nil {
			continue
		}
		all++
		if part.Task.State == CheckPassed {
			done++
		}
	}
	return done, all
}

// score are the points of a challenge: each task that is done counts whole.
func score(p LessonPage) (points, total int) {
	for _, part := range p.Parts {
		if part.Task == nil {
			continue
		}
		total += part.Task.Points
		if part.Task.State == CheckPassed {
			points += part.Task.Points
		}
	}
	return points, total
}

func lessonNews(p LessonPage) string {
	done, all := tasksDone(p)
	if all == 0 && p.Minutes == 0 {
		return ""
	}
	if all == 0 {
		return minutes(p.Minutes)
	}
	return fmt.Sprintf("%d of %d", done, all)
}

func codeNews(p LessonPage) string {
	n := 0
	for _, f := range p.Files {
		if f.Fault != nil {
			n++
		}
	}
	if n > 0 {
		return count(n, "error")
	}
	return count(len(p.Files), "file")
}

// openFile is the path of the file shown first: the one asked for, else the first.
func openFile(p LessonPage) string {
	if i := openIndex(p); i < len(p.Files) {
		return p.Files[i].Path
	}
	return ""
}

func openIndex(p LessonPage) int {
	return max(slices.IndexFunc(p.Files, func(f File) bool { return f.Path == p.Open }), 0)
}

// tabName is the last part of a path, or the whole when two files share it.
func tabName(files []File, name string) string {
	n := 0
	for _, f := range files {
		if path.Base(f.Path) == path.Base(name) {
			n++
		}
	}
	if n > 1 {
		return name
	}
	return path.Base(name)
}

func tabIndex(selected bool) string {
	if selected {
		return "0"
	}
	return "-1"
}

func lineCount(s string) int { return strings.Count(s, "\n") + 1 }

func diffLabel(d Diff) string {
	return fmt.Sprintf("%s, solution as a diff: %s removed, %s added", d.Path, count(d.Removed, "line"), grouped(d.Added))
}

// methods are those of the request builder; an unusual one of the lesson is added.
func methods(own string) []string {
	all := []string{"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"}
	if own != "" && !slices.Contains(all, own) {
		all = append(all, own)
	}
	return all
}

func requestMethod(r Request) string {
	if r.Method == "" {
		return "GET"
	}
	return r.Method
}

func requestPath(r Request) string {
	if r.Path == "" {
		return "/"
	}
	return r.Path
}

func headerText(r Request) string {
	var b strings.Builder
	for _, h := range r.Headers {
		b.WriteString(h[0] + ": " + h[1] + "\n")
	}
	return b.String()
}

func headerCount(r Request) string {
	if len(r.Headers) == 0 {
		return ""
	}
	return strconv.Itoa(len(r.Headers))
}

func bodySize(r Request) string {
	if r.Body == "" {
		return ""
	}
	return size(int64(len(r.Body)))
}

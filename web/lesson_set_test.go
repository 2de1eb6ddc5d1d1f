package web

import (
	"archive/zip"
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"maps"
	"mime/multipart"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"coldstart/lessons"
	"coldstart/web/bus"
	"coldstart/web/classroom"
	"coldstart/web/doortest"
)

// readHere reads lessons as a child does, in this process.
func readHere(_ context.Context, archive []byte, mark string) ([]lessons.Problem, error) {
	z, err := zip.NewReader(bytes.NewReader(archive), int64(len(archive)))
	if err != nil {
		return nil, err
	}
	_, problems := lessons.Config{Mark: mark}.Load(z)
	return problems, nil
}

// zipped packs files; a name that ends in @ becomes a symbolic link.
func zipped(t *testing.T, files map[string]string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		h := &zip.FileHeader{Name: strings.TrimSuffix(name, "@"), Method: zip.Deflate}
		if strings.HasSuffix(name, "@") {
			h.SetMode(fs.ModeSymlink | 0o777)
		}
		w, err := z.CreateHeader(h)
		if err == nil {
			_, err = w.Write([]byte(files[name]))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// upload brings lessons and waits for what comes of it: the page.
func (b *browser) upload(set string, archive []byte) string {
	b.s.t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	w, err := form.CreateFormFile("zip", "edge-main.zip")
	if err == nil {
		_, err = w.Write(archive)
	}
	if err == nil {
		err = form.WriteField("set", set)
	}
	if err == nil {
		err = form.Close()
	}
	if err != nil {
		b.s.t.Fatal(err)
	}
	if r := b.send(b.request("POST", "/teach/lessons", form.FormDataContentType(), &body)); r.status != 303 {
		return r.body
	}
	for {
		u := decode[upload](b.s.t, b.get("/teach/news"))
		if u.ended() {
			return b.get("/teach/lessons").body
		}
	}
}

// reading is a track of lessons without code, as a Git host packs it.
func reading(title, text string) map[string]string {
	return map[string]string{
		"edge-main/README.md":                     "About this repository.",
		"edge-main/.github/ci.yml":                "on: push",
		"edge-main/track.md":                      "---\ntitle: " + title + "\nsummary: s\n---\n",
		"edge-main/10-near/lesson.md":             "---\nid: near\ntitle: Near\nsummary: s\n---\n" + text + " See [far](../20-far).\n",
		"edge-main/10-near/_files/src/index.js":   "export default {};\n",
		"edge-main/20-far/lesson.md":              "---\nid: far\ntitle: Far\nsummary: s\n---\nText.\n",
		"edge-main/20-far/_files/src/index.js":    "export default {};\n",
		"edge-main/_drafts/30-later/lesson.md":    "not read",
		"edge-main/20-far/_solution/src/index.js": "export default { fetch() {} };\n",
		"edge-main/20-far/checks.js":              "",
	}
}

var keptSet = regexp.MustCompile(`/teach/lessons/(t[0-9a-z]{7})/remove`)

func TestInstructorsBringLessons(t *testing.T) {
	t.Parallel()
	messages := &bus.Local{}
	s := newServer(t, nil, func(c *Config) { c.Bus = messages })
	ada, bob := s.instructor("ada"), s.instructor("bob")
	class, other := ada.newClass("Period 3"), bob.newClass("Period 4")
	near, stranger := s.browser(), s.browser()
	near.join(class, "moss-otter")
	stranger.join(other, "tin-heron")

	page := ada.upload("", zipped(t, reading("The edge", "Words.")))
	m := keptSet.FindStringSubmatch(page)
	if m == nil || !strings.Contains(page, "The edge is kept as revision 1: 2 lessons") {
		t.Fatalf("the upload gives %s", page)
	}
	set := m[1]
	lesson, far := "/learn/edge-"+set+"/near", "/learn/edge-"+set+"/far"
	open := func(who string, b *browser, path string, want int) {
		t.Helper()
		if r := b.get(path); r.status != want {
			t.Errorf("%s gets %d at %s, not %d", who, r.status, path, want)
		}
	}
	open("its instructor", ada, lesson, 200)
	if r := ada.get(lesson); !strings.Contains(r.body, `href="`+far+`"`) {
		t.Error("a link between its lessons leads elsewhere")
	}
	for who, b := range map[string]*browser{"another instructor": bob, "a learner before the class has it": near, "a stranger": stranger, "a newcomer": s.browser()} {
		open(who, b, lesson, 404)
	}
	if r := bob.get("/classes/" + other.ID + "/settings"); strings.Contains(r.body, set) {
		t.Error("another instructor may choose it")
	}
	for _, path := range []string{"/api/projects/" + set + "-near/solution", "/api/projects/" + set + "-near/export.zip", "/api/projects/" + set + "-near"} {
		open("a stranger", stranger, path, 404)
	}
	if r := bob.form("/classes/"+other.ID+"/settings", "title", "Period 4", "lesson", set+"-near"); r.status != 303 {
		t.Fatal(r.body)
	}
	open("a learner of a class that took it", stranger, lesson, 404)
	if err := s.store.SetClass(t.Context(), other.ID, "Period 4", []classroom.Assignment{{Lesson: set + "-near"}}); err != nil {
		t.Fatal(err)
	}
	open("a learner of a class in whose list it stands all the same", stranger, lesson, 404)

	// The class has one of the two.
	if r := ada.get("/classes/" + class.ID + "/settings"); !strings.Contains(r.body, `value="`+set+`-near"`) {
		t.Error("the class's settings do not offer it")
	}
	if r := ada.form("/classes/"+class.ID+"/settings", "title", "Period 3", "lesson", set+"-near", "lesson", "hello"); r.status != 303 {
		t.Fatal(r.body)
	}
	open("a learner of the class", near, lesson, 200)
	open("a learner of the class", near, far, 404)
	if r := near.get("/"); !strings.Contains(r.body, lesson) || strings.Contains(r.body, far) {
		t.Error("the learner's home page does not list what the class has, or lists more")
	}
	if r := near.get("/you"); !strings.Contains(r.body, lesson) {
		t.Error("the learner's class does not list it")
	}
	if r := near.json("PUT", "/api/projects/"+set+"-near", obj{"files": obj{"src/index.js": "mine"}}); r.status != 200 {
		t.Fatal(r.body)
	}
	if r := ada.get("/classes/" + class.ID + "/members/" + s.memberOf(class, "moss-otter").ID + "?lesson=" + set + "-near"); !strings.Contains(r.body, "mine") {
		t.Error("the instructor does not see the learner's code")
	}

	// A second server of the site has it too, from its start and by the bus.
	config := s.site.config
	config.Door = &doortest.Door{}
	twin, stop := startServer(t, config)
	defer stop()
	if twin.site.lessonByID(set+"-near") == nil {
		t.Fatal("another server does not have it")
	}
	page = ada.upload(set, zipped(t, reading("The edge", "Other words.")))
	if !strings.Contains(page, "is kept as revision 2") || strings.Count(page, "revision=") != 2 {
		t.Fatalf("replacing gives %s", page)
	}
	for l := twin.site.lessonByID(set + "-near"); !strings.Contains(fmt.Sprint(l.Pieces), "Other words"); l = twin.site.lessonByID(set + "-near") {
	}
	if r := near.get(lesson); !strings.Contains(r.body, "This lesson was updated since you began") && !strings.Contains(r.body, "A newer") {
		t.Error("a draft of the first revision is not told of the second")
	}
	old := ada.get("/teach/lessons/" + set + "/lessons.zip?revision=1").body
	if z, err := zip.NewReader(strings.NewReader(old), int64(len(old))); err != nil || !holds(t, z, "edge/10-near/lesson.md", "\nWords.") {
		t.Errorf("the first revision: %v", err)
	}
	open("another instructor", bob, "/teach/lessons/"+set+"/lessons.zip", 404)
	if r := bob.form("/teach/lessons/"+set+"/remove", "sure", "yes"); r.status != 404 {
		t.Errorf("another instructor removes it: %d", r.status)
	}

	// Removed: who has begun keeps it.
	late := s.browser()
	late.join(class, "late-lark")
	open("a learner who joins later", late, lesson, 200)
	if r := ada.form("/teach/lessons/"+set+"/remove", "sure", "yes"); r.status != 303 {
		t.Fatal(r.body)
	}
	open("who has begun", near, lesson, 200)
	open("who has not", late, lesson, 404)
	if r := ada.get("/classes/" + class.ID + "/settings"); strings.Contains(r.body, set) {
		t.Error("a removed set can be chosen")
	}
	log, err := s.store.AuditLog(t.Context(), classroom.AuditQuery{Name: "ada"})
	if err != nil {
		t.Fatal(err)
	}
	var did []string
	for _, e := range log {
		if strings.HasPrefix(e.Action, "lessons.") {
			did = append(did, e.Action+" "+e.Detail)
		}
	}
	want := []string{"lessons.remove The edge " + set, "lessons.upload The edge " + set, "lessons.upload " + set}
	if !slices.Equal(did, want) {
		t.Errorf("the audit log has %q, not %q", did, want)
	}
}

func TestUploadsThatAreRefused(t *testing.T) {
	t.Parallel()
	s := newServer(t, nil, atMost(100*time.Millisecond))
	ada := s.instructor("ada")
	with := func(name, text string) []byte {
		files := reading("The edge", "Words.")
		files[name] = text
		return zipped(t, files)
	}
	for name, c := range map[string]struct {
		archive []byte
		want    string
	}{
		"no zip":            {[]byte("lessons"), "this is not a zip archive"},
		"nothing of ours":   {zipped(t, map[string]string{"a/b.txt": "x"}), "it has no track"},
		"a link":            {with("edge-main/10-near/_files/passwd@", "/etc/passwd"), "is a link or a device"},
		"a way out":         {with("edge-main/../../x", "x"), "leads outside the archive"},
		"a bomb":            {with("edge-main/10-near/_files/zeros", strings.Repeat("\x00", 3<<20)), "unpacks to more than 200 times its size"},
		"tracks apart":      {with("edge-main/more/02-b/track.md", "---\ntitle: B\nsummary: s\n---\n"), "it has tracks in two folders"},
		"a mistake":         {with("edge-main/10-near/lesson.md", "---\nid: near\ntitle: Near\nminuts: 3\n---\nText.\n"), "edge/10-near/lesson.md:4:1 E003 unknown key &#34;minuts&#34;; did you mean &#34;minutes&#34;?"},
		"over the host":     {with("edge-main/10-near/lesson.md", "---\nid: near\ntitle: Near\nsummary: s\nlimits: { cpu_ms: 400 }\n---\nText.\n"), "E006 cpu_ms 400 is over this server&#39;s ceiling (100)"},
		"an id that is ill": {with("edge-main/10-near/lesson.md", "---\nid: "+strings.Repeat("n", 60)+"\ntitle: Near\n---\nText.\n"), "the most for lessons that are uploaded"},
	} {
		t.Run(name, func(t *testing.T) {
			page := ada.upload("", c.archive)
			if !strings.Contains(page, c.want) || keptSet.MatchString(page) {
				t.Errorf("the page lacks %q: %s", c.want, page)
			}
		})
	}
	if sets, err := s.store.LessonSets(t.Context()); len(sets) != 0 || err != nil {
		t.Errorf("kept: %v, %v", sets, err)
	}
	body := url.Values{"set": {"t0000000"}}
	if r := ada.form("/teach/lessons", "set", body.Get("set")); r.status != 422 {
		t.Errorf("no archive gives %d", r.status)
	}
}

// Switched off by the host there are neither pages nor lessons.
func TestLessonsOfInstructorsSwitchedOff(t *testing.T) {
	t.Parallel()
	s := newServer(t, nil, func(c *Config) { c.ReadLessons = nil })
	ada := s.instructor("ada")
	if r := ada.get("/teach/lessons"); r.status != 404 {
		t.Errorf("the page gives %d", r.status)
	}
	if r := ada.get("/classes"); strings.Contains(r.body, "/teach/lessons") {
		t.Error("the classes lead to it")
	}
}

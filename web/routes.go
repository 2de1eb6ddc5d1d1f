package web

import (
	"net/http"
	"regexp"
)

// access says who may use a route. What is not in the table does not exist.
type access string

const (
	public  access = "public"  // anyone; the session is not even read
	visitor access = "visitor" // anyone; a browser without a session gets one
	learner access = "learner" // needs a session; sees and changes its own workspace only
	host    access = "host"    // needs the session of this server's host

	// instructor needs the session of an instructor, or of the host; sees and
	// changes the classes of its own workspace only.
	instructor access = "instructor"
)

// route is a row of the table: an address, who may use it, and how much it takes.
type route struct {
	method string
	path   string
	access access
	body   int64 // most bytes of a request body; 0 takes none
	handle func(*call) error
}

// changes reports whether the route may change something, and so must be asked
// for by a page of this site.
func (r route) changes() bool { return r.method != http.MethodGet && r.method != http.MethodHead }

// Routes that answer for as long as a page is open.
const (
	routeLive      = "/api/live"
	routeClassLive = "/classes/:class/live"
	routeAuthor    = "/api/author"
)

// What a request body may hold.
const (
	maxForm    = 2 << 20  // every file of a project, escaped
	maxProject = 4 << 20  // 1 MiB of source as JSON, at its worst
	maxSmall   = 16 << 10 // an answer, a revision number
)

// table is every route of the site's own host. Beside it there are only the
// Workers' addresses: /w/<slug>/… and their own host names, which never read
// the site's cookie and so need no row (worker.go).
func (s *Site) table() []route {
	const lesson = "/learn/:track/:lesson"
	const project = "/api/projects/:project"
	const class = "/classes/:class"
	rows := []route{
		{http.MethodGet, "/healthz", public, 0, s.health},
		{http.MethodGet, "/readyz", public, 0, s.ready},
		{http.MethodGet, "/static/*", public, 0, s.assets},
		{http.MethodGet, "/favicon.ico", public, 0, s.favicon},
		{http.MethodGet, "/robots.txt", public, 0, s.robots},
		{http.MethodGet, "/dev/gallery", public, 0, s.gallery},

		{http.MethodGet, "/search", public, 0, s.searchPage},
		{http.MethodGet, "/api/search", public, 0, s.searchJSON},
		{http.MethodGet, "/glossary", public, 0, s.glossaryPage},
		{http.MethodGet, "/docs", public, 0, s.docsFirst},
		{http.MethodGet, "/docs/:page", public, 0, s.docsPage},
		{http.MethodGet, "/docs/images/:image", public, 0, s.docsImage},

		{http.MethodGet, "/", visitor, 0, s.home},
		{http.MethodGet, "/progress", visitor, 0, s.progressPage},
		{http.MethodGet, "/progress.json", visitor, 0, s.progressJSON},
		{http.MethodGet, "/progress.csv", visitor, 0, s.progressCSV},
		{http.MethodGet, lesson, visitor, 0, s.lessonPage},
		{http.MethodGet, lesson + "/print", visitor, 0, s.lessonPrint},
		{http.MethodPost, lesson + "/run", visitor, maxForm, s.lessonRun},
		{http.MethodPost, lesson + "/check", visitor, maxForm, s.lessonCheck},
		{http.MethodPost, lesson + "/answer", visitor, maxSmall, s.lessonAnswer},
		{http.MethodPost, lesson + "/hint", visitor, maxSmall, s.lessonHint},
		{http.MethodPost, lesson + "/lab", visitor, maxForm, s.lessonLab},
		{http.MethodPost, lesson + "/reset", visitor, 0, s.lessonReset},
		{http.MethodPost, lesson + "/update", visitor, 0, s.lessonUpdate},
		{http.MethodPost, lesson + "/keep", visitor, 0, s.lessonKeep},
		{http.MethodPost, lesson + "/solve", visitor, 0, s.lessonSolve},
		{http.MethodPost, lesson + "/undo", visitor, 0, s.lessonUndo},

		{http.MethodGet, "/labs", visitor, 0, s.labsPage},
		{http.MethodGet, "/labs/:lab", visitor, 0, s.labPage},
		{http.MethodPost, "/labs/:lab", visitor, maxForm, s.labPost},

		{http.MethodGet, routeLive, learner, 0, s.liveSession},
		{http.MethodGet, "/api/projects", learner, 0, s.projectList},
		{http.MethodGet, project, learner, 0, s.projectGet},
		{http.MethodPut, project, visitor, maxProject, s.projectPut},
		{http.MethodDelete, project, learner, 0, s.projectDelete},
		{http.MethodGet, project + "/versions", learner, 0, s.projectVersions},
		{http.MethodGet, project + "/versions/:revision", learner, 0, s.projectVersion},
		{http.MethodPost, project + "/restore", learner, maxSmall, s.projectRestore},
		{http.MethodPost, project + "/undo", learner, maxSmall, s.projectUndo},
		{http.MethodPost, project + "/reset", visitor, maxSmall, s.projectReset},
		{http.MethodPost, project + "/solve", visitor, maxSmall, s.projectSolve},
		{http.MethodGet, project + "/solution", visitor, 0, s.projectSolution},
		{http.MethodGet, project + "/runs", learner, 0, s.projectRuns},
		{http.MethodGet, project + "/export.zip", learner, 0, s.projectExport},

		{http.MethodGet, "/setup", visitor, 0, s.setupPage},
		{http.MethodPost, "/setup", visitor, maxSmall, s.setupClaim},
		{http.MethodGet, "/api/stats", host, 0, s.stats},

		{http.MethodGet, "/join", visitor, 0, s.joinPage},
		{http.MethodPost, "/join", visitor, maxSmall, s.join},
		{http.MethodGet, "/j/:code", public, 0, s.joinLink},
		{http.MethodGet, "/resume", visitor, 0, s.resumePage},
		{http.MethodPost, "/resume", visitor, maxSmall, s.resume},
		{http.MethodGet, "/you", visitor, 0, s.you},
		{http.MethodPost, "/you/hand", learner, maxSmall, s.youHand},
		{http.MethodPost, "/you/burst", learner, maxSmall, s.youBurst},
		{http.MethodPost, "/you/read", learner, maxSmall, s.youRead},
		{http.MethodPost, "/you/leave", learner, maxSmall, s.youLeave},
		{http.MethodPost, "/you/phrase", learner, 0, s.youPhrase},
		{http.MethodPost, "/you/erase", learner, maxSmall, s.youErase},

		{http.MethodGet, "/you/export.zip", learner, 0, s.youExport},
		{http.MethodPost, "/you/unshare", learner, maxSmall, s.youUnshare},

		{http.MethodPost, "/share", visitor, maxSmall, s.shareCreate},
		{http.MethodGet, "/s/:share", visitor, 0, s.sharePage},
		{http.MethodPost, "/s/:share/run", visitor, 0, s.shareRun},
		{http.MethodPost, "/s/:share/fork", visitor, 0, s.shareFork},
		{http.MethodGet, "/s/:share/export.zip", public, 0, s.shareExport},
		{http.MethodGet, "/embed/:share", public, 0, s.embed},
		{http.MethodPost, "/projects", visitor, maxUpload, s.ownImport},
		{http.MethodGet, "/p/:project", visitor, 0, s.ownPage},
		{http.MethodPost, "/p/:project/run", learner, maxForm, s.ownRun},
		{http.MethodPost, "/p/:project/undo", learner, 0, s.ownUndo},

		{http.MethodGet, "/signin", visitor, 0, s.signInPage},
		{http.MethodPost, "/signin", visitor, maxSmall, s.signIn},
		{http.MethodGet, "/signin/provider", visitor, 0, s.providerBegin},
		{http.MethodGet, "/signin/return", visitor, 0, s.providerReturn},
		{http.MethodPost, "/signout", learner, 0, s.signOut},
		{http.MethodGet, "/account", visitor, 0, s.accountPage},
		{http.MethodPost, "/account", visitor, maxSmall, s.accountAccept},
		{http.MethodGet, "/host", host, 0, s.hostPage},
		{http.MethodGet, "/host/audit", host, 0, s.hostAudit},
		{http.MethodGet, "/host/audit.csv", host, 0, s.hostAuditCSV},
		{http.MethodPost, "/host/accounts", host, maxSmall, s.hostAccount},
		{http.MethodPost, "/host/accounts/:account/link", host, 0, s.hostLink},
		{http.MethodPost, "/host/accounts/:account/remove", host, maxSmall, s.hostRemove},

		{http.MethodGet, "/classes", instructor, 0, s.classesPage},
		{http.MethodPost, "/classes", instructor, maxSmall, s.classCreate},
		{http.MethodGet, class, instructor, 0, s.classPage},
		{http.MethodGet, routeClassLive, instructor, 0, s.classLive},
		{http.MethodGet, class + "/code", instructor, 0, s.classCode},
		{http.MethodPost, class + "/code", instructor, 0, s.classRotate},
		{http.MethodGet, class + "/settings", instructor, 0, s.classSettings},
		{http.MethodPost, class + "/settings", instructor, maxSmall, s.classSet},
		{http.MethodPost, class + "/end", instructor, maxSmall, s.classEnd},
		{http.MethodGet, class + "/analytics", instructor, 0, s.classAnalytics},
		{http.MethodGet, class + "/errors/:lesson/:task", instructor, 0, s.classFailures},
		{http.MethodGet, class + "/export.csv", instructor, 0, s.classCSV},
		{http.MethodGet, class + "/export.json", instructor, 0, s.classJSON},
		{http.MethodPost, class + "/burst", instructor, maxSmall, s.classBurst},
		{http.MethodGet, class + "/members/:member", instructor, 0, s.classLearner},
		{http.MethodPost, class + "/members/:member/note", instructor, maxSmall, s.learnerNote},
		{http.MethodPost, class + "/members/:member/hand", instructor, 0, s.learnerHand},
		{http.MethodPost, class + "/members/:member/remove", instructor, 0, s.learnerRemove},
		{http.MethodPost, class + "/members/:member/merge", instructor, maxSmall, s.learnerMerge},
	}
	if s.config.ReadLessons != nil {
		const set = "/teach/lessons/:set"
		rows = append(
			rows,
			route{http.MethodGet, "/teach/lessons", instructor, 0, s.teachLessons},
			route{http.MethodPost, "/teach/lessons", instructor, maxUpload, s.teachUpload},
			route{http.MethodGet, "/teach/news", instructor, 0, s.teachNews},
			route{http.MethodGet, set + "/lessons.zip", instructor, 0, s.teachArchive},
			route{http.MethodPost, set + "/remove", instructor, maxSmall, s.teachRemove},
		)
	}
	if s.author != nil {
		rows = append(rows, route{http.MethodGet, routeAuthor, public, 0, s.authorNews})
	}
	for _, r := range rows {
		if r.method == http.MethodGet && r.path != routeLive && r.path != routeClassLive {
			r.method = http.MethodHead
			rows = append(rows, r)
		}
	}
	return rows
}

// projectID is the form of a project's name within its workspace.
var projectID = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,62}$`)

// slugForm is the form of a Worker's public name.
var slugForm = regexp.MustCompile(`^[0-9a-hjkmnp-tv-z]{12,32}$`)

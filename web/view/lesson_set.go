package view

import (
	"strconv"
	"time"
)

// LessonSetsPage is where an instructor brings lessons.
type LessonSetsPage struct {
	Shell
	Error   string
	Upload  *LessonUpload // the newest; nil for none
	Sets    []LessonSet
	Replace string // id of the set that the form replaces at first; "" for a new one
	Most    int    // sets that one instructor may have
}

// LessonUpload is how an upload goes.
type LessonUpload struct {
	State    string // waiting, running, kept or refused
	File     string // name of the archive
	Title    string // once kept
	Revision int64  // once kept
	Lesson   string // folder that is being tried; "" before the first
	Done     int    // lessons tried
	Total    int    // 0 while the archive is read
	Checks   int    // run on solutions
	Error    string // why it was refused, when that has no place
	Problems []LessonProblem
	More     int // problems beside those
}

// Going reports whether the upload has not ended.
func (u *LessonUpload) Going() bool {
	return u != nil && (u.State == "waiting" || u.State == "running")
}

// LessonProblem is one mistake or warning, as coldstart lint prints it.
type LessonProblem struct {
	Text  string
	Error bool // it must be mended
}

// LessonSet is one set of an instructor's own lessons.
type LessonSet struct {
	ID        string
	Title     string
	Revision  int64
	Changed   time.Time
	Lessons   []Link
	Revisions []LessonSetRevision // kept ones, the newest first
}

// LessonSetRevision is one upload of a set.
type LessonSetRevision struct {
	N     int64
	Saved time.Time
}

func lessonSetsShell(p LessonSetsPage) Shell {
	s := classShell(p.Shell, "Lessons of your own")
	if p.Upload.Going() {
		s.Refresh = 2
		if s.Script == "" {
			s.Script = "teach.js"
		}
	}
	return s
}

// uploadWords say how an upload goes, in one sentence.
func uploadWords(u LessonUpload) string {
	switch {
	case u.State == "waiting":
		return "Waiting for another upload that is being tried."
	case u.State == "running" && u.Total == 0:
		return "Reading the lessons."
	case u.State == "running":
		return "Running the solution and the starter of " + u.Lesson + ", lesson " + strconv.Itoa(u.Done+1) + " of " + strconv.Itoa(u.Total) + "."
	case u.State == "kept":
		return u.Title + " is kept as revision " + strconv.Itoa(int(u.Revision)) + ": " + count(u.Total, "lesson") + ", " + count(u.Checks, "check") + " passed by the solutions."
	case u.Error != "":
		return u.Error
	}
	return "It was not kept. Mend what begins with E and upload it again; what you had before is unchanged."
}

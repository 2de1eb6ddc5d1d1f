package view

import (
	"time"

	"github.com/a-h/templ"
)

var sampleDay = time.Date(2026, 11, 21, 9, 30, 0, 0, time.UTC)

// samplePeople are the pages of people and classes with sample data.
func samplePeople() map[string]templ.Component {
	grid := sampleGrid()
	return map[string]templ.Component{
		"join":    Join(JoinPage{Code: "KWTH-RP42", Name: "moss-otter", Error: "That code opens no class. It may have expired: ask your instructor for today’s."}),
		"welcome": Welcome(WelcomePage{Phrase: "acorn river candle mango tunnel yarn", Class: "Period 3", Nickname: "moss-otter", Next: Link{"I have written it down", "/you"}}),
		"resume":  ResumeView(ResumePage{}),
		"you": You(YouPage{Begun: true, Classes: []YouClass{{
			ID: "c1", Title: "Period 3", Nickname: "moss-otter", Unread: true,
			Notes:   []NoteRow{{Lesson: "The cold start", Text: "Look at line 17.\nWhat does codes() give the first time?", Sent: sampleDay}, {Text: "Well done.", Sent: sampleDay, Read: true}},
			Lessons: []YouLesson{{Title: "The cold start", Href: "/learn/serverless/first-request", Due: sampleDay, Done: true}, {Title: "Hello", Href: "/learn/workers/hello-worker"}},
		}}, Shares: []ShareRow{{ID: "k7q2m9xd0000", Title: "The cold start", Made: sampleDay}}}),
		"you-new": You(YouPage{}),
		"signin":  SignIn(SignInPage{Provider: "School"}),
		"account": Account(AccountPage{Token: "t", Name: "ada", Error: "A password has twelve characters or more."}),
		"host": Host(HostPage{Offered: "ada", Link: "https://learn.example.org/account?token=Zm9vYmFy", Provider: "School", Accounts: []AccountRow{
			{ID: "a1", Name: "ada", Role: "instructor", Made: sampleDay}, {ID: "a2", Name: "grace@school.example", Role: "host", Ready: true, Self: true, Made: sampleDay},
		}, Settings: []HostSetting{{"Lessons", "the shipped ones", "--lessons"}, {"CPU time of a request, at most", "2s", "--limit-cpu"}}}),
		"audit": Audit(AuditPage{
			Days: 365, Who: "ada", Names: []string{"ada", "grace@school.example"}, Kinds: []Link{{"ended the class", "class.end"}, {"sent a note", "learner.note"}}, CSV: "/host/audit.csv?who=ada",
			First: "/host/audit?who=ada", Older: "/host/audit?before=x&who=ada", Rows: []AuditRow{
				{When: sampleDay, Who: "ada", Did: "sent a note", On: []string{"moss-otter", "Period 3"}, Address: "192.0.2.7"},
				{When: sampleDay, Who: "ada", Did: "took a learner out of the class", On: []string{"a learner who has left (m9)", "Period 3"}, Address: "2001:db8::7"},
			},
		}),
		"classes": Classes(ClassesPage{Host: true, Classes: []ClassRow{
			{ID: "c1", Title: "Period 3", Code: "kwthrp42", Learners: 16, Made: sampleDay}, {ID: "c0", Title: "Last year", Learners: 20, Made: sampleDay, Ended: sampleDay},
		}}),
		"class":     ClassView(ClassPage{ID: "c1", Title: "Period 3", Code: "kwthrp42", Heading: "h1", Grid: grid, Allowed: 12, Burst: sampleBurst(), Lessons: []BurstLesson{{"first-request", "The cold start", 12}}}),
		"class-new": ClassView(ClassPage{ID: "c1", Title: "Period 3", Code: "kwthrp42", Heading: "h1", Grid: Grid{Class: "c1", Order: "help", Lessons: grid.Lessons}}),
		"learner": Learner(LearnerPage{
			Class: "c1", Title: "Period 3", ID: "m1", Name: "moss-otter", Joined: sampleDay, Hand: sampleDay, Row: grid.Rows[0], Project: "The cold start", Lesson: "first-request", Saved: sampleDay,
			Projects: []Link{{"The cold start", "/classes/c1/members/m1?lesson=first-request"}, {"Hello", "/classes/c1/members/m1?lesson=hello"}}, Files: []File{{Path: "src/index.js", Text: sampleCode}},
			Notes: []NoteRow{{Text: "Look at line 17.", Sent: sampleDay}}, Others: []Link{{"tin-heron", "m2"}},
		}),
		"failures": Failures(FailuresPage{Class: "c1", Title: "Period 3", Lesson: Link{"The cold start", "/learn/serverless/first-request"}, Task: 2, Groups: []FailureGroup{
			{Message: "Expected “7”, got 500", Learners: 2, Programs: []FailureProgram{
				{Name: "moss-otter", Href: "/classes/c1/members/m1", Times: 9, When: sampleDay, Files: []File{{Path: "src/index.js", Text: sampleCode}}}, {Name: "tin-heron", Href: "/classes/c1/members/m2", Times: 1, When: sampleDay},
			}},
			{Message: "Expected at most 48 µs", Learners: 1, Programs: []FailureProgram{{Name: "cedar-mole", Href: "/classes/c1/members/m3", Times: 2, When: sampleDay}}},
		}}),
		"class-settings": ClassSettings(ClassSettingsPage{
			ID: "c1", Title: "Period 3", Code: "kwthrp42", Link: "https://learn.example.org/j/KWTH-RP42",
			Tracks: []SetTrack{{"Serverless", []SetLesson{{ID: "first-request", Title: "The cold start", In: true, Due: sampleDay}, {ID: "billing", Title: "Billing"}}}},
			Roster: []RosterRow{{ID: "m1", Name: "moss-otter", Href: "/classes/c1/members/m1", Joined: sampleDay, Seen: sampleDay}},
		}),
		"lesson-sets": LessonSets(LessonSetsPage{
			Most: 10, Upload: &LessonUpload{State: "refused", File: "edge-main.zip", Problems: []LessonProblem{
				{Text: "edge/10-near/_solution/src/index.js:4 E013 fails check 1: expected \"Hello\", got \"Hi\"", Error: true}, {Text: "edge/10-near/lesson.md:30:1 W021 wrong answer without explanation"},
			}},
			Sets: []LessonSet{{ID: "tk7m2p9x", Title: "The edge", Revision: 3, Changed: sampleDay, Lessons: []Link{{"Near the user", "/learn/edge-tk7m2p9x/near"}}, Revisions: []LessonSetRevision{{3, sampleDay}, {2, sampleDay}}}},
		}),
		"class-code": Code(CodePage{ID: "c1", Title: "Period 3", Code: "kwthrp42", Link: "https://learn.example.org/j/KWTH-RP42"}),
		"share":      ShareView(sampleShare()),
		"embed":      EmbedView(sampleShare()),
		"analytics": Analytics(AnalyticsPage{ID: "c1", Title: "Period 3", All: 16, Lessons: []LessonFunnel{{
			Title: "The cold start", Href: "/learn/serverless/first-request", Predict: Share{7, 15}, Hints: 4,
			Steps: []FunnelStep{{Name: "begun", Reached: 15}, {Name: "task 1", Reached: 14, Median: 90 * time.Second}, {Name: "task 2", Reached: 9, Median: 7 * time.Minute, Hints: 4}, {Name: "done", Reached: 8}},
		}}}),
	}
}

func sampleGrid() Grid {
	pass, none := Cell{State: CellPassed, Tries: 1}, Cell{State: CellNone}
	first := func(c Cell) Cell { c.First = true; return c }
	return Grid{
		Class: "c1", Order: "help",
		Lessons: []GridLesson{
			{ID: "first-request", Title: "The cold start", Href: "/learn/serverless/first-request", Columns: []GridColumn{{"P", "prediction", 0, "predict-1"}, {"1", "task 1", 1, ""}, {"2", "task 2", 2, ""}, {"Q", "quiz", 0, "quiz-1"}}},
			{ID: "hello", Title: "Hello", Href: "/learn/workers/hello-worker", Columns: []GridColumn{{"1", "task 1", 1, ""}, {"2", "task 2", 2, ""}}},
		},
		Rows: []GridRow{
			{ID: "m1", Name: "moss-otter", Href: "/classes/c1/members/m1", Hand: true, Here: true, Passed: 1, Stuck: 11 * time.Minute, Last: "TypeError: Cannot read ‘get’", Place: "index.js:17", Cells: []Cell{first(pass), pass, {State: CellStuck, Tries: 9}, none, first(none), none}},
			{ID: "m2", Name: "tin-heron", Href: "/classes/c1/members/m2", Here: true, Passed: 3, Last: "Expected “7”, got 500", Cells: []Cell{first(pass), pass, pass, {State: CellTrying, Tries: 1}, first(pass), {State: CellTrying, Tries: 2}}},
			{ID: "m3", Name: "cedar-mole", Href: "/classes/c1/members/m3", Cells: []Cell{first(none), none, none, none, first(none), none}},
		},
	}
}

func sampleBurst() *Burst {
	b := &Burst{When: sampleDay, Lesson: "The cold start", Learners: 12, Sent: 120, Failed: 1}
	for i := range int64(100) {
		b.Warm = append(b.Warm, 30+i)
	}
	for i := range int64(19) {
		b.Cold = append(b.Cold, 400+i*40)
	}
	return b
}

func sampleShare() SharePage {
	r := SampleResult()
	p := SharePage{
		ID: "k7q2m9xd0000", Link: "https://learn.example.org/s/k7q2m9xd0000", Embed: "https://learn.example.org/embed/k7q2m9xd0000", Made: sampleDay, Lesson: &Link{"The cold start", "/learn/serverless/first-request"}, Mine: true,
		Files: []File{{Path: "src/index.js", Text: sampleCode}}, Request: Request{Path: "/health", Headers: [][2]string{{"Accept", "it's"}}}, Run: r.Before, Yours: r.Run, Logs: r.Logs[0], Public: "https://learn.example.org/w/k7q2m9xd",
	}
	p.Title = "The cold start"
	return p
}

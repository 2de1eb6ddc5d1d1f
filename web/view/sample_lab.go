package view

func samplePlot() Plot {
	p := Plot{
		Name: "Requests a second, asked for and answered",
		X:    Axis{Name: "time", Write: func(v float64) string { return decimal(v) + " s" }},
		Y:    Axis{Name: "requests", Write: func(v float64) string { return decimal(v) + "/s" }},
		Lines: []PlotLine{
			{Name: "asked for", Kind: "dash", Steps: true, Points: []PlotPoint{{0, 10}, {10, 80}, {20, 80}, {30, 0}}},
			{Name: "answered"},
		},
		Marks: []PlotMark{{10, "rush"}},
	}
	for x := range 31 {
		p.Lines[1].Points = append(p.Lines[1].Points, PlotPoint{float64(x), float64(min(x*8, 240-x*8, 80))})
	}
	return p
}

func sampleDots() Dots {
	d := Dots{Rows: []DotRow{
		{Name: "Snapshot isolate", Note: "your code in QuickJS"},
		{Name: "Node process", Note: "a fresh node"},
		{Name: "Docker", Note: "not on this host", Off: "not on this host, because no Docker daemon answers"},
	}}
	for i := range int64(30) {
		d.Rows[0].Cold, d.Rows[0].Warm = append(d.Rows[0].Cold, 800+i*i), append(d.Rows[0].Warm, 40+i)
		d.Rows[1].Cold, d.Rows[1].Warm = append(d.Rows[1].Cold, 180_000+i*3000), append(d.Rows[1].Warm, 400+i*9)
	}
	return d
}

func sampleSpans() Spans {
	return Spans{Name: "The first 12 ms", To: 12_000, Rows: []SpanRow{
		{Name: "Snapshot isolate", Parts: []SpanPart{{"start", "make the box", 0, 300}, {"load", "load your code", 300, 700}, {"handle", "your handler", 700, 840}}},
		{Name: "Node process", Parts: []SpanPart{{"start", "make the box", 0, 1100}, {"load", "boot Node", 1100, 180_000}, {"handle", "your handler", 180_000, 182_000}}},
	}}
}

func sampleRace() Race {
	d := sampleDots()
	r := Race{How: "Measured now, on this machine."}
	for i, row := range d.Rows {
		c := RaceContender{Name: row.Name, Note: row.Note, Off: row.Off, Cold: row.Cold, Warm: row.Warm, Isolate: i == 0}
		if len(row.Cold) > 0 {
			c.First = quantile(row.Cold, .5)
			c.Made, c.Loaded, c.Each = c.First/5, c.First*9/10, 300<<10
		}
		r.Contenders = append(r.Contenders, c)
	}
	return r
}

// sampleAlive is a crowd, still gathering or whole.
func sampleAlive(done bool) *Alive {
	a := Alive{Want: 2000, Isolates: 1240, Read: 1240, Kernel: true, Took: 4_100_000}
	if done {
		a.Isolates, a.Read, a.Done, a.Bytes, a.Fresh, a.Took = 2000, 2000, true, 560<<20, 99.3, 12_100_000
	}
	for i := range 900 {
		var state byte
		switch {
		case i%37 == 3 || i > 850:
			state = 3
		case i%101 == 7:
			state = 2
		case i%53 != 0:
			state = 1
		}
		a.Map = append(a.Map, state)
	}
	n := int64(a.Read)
	a.Private, a.Shared, a.Untouched = 71*n+n/2, 808*n, 21*n-n/2
	return &a
}

// sampleWalls are boxes on a host that delegates no cgroups.
func sampleWalls() []Walled {
	return []Walled{
		{"Snapshot isolate", []Wall{{"memory", "32 MB for an isolate, by Wasm: its memory cannot grow beyond", true}, {"processor", "50ms of processor time a request, by the engine’s interrupt", true}}},
		{"Node process", []Wall{{"memory", "not on this host, because no cgroup is delegated to this server", false}, {"view", "none: it sees the host’s files, processes and network as this server’s user does", false}}},
	}
}

// sampleSnapshot is the tour after its fork, with room for no other.
func sampleSnapshot() Snapshot {
	pages := func(written int) []byte {
		out := make([]byte, 900)
		for i := range out {
			switch {
			case i%61 == 5 && i/61 < written:
				out[i] = 3
			case i%23 == 2 || i > 870:
				out[i] = 2
			case i%47 != 0:
				out[i] = 1
			}
		}
		return out
	}
	return Snapshot{
		Action: "#", Done: 5, How: "Measured, once each.",
		Isolates: []SnapshotIsolate{{"7f3a91", "original", true, pages(9)}, {"b20c44", "fork 1", false, pages(0)}},
		Steps: []SnapshotStep{
			{"request", "original", "visit 1", 2400, 0, 0},
			{"request", "original", "visit 2", 190, 0, 0},
			{"freeze", "original", "", 310, 58, 0},
			{"request", "original", "visit 3", 210, 0, 9},
			{"fork", "original", "", 480, 58, 9},
		},
	}
}

// sampleRouting is a table of routes with one Worker broken.
func sampleRouting() Routing {
	return Routing{
		Workers: []string{"site", "api"}, Broken: "api", How: "Measured, once each.",
		Patterns: []RoutePattern{{"mall.test/*", "site"}, {"mall.test/api/*", "api"}},
		Rows: []RoutingRow{
			{
				URL: "https://mall.test/", Worker: "site", Why: "mall.test/* is the only pattern that matches.", Status: 200, Alive: true, Answer: "the mall", Took: 2300, Cold: true,
				Trials: []RouteTrial{{true, true, "matches"}, {false, false, "the path does not begin with /api/"}},
			},
			{
				URL: "https://mall.test/api/items", Worker: "api", Why: "mall.test/api/* is longer than mall.test/*.", Status: 500, Answer: "Error: broken on purpose", Took: 900,
				Trials: []RouteTrial{{true, false, "matches, but another is longer"}, {true, true, "the longest that matches"}},
			},
			{
				URL: "https://other.test/", Why: "No pattern has this host.",
				Trials: []RouteTrial{{false, false, "another host"}, {false, false, "another host"}},
			},
		},
	}
}

// sampleDialects are two of the dialects, with a learner's answers that differ.
func sampleDialects() Dialects {
	return Dialects{
		Request: "POST /login", Body: `{"user":"ada","pass":"lovelace"}`, Own: true, How: "Measured, once each.",
		Rows: []Dialect{
			{
				Key: "express", Name: "Express", Shape: "(req, res) => void", Method: "req.method", Login: "req.body.user", Returns: "res.json(…)",
				Given: `{"method":"POST","url":"/login"}`, Back: `{"status":200}`, Source: "app.post('/login', …)",
				Lab: DialectAnswer{Status: 200, Body: `{"ok":true}`, Took: 310}, Mine: DialectAnswer{Status: 200, Body: `{"ok":true}`, Took: 2400, Cold: true},
			},
			{
				Key: "lambda", Name: "AWS Lambda", Shape: "(event, context) => response", Method: "event.requestContext.http.method", Login: "JSON.parse(event.body).user", Returns: "{ statusCode, body }",
				Given: `{"version":"2.0","rawPath":"/login"}`, Back: `{"statusCode":200}`, Source: "export const handler = …",
				Lab: DialectAnswer{Status: 200, Body: `{"ok":true}`, Took: 290}, Mine: DialectAnswer{Failed: true, Body: "TypeError: event.body is undefined", Took: 500},
			},
		},
	}
}

// sampleEvents are some seconds with something in every lane.
func sampleEvents() Events {
	return Events{
		Took: 9_000_000, Invocations: 5, Most: 2, Before: "0 invocations, 0 isolates", After: "0 invocations, 0 isolates", Over: true, How: "Measured, on this machine.",
		Items: []EventItem{
			{At: 900_000, Took: 2300, Lane: 0, Trigger: "HTTP request", Handler: "fetch", What: "GET /", Said: "hello", End: "ok", Worker: "shop", Attempt: 1, Cold: true},
			{At: 2_400_000, Took: 240, Lane: 1, Trigger: "upload", Handler: "queue", What: "cat.png", Said: "seen", End: "ok", Worker: "shop", Attempt: 1},
			{At: 3_900_000, Took: 260, Lane: 2, Trigger: "row change", Handler: "queue", What: "items/7", Said: "told", End: "ok", Worker: "shop", Attempt: 1},
			{At: 5_100_000, Took: 300, Lane: 3, Trigger: "failing message", Handler: "queue", What: "order 9", Said: "no", End: "retry", Worker: "shop", Attempt: 1},
			{At: 6_000_000, Took: 220, Lane: 4, Trigger: "cron", Handler: "scheduled", What: "* * * * *", Said: "swept", End: "ok", Worker: "shop", Attempt: 1},
		},
		Samples: []EventSample{{0, 0}, {900_000, 1}, {3_900_000, 2}, {6_500_000, 1}, {7_800_000, 0}},
	}
}

// sampleIsolation is the lab with one wall that did not hold.
func sampleIsolation() Isolation {
	i := Isolation{
		Process: 4711, Tenants: []IsolationTenant{{"ada", "7f3a91", 372 << 10}, {"bob", "b20c44", 380 << 10}}, How: "Measured, on this machine.",
		Groups: []IsolationGroup{
			{"Fences", []Attempt{{"a global of the neighbour", "globalThis.secret", "undefined", "a memory of its own", true, 210}, {"a file", "open('/etc/passwd')", "no such function", "nothing was handed over", true, 180}}},
			{"Limits", []Attempt{{"a memory bomb in goja", "a growing array", "its whole process ended", "a heap that all isolates of the process share", false, 640_000}}},
		},
	}
	for k, name := range []string{"alone", "loops, limits on", "loops, limits off"} {
		n := Neighbour{Name: name, Loud: 2, Limit: []int64{0, 50_000, 2_000_000}[k]}
		for s := range int64(20) {
			n.Samples = append(n.Samples, (300+s*9)*[]int64{1, 3, 40}[k])
		}
		i.Neighbour = append(i.Neighbour, n)
	}
	return i
}

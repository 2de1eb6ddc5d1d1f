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

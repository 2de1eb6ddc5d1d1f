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

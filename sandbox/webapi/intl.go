package webapi

import (
	"errors"
	"strings"
	"time"
	_ "time/tzdata" // children read no files

	"golang.org/x/text/collate"
	"golang.org/x/text/feature/plural"
	"golang.org/x/text/language"
	"golang.org/x/text/language/display"

	"coldstart/sandbox/isolate"
)

// collatorsMax bounds how many orders a Worker keeps at hand.
const collatorsMax = 16

// renamed are languages that CLDR has under another name, beside those that their
// registry calls deprecated.
var renamed = map[string]string{"arb": "ar", "cmn": "zh", "ekk": "et", "lvs": "lv", "mo": "ro", "pes": "fa", "sh": "sr-Latn", "swh": "sw", "tl": "fil", "uzn": "uz", "zsm": "ms"}

// canonical takes a tag apart: what was renamed is under its new name, and no part is left out.
func canonical(tag string) (language.Tag, error) {
	lang, rest, _ := strings.Cut(tag, "-")
	if to, ok := renamed[strings.ToLower(lang)]; ok {
		tag = strings.TrimSuffix(to+"-"+rest, "-")
	}
	return language.Deprecated.Parse(tag)
}

// intlOps are what Intl asks for: languages, their order and their plurals from
// golang.org/x/text, and time zones.
func intlOps(o *isolate.Ops) {
	// intl.locale: tag → none when it is none, or list of canonical tag, language, script, region, maximized, minimized
	o.Add("intl.locale", func(_ *isolate.Loop, args []isolate.Value) (isolate.Value, error) {
		tag := str(args, 0)
		t, err := canonical(tag)
		var unknown language.ValueError
		if errors.As(err, &unknown) { // well formed
			lang, _, _ := strings.Cut(strings.ToLower(tag), "-")
			return []isolate.Value{tag, lang, "", "", tag, tag}, nil
		}
		if err != nil || strings.Contains(tag, "_") {
			return nil, nil
		}
		b, s, r := t.Raw()
		script, region := s.String(), r.String()
		if script == "Zzzz" {
			script = ""
		}
		if region == "ZZ" {
			region = ""
		}
		mb, _ := t.Base()
		ms, _ := t.Script()
		mr, _ := t.Region()
		minimal := mb.String()
		if u := language.Make(minimal); region != "" {
			if ur, _ := u.Region(); ur != mr {
				minimal += "-" + mr.String()
			}
		}
		return []isolate.Value{t.String(), b.String(), script, region, mb.String() + "-" + ms.String() + "-" + mr.String(), minimal}, nil
	})
	// intl.compare: locale, sensitivity, numeric, two texts → below zero, zero or above
	o.Add("intl.compare", func(h *isolate.Loop, args []isolate.Value) (isolate.Value, error) {
		w := of(h)
		key := str(args, 0) + "\n" + str(args, 1)
		if flag(args, 2) {
			key += "\n1"
		}
		c := w.collators[key]
		if c == nil {
			var opts []collate.Option
			switch str(args, 1) {
			case "base":
				opts = append(opts, collate.IgnoreCase, collate.IgnoreDiacritics)
			case "accent":
				opts = append(opts, collate.IgnoreCase)
			}
			if flag(args, 2) {
				opts = append(opts, collate.Numeric)
			}
			c = collate.New(language.Make(str(args, 0)), opts...)
			if w.collators == nil || len(w.collators) >= collatorsMax {
				w.collators = map[string]*collate.Collator{}
			}
			w.collators[key] = c
		}
		return float64(c.CompareString(str(args, 3), str(args, 4))), nil
	})
	// intl.plural: locale, ordinal, number as text without a sign → category
	o.Add("intl.plural", func(_ *isolate.Loop, args []isolate.Value) (isolate.Value, error) {
		rules := plural.Cardinal
		if flag(args, 1) {
			rules = plural.Ordinal
		}
		whole, fraction, _ := strings.Cut(str(args, 2), ".")
		last := func(s string) int { // enough for every rule
			n := 0
			for _, c := range s[max(0, len(s)-9):] {
				n = n*10 + int(c-'0')
			}
			return n
		}
		short := strings.TrimRight(fraction, "0")
		form := rules.MatchPlural(language.Make(str(args, 0)), last(whole), len(fraction), len(short), last(fraction), last(short))
		return [...]string{"other", "zero", "one", "two", "few", "many"}[form], nil
	})
	// intl.name: locale, kind (language, region, script), code → its name or none
	o.Add("intl.name", func(_ *isolate.Loop, args []isolate.Value) (isolate.Value, error) {
		in := language.Make(str(args, 0))
		var n display.Namer
		var of any
		switch code := str(args, 2); str(args, 1) {
		case "language":
			t, err := language.Parse(code)
			if err != nil {
				return nil, &isolate.Throw{Name: "RangeError", Message: "Invalid argument to Intl.DisplayNames.prototype.of"}
			}
			n, of = display.Tags(in), t
		case "region":
			r, err := language.ParseRegion(code)
			if err != nil {
				return nil, &isolate.Throw{Name: "RangeError", Message: "Invalid argument to Intl.DisplayNames.prototype.of"}
			}
			n, of = display.Regions(in), r
		case "script":
			s, err := language.ParseScript(code)
			if err != nil {
				return nil, &isolate.Throw{Name: "RangeError", Message: "Invalid argument to Intl.DisplayNames.prototype.of"}
			}
			n, of = display.Scripts(in), s
		}
		if n == nil {
			return nil, nil
		}
		if name := n.Name(of); name != "" {
			return name, nil
		}
		return nil, nil
	})
	// intl.zone: name, ms since the epoch → list of canonical name, offset in minutes, abbreviation, whether daylight time
	o.Add("intl.zone", func(_ *isolate.Loop, args []isolate.Value) (isolate.Value, error) {
		name := str(args, 0)
		l, err := zone(name)
		if err != nil {
			return nil, &isolate.Throw{Name: "RangeError", Message: "Invalid time zone specified: " + name}
		}
		at := time.UnixMilli(int64(num(args, 1))).In(l)
		short, seconds := at.Zone()
		return []isolate.Value{zoneName(l.String()), float64(seconds) / 60, short, at.IsDST()}, nil
	})
}

// zone finds a time zone by its name, whose letters may have any case.
func zone(name string) (*time.Location, error) {
	if name == "" || name == "Local" || strings.ContainsAny(name, ".\\") {
		return nil, typeError("no such time zone")
	}
	if l, err := time.LoadLocation(name); err == nil {
		return l, nil
	}
	parts := strings.Split(strings.ToLower(name), "/")
	for i, p := range parts {
		words := strings.Split(p, "_")
		for j, w := range words {
			if w != "" && w != "of" && w != "es" {
				words[j] = strings.ToUpper(w[:1]) + w[1:]
			}
		}
		parts[i] = strings.Join(words, "_")
	}
	if l, err := time.LoadLocation(strings.Join(parts, "/")); err == nil {
		return l, nil
	}
	return time.LoadLocation(strings.ToUpper(name))
}

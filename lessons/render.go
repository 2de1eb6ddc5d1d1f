package lessons

// Render turns Markdown that is not part of a lesson folder, such as an
// instructor's note or a class's welcome, into HTML. Raw HTML is shown as
// text. Links lead to http, https, mailto or addresses of this site.
func Render(markdown string) HTML {
	l := &loader{cat: &Catalog{}}
	d := l.document("", "")
	d.links = nil
	d.plain = true
	return d.block(clean(markdown), 1)
}

package view

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
)

// notInGallery are components without a place in the gallery, each with the reason.
// Those that are one section of a page are in a sample of that page.
var notInGallery = map[string]string{
	"symbols":    "draws nothing: the icons that others use",
	"classBurst": "section of a class's page; its chart is in the gallery",
	"OnlineView": "dots and numbers, which are in the gallery themselves",
	"lessonText": "section of a lesson's page; its pieces are in the gallery",
	"printParts": "section of a lesson on paper",
	"sharedCode": "section of a shared project; its file is in the gallery",
	"sharedRun":  "section of a shared project; its figures are in the gallery",
	"solution":   "section of a lesson's page; its diff is in the gallery",
	"youClass":   "section of a learner's own page",
}

// TestGalleryIsWhole finds every templ component that no sample of the gallery
// draws, by itself or inside another. A whole page needs a sample page instead.
func TestGalleryIsWhole(t *testing.T) {
	components, uses := readComponents(t)
	shown, paged := reached(uses, "Gallery"), reached(uses, "SamplePages")
	for _, name := range slices.Sorted(maps.Keys(components)) {
		reason, exempt := notInGallery[name]
		page := name == "document" || slices.Contains(uses[name], "document")
		switch {
		case page && !paged[name]:
			t.Errorf("%s (%s) is a page without a sample: add one to SamplePages in gallery.go", name, components[name])
		case page:
		case shown[name] && exempt:
			t.Errorf("%s is in the gallery and among the exemptions; take it out of them", name)
		case !shown[name] && !exempt:
			t.Errorf("%s (%s) has no sample: add one to Gallery in gallery.go", name, components[name])
		case strings.HasPrefix(reason, "section") && !paged[name]:
			t.Errorf("%s is in no sample of a page: add one to SamplePages in gallery.go", name)
		}
	}
	for name := range notInGallery {
		if components[name] == "" {
			t.Errorf("%s is exempt and does not exist", name)
		}
	}
}

// TestGalleryHasPictures finds samples of the gallery without a picture that the
// browser test compares, and pictures of none.
func TestGalleryHasPictures(t *testing.T) {
	files, err := os.ReadDir("../e2e/gallery")
	if err != nil {
		t.Fatal(err)
	}
	without := map[string]bool{}
	for _, s := range Gallery() {
		without[s.ID] = true
	}
	for _, f := range files {
		if id := strings.TrimSuffix(f.Name(), ".png"); !without[id] {
			t.Errorf("%s is the picture of no sample", f.Name())
		} else {
			delete(without, id)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(without)) {
		t.Errorf("%s has no picture: look at it, then UPDATE=1 node web/e2e/run.mjs gallery.test.mjs", id)
	}
}

// readComponents gives each templ component of the package with its file, and
// the names that each function of the package uses.
func readComponents(t *testing.T) (components map[string]string, uses map[string][]string) {
	t.Helper()
	components, uses = map[string]string{}, map[string][]string{}
	files, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if !strings.HasSuffix(f.Name(), ".go") || strings.HasSuffix(f.Name(), "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), f.Name(), nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok || fn.Recv != nil {
				continue
			}
			if results := fn.Type.Results; strings.HasSuffix(f.Name(), "_templ.go") && results != nil && isComponent(results.List[0].Type) {
				components[fn.Name.Name] = strings.TrimSuffix(f.Name(), "_templ.go") + ".templ"
			}
			uses[fn.Name.Name] = []string{}
			ast.Inspect(fn.Body, func(n ast.Node) bool {
				if call, ok := n.(*ast.CallExpr); ok {
					if id, ok := call.Fun.(*ast.Ident); ok {
						uses[fn.Name.Name] = append(uses[fn.Name.Name], id.Name)
					}
				}
				return true
			})
		}
	}
	return components, uses
}

// isComponent tells whether a type is written templ.Component.
func isComponent(e ast.Expr) bool {
	s, ok := e.(*ast.SelectorExpr)
	return ok && s.Sel.Name == "Component"
}

// reached are the functions that one uses, directly or through others.
func reached(uses map[string][]string, from string) map[string]bool {
	seen := map[string]bool{}
	for todo := []string{from}; len(todo) > 0; todo = todo[1:] {
		for _, name := range uses[todo[0]] {
			if uses[name] != nil && !seen[name] {
				seen[name] = true
				todo = append(todo, name)
			}
		}
	}
	return seen
}

package view

import (
	"io"
	"testing"
)

// BenchmarkLessonPage renders a lesson page with every panel filled.
func BenchmarkLessonPage(b *testing.B) {
	page := Lesson(SampleLesson())
	for b.Loop() {
		if err := page.Render(b.Context(), io.Discard); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkHomePage renders the front page.
func BenchmarkHomePage(b *testing.B) {
	page := Home(SampleHome())
	for b.Loop() {
		if err := page.Render(b.Context(), io.Discard); err != nil {
			b.Fatal(err)
		}
	}
}

package view

import (
	"bytes"
	"context"
	"fmt"
	"net/http"

	"github.com/a-h/templ"
)

// Render draws a whole page before the first byte is written, because half a
// page is worse than an error page. It sets the content type.
func Render(ctx context.Context, w http.ResponseWriter, status int, page templ.Component) error {
	var buf bytes.Buffer
	if err := page.Render(ctx, &buf); err != nil {
		return fmt.Errorf("render page: %w", err)
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, err := w.Write(buf.Bytes())
	return err
}

package web

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/labstack/echo/v4"

	"coldstart/web/classroom"
	"coldstart/web/lab"
	"coldstart/web/live"
)

// Error is what a visitor is told. Err is logged, never shown.
type Error struct {
	Status  int
	Message string // one sentence: what happened, where, what to do
	Heading string // of the page; "" takes the status's own
	SignIn  bool   // the page leads to where accounts sign in
	Retry   int    // seconds, for Retry-After; 0 for none
	Err     error
}

func (e *Error) Error() string {
	if e.Err != nil {
		return fmt.Sprintf("%d %s: %v", e.Status, e.Message, e.Err)
	}
	return fmt.Sprintf("%d %s", e.Status, e.Message)
}

func (e *Error) Unwrap() error { return e.Err }

func fail(status int, format string, args ...any) *Error {
	return &Error{Status: status, Message: fmt.Sprintf(format, args...)}
}

// visible turns any error into what the visitor is told.
func visible(err error) *Error {
	var e *Error
	var input *live.InputError
	var files *classroom.FilesError
	var tooBig *http.MaxBytesError
	var routing *echo.HTTPError
	switch {
	case errors.As(err, &e):
		return e
	case errors.As(err, &tooBig):
		return &Error{Status: http.StatusRequestEntityTooLarge, Message: fmt.Sprintf("The request is larger than %d kB, the most that is taken here.", tooBig.Limit>>10), Err: err}
	case errors.Is(err, errSlow):
		return &Error{Status: http.StatusRequestTimeout, Message: "The request arrived too slowly. Send it again.", Err: err}
	case errors.As(err, &input) && errors.Is(err, lab.ErrBusy):
		return &Error{Status: http.StatusServiceUnavailable, Heading: "Busy", Message: input.Message, Retry: 60, Err: err}
	case errors.As(err, &input):
		return &Error{Status: http.StatusBadRequest, Message: input.Message, Err: err}
	case errors.As(err, &files):
		status := http.StatusBadRequest
		if files.Size {
			status = http.StatusRequestEntityTooLarge
		}
		return &Error{Status: status, Message: files.Reason, Err: err}
	case errors.Is(err, classroom.ErrNotFound):
		return &Error{Status: http.StatusNotFound, Message: "There is nothing here, or it is not yours.", Err: err}
	case errors.Is(err, classroom.ErrTooMany):
		return &Error{Status: http.StatusConflict, Message: fmt.Sprintf("You have %d projects, the most one learner may keep. Delete one first.", classroom.MaxProjects), Err: err}
	case errors.Is(err, classroom.ErrBusy):
		return &Error{Status: http.StatusServiceUnavailable, Message: "The database is busy, so nothing was saved. Try again in a moment.", Retry: 2, Err: err}
	case errors.Is(err, classroom.ErrFull):
		return &Error{Status: http.StatusInsufficientStorage, Message: "The server's disk is full, so nothing was saved. Your instructor has to make room.", Err: err}
	case errors.As(err, &routing):
		switch routing.Code {
		case http.StatusNotFound:
			return &Error{Status: http.StatusNotFound, Message: "There is no page at this address."}
		case http.StatusMethodNotAllowed:
			return &Error{Status: http.StatusMethodNotAllowed, Message: "This address does not take that method."}
		}
	}
	return &Error{Status: http.StatusInternalServerError, Message: "Something failed on our side. It was not your code. Try again.", Err: err}
}

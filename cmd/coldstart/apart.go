package main

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"syscall"
	"time"

	"coldstart/lessons"
	"coldstart/sandbox/runner"
	"coldstart/web"
)

// Lessons that an instructor brings are read in a child of their own first,
// behind the walls of a build child: Markdown and YAML can be written so that
// reading takes all the time or memory there is. Reading is a function of the
// archive alone, so what the child read within its bounds the site reads within
// them too.

const roleLessons = "lessons"

// What reading one archive may take.
const (
	lessonsCPU    = 5 * time.Second
	lessonsWall   = 30 * time.Second
	lessonsMemory = 256 << 20 // bytes that the child has from the kernel
	lessonsIn     = 8 << 20   // bytes of an archive
	lessonsOut    = 4 << 20   // bytes of problems
	lessonsMost   = 2000      // problems
)

// Exit codes of the child.
const (
	exitBroken = 2 // the child could not work
	exitMemory = 3 // the lessons took too much memory
)

const tooCostly = "They were not kept: reading them takes more than 5 s of CPU time or 256 MiB. Look for text that is nested very deeply, or make the files smaller."

// readApart reads an archive of lessons in a child and gives what it found.
func readApart(ctx context.Context, archive []byte, mark string) ([]lessons.Problem, error) {
	exe, err := os.Executable()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, lessonsWall)
	defer cancel()
	cmd := exec.CommandContext(ctx, exe, "child", "--role="+roleLessons, "--mark="+mark)
	cmd.Env = []string{"GOTRACEBACK=none"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	cmd.Stdin = bytes.NewReader(archive)
	var out, complaint limited
	out.left, complaint.left = lessonsOut, 4<<10
	cmd.Stdout, cmd.Stderr = &out, &complaint
	runtime.LockOSThread() // the child dies with the thread that started it
	defer runtime.UnlockOSThread()
	err = cmd.Run()
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit) && exit.ExitCode() == exitBroken:
		return nil, fmt.Errorf("read lessons apart: %w: %s", err, complaint.b.String())
	case errors.As(err, &exit): // killed for its time, by the kernel, or of a stack that overflowed
		return nil, &web.LessonsError{Message: tooCostly}
	case err != nil:
		return nil, fmt.Errorf("read lessons apart: %w", err)
	}
	var problems []lessons.Problem
	if err := json.Unmarshal(out.b.Bytes(), &problems); err != nil {
		return nil, fmt.Errorf("read lessons apart: %w", err)
	}
	return problems, nil
}

// limited keeps the first bytes that are written to it.
type limited struct {
	b    bytes.Buffer
	left int
}

// Write implements io.Writer.
func (l *limited) Write(p []byte) (int, error) {
	n := min(len(p), l.left)
	l.left -= n
	l.b.Write(p[:n])
	return len(p), nil
}

// lessonsMain is the whole life of the child: an archive in, problems out.
func lessonsMain(mark string, in io.Reader, out, complain io.Writer) int {
	archive, err := io.ReadAll(io.LimitReader(in, lessonsIn))
	if err == nil {
		err = runner.Confine(lessonsCPU)
	}
	if err != nil {
		fmt.Fprintln(complain, "coldstart child:", err)
		return exitBroken
	}
	debug.SetMaxStack(64 << 20)
	debug.SetMemoryLimit(lessonsMemory / 2)
	go func() { // ends with the process
		for {
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			if m.Sys-m.HeapReleased > lessonsMemory {
				os.Exit(exitMemory)
			}
			time.Sleep(5 * time.Millisecond)
		}
	}()
	problems := []lessons.Problem{}
	z, err := zip.NewReader(bytes.NewReader(archive), int64(len(archive)))
	if err == nil {
		_, problems = lessons.Config{Mark: mark}.Load(z)
	}
	if len(problems) > lessonsMost {
		problems = problems[:lessonsMost]
	}
	for i := range problems {
		if p := &problems[i]; len(p.Message) > 400 {
			p.Message = p.Message[:400]
		}
	}
	if err == nil {
		err = json.NewEncoder(out).Encode(problems)
	}
	if err != nil {
		fmt.Fprintln(complain, "coldstart child:", err)
		return exitBroken
	}
	return 0
}

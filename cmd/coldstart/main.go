// Command coldstart is the site, the platform and the authoring tool in one
// binary. It is the only package that reads flags and the environment.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"
)

// version is set by the linker.
var version = "dev"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	if err != nil {
		var quiet *exitError
		if errors.As(err, &quiet) {
			os.Exit(quiet.code)
		}
		fmt.Fprintln(os.Stderr, "coldstart:", err)
		os.Exit(1)
	}
}

// exitError ends the program with a code after the command has said everything itself.
type exitError struct{ code int }

func (e *exitError) Error() string { return fmt.Sprintf("exit %d", e.code) }

// globals is what every command gets.
type globals struct {
	Cache  string    `help:"Folder for the compiled engine and the snapshot (default: the user's cache folder)." env:"COLDSTART_CACHE" type:"path" placeholder:"DIR"`
	Config string    `help:"File with settings of serve: one JSON object, keys as the flags." env:"COLDSTART_CONFIG" type:"path" placeholder:"FILE"`
	Stdout io.Writer `kong:"-"`
	Stderr io.Writer `kong:"-"`
}

type cli struct {
	globals

	Serve   serveCmd      `cmd:"" help:"Serve the site with all lessons."`
	Dev     devCmd        `cmd:"" help:"Serve one Workers project or file, reloading on change."`
	Export  exportCmd     `cmd:"" help:"Pack a project or a lesson as a zip for the real tools."`
	Bench   benchCmd      `cmd:"" help:"Measure cold starts, warm requests and density on this machine."`
	Backup  backupCmd     `cmd:"" help:"Write everything a site keeps into one file, also while it runs."`
	Restore restoreCmd    `cmd:"" help:"Fill an empty database from a backup."`
	New     newCmd        `cmd:"" help:"Make a track or lesson that passes lint."`
	Lint    lintCmd       `cmd:"" help:"Check a folder of lessons, running every starter and solution."`
	Doctor  doctorCmd     `cmd:"" help:"Say which walls hold on this host and what is missing."`
	Health  healthCmd     `cmd:"" name:"healthcheck" help:"Ask a running server whether it is well; for containers."`
	Version versionCmd    `cmd:"" help:"Print the version."`
	Child   childCmd      `cmd:"" hidden:""`
	Peer    peerServerCmd `cmd:"" name:"peer-server" hidden:""`
	Prime   primeCmd      `cmd:"" hidden:""`
}

// run is the whole program behind main, so that tests can call it.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	var c cli
	c.Stdout, c.Stderr = stdout, stderr
	exited := false
	settings, err := readConfig(args)
	if err != nil {
		return err
	}
	var resolvers []kong.Resolver
	if settings != nil {
		resolvers = append(resolvers, settings)
	}
	parser, err := kong.New(&c,
		kong.Resolvers(resolvers...),
		kong.Name("coldstart"),
		kong.Description("Learn serverless by running it: lessons, live editors, and real isolates behind them."),
		kong.UsageOnError(),
		kong.ValueFormatter(helpText),
		kong.Writers(stdout, stderr),
		kong.Exit(func(int) { exited = true }),
		kong.BindTo(ctx, (*context.Context)(nil)),
		kong.Bind(&c.globals),
	)
	if err != nil {
		return err
	}
	if len(args) == 0 {
		args = []string{"--help"}
	}
	k, err := parser.Parse(args)
	if exited { // --help has been printed
		return nil
	}
	if err != nil {
		return fmt.Errorf("%w; see coldstart --help", err)
	}
	return k.Run()
}

// helpText is what --help says of a flag: with its default and its variable.
func helpText(v *kong.Value) string {
	text := strings.TrimSuffix(v.Help, ".")
	if v.Flag != nil && v.Name != "help" && !strings.Contains(text, "default") {
		standard := v.Default
		switch {
		case standard != "":
		case v.IsBool():
			standard = "off"
		default:
			standard = "none"
		}
		text += " (default: " + standard + ")"
	}
	for _, name := range v.Tag.Envs {
		text += " ($" + name + ")"
	}
	return text + "."
}

type versionCmd struct {
	Parts bool `help:"Print what this program is built from instead, with versions and hashes, as CycloneDX JSON."`
}

// Run prints one line, or the list of parts.
func (c *versionCmd) Run(g *globals) error {
	if c.Parts {
		list, err := parts()
		if err != nil {
			return err
		}
		e := json.NewEncoder(g.Stdout)
		e.SetIndent("", "  ")
		return e.Encode(list)
	}
	_, err := fmt.Fprintln(g.Stdout, "coldstart", version)
	return err
}

// listen opens a TCP address and explains what is in the way.
func listen(addr string) (net.Listener, error) {
	ln, err := net.Listen("tcp", addr)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("address %s is in use; stop what uses it or choose another with --addr", addr)
	case err != nil:
		return nil, fmt.Errorf("cannot listen on %q: %w; --addr wants HOST:PORT such as 127.0.0.1:8080", addr, err)
	}
	return ln, nil
}

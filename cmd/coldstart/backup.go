package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"coldstart/web/classroom"
)

// storage says where everything is kept.
type storage struct {
	Data string `help:"Folder for the database (default: coldstart in the user's data folder)." env:"COLDSTART_DATA" type:"path" placeholder:"DIR"`
	DB   string `name:"db" help:"Database of PostgreSQL instead of a file in the data folder; several servers may share it." env:"COLDSTART_DB" placeholder:"URL"`
}

// database is the store's configuration; it makes the data folder.
func (s *storage) database() (classroom.Config, error) {
	var err error
	if s.Data, err = dataDir(s.Data); err != nil {
		return classroom.Config{}, err
	}
	return classroom.Config{Path: filepath.Join(s.Data, "coldstart.db"), URL: s.DB}, nil
}

type backupCmd struct {
	storage
	File string `arg:"" help:"File to write, - for standard output." type:"path"`
}

// Run writes the backup; a file is complete or not there.
func (c *backupCmd) Run(ctx context.Context, g *globals) error {
	config, err := c.database()
	if err != nil {
		return err
	}
	if c.File == "-" {
		_, err := classroom.Backup(ctx, config, g.Stdout)
		return err
	}
	part, err := os.CreateTemp(filepath.Dir(c.File), ".backup-*") // 0600: it holds the server's secrets
	if err != nil {
		return fmt.Errorf("back up: %w", err)
	}
	rows, err := classroom.Backup(ctx, config, part)
	if err == nil {
		err = part.Sync()
	}
	if err = errors.Join(err, part.Close()); err == nil {
		err = os.Rename(part.Name(), c.File)
	}
	if err != nil {
		return errors.Join(err, os.Remove(part.Name()))
	}
	_, err = fmt.Fprintf(g.Stdout, "%d rows in %s\n", rows, c.File)
	return err
}

type restoreCmd struct {
	storage
	File string `arg:"" help:"Backup to read, - for standard input." type:"path"`
}

// Run fills the empty database.
func (c *restoreCmd) Run(ctx context.Context, g *globals) error {
	config, err := c.database()
	if err != nil {
		return err
	}
	var in io.Reader = os.Stdin
	if c.File != "-" {
		f, err := os.Open(c.File)
		if err != nil {
			return fmt.Errorf("restore: %w", err)
		}
		defer f.Close()
		in = f
	}
	made, rows, err := classroom.Restore(ctx, config, in)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(g.Stdout, "%d rows of %s restored\n", rows, made.UTC().Format("2006-01-02 15:04 MST"))
	return err
}

package query

import (
	"context"
	"errors"
	"fmt"
	"time"

	"modernc.org/libc"
	sqlite3 "modernc.org/sqlite/lib"
)

// Prepare makes SQLite ready in a process that does nothing else, before it
// loses its files: all databases together may take so many bytes, and what is
// read once is read. It is called once, before New.
func Prepare(memory int64) error {
	time.Local = time.UTC // as Workers have it; no file says otherwise later
	tls := libc.NewTLS()
	defer tls.Close()
	on := libc.Xmalloc(tls, 8)
	if on == 0 {
		return errors.New("prepare SQLite: no memory")
	}
	defer libc.Xfree(tls, on)
	// Without its account of memory the limit below is not kept.
	if rc := sqlite3.Xsqlite3_config(tls, sqlite3.SQLITE_CONFIG_MEMSTATUS, libc.VaList(on, int32(1))); rc != sqlite3.SQLITE_OK {
		return fmt.Errorf("prepare SQLite: its account of memory cannot be had: %d", rc)
	}
	d, err := open(context.Background(), nil)
	if err != nil {
		return fmt.Errorf("prepare SQLite: %w", err)
	}
	defer d.close() //nolint:errcheck // nothing is in it
	// Its random numbers begin with the machine's, and are asked for once.
	for _, q := range []string{"SELECT randomblob(16), datetime('now', 'localtime')", fmt.Sprintf("PRAGMA hard_heap_limit=%d", memory)} {
		if _, err := d.conn.ExecContext(context.Background(), q); err != nil {
			return fmt.Errorf("prepare SQLite: %w", err)
		}
	}
	return nil
}

// Peak is the most bytes that SQLite ever held in this process, 0 without Prepare.
func Peak() int64 {
	tls := libc.NewTLS()
	defer tls.Close()
	return sqlite3.Xsqlite3_memory_highwater(tls, 0)
}

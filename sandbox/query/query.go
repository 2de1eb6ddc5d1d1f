package query

import (
	"errors"
	"fmt"
	"time"
)

// Bounds of one database and of one request.
const (
	Wall     = 2 * time.Second // of one request
	Pages    = 2500            // of 4 KiB: 10 MiB
	Length   = 2 << 20         // bytes of one value or statement
	maxRows  = 100_000         // that one statement reads
	maxBytes = 8 << 20         // given back by one request
	maxCells = 120_000         // values of one statement's rows: a frame's array holds so many
)

// Errors of whoever asks an Engine that is elsewhere.
var (
	// ErrDied is that the Engine is gone, with every database that was open.
	ErrDied = errors.New("what ran the query is gone")
	// ErrTime is that this very query made it so: nothing else stopped it.
	ErrTime = errors.New("the query could not be stopped otherwise")
)

// Op is what is done to a database.
type Op string

// All operations.
const (
	Exec     Op = "exec"     // the one Query as a Durable Object runs it; nothing undoes the statements before one that fails
	Batch    Op = "batch"    // all Queries in one transaction, as D1 runs them; gives Number too
	Lines    Op = "lines"    // the one Query's lines in one transaction, as D1's exec runs them
	Size     Op = "size"     // gives Number, in bytes
	Begin    Op = "begin"    // opens a transaction of the object, in those that are open
	Commit   Op = "commit"   // ends the innermost
	Rollback Op = "rollback" // undoes the innermost
	Save     Op = "save"     // gives Data if it changed
	Close    Op = "close"    // forgets the database
)

// Request is asked of one database. Only one at a time may be asked of each.
type Request struct {
	Database uint64  `cbor:"1,keyasint"` // number, the caller's choice
	Open     bool    `cbor:"2,keyasint"` // begin with Data in place of what was there
	Data     []byte  `cbor:"3,keyasint"` // a database's bytes, nil for an empty one
	Op       Op      `cbor:"4,keyasint"`
	Queries  []Query `cbor:"5,keyasint"`
	Save     bool    `cbor:"6,keyasint"` // give Data when the operation succeeded and something changed
}

// Query is SQL with the values of its last statement: nil, string, []byte,
// float64, int64.
type Query struct {
	Text   string `cbor:"1,keyasint"`
	Values []any  `cbor:"2,keyasint"`
}

// Reply answers a Request.
type Reply struct {
	Unknown bool          `cbor:"1,keyasint"` // the database is not open here; nothing was done
	Error   *Error        `cbor:"2,keyasint"`
	Results []Result      `cbor:"3,keyasint"` // one for each Query
	Number  int64         `cbor:"4,keyasint"` // bytes of the database, for Lines how many there were
	Changed bool          `cbor:"5,keyasint"` // since its Data was last given
	Data    []byte        `cbor:"6,keyasint"`
	CPU     time.Duration `cbor:"7,keyasint"` // what it took
}

// Result is one statement's outcome.
type Result struct {
	Columns []string `cbor:"1,keyasint"`
	Values  []any    `cbor:"2,keyasint"` // row by row: nil, string, []byte, float64, int64
	Read    int64    `cbor:"3,keyasint"` // rows that it gave or changed; SQLite tells this driver of no others
	Wrote   int64    `cbor:"4,keyasint"` // rows
	Last    int64    `cbor:"5,keyasint"` // the row id that was inserted last
	Took    float64  `cbor:"6,keyasint"` // milliseconds
	Changed bool     `cbor:"7,keyasint"` // rows, or the schema
}

// Error is what the code that asked catches.
type Error struct {
	Name    string `cbor:"1,keyasint"` // of its class
	Message string `cbor:"2,keyasint"`
}

func (e *Error) Error() string { return e.Message }

func plainError(format string, v ...any) error {
	return &Error{Name: "Error", Message: fmt.Sprintf(format, v...)}
}

// Valid says what is wrong with a reply, from a stranger, to a request.
func (r *Reply) Valid(q *Request) error {
	if r.Unknown && q.Open {
		return errors.New("a database that was opened is not known")
	}
	if len(r.Results) > len(q.Queries) {
		return fmt.Errorf("%d results of %d queries", len(r.Results), len(q.Queries))
	}
	for _, res := range r.Results {
		if len(res.Values) > maxCells || len(res.Columns) == 0 && len(res.Values) > 0 || len(res.Columns) > 0 && len(res.Values)%len(res.Columns) != 0 {
			return fmt.Errorf("%d values in %d columns", len(res.Values), len(res.Columns))
		}
		for _, v := range res.Values {
			switch v.(type) {
			case nil, string, []byte, float64, int64:
			default:
				return fmt.Errorf("a value of type %T", v)
			}
		}
	}
	if len(r.Data) > (Pages+1)<<12 {
		return fmt.Errorf("a database of %d bytes", len(r.Data))
	}
	return nil
}

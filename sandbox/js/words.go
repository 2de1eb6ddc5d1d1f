package js

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

const (
	lockedToReader = "This ReadableStream is currently locked to a reader."
	lockedToWriter = "This WritableStream is currently locked to a writer."
	writableClosed = "This WritableStream has been closed."
	readerReleased = "This ReadableStream reader has been released."
	writerReleased = "This WritableStream writer has been released."
	readableClosed = "This ReadableStream is closed."
)

// streamWords are the texts of the streams polyfill's errors and what Workers say instead.
var streamWords = [][2]string{
	{`"This stream has already been locked for exclusive reading by another reader"`, `"` + lockedToReader + `"`},
	{`"ReadableStream.prototype.pipeThrough cannot be used on a locked ReadableStream"`, `"` + lockedToReader + `"`},
	{`"ReadableStream.prototype.pipeTo cannot be used on a locked ReadableStream"`, `"` + lockedToReader + `"`},
	{`"Cannot cancel a stream that already has a reader"`, `"` + lockedToReader + `"`},
	{`"This stream has already been locked for exclusive writing by another writer"`, `"` + lockedToWriter + `"`},
	{`"ReadableStream.prototype.pipeThrough cannot be used on a locked WritableStream"`, `"` + lockedToWriter + `"`},
	{`"ReadableStream.prototype.pipeTo cannot be used on a locked WritableStream"`, `"This WritableStream is currently locked to a writer"`},
	{`"Cannot abort a stream that already has a writer"`, `"` + lockedToWriter + `"`},
	{`"Cannot close a stream that already has a writer"`, `"` + lockedToWriter + `"`},
	{`"Reader was released"`, `"` + readerReleased + `"`},
	{`"Reader was released and can no longer be used to monitor the stream's closedness"`, `"` + readerReleased + `"`},
	{`"Cannot "+e+" a stream using a released reader"`, `"` + readerReleased + `"`},
	{`"Writer was released and can no longer be used to monitor the stream's closedness"`, `"` + writerReleased + `"`},
	{`"Cannot "+e+" a stream using a released writer"`, `"` + writerReleased + `"`},
	{`"The stream is not in a state that permits enqueue"`, `"Unable to enqueue"`},
	{`"The stream is not in a state that permits close"`, `"` + readableClosed + `"`},
	{"`The stream (in ${e} state) is not in the readable state and cannot be closed`", `"` + readableClosed + `"`},
	{"`The stream (in ${t} state) is not in the readable state and cannot be enqueued to`", `"This ReadableByteStreamController is closed."`},
	{"`The stream (in ${t} state) is not in the writable state and cannot be closed`", `"` + writableClosed + `"`},
	{`"The stream is closing or closed and cannot be written to"`, `"` + writableClosed + `"`},
	{`"Cannot close an already-closing stream"`, `"` + writableClosed + `"`},
	{`"Readable side is not in a state that permits enqueue"`, `"The readable side of this TransformStream is no longer readable."`},
	{`"TransformStream terminated"`, `"The transform stream has been terminated"`},
	{`"Cannot construct a ReadableStreamBYOBReader for a stream not constructed with a byte source"`, `"This ReadableStream does not support BYOB reads."`},
	{"`${t} '${e}' is not a valid enumeration value for ReadableStreamReaderMode`", `"mode must be undefined or 'byob' in call to getReader()."`},
	{"`${t} '${e}' is not a valid enumeration value for ReadableStreamType`", "`\"${e}\" is not a valid type of ReadableStream.`"},
	{`"chunk must be an array buffer view"`, `"Failed to execute 'enqueue' on 'ReadableByteStreamController': parameter 1 is not of type 'BufferSource'."`},
	{`"chunk must have non-zero byteLength"`, `"Cannot enqueue a zero-length ArrayBuffer."`},
	{`"view must be an array buffer view"`, `"Failed to execute 'read' on 'ReadableStreamBYOBReader': parameter 1 is not of type 'ArrayBufferView'."`},
	{`"view must have non-zero byteLength"`, `'You must call read() on a "byob" reader with a positive-sized TypedArray object.'`},
	{`M(e,1,"ReadableStreamDefaultReader"),H(e,"First parameter")`, `H(e,"ReadableStreamDefaultReader")`},
	{`M(e,1,"ReadableStreamBYOBReader"),H(e,"First parameter")`, `H(e,"ReadableStreamBYOBReader")`},
	{`M(e,1,"WritableStreamDefaultWriter"),Tt(e,"First parameter")`, `Tt(e,"WritableStreamDefaultWriter")`},
	{"`${t} is not a ReadableStream.`", "`Failed to construct '${t}': constructor parameter 1 is not of type 'ReadableStream'.`"},
	{"`${t} is not a WritableStream.`", "`Failed to construct '${t}': constructor parameter 1 is not of type 'WritableStream'.`"},
	{`M(e,1,"enqueue")`, `0`},
	{"`${t} is not an AbortSignal.`", "\"Incorrect type for the 'signal' field on 'PipeToOptions': the provided value is not of type 'AbortSignal'.\""},
	{`"Invalid readableType specified"`, `"transformer.readableType must be undefined."`},
	{`"Invalid writableType specified"`, `"transformer.writableType must be undefined."`},
	{`"the destination writable stream closed before all data could be piped to it"`, `"This destination writable stream is closed."`},
	{`"The iterator method must return an object"`, `"Failed to execute 'from' on 'ReadableStream': parameter 1 is not of type 'AsyncGenerator'."`},
	{`"The iterator.next() method must return an object"`, `"Callback returned incorrect type; expected 'Promise'"`},
	{`"The promise returned by the iterator.return() method must fulfill with an object"`, `"Callback returned incorrect type; expected 'Promise'"`},
	{`const o=le([t,r]),n=Mr(e,o);`, `const n=Mr(e,o);`}, // a canceled tee tells its source the last reason only
	{`const t=le([r,o]),n=Mr(e,t);`, `const n=Mr(e,t);`},
	{`o||a.push(()=>"writable"===t._state?Wt(t,r):c(void 0)),n||a.push(()=>"readable"===e._state?Mr(e,r):c(void 0)),`, `n||a.push(()=>"readable"===e._state?Mr(e,r):c(void 0)),o||a.push(()=>"writable"===t._state?Wt(t,r):c(void 0)),`}, // an aborted pipe cancels its source first
	{`"options.min must be greater than 0"`, `"Requested invalid minimum number of bytes to read (0)."`},
	{`"The object is not iterable"`, `"Failed to execute 'from' on 'ReadableStream': parameter 1 is not of type 'AsyncGenerator'."`},
}

// foreign matches the polyfill's text of a method that was called on another object.
var foreign = regexp.MustCompile("`[\\w.${}]+ can only be used on a \\w+`")

const illegal = "\"Illegal invocation: function called with incorrect `this` reference. See https://developers.cloudflare.com/workers/observability/errors/#illegal-invocation-errors for details.\""

// field matches a property in which the polyfill keeps the state of an object that programs see.
var field = regexp.MustCompile(`\._(\w+)\b|"_(\w+)"`)

// unseen are fields of objects that programs never see; the others become symbols, so that neither
// JSON.stringify nor Object.keys finds them.
var unseen = strings.Fields("back front elements next cursor size promise reject resolve reason wasAlreadyErroring chunkSteps closeSteps errorSteps nextSteps " +
	"returnSteps rejectPromise resolvePromise currentWrite shuttingDown waitForWritesToFinish e isFinished ongoingPromise preventCancel iterator asyncIteratorImpl")

// reworded is the polyfill's source with streamWords' texts; every one of them must be there.
func reworded(text string) (string, error) {
	for _, w := range streamWords {
		if !strings.Contains(text, w[0]) {
			return "", fmt.Errorf("the streams polyfill has no %s; see words.go", w[0])
		}
		text = strings.ReplaceAll(text, w[0], w[1])
	}
	return foreign.ReplaceAllLiteralString(text, illegal), nil
}

// hidden is the polyfill's source with its state under symbols, which it exports as fields.
func hidden(text string) string {
	var names []string
	text = field.ReplaceAllStringFunc(text, func(found string) string {
		name := strings.Trim(found, `."_`)
		if slices.Contains(unseen, name) {
			return found
		}
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
		if found[0] == '.' {
			return "[$" + name + "]"
		}
		return "$" + name
	})
	var symbols, fields strings.Builder
	for _, name := range names {
		fmt.Fprintf(&symbols, "const $%[1]s=Symbol(%[1]q);", name)
		fmt.Fprintf(&fields, "%[1]s:$%[1]s,", name)
	}
	return symbols.String() + text + "export const fields={" + fields.String() + "};"
}

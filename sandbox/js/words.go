package js

import (
	"fmt"
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
	{`"options.min must be greater than 0"`, `"Requested invalid minimum number of bytes to read (0)."`},
	{`"The object is not iterable"`, `"Failed to execute 'from' on 'ReadableStream': parameter 1 is not of type 'AsyncGenerator'."`},
}

// reworded is the polyfill's source with streamWords' texts; every one of them must be there.
func reworded(text string) (string, error) {
	for _, w := range streamWords {
		if !strings.Contains(text, w[0]) {
			return "", fmt.Errorf("the streams polyfill has no %s; see words.go", w[0])
		}
		text = strings.ReplaceAll(text, w[0], w[1])
	}
	return text, nil
}

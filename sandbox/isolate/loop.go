package isolate

// Loop is the event loop that owns one isolate: one goroutine at a time calls
// into it, timers and finished host work are posted to it, and each turn is
// charged to the run that queued it.
type Loop struct{}

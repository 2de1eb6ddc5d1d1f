package lab

import (
	"context"

	"coldstart/sandbox/box"
)

// Witness starts a small program behind walls, and another one as a plain process, and
// tells what each of them says of where it is: see box.Witness. It takes a fraction of a
// second and waits for no lab, only for the witness before it.
func (l *Labs) Witness(ctx context.Context, w box.Walls) (inside, outside box.Testimony, err error) {
	select {
	case l.witness <- struct{}{}:
	case <-ctx.Done():
		return inside, outside, context.Cause(ctx)
	}
	defer func() { <-l.witness }()
	return box.Witness(ctx, box.Config{Most: 1, Nice: l.cfg.Nice}, w)
}

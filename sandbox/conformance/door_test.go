package conformance

import (
	"testing"

	"coldstart/sandbox"
)

func newDoor(t *testing.T, engine string) sandbox.Door {
	t.Skip("the sandbox behind the door is not there yet")
	return nil
}

package view

// Wall is one thing that a box cannot go beyond, or could on another host.
type Wall struct {
	Name  string // memory, processor, tasks, view
	Text  string // how high it is and who holds it, or why there is none
	Holds bool
}

// Walled is one kind of box with its walls.
type Walled struct {
	Name  string
	Walls []Wall
}

// missing is how many walls do not stand.
func missing(boxes []Walled) (n int) {
	for _, b := range boxes {
		for _, w := range b.Walls {
			if !w.Holds {
				n++
			}
		}
	}
	return n
}

//go:build race

package lessons

// instrumented is how many times slower the race detector makes a parser: its
// bookkeeping is measured too, and is no part of the product.
const instrumented = 6

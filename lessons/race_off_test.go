//go:build !race

package lessons

const instrumented = 1

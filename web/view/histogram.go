package view

import (
	"fmt"
	"math"
)

// histogram is times on a logarithmic axis, eight bars a power of ten.
type histogram struct {
	bars       []histogramBar
	ticks      []histogramTick
	cold, warm int
	low, high  int64 // µs
}

type histogramBar struct {
	cold                bool
	x, y, width, height string
}

type histogramTick struct{ x, label string }

const (
	barsPerTen  = 8
	chartGround = 130.0 // px from the top
	chartRoom   = 120.0 // px for the tallest bar
)

func newHistogram(cold, warm []int64) histogram {
	h := histogram{cold: len(cold), warm: len(warm)}
	bins := map[int][2]int{}
	for i, samples := range [][]int64{cold, warm} {
		for _, us := range samples {
			us = max(us, 1)
			if h.low == 0 || us < h.low {
				h.low = us
			}
			h.high = max(h.high, us)
			n := bins[bin(us)]
			n[i]++
			bins[bin(us)] = n
		}
	}
	if h.low == 0 {
		return h
	}
	first, last := bin(h.low)-1, bin(h.high)+1
	tallest := 0
	for _, n := range bins {
		tallest = max(tallest, n[0]+n[1])
	}
	wide := 100 / float64(last-first+1)
	for at := first; at <= last; at++ {
		ground := chartGround
		for i, n := range bins[at] {
			if n == 0 {
				continue
			}
			height := chartRoom * float64(n) / float64(tallest)
			ground -= height
			h.bars = append(h.bars, histogramBar{
				cold: i == 0, x: fmt.Sprintf("%.2f%%", float64(at-first)*wide+wide*0.06), width: fmt.Sprintf("%.2f%%", wide*0.88),
				y: fmt.Sprintf("%.1f", ground), height: fmt.Sprintf("%.1f", height),
			})
		}
	}
	// The fewer powers of ten, the more steps within each: there are always two.
	for _, multiples := range [][]float64{{1}, {1, 2, 5}, {1, 1.5, 2, 3, 4, 5, 7}} {
		if h.ticks = ticksOf(multiples, first, wide); len(h.ticks) > 1 {
			break
		}
	}
	return h
}

// ticksOf are the multiples of the powers of ten that the axis has room for.
// Its first bar is given, and how wide each is, in percent.
func ticksOf(multiples []float64, first int, wide float64) (ticks []histogramTick) {
	for p := 1.0; p <= 1e9; p *= 10 {
		for _, m := range multiples {
			at := (math.Log10(m*p)*barsPerTen - float64(first)) * wide
			if at > 3 && at < 97 {
				ticks = append(ticks, histogramTick{fmt.Sprintf("%.2f%%", at), limit(int64(m * p))})
			}
		}
	}
	return ticks
}

func bin(us int64) int { return int(math.Floor(math.Log10(float64(us)) * barsPerTen)) }

// says is the chart in a sentence.
func (h histogram) says() string {
	return fmt.Sprintf("Histogram on a logarithmic axis: %d warm and %d cold answers between %s and %s.", h.warm, h.cold, Duration(h.low), Duration(h.high))
}

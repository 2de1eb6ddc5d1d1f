package pool

import (
	"math"

	"coldstart/sandbox/jsonline"
)

// The controllers that a pool can have.
const (
	Group   = "group"      // an autoscaling group: adds and removes servers by a rule, replaces those that fail their probes
	Fixed   = "fixed"      // rented servers, and nobody who replaces one
	Cluster = "kubernetes" // servers that hold pods; a controller places pods, and asks for servers when there is no room
)

// Config is the settings of a pool, as pool.json holds them. What takes
// requests is a copy: a server, or a pod on one.
type Config struct {
	Controller string  // Group unless set
	Min, Max   int     // copies
	Target     float64 // share of the capacity to aim for, above 0 to 1
	Every      float64 // seconds between two probes of a copy
	After      int     // failed probes until a copy leaves the rotation
	Boot       float64 // seconds from asking for a server until it runs
	Slots      int     // requests that a copy works on at the same time

	// Cluster only.
	Servers  int     // that are always there
	Pods     int     // that fit on one server
	PodStart float64 // seconds from placing a pod until it answers
}

// Parse reads pool.json. Only min, max and, unless the
// pool is Fixed, target must be there. Errors are
// *jsonline.Error and name the line; an empty file name leaves the place out.
func Parse(file string, data []byte) (Config, error) {
	v, err := jsonline.Parse(file, data)
	if err != nil {
		return Config{}, err
	}
	c := Config{}
	if err := v.Object("controller", "min", "max", "target", "health", "boot_s", "slots", "servers", "pods_per_server", "pod_start_s"); err != nil {
		return c, err
	}
	if c.Controller, err = v.String("controller", Group, Fixed, Cluster); err != nil {
		return c, err
	}
	if c.Min, err = v.Int("min", 0, mostCopies, math.NaN()); err != nil {
		return c, err
	}
	if c.Max, err = v.Int("max", 1, mostCopies, math.NaN()); err != nil {
		return c, err
	}
	if c.Max < c.Min {
		return c, v.Get("max").Errorf("max is %d and min is %d; max must not be smaller than min.", c.Max, c.Min)
	}
	target := math.NaN()
	if c.Controller == Fixed {
		target = 1
	}
	if c.Target, err = v.Number("target", 0.01, 1, target); err != nil {
		return c, err
	}
	if c.Boot, err = v.Number("boot_s", 0, 3600, 40); err != nil {
		return c, err
	}
	if c.Slots, err = v.Int("slots", 1, 1000, 1); err != nil {
		return c, err
	}
	if c.Servers, err = v.Int("servers", 0, mostCopies, 2); err != nil {
		return c, err
	}
	if c.Pods, err = v.Int("pods_per_server", 1, 110, 4); err != nil {
		return c, err
	}
	if c.PodStart, err = v.Number("pod_start_s", 0, 3600, 3); err != nil {
		return c, err
	}
	c.Every, c.After = 10, 3
	h := v.Get("health")
	if h == nil {
		return c, nil
	}
	if err := h.Object("every_s", "unhealthy_after"); err != nil {
		return c, err
	}
	if c.Every, err = h.Number("every_s", 1, 3600, c.Every); err != nil {
		return c, err
	}
	c.After, err = h.Int("unhealthy_after", 1, 100, float64(c.After))
	return c, err
}

const mostCopies = 1000

// Faster is the pool with a clock that runs n times as fast: probes, boots and
// placements take an nth of their time. Requests take as long as ever.
func (c Config) Faster(n float64) Config {
	c.Every, c.Boot, c.PodStart = c.Every/n, c.Boot/n, c.PodStart/n
	return c
}

package web

import (
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics count what the site answers. Every label comes from the table of
// routes or a short list, so that no visitor can make series of their own.
type metrics struct {
	requests *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
}

func newMetrics() metrics {
	return metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "coldstart_http_requests_total", Help: "Requests answered, by method, route and class of the status. Sockets and live views count when they end.",
		}, []string{"method", "route", "class"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "coldstart_http_request_seconds", Help: "Time from a request's head to the end of its answer, by route and class of the status. Sockets and live views are left out.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30},
		}, []string{"route", "class"}),
	}
}

// observe counts one answer.
func (m metrics) observe(c *call, status int, took time.Duration) {
	route, class := c.route, "other"
	if route == "" {
		route = "none" // no row of the table
	}
	if status >= 100 && status < 600 {
		class = strconv.Itoa(status/100) + "xx"
	}
	m.requests.WithLabelValues(method(c.r.Method), route, class).Inc()
	if !lasting[route] {
		m.seconds.WithLabelValues(route, class).Observe(took.Seconds())
	}
}

// lasting are the routes that answer for as long as a page is open.
var lasting = map[string]bool{routeLive: true, routeClassLive: true, routeAuthor: true}

var (
	socketsDesc = prometheus.NewDesc("coldstart_sockets_open", "Pages of learners that are connected.", nil, nil)
	viewsDesc   = prometheus.NewDesc("coldstart_class_views_open", "Live views of classes that are open.", nil, nil)
)

// Describe implements prometheus.Collector.
func (s *Site) Describe(ch chan<- *prometheus.Desc) {
	s.metrics.requests.Describe(ch)
	s.metrics.seconds.Describe(ch)
	ch <- socketsDesc
	ch <- viewsDesc
}

// Collect implements prometheus.Collector: what the site answered since its
// start, and who is connected now.
func (s *Site) Collect(ch chan<- prometheus.Metric) {
	s.metrics.requests.Collect(ch)
	s.metrics.seconds.Collect(ch)
	ch <- prometheus.MustNewConstMetric(socketsDesc, prometheus.GaugeValue, float64(s.hub.Sockets()))
	ch <- prometheus.MustNewConstMetric(viewsDesc, prometheus.GaugeValue, float64(s.boards.count()))
}

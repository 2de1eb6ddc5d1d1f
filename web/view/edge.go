package view

import (
	"fmt"
	"math"
	"strings"
)

// Edge is what the edge lab shows: waits of visitors in several cities, with
// the code near them and with the code near the data.
type Edge struct {
	Data    string // the city of the data
	Cities  []EdgeCity
	Handler float64 // ms, measured; 0 before it was
	Model   string  // what is modelled, and how
	How     string  // how the handler was measured; "" before it was
	Yours   bool    // the cities carry what the learner's function says
	Trouble string  // what is wrong with the learner's function; "" for nothing
}

// EdgeCity is one city's waits, in ms. Edge and Central are the network's
// part alone; what the learner's function says is the whole.
type EdgeCity struct {
	Name                  string
	Lat, Lon, Km          float64
	Edge, Central         float64
	YourEdge, YourCentral float64
}

// best says which place is faster for a city.
func (c EdgeCity) best() string {
	switch {
	case math.Abs(c.Edge-c.Central) < 0.05:
		return "equal"
	case c.Edge < c.Central:
		return "edge"
	}
	return "central"
}

func (e Edge) says() string {
	edge, central := 0, 0
	for _, c := range e.Cities {
		switch c.best() {
		case "edge":
			edge++
		case "central":
			central++
		}
	}
	return fmt.Sprintf("The edge is faster for %d of %d cities, the centre for %d.", edge, len(e.Cities), central)
}

// most is the longest wait, which the bars' full width stands for.
func (e Edge) most() float64 {
	most := 1.0
	for _, c := range e.Cities {
		most = max(most, c.Edge+e.Handler, c.Central+e.Handler)
	}
	return most
}

// bar places a share of a wait; the rest is for the figure.
func (e Edge) bar(ms float64) string { return percent(0.62 * ms / e.most()) }

func (e Edge) after(ms float64) string { return percent(0.62*ms/e.most() + 0.01) }

func (c EdgeCity) waits(e Edge) string {
	return fmt.Sprintf("%s: edge %s, central %s", c.Name, inWait(c.Edge+e.Handler), inWait(c.Central+e.Handler))
}

// inWait writes ms with a digit behind below 100.
func inWait(ms float64) string {
	if ms < 100 {
		return fmt.Sprintf("%.1f ms", ms)
	}
	return grouped(int(math.Round(ms))) + " ms"
}

// The map: equal steps of degrees, from 180° west to 180° east and mapNorth to mapSouth.
const (
	mapNorth = 76.0
	mapSouth = -57.0
	mapWide  = 1000
	mapHigh  = 370
)

func mapX(lon float64) float64 { return (lon + 180) / 360 }
func mapY(lat float64) float64 { return (mapNorth - lat) / (mapNorth - mapSouth) }

func mapPoint(lat, lon float64) string {
	return decimal(math.Round(mapX(lon)*mapWide*10)/10) + " " + decimal(math.Round(mapY(lat)*mapHigh*10)/10)
}

// mapArc is the great circle between two places, as path data.
func mapArc(aLat, aLon, bLat, bLon float64) string {
	r := math.Pi / 180
	vector := func(lat, lon float64) [3]float64 {
		return [3]float64{math.Cos(lat*r) * math.Cos(lon*r), math.Cos(lat*r) * math.Sin(lon*r), math.Sin(lat * r)}
	}
	a, b := vector(aLat, aLon), vector(bLat, bLon)
	angle := math.Acos(min(max(a[0]*b[0]+a[1]*b[1]+a[2]*b[2], -1), 1))
	if angle < 1e-6 {
		return ""
	}
	var out strings.Builder
	const steps = 32
	last := math.NaN()
	for i := range steps + 1 {
		t := float64(i) / steps
		p, q := math.Sin((1-t)*angle)/math.Sin(angle), math.Sin(t*angle)/math.Sin(angle)
		x, y, z := p*a[0]+q*b[0], p*a[1]+q*b[1], p*a[2]+q*b[2]
		lat, lon := math.Atan2(z, math.Hypot(x, y))/r, math.Atan2(y, x)/r
		if math.IsNaN(last) || math.Abs(lon-last) > 180 { // it begins, or crosses the date line
			out.WriteByte('M')
		} else {
			out.WriteByte('L')
		}
		out.WriteString(mapPoint(lat, lon))
		last = lon
	}
	return out.String()
}

// mapGrid is a graticule of 30 degrees.
func mapGrid() string {
	var out strings.Builder
	for lon := -150.0; lon < 180; lon += 30 {
		fmt.Fprintf(&out, "M%sV%d", mapPoint(mapNorth, lon), mapHigh)
	}
	for lat := -30.0; lat < mapNorth; lat += 30 {
		fmt.Fprintf(&out, "M%sH%d", mapPoint(lat, -180), mapWide)
	}
	return out.String()
}

// land is the outline of the continents, drawn by hand and coarse on purpose:
// longitude and latitude, in degrees.
var land = [][][2]float64{
	{ // North America
		{-168, 66},
		{-156, 71},
		{-128, 70},
		{-95, 72},
		{-82, 67},
		{-94, 59},
		{-82, 52},
		{-78, 59},
		{-65, 59},
		{-56, 52},
		{-66, 44},
		{-74, 40},
		{-81, 31},
		{-80, 25},
		{-84, 30},
		{-97, 27},
		{-97, 20},
		{-91, 19},
		{-87, 21},
		{-88, 16},
		{-83, 10},
		{-78, 8},
		{-86, 12},
		{-95, 16},
		{-105, 20},
		{-114, 31},
		{-117, 33},
		{-124, 41},
		{-124, 48},
		{-135, 58},
		{-150, 60},
		{-162, 55},
		{-158, 59},
		{-166, 62},
	},
	{{-57, 75}, {-53, 67}, {-45, 60}, {-40, 65}, {-22, 70}, {-20, 75}}, // Greenland
	{ // South America
		{-78, 8}, {-72, 12}, {-60, 9}, {-50, 0}, {-35, -6}, {-39, -15}, {-48, -27}, {-58, -36}, {-65, -42}, {-68, -53}, {-75, -50}, {-73, -38}, {-70, -19}, {-81, -5},
	},
	{ // Africa
		{-6, 36}, {10, 37}, {11, 33}, {20, 31}, {32, 31}, {43, 12}, {51, 12}, {40, -3}, {40, -15}, {35, -22}, {33, -28}, {26, -34}, {18, -34}, {12, -17}, {9, -1}, {8, 5}, {-8, 5}, {-17, 14}, {-17, 21}, {-10, 30},
	},
	{{49, -12}, {50, -16}, {47, -25}, {44, -23}, {44, -17}}, // Madagascar
	{ // Europe and Asia
		{-9, 37},
		{-9, 43},
		{-2, 44},
		{-4, 48},
		{2, 51},
		{8, 54},
		{8, 57},
		{12, 55},
		{20, 55},
		{24, 59},
		{30, 60},
		{22, 61},
		{25, 65},
		{18, 61},
		{17, 57},
		{13, 56},
		{11, 59},
		{6, 58},
		{6, 62},
		{15, 69},
		{28, 71},
		{41, 67},
		{44, 66},
		{60, 69},
		{70, 73},
		{100, 75},
		{113, 74},
		{140, 72},
		{170, 70},
		{180, 68},
		{178, 63},
		{163, 60},
		{163, 56},
		{157, 51},
		{155, 58},
		{140, 54},
		{140, 48},
		{130, 43},
		{129, 36},
		{126, 35},
		{125, 39},
		{118, 39},
		{122, 31},
		{117, 24},
		{108, 21},
		{109, 12},
		{104, 10},
		{100, 13},
		{104, 2},
		{98, 9},
		{95, 16},
		{90, 22},
		{80, 15},
		{77, 8},
		{72, 20},
		{66, 25},
		{57, 26},
		{51, 28},
		{51, 25},
		{56, 25},
		{59, 22},
		{52, 16},
		{44, 13},
		{35, 28},
		{35, 36},
		{27, 37},
		{27, 41},
		{23, 37},
		{19, 42},
		{13, 45},
		{18, 40},
		{16, 38},
		{11, 43},
		{8, 44},
		{3, 42},
		{-2, 37},
	},
	{{-5, 50}, {1, 51}, {0, 54}, {-3, 58}, {-6, 57}, {-3, 54}},                               // Britain
	{{130, 32}, {136, 34}, {140, 36}, {141, 41}, {145, 44}, {141, 45}, {139, 38}, {132, 35}}, // Japan
	{{109, 1}, {117, 7}, {118, 1}, {116, -4}, {110, -3}},
	{{95, 5}, {104, -3}, {106, -6}, {100, -1}}, // Borneo, Sumatra
	{{131, -1}, {141, -3}, {150, -10}, {138, -8}},
	{{173, -35}, {178, -38}, {174, -41}, {168, -46}, {172, -41}}, // New Guinea, New Zealand
	{ // Australia
		{114, -22}, {122, -18}, {130, -12}, {136, -12}, {136, -17}, {141, -17}, {142, -11}, {146, -19}, {153, -27}, {150, -37}, {143, -39}, {138, -35}, {131, -32}, {116, -35},
	},
}

func mapLand() string {
	var out strings.Builder
	for _, shape := range land {
		for i, p := range shape {
			out.WriteByte("ML"[min(i, 1)])
			out.WriteString(mapPoint(p[1], p[0]))
		}
		out.WriteByte('Z')
	}
	return out.String()
}

// mapLabel places a city's name beside its mark.
func (c EdgeCity) mapLabel() (anchor, dx, dy string) {
	switch {
	case c.Lon > 100:
		return "end", "-9", "4"
	case c.Name == "Madrid":
		return "end", "-8", "8"
	case c.Name == "Amsterdam":
		return "start", "8", "-6"
	}
	return "start", "9", "5"
}

// data is the city where the data stands.
func (e Edge) data() EdgeCity {
	for _, c := range e.Cities {
		if c.Name == e.Data {
			return c
		}
	}
	return EdgeCity{}
}

// numbers are the figures behind the map and the bars.
func (e Edge) numbers() Numbers {
	n := Numbers{Name: "Waits by city", Head: []string{"city", "km to the data", "edge", "central", "faster"}, Open: true}
	if e.Yours {
		n.Head = append(n.Head, "your edge", "your central")
	}
	for _, c := range e.Cities {
		row := []string{c.Name, grouped(int(math.Round(c.Km))), inWait(c.Edge + e.Handler), inWait(c.Central + e.Handler), c.best()}
		if e.Yours {
			row = append(row, inWait(c.YourEdge), inWait(c.YourCentral))
		}
		n.Rows = append(n.Rows, row)
	}
	return n
}

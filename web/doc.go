// Package web is the site: pages, the project API, the live session's door,
// and the public addresses of learners' Workers, as one http.Handler.
//
// What a route does is a plain function over a call; echo only routes. Every
// route is a row of the table in routes.go, which also says who may use it,
// how much it may send, and where it must come from. Learner code is never
// parsed, built or run here: that is the sandbox's, behind its door.
package web

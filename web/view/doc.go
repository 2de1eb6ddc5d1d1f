// Package view draws the site's pages: plain view models in, HTML out. A page
// is a templ component that takes one model and calls no service, so that a
// golden test and the gallery need only a struct.
//
// The models say what to show, in the order in which it is shown; where it
// comes from is the site's affair. Texts are escaped; only fields of type HTML
// are taken as they are, and whoever fills them has sanitised them.
package view

// Package lab runs the labs: experiments that measure this server's own
// isolates and what they are compared with. Labs that burn the machine queue
// behind each other, are capped in count and time, and end with their context.
//
// What a lab measured is plain data; web keeps it and draws it.
package lab

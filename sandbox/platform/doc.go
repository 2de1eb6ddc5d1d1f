// Package platform is what a cloud gives a Worker around its code: the route
// table that picks it, and the storage, queues and schedules it is bound to.
package platform

package sandbox

import "coldstart/sandbox/platform"

// Routes says which entry of a project's route table decides about an address
// and why each other one does not. It is the look-up that Invoke makes, told
// in full; documented is as in Run.Documented.
func (s *Sandbox) Routes(key Key, url string, documented bool) (platform.RouteMatch, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p, err := s.chosen(key)
	if err != nil {
		return platform.RouteMatch{}, err
	}
	m, _ := p.match(url, documented)
	return m, nil
}

// match asks the route table; ok says that an entry decides.
func (p *project) match(url string, documented bool) (m platform.RouteMatch, ok bool) {
	if p.routes.Len() == 0 || url == "" {
		return platform.RouteMatch{Winner: -1, Why: "This project has no routes."}, false
	}
	t := *p.routes
	t.Documented = documented
	m = t.Match(url)
	return m, m.Winner >= 0
}

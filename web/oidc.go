package web

func (s *Site) providerName() string { return "" }

package oidc

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
)

// answerBytes is the most that a provider's answer may hold.
const answerBytes = 1 << 20

// wire carries questions to a provider. Answers are bounded: the library reads
// them whole.
type wire struct{}

func client(by http.RoundTripper) *http.Client {
	return &http.Client{Timeout: answerTime, CheckRedirect: stay, Transport: by}
}

// stay refuses redirects: the code and the secret are for one address.
func stay(*http.Request, []*http.Request) error { return errors.New("oidc: the provider redirects") }

// RoundTrip implements http.RoundTripper.
func (wire) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(io.LimitReader(resp.Body, answerBytes+1))
	if err = errors.Join(err, resp.Body.Close()); err == nil && len(data) > answerBytes {
		err = fmt.Errorf("oidc: the provider's answer is larger than %d bytes", answerBytes)
	}
	if err != nil {
		return nil, err
	}
	resp.Body, resp.ContentLength = io.NopCloser(bytes.NewReader(data)), int64(len(data))
	return resp, nil
}

// signing fetches a provider's keys without those that are not for signatures,
// which the library would take as well (RFC 7517, 4.2).
type signing struct{ wire }

// RoundTrip implements http.RoundTripper.
func (s signing) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := s.wire.RoundTrip(r)
	if err != nil || resp.StatusCode != http.StatusOK {
		return resp, err
	}
	var set struct {
		Keys []map[string]any `json:"keys"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&set); err != nil {
		return nil, fmt.Errorf("oidc: keys: %w", err)
	}
	good := set.Keys[:0]
	for _, key := range set.Keys {
		if use, named := key["use"]; !named || use == "sig" {
			good = append(good, key)
		}
	}
	set.Keys = good
	data, err := json.Marshal(set)
	if err != nil {
		return nil, fmt.Errorf("oidc: keys: %w", err)
	}
	resp.Body, resp.ContentLength = io.NopCloser(bytes.NewReader(data)), int64(len(data))
	return resp, nil
}

package main

import (
	"context"
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"time"

	"github.com/gorilla/websocket"

	"coldstart/web/live"
)

// siteWait bounds each question to the running site.
const siteWait = 10 * time.Second

// site asks the running site at the address that visitors type, through
// whatever stands in front of it. It leaves nothing there.
func (r report) site(ctx context.Context, base string) {
	base = strings.TrimRight(base, "/")
	u, err := url.Parse(base)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		r.say("site", "off: --public-url %s is not an address such as https://learn.example.org", base)
		return
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		r.say("site", "off: %v", err)
		return
	}
	client := &http.Client{Timeout: siteWait, Jar: jar}
	if err := answersOK(ctx, client, base+"/readyz"); err != nil {
		r.say("site", "off: %v; start the server and what stands in front of it, then ask again", err)
		return
	}
	if err := answersOK(ctx, client, base+"/"); err != nil { // it gives the session
		r.say("site", "off: %v", err)
		return
	}
	r.say("site", "on: %s answers", base)
	if err := socketOpens(ctx, jar, u); err != nil {
		r.say("websocket", "off: %v", err)
		return
	}
	r.say("websocket", "on: it reaches the server")
}

func answersOK(ctx context.Context, client *http.Client, address string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return err
	}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	if err := resp.Body.Close(); err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers with %s", address, resp.Status)
	}
	return nil
}

// socketOpens opens a page's socket and waits for its first message. The error
// says what to do.
func socketOpens(ctx context.Context, jar http.CookieJar, base *url.URL) error {
	d := websocket.Dialer{Jar: jar, Subprotocols: []string{live.Subprotocol}, HandshakeTimeout: siteWait}
	conn, resp, err := d.DialContext(ctx, "ws"+strings.TrimPrefix(base.String(), "http")+"/api/live", http.Header{"Origin": {base.Scheme + "://" + base.Host}})
	switch {
	case err != nil && resp == nil:
		return err
	case err != nil && resp.StatusCode == http.StatusUpgradeRequired:
		return fmt.Errorf("the proxy does not pass the upgrade on: let it forward the headers Upgrade and Connection, with HTTP/1.1")
	case err != nil && resp.StatusCode == http.StatusForbidden:
		return fmt.Errorf("the server takes another address for its own: start it with --public-url %s", base)
	case err != nil:
		return fmt.Errorf("it is answered with %s", resp.Status)
	}
	defer conn.Close()
	if err := conn.SetReadDeadline(time.Now().Add(siteWait)); err != nil {
		return err
	}
	if err := conn.WriteJSON(live.ClientMessage{Type: "hello", Project: "doctor"}); err != nil {
		return err
	}
	var m live.ServerMessage
	if err := conn.ReadJSON(&m); err != nil {
		return fmt.Errorf("it opens and then says nothing (%w): the proxy must pass on what comes without waiting for more", err)
	}
	return nil
}

package platform

import (
	"bytes"
	"context"
	"crypto/md5"  //nolint:gosec // R2's ETag is an MD5 by definition
	"crypto/sha1" //nolint:gosec // one that R2 offers
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"encoding/json"
	"math"
	"slices"
	"strings"

	"coldstart/sandbox/trace"
)

const (
	r2Object = 16 << 20 // bytes of one object
	r2Page   = 1000     // objects that list() reads at a time
)

// object is what is kept beside an object's bytes.
type object struct {
	Version   string          `json:"version"`
	ETag      string          `json:"etag"`
	Uploaded  int64           `json:"uploaded"` // Unix milliseconds
	HTTP      json.RawMessage `json:"http,omitempty"`
	Custom    json.RawMessage `json:"custom,omitempty"`
	Checksums json.RawMessage `json:"checksums,omitempty"`
}

// conditions are those of R2's onlyIf. An ETag may be one text or a list.
type conditions struct {
	Matches      texts    `json:"etagMatches"`
	DoesNotMatch texts    `json:"etagDoesNotMatch"`
	Before       *float64 `json:"uploadedBefore"` // Unix milliseconds
	After        *float64 `json:"uploadedAfter"`
	Seconds      bool     `json:"secondsGranularity"`
}

type texts []string

// UnmarshalJSON reads a text or a list of texts.
func (t *texts) UnmarshalJSON(b []byte) error {
	var one string
	if json.Unmarshal(b, &one) == nil {
		*t = texts{one}
		return nil
	}
	return json.Unmarshal(b, (*[]string)(t))
}

func (t texts) has(etag string) bool {
	return slices.ContainsFunc(t, func(s string) bool { return s == "*" || strings.Trim(strings.TrimPrefix(s, "W/"), `"`) == etag })
}

// hold reports whether conditions hold for an object, nil being none. A test of
// the ETag that holds outranks the one of the time. Specification: RFC 9110, 13.2.2.
func (c conditions) hold(o *object) bool {
	if o == nil {
		return len(c.Matches) == 0 && c.After == nil
	}
	second := func(t float64) float64 {
		if c.Seconds {
			return math.Floor(t / 1000)
		}
		return t
	}
	at := second(float64(o.Uploaded))
	switch {
	case len(c.Matches) > 0 && !c.Matches.has(o.ETag), len(c.DoesNotMatch) > 0 && c.DoesNotMatch.has(o.ETag):
		return false
	case len(c.Matches) == 0 && c.Before != nil && at >= second(*c.Before):
		return false
	}
	return !(len(c.DoesNotMatch) == 0 && c.After != nil && at <= second(*c.After))
}

func conditionsOf(text string) (conditions, error) {
	var c conditions
	if text == "" {
		return c, nil
	}
	if err := json.Unmarshal([]byte(text), &c); err != nil {
		return c, typeError("The conditions (onlyIf) cannot be read.")
	}
	return c, nil
}

func bucketOf(c Caller, a args) (Namespace, error) {
	id := a.str(0)
	return Namespace{c.Project, "r2", id}, c.own("r2", id)
}

func r2Key(k string) error {
	if k == "" || len(k) > 1024 {
		return plainError("R2: an object's key has 1 to 1024 bytes; this one has %d.", len(k))
	}
	return nil
}

func (p *Platform) object(r *Record) (*object, error) {
	if r == nil {
		return nil, nil
	}
	var o object
	if err := json.Unmarshal(r.Meta, &o); err != nil {
		return nil, p.trouble("r2", err)
	}
	return &o, nil
}

func describe(r *Record, o *object, size int64) []any {
	return []any{r.Key, o.Version, size, o.ETag, o.Uploaded, string(o.HTTP), string(o.Custom), string(o.Checksums)}
}

// find reads an object and what describes it.
func (p *Platform) find(ctx context.Context, c Caller, a args) (*Record, *object, error) {
	ns, err := bucketOf(c, a)
	if err != nil {
		return nil, nil, err
	}
	if err := r2Key(a.str(1)); err != nil {
		return nil, nil, err
	}
	r, err := p.cfg.Store.Get(ctx, ns, a.str(1))
	if err != nil {
		return nil, nil, p.trouble("r2", err)
	}
	o, err := p.object(r)
	return r, o, err
}

func r2Head(ctx context.Context, p *Platform, c Caller, a args) (any, error) {
	r, o, err := p.find(ctx, c, a)
	if err != nil || r == nil {
		return nil, err
	}
	return describe(r, o, int64(len(r.Value))), nil
}

func r2Get(ctx context.Context, p *Platform, c Caller, a args) (any, error) {
	r, o, err := p.find(ctx, c, a)
	if err != nil || r == nil {
		return nil, err
	}
	cond, err := conditionsOf(a.str(4))
	if err != nil {
		return nil, err
	}
	size := int64(len(r.Value))
	if !cond.hold(o) {
		return []any{describe(r, o, size), nil, int64(0), size}, nil
	}
	offset, length := a.integer(2), a.integer(3)
	if offset < 0 { // the last bytes
		offset = max(0, size+offset)
	}
	if offset >= size && a.flag(5) { // a Range header that cannot be met is left aside
		offset, length = 0, -1
	}
	if offset > size || offset == size && size > 0 {
		return nil, plainError("get: The requested range is not satisfiable (10039)")
	}
	if length < 0 || length > size-offset {
		length = size - offset
	}
	return []any{describe(r, o, size), r.Value[offset : offset+length], offset, length}, nil
}

func r2Put(ctx context.Context, p *Platform, c Caller, a args) (any, error) {
	ns, err := bucketOf(c, a)
	if err != nil {
		return nil, err
	}
	body := a.data(2)
	if body == nil {
		body = []byte{}
	}
	if len(body) > r2Object {
		return nil, plainError("put: the object is larger than %d MiB.", r2Object>>20)
	}
	_, was, err := p.find(ctx, c, a)
	if err != nil {
		return nil, err
	}
	cond, err := conditionsOf(a.str(5))
	if err != nil {
		return nil, err
	}
	if a.str(5) != "" && !cond.hold(was) {
		return nil, nil
	}
	sum := md5.Sum(body) //nolint:gosec // as above
	etag := hex.EncodeToString(sum[:])
	kept := map[string]string{"md5": etag}
	if algorithm := a.str(6); algorithm != "" {
		sum, ok := checksums[algorithm]
		if !ok {
			return nil, plainError("put: no checksum algorithm has this name: %s", clip(algorithm, 16))
		}
		kept[algorithm] = sum.of(body)
		if want := a.str(7); want != kept[algorithm] {
			return nil, plainError("put: The %[1]s checksum you specified did not match what we received.\nYou provided a %[1]s checksum with value: %[2]s\nActual %[1]s was: %[3]s (10037)", sum.name, clip(want, 128), kept[algorithm])
		}
	}
	sums, err := json.Marshal(kept)
	if err != nil {
		return nil, err
	}
	o := &object{Version: messageID(), ETag: etag, Uploaded: p.cfg.Now().UnixMilli(), HTTP: rawJSON(a.str(3)), Custom: rawJSON(a.str(4)), Checksums: sums}
	meta, err := json.Marshal(o)
	if err != nil || len(meta) > 16<<10 {
		return nil, plainError("put: the object's metadata is too large.")
	}
	rec := Record{Key: a.str(1), Value: bytes.Clone(body), Meta: meta}
	if err := p.cfg.Store.Write(ctx, ns, []Change{{Record: rec}}, func(u Usage) error {
		l := c.Worker.Limits
		if u.Keys > l.R2Objects {
			p.cfg.Full()
			return plainError("put: this project's buckets hold %d objects, the most they may; delete some first.", l.R2Objects)
		}
		if u.Bytes > l.R2Bytes {
			p.cfg.Full()
			return plainError("put: this project's %s of buckets are full; delete some objects first.", trace.SizeText(l.R2Bytes))
		}
		return nil
	}); err != nil {
		return nil, p.trouble("r2.put", err)
	}
	return describe(&rec, o, int64(len(body))), nil
}

// checksums are the algorithms whose result put() may be told, in hex digits.
var checksums = map[string]struct {
	name string
	of   func([]byte) string
}{
	"md5":    {"MD5", func(b []byte) string { s := md5.Sum(b); return hex.EncodeToString(s[:]) }},    //nolint:gosec // as above
	"sha1":   {"SHA-1", func(b []byte) string { s := sha1.Sum(b); return hex.EncodeToString(s[:]) }}, //nolint:gosec // as above
	"sha256": {"SHA-256", func(b []byte) string { s := sha256.Sum256(b); return hex.EncodeToString(s[:]) }},
	"sha384": {"SHA-384", func(b []byte) string { s := sha512.Sum384(b); return hex.EncodeToString(s[:]) }},
	"sha512": {"SHA-512", func(b []byte) string { s := sha512.Sum512(b); return hex.EncodeToString(s[:]) }},
}

// rawJSON is text that is JSON, else nothing.
func rawJSON(s string) json.RawMessage {
	if s == "" || !json.Valid([]byte(s)) {
		return nil
	}
	return json.RawMessage(s)
}

func r2Delete(ctx context.Context, p *Platform, c Caller, a args) (any, error) {
	ns, err := bucketOf(c, a)
	if err != nil {
		return nil, err
	}
	keys := a.list(1)
	if len(keys) > 1000 {
		return nil, plainError("delete: at most 1000 keys at a time.")
	}
	var batch []Change
	for i := range keys {
		batch = append(batch, Change{Record: Record{Key: keys.str(i)}, Delete: true})
	}
	return nil, p.trouble("r2.delete", p.cfg.Store.Write(ctx, ns, batch, nil))
}

func r2List(ctx context.Context, p *Platform, c Caller, a args) (any, error) {
	ns, err := bucketOf(c, a)
	if err != nil {
		return nil, err
	}
	prefix, limit, delimiter := a.str(1), int(a.integer(2)), a.str(4)
	if limit < 1 || limit > 1000 {
		limit = 1000
	}
	after, err := cursorKey(a.str(3))
	if err != nil {
		return nil, err
	}
	var groups, found []any
	from := max(after, a.str(5))
	last, cursor := "", ""
	seen := ""
	// A page at a time: what describes all objects of a bucket may be megabytes.
	for more := true; more && cursor == ""; {
		list, err := p.cfg.Store.List(ctx, ns, Query{Prefix: prefix, After: from, Limit: r2Page})
		if err != nil {
			return nil, p.trouble("r2.list", err)
		}
		more = len(list) == r2Page
		for _, r := range list {
			from = r.Key
			group := ""
			if i := strings.Index(r.Key[len(prefix):], delimiter); delimiter != "" && i >= 0 {
				group = r.Key[:len(prefix)+i+len(delimiter)]
			}
			if group != "" && group == seen { // also beyond a full page: the next one begins after the group
				last = r.Key
				continue
			}
			if len(groups)+len(found) >= limit {
				cursor = keyCursor(last)
				break
			}
			if group != "" {
				seen, last = group, r.Key
				groups = append(groups, group)
				continue
			}
			o, err := p.object(&r)
			if err != nil {
				return nil, err
			}
			found = append(found, describe(&r, o, r.Size))
			last = r.Key
		}
	}
	if groups == nil {
		groups = []any{}
	}
	return append([]any{cursor, groups}, found...), nil
}
